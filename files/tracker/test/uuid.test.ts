import assert from 'node:assert/strict'
import { test } from 'node:test'
import { uuid } from '../src/uuid.js'

test('an id is a UUIDv7 of its time, also of a clock that is far off', () => {
  for (const time of [0, 1_764_150_602_250, 2 ** 48 - 1, -5, 8.64e15]) assert.match(uuid(time), /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.equal(uuid(1_764_150_602_250).replace('-', '').slice(0, 12), (1_764_150_602_250).toString(16).padStart(12, '0'))
})

test('ids of one millisecond are different, and in the order in which they were made', () => {
  const ids = Array.from({ length: 4000 }, () => uuid(1_764_150_602_250))
  assert.equal(new Set(ids).size, ids.length)
  assert.deepEqual([...ids].sort(), ids)
})
