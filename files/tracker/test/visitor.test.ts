import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { setUser, user, visitor } from '../src/visitor.js'
import { blocked, fresh, put, Storage } from './browser.js'

const MINUTE = 60_000
const START = 1_764_150_602_250
const at = (minutes: number, url = 'https://shop.example/', arrived = false) => visitor(START + minutes * MINUTE, () => ({ url }), arrived)

beforeEach(() => void fresh())

test('a session lasts as long as no 30 minutes pass without an event', () => {
  const first = at(0)
  assert.equal(at(29).sessionId, first.sessionId)
  assert.equal(at(58).sessionId, first.sessionId)
  const second = at(88)
  assert.notEqual(second.sessionId, first.sessionId)
  assert.equal(second.clientId, first.clientId)
})

test('a session ends after 24 hours, however busy', () => {
  const first = at(0)
  for (let minute = 20; minute < 24 * 60; minute += 20) assert.equal(at(minute).sessionId, first.sessionId)
  assert.notEqual(at(24 * 60).sessionId, first.sessionId)
})

test('a clock that was set back ends the session, and does not keep it for ever', () => {
  const first = at(0)
  const second = at(-1000)
  assert.notEqual(second.sessionId, first.sessionId)
  assert.equal(at(-999).sessionId, second.sessionId)
})

test('the first visit is the first session', () => {
  assert.equal(at(0).isFirstVisit, true)
  assert.equal(at(20).isFirstVisit, true)
  assert.equal(at(60).isFirstVisit, false)
})

test('tabs that begin a session at the same moment give it the same name', () => {
  at(0)
  const seen = { ...globalThis.localStorage }
  const one = at(100)
  put('localStorage', Object.assign(new Storage(), seen)) // what the other tab still saw
  assert.equal(at(100.001).sessionId, one.sessionId)
})

test('a session keeps its landing page, until an advertisement brings its visitor again', () => {
  at(0, 'https://shop.example/a')
  assert.deepEqual(at(1, 'https://shop.example/b').landing, { url: 'https://shop.example/a' })
  assert.deepEqual(at(2, 'https://shop.example/c?gclid=1', true).landing, { url: 'https://shop.example/c?gclid=1' })
  assert.deepEqual(at(3).landing, { url: 'https://shop.example/c?gclid=1' })
})

test('with storage blocked a page has one browser and one session, in memory', () => {
  blocked()
  const first = at(0)
  assert.deepEqual(at(1), first)
  setUser({ userLoginState: 'logged_in', userId: 'u-1' })
  assert.equal(user().userId, 'u-1')
  setUser({ userLoginState: 'anonymous' })
  assert.deepEqual(user(), {})
})

test('what somebody else wrote into the storage breaks nothing', () => {
  localStorage.setItem('clickstream.visitor', '{')
  assert.match(at(0).sessionId, /\.0$/)
})
