import assert from 'node:assert/strict'
import { beforeEach, mock, test } from 'node:test'
import * as queue from '../src/queue.js'
import { makeSender, type Sender } from '../src/sender.js'
import type { Options } from '../src/types.js'
import { setUser, user } from '../src/visitor.js'
import { blocked, fresh, put } from './browser.js'

interface Request {
  url: string
  token: string | undefined
  events: { n: number }[]
}

const requests: Request[] = []
const beacons: string[] = []
let answer: (request: Request) => number | 'lost'
let number = 0
let sender: Sender

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}
/** Time passes in steps: what one timer starts may end before the next. */
const pass = async (milliseconds: number): Promise<void> => {
  for (let left = milliseconds; left > 0; left -= 100) {
    mock.timers.tick(Math.min(left, 100))
    await settle()
  }
}
const start = (options: Options = {}): Sender => (sender = makeSender({ url: 'https://c.example/clickstream', ...options }, () => {}))
const add = (user = '', filler = ''): number => {
  sender.add(`01993f4e-7a52-7c6e-9d0e-${(++number).toString(16).padStart(12, '0')}`, user, JSON.stringify({ n: number, filler }))
  return number
}
const sent = (): number[][] => requests.map((request) => request.events.map((event) => event.n))

beforeEach(() => {
  fresh()
  queue.acknowledge(queue.all())
  requests.length = beacons.length = 0
  answer = () => 200
  mock.timers.reset()
  mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  let now = 0
  mock.method(performance, 'now', () => (now = Date.now()) && now)
  mock.method(Math, 'random', () => 0.5)
  put('fetch', async (url: string, { body, headers }: { body: string; headers?: { authorization: string } }) => {
    const request: Request = { url, token: headers?.authorization.slice(7), events: JSON.parse(body).events }
    requests.push(request)
    const status = answer(request)
    if (status === 'lost') throw new TypeError('Failed to fetch')
    return { status, text: async () => '' }
  })
  put('navigator', { sendBeacon: (_: string, body: string) => beacons.push(body) })
  start()
})

test('events wait for each other, and are sent once', async () => {
  const [a, b] = [add(), add()]
  await pass(1999)
  assert.deepEqual(sent(), [])
  await pass(1)
  assert.deepEqual(sent(), [[a, b]])
  await pass(600_000)
  assert.deepEqual(sent(), [[a, b]])
  assert.deepEqual(queue.all(), [])
})

test('fifty events do not wait', async () => {
  for (let count = 0; count < 50; count++) add()
  await settle()
  assert.deepEqual(
    sent().map((batch) => batch.length),
    [50],
  )
})

test('a request holds at most 60 KiB and 50 events', async () => {
  for (let count = 0; count < 7; count++) add('', 'ă'.repeat(10_000)) // 20 kB each
  for (let count = 0; count < 60; count++) add()
  await pass(2000)
  const sizes = sent().map((batch) => batch.length)
  assert.deepEqual(sizes.slice(0, 2), [3, 3])
  assert.equal(Math.max(...sizes), 50)
  assert.deepEqual(sent().flat(), Array.from({ length: 67 }, (_, place) => number - 66 + place))
  assert.ok(requests.every((request) => new TextEncoder().encode(JSON.stringify(request.events)).length < 60 * 1024))
})

test('an event that fits into no request is dropped, and holds up nothing', async () => {
  add('', 'x'.repeat(62_000))
  const small = add()
  await pass(2000)
  assert.deepEqual(sent(), [[small]])
})

for (const failure of ['lost', 429, 500, 503, 403, 404] as const) {
  test(`after ${failure} the same events are sent again, each time later`, async () => {
    answer = () => failure
    const one = add()
    await pass(2000)
    const times = [Date.now()]
    while (requests.length < 12) {
      assert.ok(Date.now() < times[0]! + 2_000_000, 'it has given up')
      const before = requests.length
      await pass(1000)
      if (requests.length > before) times.push(Date.now())
    }
    const waits = times.slice(1).map((time, place) => time - times[place]!)
    assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map((seconds) => seconds * 1000))
    answer = () => 200
    sender.flush()
    await settle()
    assert.ok(sent().every((batch) => batch.length === 1 && batch[0] === one))
    assert.deepEqual(queue.all(), [])
  })
}

test('events that are added meanwhile do not make it hurry', async () => {
  answer = () => 500
  add()
  await pass(2000)
  for (let count = 0; count < 100; count++) add()
  await pass(900)
  assert.equal(requests.length, 1)
})

for (const status of [200, 400, 415]) {
  test(`what was answered with ${status} is not sent again`, async () => {
    answer = () => status
    add()
    await pass(2000)
    sender.flush()
    await settle()
    assert.equal(requests.length, 1)
  })
}

test('what is too large for a collector is sent in parts', async () => {
  answer = ({ events }) => (events.length > 3 ? 413 : 200)
  const all = Array.from({ length: 10 }, () => add())
  await pass(2000)
  assert.deepEqual(
    sent()
      .filter((batch) => batch.length <= 3)
      .flat(),
    all,
  )
})

