/** What an event says about the page and the browser. */

import { type Scrub, withoutMail } from './scrub.js'

const CAMPAIGN = /^(utm_\w+|\w*clk?id|[gw]braid)$/

/** The parameters by which advertisements say where a visitor comes from. */
export const campaign = (): Record<string, string> =>
  Object.fromEntries(
    [...new URLSearchParams(location.search)].filter(([name]) => CAMPAIGN.test(name)).map(([name, value]) => [name, withoutMail(value).slice(0, 200)]),
  )

/** The page on which a session began. */
export const landing = (scrub: Scrub): object => ({
  url: scrub(location.href),
  ...(document.referrer && { referrer: scrub(document.referrer) }),
  ...campaign(),
})

export const browser = (): object => ({
  language: navigator.language,
  viewport: `${innerWidth}x${innerHeight}`,
  screen: `${screen.width}x${screen.height}`,
  timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
})
