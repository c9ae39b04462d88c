/** The parts put together: from what the page says to an event in the queue. */

import { describe } from './clicks.js'
import { browser, campaign, landing } from './page.js'
import { scrubber } from './scrub.js'
import { makeSender } from './sender.js'
import * as store from './store.js'
import type { Fields, Options, Tracker } from './types.js'
import { uuid } from './uuid.js'
import { watchViews } from './views.js'
import { setUser, user, visitor, type User } from './visitor.js'

declare const VERSION: string

const MOST_HELD = 500

type Event = Record<string, unknown>

export function makeTracker(options: Options): Tracker {
  const log = (...said: unknown[]): void => {
    if (options.debug) console.debug('[clickstream]', ...said)
  }
  /** No error of ours becomes one of the page's. */
  const guard =
    <Arguments extends unknown[]>(run: (...given: Arguments) => void) =>
    (...given: Arguments): void => {
      try {
        run(...given)
      } catch (error) {
        log('error', error)
      }
    }

  const server = typeof document === 'undefined'
  const objects = (): boolean => {
    const { globalPrivacyControl, doNotTrack } = navigator as Navigator & { globalPrivacyControl?: boolean }
    return !!options.respectSignals && (globalPrivacyControl === true || doNotTrack === '1')
  }
  const refused = server || objects()
  let state = refused ? 'off' : (options.consent ?? 'on')

  const scrub = scrubber(options.secrets, options.hash)
  let href = ''
  let scrubbed = ''
  const address = (): string => {
    if (href !== location.href) scrubbed = scrub((href = location.href))
    return scrubbed
  }
  const sender = makeSender(options, log)
  /** Until the visitor decides: what happened, and who it was. Nothing is stored. */
  let held: Event[] = []
  let heldUser: User | undefined
  let page: string | undefined
  let referrer = ''
  let landed = false

  const keep = (event: Event, now: number): void => {
    // An advertisement that was followed within a session is where its visitor came from last.
    const arrived = !landed && Object.keys(campaign()).length > 0
    landed = true
    const { landing: from, ...who } = visitor(now, () => landing(scrub), arrived)
    const person = event['userLoginState'] ? {} : { userLoginState: 'anonymous', ...user() }
    const whole: Event = { ...who, ...person, ...event, landing: from, toJSON: undefined }
    log('event', whole)
    sender.add(event['eventId'] as string, whole['userLoginState'] === 'logged_in' ? `${whole['userId']}` : '', JSON.stringify(whole))
  }

  const record = (name: string, fields?: object): void => {
    if (state === 'off') return
    // Nobody sees it yet.
    if ((document as Document & { prerendering?: boolean }).prerendering)
      return document.addEventListener('prerenderingchange', guard(() => record(name, fields)), { once: true })
    const now = Date.now()
    const pageUrl = address()
    if (pageUrl !== page) {
      referrer = page ?? (document.referrer && scrub(document.referrer))
      page = pageUrl
    }
    const event: Event = { ...fields, eventId: uuid(now), eventName: name, eventTimestamp: new Date(now).toISOString(), pageUrl, ...heldUser }
    if (/_view$/.test(name)) Object.assign(event, browser(), referrer && { referrer })
    if (state === 'on') keep(event, now)
    else if (held.push(event) > MOST_HELD) held.shift()
  }

  const forget = (): void => {
    held = []
    heldUser = undefined
    sender.forget()
    store.keys('').forEach(store.remove)
  }

  const identify: Tracker['identify'] = (userId, userLoginState = 'logged_in', identitySource) => {
    if (state === 'off') return
    const nobody = userId == null || userId === ''
    const next: User = nobody ? { userLoginState: 'anonymous' } : { userLoginState, userId: `${userId}`, identitySource }
    if (state === 'on') setUser(next)
    else heldUser = next
  }

  const of = (product?: object, fields?: Fields): object => ({ ...(product && { product }), ...fields })
  const buy = (order?: object, fields?: Fields): object => ({ ...(order && { order }), ...fields })

  const tracker: Tracker = {
    version: VERSION,
    track: record,
    pageView: (fields) => record('page_view', fields),
    homeView: (fields) => record('home_view', fields),
    categoryView: (category, fields) => record('category_view', of({ category }, fields)),
    productView: (product, fields) => record('product_view', of(product, fields)),
    search: (term, results, fields) => record('search', { search: { term, results }, ...fields }),
    addToCart: (product, fields) => record('add_to_cart_click', of(product, fields)),
    removeFromCart: (product, fields) => record('remove_from_cart_click', of(product, fields)),
    setQuantity: (product, fields) => record('cart_quantity', of(product, fields)),
    clearCart: (items, fields) => record('cart_clear', buy(items && { items }, fields)),
    toggleWishlist: (product, added, fields) => record('wishlist_toggle', { added, ...of(product, fields) }),
    share: (product, channel, fields) => record('share_click', { channel, ...of(product, fields) }),
    loginOpen: (fields) => record('login_open', fields),
    loginSuccess(userId, source, fields) {
      identify(userId, 'logged_in', source)
      record('login_success', fields)
    },
    logout(fields) {
      record('logout', fields)
      identify(null)
    },
    checkoutStart: (order, fields) => record('checkout_start', buy(order, fields)),
    checkoutComplete: (order, fields) => record('checkout_complete', buy(order, fields)),
    identify,
    consent(given) {
      if (refused) return
      if (!given) {
        state = 'off'
        forget()
      } else if (state !== 'on') {
        state = 'on'
        held.forEach((event) => keep(event, Date.now()))
        if (heldUser) setUser(heldUser)
        held = []
        heldUser = undefined
      }
    },
    forget,
    flush: sender.flush,
    push: (use) => use(tracker),
  }
  for (const [name, method] of Object.entries(tracker)) {
    if (typeof method === 'function') (tracker as unknown as Record<string, unknown>)[name] = guard(method as (...given: unknown[]) => void)
  }
  if (server) return tracker

  guard(() => {
    if (state === 'off') forget()
    if (options.views !== false) watchViews(address, tracker.pageView, guard)
    if (options.clicks !== false) {
      const click = (event: MouseEvent): void => {
        const found = state !== 'off' && describe(event, scrub)
        if (found) record(found.name || 'click', { element: found.element })
      }
      addEventListener('click', guard(click), { capture: true, passive: true })
    }
    addEventListener('pagehide', guard(sender.leave))
    addEventListener('pageshow', guard((event: PageTransitionEvent) => event.persisted && sender.back()))
    addEventListener('online', guard(sender.flush))
    document.addEventListener('visibilitychange', guard(() => document.visibilityState === 'hidden' && sender.flush()))
    // What an earlier page has left
    if (state === 'on') setTimeout(guard(sender.flush), options.interval ?? 2000)
  })()
  return tracker
}
