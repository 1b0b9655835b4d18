/** Whom the reader selected among the people: what the view of many at once works on. */

import { makeStore } from './store.js';

/** @typedef {{ids: string[], query: string | null}} Selection query: of the listing, where all that match are meant */

const KEPT = 'roster.selection';
/** @type {Selection} */
const NOBODY = { ids: [], query: null };

/** @type {import('./store.js').Store<Selection>} */
export const selection = makeStore(JSON.parse(sessionStorage.getItem(KEPT) ?? 'null') ?? NOBODY);
selection.subscribe((value) => sessionStorage.setItem(KEPT, JSON.stringify(value)));

export const clear = () => selection.set(NOBODY);
