const SECRET =
  /^(.*[_-])?(\w*token|jwt|code|otp|ticket|\w*sess(ion)?(_?id)?|sid|auth(orization)?|pass(word|wd)?|pwd|secret|(api)?key|sig(nature)?|(e-?)?mail|phone)$/i
/** Of bounded length: a long text without spaces would take seconds. */
const MAIL = /[^\s/?&=:;,"'<>]{1,99}(@|%40)[^\s/?&=:;,"'<>]{1,99}\.\w+/gi

export type Scrub = (address: string) => string

/** A text without e-mail addresses. */
export const withoutMail = (text: string): string => text.replace(MAIL, '_')

/** Makes a function that takes what is nobody's business out of a URL: credentials, secret parameters, e-mail addresses, the fragment. */
export function scrubber(more: string[] = [], hash = false): Scrub {
  const extra = more.map((name) => name.toLowerCase())
  const secret = (name: string): boolean => SECRET.test(name) || extra.includes(name.toLowerCase())
  const clean = (parameters: URLSearchParams): boolean => {
    const bad = [...parameters].filter(
      ([name, value]) =>
        secret(name) ||
        withoutMail(name + ' ' + value) !== name + ' ' + value ||
        // an address within the address
        value.split(/[?&#]/).some((part) => part.includes('=') && secret(part.split('=')[0]!)),
    )
    bad.forEach(([name]) => parameters.delete(name))
    return bad.length > 0
  }
  return (address) => {
    let url: URL
    try {
      url = new URL(address, document.baseURI)
    } catch {
      return ''
    }
    // Of data:, javascript:, mailto: and their like the rest is content.
    if (!url.host) return url.protocol
    const fragment = url.hash
    url.username = url.password = url.hash = ''
    clean(url.searchParams)
    let rest = ''
    if (hash && fragment) {
      const [path, query] = fragment.split('?', 2) as [string, string?]
      const parameters = new URLSearchParams(query)
      clean(parameters)
      rest = /=/.test(path) ? '' : path + (`${parameters}` && `?${parameters}`)
    }
    return withoutMail(url.href + rest).slice(0, 2000)
  }
}
