let last = 0
let count = 0

/** A UUIDv7 (RFC 9562), in order within a millisecond too. `crypto.randomUUID` is for secure contexts only. */
export function uuid(milliseconds: number): string {
  count = milliseconds === last ? count + 1 : 0
  last = milliseconds
  const random = crypto.getRandomValues(new Uint8Array(8))
  random[0] = (random[0]! & 0x3f) | 0x80
  const digits = hex(milliseconds, 12) + hex(0x7000 + (count & 0xfff), 4) + Array.from(random, (byte) => hex(byte, 2)).join('')
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

const hex = (value: number, length: number): string => Math.max(0, value).toString(16).padStart(length, '0').slice(-length)
