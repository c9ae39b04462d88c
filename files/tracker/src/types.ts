/** A product, as far as the page knows it. `discountPrice` is the price after discount, absent if there is none. */
export interface Product {
  id: string | number
  name?: string
  category?: string
  brand?: string
  price?: number | string
  discountPrice?: number | string
  quantity?: number
  urlPath?: string
}

/** What is bought. `id` is the order's number: however often its page is loaded, it counts once. */
export interface Order {
  id?: string | number
  total?: number | string
  currency?: string
  items?: Product[]
}

/** Fields of an event beside those that the tracker fills in. */
export interface Fields {
  product?: Partial<Product>
  order?: Order
  search?: { term: string; results?: number }
  [field: string]: unknown
}

/** `guest`: somebody who buys without an account. */
export type LoginState = 'logged_in' | 'guest' | 'anonymous'

export interface Options {
  /** The collector's address, `https://…/clickstream`. Without it nothing is sent, and `debug` shows what would be. */
  url?: string
  /** `waiting`: events stay in this page's memory until `consent(true)`, and are dropped by `consent(false)`. Default: `on`. */
  consent?: 'on' | 'off' | 'waiting'
  /** Send nothing for visitors with Do Not Track or Global Privacy Control. Default: false. */
  respectSignals?: boolean
  /** Record a `page_view` for each page seen. Default: true. */
  views?: boolean
  /** Record clicks on links, buttons and what carries `data-track`. Default: true. */
  clicks?: boolean
  /** The part of the URL after # names the page (hash router). Default: false, and that part is never sent. */
  hash?: boolean
  /** More URL parameters to leave out. */
  secrets?: string[]
  /** Write to the console what is recorded and sent. Default: false. */
  debug?: boolean
  /** The signed-in visitor's access token, a new one if `renew`. Their events then go to `<url>/me`. */
  token?: (renew: boolean) => string | null | undefined | Promise<string | null | undefined>
  /** Milliseconds from an event to its batch. Default: 2000. */
  interval?: number
  /** Milliseconds before the first repetition; each further one waits about twice as long, at most five minutes. Default: 1000. */
  retry?: number
}

export interface Tracker {
  readonly version: string
  /** An event with a name of one's own. */
  track(name: string, fields?: Fields): void
  /** Only where `views` is false. */
  pageView(fields?: Fields): void
  homeView(fields?: Fields): void
  categoryView(category: string, fields?: Fields): void
  productView(product: Product, fields?: Fields): void
  search(term: string, results?: number, fields?: Fields): void
  /** `product.quantity` is how many were added. */
  addToCart(product: Product, fields?: Fields): void
  /** `product.quantity` is how many were removed. */
  removeFromCart(product: Product, fields?: Fields): void
  /** `product.quantity` is how many there are now. Event `cart_quantity`. */
  setQuantity(product: Product, fields?: Fields): void
  /** Event `cart_clear`, with what was in the cart as `order.items`. */
  clearCart(items?: Product[], fields?: Fields): void
  toggleWishlist(product: Product, added: boolean, fields?: Fields): void
  share(product?: Product, channel?: string, fields?: Fields): void
  loginOpen(fields?: Fields): void
  /** Says who it is, then records the event: it is the first one of the signed-in visitor. */
  loginSuccess(userId: string | number, source?: string, fields?: Fields): void
  /** Records the event as the visitor's last one, then forgets who it was. */
  logout(fields?: Fields): void
  checkoutStart(order?: Order, fields?: Fields): void
  checkoutComplete(order: Order, fields?: Fields): void
  /** Says who the visitor is, for all tabs and until told otherwise. `null`: nobody is signed in. */
  identify(userId: string | number | null, state?: LoginState, source?: string): void
  /** The visitor's decision. `false` also does what `forget` does. */
  consent(given: boolean): void
  /** Removes every identifier and every event that this browser keeps. */
  forget(): void
  /** Sends now what waits. */
  flush(): void
  /** Runs a function with the tracker: the same before and after the script was loaded. */
  push(use: (tracker: Tracker) => void): void
}
