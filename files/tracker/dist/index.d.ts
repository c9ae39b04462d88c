import type { Options, Tracker } from './types.js';
export type * from './types.js';
/** Starts the page's tracker. A page has one: the second call returns it. On a server it does nothing. */
export declare function createTracker(options?: Options): Tracker;
