/** Clicks on links, buttons and what carries `data-track`, with one listener for the page. */

import { type Scrub, withoutMail } from './scrub.js'

const WORTH = 'a,button,summary,[role=button],[role=link],[role=tab],[role=menuitem],input[type=submit],input[type=button],[data-track]'
const CLOSED = '[data-private]'
/** What people type or choose is never read, nor is a text that holds it or is in it. */
const TYPED = 'input,textarea,select,[contenteditable]'

export interface Click {
  name: string | undefined
  element: Record<string, unknown>
}

export function describe(event: Event, scrub: Scrub): Click | undefined {
  const path = event.composedPath().filter((one): one is Element => one instanceof Element)
  const element = path.find((one) => one.matches(WORTH)) as (HTMLElement & { href?: unknown }) | undefined
  // Across shadow roots too
  if (!element || path.some((one) => one.matches(CLOSED))) return undefined
  const { tagName, id, dataset } = element
  const typed = path.some((one) => one.matches(TYPED)) || element.querySelector(`${TYPED},${CLOSED}`)
  const tracked = Object.entries(dataset).filter(([name]) => /^track[A-Z]/.test(name))
  return {
    name: dataset['track'],
    element: {
      tag: tagName.toLowerCase(),
      id: id || undefined,
      role: element.getAttribute('role') ?? undefined,
      text: typed ? undefined : withoutMail((element.textContent ?? '').slice(0, 999).replace(/\s+/g, ' ').trim()).slice(0, 100) || undefined,
      href: typeof element.href === 'string' ? scrub(element.href) : undefined,
      dataset: tracked.length ? Object.fromEntries(tracked) : undefined,
    },
  }
}
