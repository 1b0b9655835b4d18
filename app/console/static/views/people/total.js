/** How many people the listing has: as exact as the API says, and no more. */

import { call } from '../../lib/api.js';
import { t } from '../../lib/texts.js';
import { useLoad, useState } from '../../lib/ui.js';
import { ofFilters } from './filters.js';

/** @typedef {{value: number, relation: 'eq' | 'gte' | 'estimate'}} Counted */
/** @typedef {{total: Counted | null, busy: boolean, countExactly: (() => void) | null}} Total */

/**
 * Estimated where nothing is asked for, else counted to 10,000; exactly for those who want that and wait.
 *
 * @param {URLSearchParams} query
 * @returns {Total}
 */
export function useTotal(query) {
  const asked = ofFilters(query);
  const key = String(asked);
  const [exact, setExact] = useState(/** @type {string | null} */ (null));
  const count = exact === key ? 'exact' : key ? 'capped' : 'estimated';
  const { data, busy } = useLoad(async (signal) => {
    const { body } = await call('GET', '/users', { query: new URLSearchParams([...asked, ['limit', '1'], ['fields', 'id'], ['count', count]]), signal });
    return { key, total: /** @type {Counted | null} */ (body.total) };
  }, [key, count]);
  const total = data?.key === key ? data.total : null;
  const mayCount = total !== null && total.relation !== 'eq' && !asked.has('q') && count !== 'exact';
  return { total, busy, countExactly: mayCount ? () => setExact(key) : null };
}

/** @param {Total} found */
export function tellTotal({ total }) {
  return total ? t(`total.${total.relation}`, { count: total.value }) : '';
}
