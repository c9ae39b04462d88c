/** localStorage, and memory where that is blocked or full. All tabs of a site see the same, without any cookie. */

const PREFIX = 'clickstream.'
const memory = new Map<string, string>()

export function get(key: string): string | null {
  try {
    // What did not fit is newer than what is there.
    return memory.get(key) ?? localStorage.getItem(PREFIX + key)
  } catch {
    return null
  }
}

export function set(key: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + key, value)
    memory.delete(key)
  } catch {
    memory.set(key, value)
  }
}

export function remove(key: string): void {
  memory.delete(key)
  try {
    localStorage.removeItem(PREFIX + key)
  } catch {
    // blocked: there is nothing in it
  }
}

/** The keys that begin with `start`, in order. */
export function keys(start: string): string[] {
  let stored: string[] = []
  try {
    stored = Object.keys(localStorage)
  } catch {
    // blocked: there is nothing in it
  }
  const own = stored.filter((key) => key.startsWith(PREFIX)).map((key) => key.slice(PREFIX.length))
  return [...own, ...memory.keys()].filter((key) => key.startsWith(start)).sort()
}
