/** Whom one has selected: rows, a page, or all that match; the view of many at once takes them from here. */

import { t, html, Button, can, useMemo, useStore, clear, selection } from '../../kit.js';
import { VIEWS } from '../../views.js';
import { ofFilters } from './filters.js';
import { tellTotal } from './total.js';

/** What can be done with them, by the views that are there. */
const WAYS = [
  { path: '/bulk', text: 'people.bulk', icon: 'bulk', scope: 'users:write' },
  { path: '/exports', text: 'people.export', icon: 'export', scope: 'users:export' },
];

/** @typedef {ReturnType<typeof useSelection>} Chosen */

/**
 * @param {any[]} rows of this page
 * @param {URLSearchParams} query
 */
export function useSelection(rows, query) {
  const { ids, query: all } = useStore(selection);
  const listing = String(ofFilters(query));
  const isAll = all !== null && all === listing;
  const page = rows.map((row) => row.id);
  const shown = useMemo(() => new Set(isAll ? page : ids), [isAll, ids, rows]);
  /** @param {string[]} changed @param {boolean} checked */
  function change(changed, checked) {
    const others = (isAll ? page : ids).filter((id) => !changed.includes(id));
    selection.set({ ids: checked ? [...others, ...changed] : others, query: null });
  }
  return {
    count: isAll ? null : ids.length,
    isWholePage: page.length > 0 && page.every((id) => shown.has(id)),
    selectAll: () => selection.set({ ids: [], query: listing }),
    ofTable: {
      selection: shown,
      onSelect: (/** @type {string} */ _id, /** @type {boolean} */ checked, /** @type {{range: string[]}} */ { range }) => change(range, checked),
      onSelectPage: (/** @type {boolean} */ checked) => change(page, checked),
    },
  };
}

/**
 * @param {{selection: Chosen, query: URLSearchParams, total: import('./total.js').Total}} props
 */
export function Selected({ selection: chosen, total }) {
  const { count, isWholePage } = chosen;
  if (count === 0) return null;
  const ways = WAYS.filter(({ path, scope }) => can(scope) && VIEWS.some((view) => view.path === path));
  const all = tellTotal(total);
  return html`<div class="selected row" role="status">
    <strong>${count === null ? t('people.all_selected', { all }) : t('people.selected', { count })}</strong>
    ${count !== null && isWholePage && html`<${Button} kind="quiet" onClick=${chosen.selectAll}>${t('people.select_all', { all })}<//>`}
    ${count === null && total.countExactly && html`<${Button} kind="quiet" onClick=${total.countExactly}>${t('people.count')}<//>`}
    ${ways.map(({ path, text, icon }) => html`<${Button} key=${path} icon=${icon} href=${path}>${t(text)}<//>`)}
    <${Button} kind="quiet" icon="close" onClick=${clear}>${t('people.select_none')}<//>
  </div>`;
}
