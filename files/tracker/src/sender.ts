/** Sends what is in the queue until the collector has acknowledged it. */

import { exclusive } from './exclusive.js'
import * as queue from './queue.js'
import { user } from './visitor.js'
import type { Options } from './types.js'

const PATIENCE = 15_000
const SETTLE = 100
const LONGEST = 5 * 60_000
/** Answers after which the same events are not sent again. Any other is a fault that may pass. */
const FINAL = [200, 400, 413, 415]

declare const VERSION: string

const bodyOf = (events: string[]): string => `{"sentAt":"${new Date().toISOString()}","tracker":"${VERSION}","events":[${events.join()}]}`

export interface Sender {
  add(id: string, user: string, event: string): void
  flush(): void
  /** The page goes: hand what this tab recorded to the browser. */
  leave(): void
  back(): void
  forget(): void
}

export function makeSender(options: Options, log: (...said: unknown[]) => void): Sender {
  const { url, interval = 2000, retry = 1000 } = options
  /** What this tab recorded and nobody has acknowledged yet. */
  const own = new Set<string>()
  let flying: string[] = []
  let timer: ReturnType<typeof setTimeout> | undefined
  let due = Infinity
  let failures = 0
  let fresh = 0
  let busy = false
  let gone = false
  let token: string | null | undefined

  /** At that time, or sooner if a sooner one was asked for. */
  const later = (wait: number): void => {
    const at = performance.now() + wait
    if (at >= due) return
    clearTimeout(timer)
    due = at
    timer = setTimeout(flush, wait)
  }

  const post = async (body: string, authorization?: string | null): Promise<number> => {
    const stop = new AbortController()
    const limit = setTimeout(() => stop.abort(), PATIENCE)
    try {
      const answer = await fetch(authorization ? `${url}/me` : url!, {
        method: 'POST',
        body,
        keepalive: true,
        credentials: 'omit',
        signal: stop.signal,
        headers: authorization ? { authorization: `Bearer ${authorization}` } : undefined,
      } as RequestInit)
      log('answer', answer.status, options.debug && (await answer.text()))
      return answer.status
    } catch (error) {
      log('no answer: offline, wrong address, platform_cors_origins or connect-src', error)
      return 0
    } finally {
      clearTimeout(limit)
    }
  }

  const askToken = async (renew: boolean): Promise<void> => {
    try {
      token = await options.token!(renew)
    } catch (error) {
      log('no token', error)
      token = undefined
    }
  }

  const send = async (batch: queue.Batch): Promise<number> => {
    // A new sentAt each time
    const again = (): Promise<number> => post(bodyOf(batch.events), token)
    token = undefined
    if (!options.token || !batch.user || batch.user !== user().userId) return again()
    await askToken(false)
    let status = await again()
    if (status === 401 && token) {
      await askToken(true)
      status = await again()
      if (status === 401) {
        token = undefined
        status = await again()
      }
    }
    return status
  }

  const drain = async (): Promise<void> => {
    let most: number | undefined
    let done = false
    for (;;) {
      const batch = queue.take(queue.all(), most)
      if (!batch.keys.length || gone) {
        // Other tabs see a little later what was taken out of the storage: they get the lock after that.
        if (done) await new Promise((go) => setTimeout(go, SETTLE))
        return
      }
      flying = batch.keys
      const status = await send(batch)
      flying = []
      if (status === 413 && batch.keys.length > 1) {
        most = batch.keys.length >> 1
      } else if (FINAL.includes(status)) {
        failures = 0
        done = true
        queue.acknowledge(batch.keys)
      } else {
        later(Math.min(LONGEST, retry * 2 ** failures++) * (0.5 + Math.random()))
        return
      }
    }
  }

  const flush = (): void => {
    clearTimeout(timer)
    due = Infinity
    if (gone || !url) return
    if (busy) return later(interval)
    busy = true
    fresh = 0
    exclusive(drain)
      .then((mine) => {
        if (!mine) later(interval)
      })
      .catch((error) => {
        log('error', error)
        later(interval)
      })
      .then(() => {
        busy = false
        // Another tab may have sent them.
        own.forEach((key) => queue.waits(key) || own.delete(key))
      })
  }

  return {
    add(id, userId, event) {
      const key = queue.add(id, userId, event)
      if (!key) return log('too large, dropped', id)
      own.add(key)
      // While the collector fails, its back-off is the earliest time.
      if (failures) return
      if (++fresh < queue.COUNT) later(interval)
      else flush()
    },
    flush,
    leave() {
      gone = true
      if (!url) return
      let keys = [...own].filter((key) => !flying.includes(key))
      for (;;) {
        const batch = queue.take(keys)
        if (!batch.keys.length) return
        const body = bodyOf(batch.events)
        // A beacon carries no token. Neither of them is an acknowledgement: what the next page finds in the queue it sends again.
        if (token && batch.user) void post(body, token)
        else if (!navigator.sendBeacon(url, body)) return
        log('left', batch.keys.length)
        keys = keys.filter((key) => !batch.keys.includes(key))
      }
    },
    back() {
      gone = false
      flush()
    },
    forget() {
      own.clear()
      queue.acknowledge(queue.all())
    },
  }
}
