/** One tab at a time: Web Locks, and where there are none (pages without HTTPS) a lease in storage. */

import * as store from './store.js'

const NAME = 'sender'
const LEASE = 30_000
const me = `${Math.random()}`

/** Runs it unless another tab does, and says whether it did. */
export async function exclusive(run: () => Promise<void>): Promise<boolean> {
  let began = false
  const go = async (): Promise<void> => {
    began = true
    await run()
  }
  const { locks } = navigator as { locks?: LockManager }
  if (locks) {
    try {
      await locks.request(`clickstream.${NAME}`, { ifAvailable: true }, (lock) => (lock ? go() : undefined))
      return began
    } catch (error) {
      if (began) throw error // else this page may not use locks
    }
  }
  const [owner, until] = (store.get(NAME) ?? '').split(' ') as [string, string?]
  const left = Number(until) - Date.now()
  if (owner && owner !== me && left > 0 && left <= LEASE) return false
  store.set(NAME, `${me} ${Date.now() + LEASE}`)
  try {
    await go()
  } finally {
    store.remove(NAME)
  }
  return true
}
