/** Events that wait to be acknowledged: in storage that all tabs share and that a closed tab leaves behind. */

import * as store from './store.js'

export const BYTES = 60 * 1024
export const COUNT = 50
/** Characters: less than half of what a browser gives a site, which the page needs too. */
const BOUND = 2e6
const START = 'event.'

export interface Batch {
  keys: string[]
  /** Whose events these are; empty: nobody's who is signed in. */
  user: string
  events: string[]
}

const size = (text: string): number => new TextEncoder().encode(text).length
const length = (key: string): number => store.get(key)?.length ?? 0
let used: number | undefined

/** Adds an event, and returns its key. A full queue loses its oldest events. */
export function add(id: string, user: string, event: string): string | undefined {
  if (size(event) > BYTES - 200) return undefined
  used ??= all().reduce((sum, key) => sum + length(key), 0)
  used += event.length
  if (used > BOUND) {
    for (const key of all()) {
      if (used < BOUND * 0.9) break
      used -= length(key)
      store.remove(key)
    }
  }
  const key = `${START}${id}.${user}`
  store.set(key, event)
  return key
}

export const waits = (key: string): boolean => store.get(key) !== null

export const all = (): string[] => store.keys(START)

/** The oldest events that one request can take. They are of one user, so that nobody's events are sent in another's name. */
export function take(keys: string[], most = COUNT): Batch {
  const batch: Batch = { keys: [], user: '', events: [] }
  let left = BYTES - 200
  for (const key of keys) {
    const event = store.get(key)
    if (event === null) continue // acknowledged in another tab
    const user = key.slice(START.length + 37)
    left -= size(event) + 1
    if (batch.keys.length && (left < 0 || batch.keys.length >= most || user !== batch.user)) break
    batch.user = user
    batch.keys.push(key)
    batch.events.push(event)
  }
  return batch
}

export function acknowledge(keys: string[]): void {
  keys.forEach(store.remove)
  used = undefined
}
