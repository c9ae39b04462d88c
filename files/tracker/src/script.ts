/** The script tag: options from its `data-` attributes and `window.clickstreamOptions`; the tracker is `window.clickstream`. */

import { createTracker } from './index.js'
import type { Options, Tracker } from './types.js'

const page = window as { clickstream?: Tracker | ((tracker: Tracker) => void)[]; clickstreamOptions?: Options }
const written = Object.entries(document.currentScript?.dataset ?? {}).map(([name, text = '']) => [
  name,
  name === 'secrets' ? text.split(/[\s,]+/) : text === 'false' ? false : text === '' || text === 'true' ? true : /^\d+$/.test(text) ? +text : text,
])
const early = page.clickstream
page.clickstream = createTracker({ ...page.clickstreamOptions, ...Object.fromEntries(written) })
if (Array.isArray(early)) early.forEach(page.clickstream.push)
