import { makeTracker } from './tracker.js'
import type { Options, Tracker } from './types.js'

export type * from './types.js'

const ONE = Symbol.for('clickstream')

/** Starts the page's tracker. A page has one: the second call returns it. On a server it does nothing. */
export function createTracker(options: Options = {}): Tracker {
  const place = (typeof document === 'undefined' ? {} : window) as Record<symbol, Tracker | undefined>
  return (place[ONE] ??= makeTracker(options))
}
