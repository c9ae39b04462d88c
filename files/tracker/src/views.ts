/** Says when a page is seen: on load, after navigation within the document, and back from the browser's cache. */

type Guard = <Arguments extends unknown[]>(run: (...given: Arguments) => void) => (...given: Arguments) => void

interface Navigation extends EventTarget {}

export function watchViews(address: () => string, seen: () => void, guard: Guard): void {
  let last: string | undefined
  // Later: routers set the title and redirect within the same task.
  const look = (replaced?: boolean): void => {
    setTimeout(
      guard(() => {
        const now = address()
        const same = replaced && last?.split('?')[0] === now.split('?')[0]
        if (last !== now && !same) seen()
        last = now
      }),
    )
  }
  const when = (target: EventTarget, name: string, run: (event: Event) => void): void => target.addEventListener(name, guard(run))

  const { navigation } = window as { navigation?: Navigation }
  if (navigation) {
    when(navigation, 'currententrychange', (event) => look((event as Event & { navigationType?: string }).navigationType === 'replace'))
  } else {
    for (const name of ['pushState', 'replaceState'] as const) {
      const original = history[name]
      history[name] = function (this: History, ...given: Parameters<History['pushState']>) {
        original.apply(this, given)
        look(name === 'replaceState')
      }
    }
    when(window, 'popstate', () => look())
    when(window, 'hashchange', () => look())
  }
  when(window, 'pageshow', (event) => {
    if (!(event as PageTransitionEvent).persisted) return
    last = undefined
    look()
  })

  // A page that is loaded in the background or in advance is seen when it is shown.
  const first = (): void => {
    if (last !== undefined || document.visibilityState === 'hidden') return
    look()
  }
  when(document, 'visibilitychange', first)
  when(document, 'prerenderingchange', first)
  first()
}
