/** The people: a table with all that the API finds by; what it shows is in the address, so that links show the same. */

import {
  t, html, Button, ProblemBox, useState, call, Page, can, useMemo, go, useLoad, Empty, Table, setQuery, Menu,
  changed, useKeys, Pager, stamp,
} from '../kit.js';
import { chosen, ColumnChoice, describe } from './people/columns.js';
import { FilterChips, FilterForm, FILTERS, ofFilters, RANGES } from './people/filters.js';
import { SavedViews } from './people/saved.js';
import { Search } from './people/search.js';
import { Selected, useSelection } from './people/selected.js';
import { tellTotal, useTotal } from './people/total.js';

const DENSITIES = ['compact', 'standard', 'comfortable'];
const SIZES = ['25', '50', '100', '250', '1000'];
const USUAL_SIZE = '50';
/** What leads to another page of the same listing; gone once the listing is another. */
const FIRST = { cursor: null, start: null, row: null };

/** @param {{query: URLSearchParams}} props */
export default function People({ query }) {
  const [open, setOpen] = useState('');
  const keys = chosen(query);
  const columns = useMemo(() => describe(keys), [keys.join()]);
  const { data, problem, busy, reload } = useLoad((signal) => load(query, keys, signal), [requestOf(query, keys)]);
  const total = useTotal(query, data);
  const rows = data?.items ?? NONE;
  const selection = useSelection(rows, query);
  const q = query.get('q') ?? '';
  const filtered = FILTERS.some((name) => query.has(name));

  /** @param {Record<string, any>} changes */
  const find = (changes) => setQuery({ ...changes, ...FIRST });
  /** @param {string} text */
  const search = (text) => setQuery({ q: text, ...FIRST }, { replace: q !== '' && text !== '' });
  const close = () => setOpen('');
  const mayAdd = can('users:write');
  useKeys([{ key: 'n', text: t('people.add'), run: () => go('/people/new'), when: mayAdd }], [mayAdd]);
  return html`
    <${Page} wide title=${t('people.title')} count=${tellTotal(total)} actions=${mayAdd && html`<${Button} kind="primary" icon="add" href="/people/new">${t('people.add')}<//>`}>
      <div class="spread">
        <${Search} value=${q} busy=${busy} onSearch=${search} total=${tellTotal(total)} />
        <div class="row">
          <${SavedViews} query=${query} />
          <${Button} icon="filter" class=${filtered ? 'on' : ''} onClick=${() => setOpen('filters')}>${t('people.filter')}<//>
          <${Button} icon="columns" onClick=${() => setOpen('columns')}>${t('people.columns')}<//>
          <${Menu} icon="more" label=${t('people.looks')} items=${looks(query)} />
        </div>
      </div>
      <${FilterChips} query=${query} onChange=${find} />
      <${Selected} ...${{ selection, query, total }} />
      <${ProblemBox} problem=${problem} onRetry=${problem?.code.endsWith('_cursor') ? () => find({}) : reload} />
      <${Table} label=${t('people.title')} remembers ...${{ columns, rows, busy }} ...${selection.ofTable}
        sort=${q ? undefined : sortOf(query)} onSort=${q ? undefined : (/** @type {string} */ sort) => find({ sort })}
        href=${hrefOf} density=${query.get('density') ?? 'standard'}>
        ${data && !rows.length && html`<${Empty} title=${t('people.nobody')} text=${t(q || filtered ? 'people.nobody_found' : 'people.nobody_yet')} />`}
      <//>
      <${Pager} text=${data ? t('people.shown', { count: rows.length }) : ''} previous=${turn(query, data?.previous)} next=${turn(query, data?.next)} />
      <${FilterForm} open=${open === 'filters'} query=${query} onClose=${close} onChange=${find} />
      <${ColumnChoice} open=${open === 'columns'} keys=${keys} onClose=${close} onChoose=${(/** @type {string[] | null} */ next) => setQuery({ cols: next && next.join() }, { replace: true })} />
    <//>`;
}

/** @type {any[]} */
const NONE = [];
const hrefOf = (/** @type {{id: string}} */ row) => `/people/${row.id}`;

/** What the API is asked for. @param {URLSearchParams} query @param {string[]} keys */
function requestOf(query, keys) {
  const asked = ofFilters(query);
  const q = query.get('q')?.trim();
  asked.delete('q');
  if (q) asked.set('q', q);
  if (q) asked.set('highlight', 'true'), asked.set('count', 'capped');
  else asked.set('sort', sortOf(query));
  for (const name of ['cursor', 'start']) if (query.has(name)) asked.set(name, query.get(name) ?? '');
  asked.set('limit', query.get('limit') ?? USUAL_SIZE);
  asked.set('fields', [...new Set(['name', ...keys, pathOf(query)])].join());
  return String(asked);
}

/** @param {URLSearchParams} query @param {string[]} keys @param {AbortSignal} signal */
async function load(query, keys, signal) {
  const { body } = await call('GET', '/users', { query: new URLSearchParams(requestOf(query, keys)), signal });
  const [first] = body.items;
  if (query.has('cursor') && !query.get('q') && first && !signal.aborted) stamp({ cursor: null, start: startOf(query, first) });
  return body;
}

/** Where a page begins, good for longer than a cursor: the value that it is ordered by, and the id. @param {URLSearchParams} query @param {any} row */
function startOf(query, row) {
  const value = pathOf(query).split('.').reduce((held, name) => held?.[name], row);
  return value === null || value === undefined ? row.id : `${value},${row.id}`;
}

/** The order of a listing: where none is asked for, that of its only range, as the API has it. @param {URLSearchParams} query */
function sortOf(query) {
  const ranged = RANGES.filter(([, from, to]) => query.has(from) || query.has(to)).map(([field]) => field);
  return query.get('sort') ?? (ranged.length === 1 ? ranged[0] : undefined) ?? 'created_at';
}

/** The path of what the listing is ordered by. @param {URLSearchParams} query */
function pathOf(query) {
  const field = sortOf(query).replace('-', '');
  return field === 'age' ? 'profile.age' : field;
}

/** Where another page is. @param {URLSearchParams} query @param {string | null | undefined} cursor */
const turn = (query, cursor) => (cursor ? `/people?${changed(query, { ...FIRST, cursor })}` : null);

/** @param {URLSearchParams} query */
function looks(query) {
  const [density, size] = [query.get('density') ?? 'standard', query.get('limit') ?? USUAL_SIZE];
  return [
    ...DENSITIES.map((name) => ({ text: t(`density.${name}`), checked: density === name, run: () => setQuery({ density: name === 'standard' ? null : name }, { replace: true }) })),
    null,
    ...SIZES.map((count) => ({ text: t('people.rows', { count: Number(count) }), checked: size === count, run: () => setQuery({ limit: count === USUAL_SIZE ? null : count, ...FIRST }, { replace: true }) })),
  ];
}
