/** How many people the listing has: as exact as the API says, and no more. */

import { t, useState, call, useLoad } from '../../kit.js';
import { ofFilters } from './filters.js';

/** @typedef {{value: number, relation: 'eq' | 'gte' | 'estimate'}} Counted */
/** @typedef {{total: Counted | null, countExactly: (() => void) | null}} Total */

/**
 * Of a search, what its first page tells; else estimated where nothing is asked for, or counted to 10,000: exactly for
 * those who want that and wait.
 *
 * @param {URLSearchParams} query
 * @param {{items: any[], next: string | null, total: Counted | null} | null} page of the listing
 * @returns {Total}
 */
export function useTotal(query, page) {
  const asked = ofFilters(query);
  const [key, ranked] = [String(asked), asked.has('q')];
  const [exact, setExact] = useState(/** @type {string | null} */ (null));
  const count = exact === key ? 'exact' : key ? 'capped' : 'estimated';
  const { data } = useLoad(async (signal) => {
    if (ranked) return null;
    const { body } = await call('GET', '/users', { query: new URLSearchParams([...asked, ['limit', '1'], ['fields', 'id'], ['count', count]]), signal });
    return { key, total: /** @type {Counted | null} */ (body.total) };
  }, [ranked || key, count]);
  if (ranked) return { total: page && ofPage(query, page), countExactly: null };
  const total = data?.key === key ? data.total : null;
  return { total, countExactly: total && total.relation !== 'eq' && count !== 'exact' ? () => setExact(key) : null };
}

/** A search that has one page has found all. @param {URLSearchParams} query @param {{items: any[], next: string | null, total: Counted | null}} page */
function ofPage(query, { items, next, total }) {
  return next || query.has('cursor') ? total : { value: items.length, relation: /** @type {const} */ ('eq') };
}

/** @param {Total} found */
export function tellTotal({ total }) {
  return total ? t(`total.${total.relation}`, { count: total.value }) : '';
}
