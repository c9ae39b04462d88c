/** What the modules under test use of a browser. */

export class Storage {
  [key: string]: unknown
  getItem(key: string): string | null {
    return (this[key] as string | undefined) ?? null
  }
  setItem(key: string, value: string): void {
    this[key] = value
  }
  removeItem(key: string): void {
    delete this[key]
  }
}

const put = (name: string, value: unknown): void => {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
}

export function fresh(): Storage {
  const storage = new Storage()
  put('localStorage', storage)
  put('navigator', { sendBeacon: () => true })
  put('document', { baseURI: 'https://shop.example/a/b' })
  return storage
}

/** What a browser does whose user blocks cookies. */
export function blocked(): void {
  Object.defineProperty(globalThis, 'localStorage', {
    configurable: true,
    get() {
      throw new DOMException('The operation is insecure.', 'SecurityError')
    },
  })
}

export { put }