test('a page that goes hands its own events to the browser, in requests that a beacon takes', async () => {
  for (let count = 0; count < 5; count++) add('', 'x'.repeat(20_000))
  sender.leave()
  assert.deepEqual(
    beacons.map((body) => JSON.parse(body).events.length),
    [3, 2],
  )
  assert.equal(queue.all().length, 5) // nobody has acknowledged them
  await pass(10_000)
  assert.equal(requests.length, 0)
  sender.back()
  await settle()
  assert.equal(requests.length, 2)
})

test('what another tab has sent is not sent again', async () => {
  add()
  queue.acknowledge(queue.all())
  await pass(2000)
  sender.leave()
  assert.deepEqual([requests.length, beacons.length], [0, 0])
})

test('while another tab sends, this one waits', async () => {
  const locks = { request: async (_: string, __: object, use: (lock: null) => unknown) => use(null) }
  put('navigator', { locks })
  add()
  await pass(2000)
  assert.equal(requests.length, 0)
  put('navigator', { locks: { request: async (_: string, __: object, use: (lock: object) => unknown) => use({}) } })
  await pass(2000)
  assert.equal(requests.length, 1)
})

test('without Web Locks a tab that sends holds a lease, which ends by itself', async () => {
  add()
  localStorage.setItem('clickstream.sender', `another ${Date.now() + 30_000}`)
  await pass(29_000)
  assert.equal(requests.length, 0)
  await pass(4100)
  assert.equal(requests.length, 1)
  assert.equal(localStorage.getItem('clickstream.sender'), null)
})

test('a page that may not use locks sends all the same', async () => {
  put('navigator', { locks: { request: () => Promise.reject(new DOMException('denied', 'SecurityError')) } })
  add()
  await pass(2000)
  assert.equal(requests.length, 1)
})

test('with storage blocked events wait in memory', async () => {
  blocked()
  answer = () => 'lost'
  add()
  await pass(2000)
  answer = () => 200
  await pass(60_000)
  assert.equal(requests.length, 2)
  assert.deepEqual(queue.all(), [])
})

test('a full queue loses its oldest events, and leaves the page room in the storage', () => {
  start({ url: undefined })
  for (let count = 0; count < 300; count++) add('', 'x'.repeat(10_000))
  const keys = queue.all()
  const kept = keys.map((key) => localStorage.getItem(`clickstream.${key}`)!)
  const size = kept.join('').length
  assert.ok(size > 1_700_000 && size <= 2_000_000, `${size}`)
  assert.deepEqual(
    kept.map((event) => JSON.parse(event).n),
    Array.from(kept, (_, place) => number - kept.length + 1 + place),
  )
})

test('what another page has left in the queue counts too', () => {
  for (let count = 0; count < 190; count++) add('', 'x'.repeat(10_000))
  queue.acknowledge([]) // as a page that has just loaded knows nothing of it
  for (let count = 0; count < 20; count++) add('', 'x'.repeat(10_000))
  assert.ok(queue.all().length < 200)
})

test('with storage that is full the newest of what is known counts', () => {
  setUser({ userLoginState: 'logged_in', userId: 'an' })
  localStorage.setItem = () => {
    throw new DOMException('full', 'QuotaExceededError')
  }
  setUser({ userLoginState: 'logged_in', userId: 'binh' })
  assert.equal(user().userId, 'binh')
  setUser({ userLoginState: 'anonymous' })
  assert.deepEqual(user(), {})
})

test("a signed-in visitor's events go with their token, others' without", async () => {
  setUser({ userLoginState: 'logged_in', userId: 'an' })
  start({ token: () => 'T' })
  const [nobody, binh, an] = [add(), add('binh'), add('an')]
  await pass(2000)
  assert.deepEqual(
    requests.map(({ url, token, events }) => [url, token, events.map((event) => event.n)]),
    [
      ['https://c.example/clickstream', undefined, [nobody]],
      ['https://c.example/clickstream', undefined, [binh]],
      ['https://c.example/clickstream/me', 'T', [an]],
    ],
  )
})

test('a token that is refused is renewed once, then the open route takes the events', async () => {
  setUser({ userLoginState: 'logged_in', userId: 'an' })
  start({ token: (renew) => (renew ? 'new' : 'old') })
  answer = ({ token }) => (token === 'new' ? 200 : 401)
  add('an')
  await pass(2000)
  assert.deepEqual(
    requests.map(({ token }) => token),
    ['old', 'new'],
  )
  answer = ({ token }) => (token ? 401 : 200)
  const one = add('an')
  await pass(2000)
  assert.deepEqual(
    requests.slice(2).map(({ url, token, events }) => [url, token, events[0]!.n]),
    [
      ['https://c.example/clickstream/me', 'old', one],
      ['https://c.example/clickstream/me', 'new', one],
      ['https://c.example/clickstream', undefined, one],
    ],
  )
  assert.deepEqual(queue.all(), [])
})

test('a callback that throws costs the token, not the events', async () => {
  setUser({ userLoginState: 'logged_in', userId: 'an' })
  start({
    token: () => {
      throw new Error('offline')
    },
  })
  add('an')
  await pass(2000)
  assert.deepEqual(
    requests.map(({ token }) => token),
    [undefined],
  )
})
