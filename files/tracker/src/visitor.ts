/** Who sends: the browser, its session, and who is signed in. All tabs share them. */

import * as store from './store.js'
import { uuid } from './uuid.js'
import type { LoginState } from './types.js'

const IDLE = 30 * 60_000
const DAY = 24 * 3_600_000
const VISITOR = 'visitor'
const USER = 'user'

export interface User {
  userLoginState: LoginState
  userId?: string
  identitySource?: string
}

interface Visitor {
  clientId: string
  sessionId: string
  /** When the session began, and when it was last used. */
  began: number
  used: number
  landing: object
}

const read = <Kept>(key: string): Partial<Kept> => {
  try {
    return JSON.parse(store.get(key) ?? '{}') as Partial<Kept>
  } catch {
    return {}
  }
}

/**
 * The visitor, whose session this use of it keeps alive. `land` describes the page on which a session begins.
 *
 * The name of a session is the browser's and when its last session was used: tabs that begin one at the same moment give it the same name.
 */
export function visitor(now: number, land: () => object, arrived: boolean): { clientId: string; sessionId: string; isFirstVisit: boolean; landing: object } {
  const known = read<Visitor>(VISITOR)
  const { clientId = uuid(now), used = 0, began = 0 } = known
  const goes = known.sessionId && Math.abs(now - used) < IDLE && Math.abs(now - began) < DAY
  const sessionId = goes ? known.sessionId! : `${clientId}.${used.toString(36)}`
  const landing = goes && !arrived ? known.landing! : land()
  // A second more or less is not worth writing.
  if (!goes || arrived || Math.abs(now - used) > 1000) {
    store.set(VISITOR, JSON.stringify({ clientId, sessionId, began: goes ? began : now, used: now, landing }))
  }
  return { clientId, sessionId, isFirstVisit: sessionId.endsWith('.0'), landing }
}

export const user = (): Partial<User> => read<User>(USER)

export function setUser(next: User): void {
  if (next.userId) store.set(USER, JSON.stringify(next))
  else store.remove(USER)
}
