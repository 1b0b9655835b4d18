/** A table of many rows: drawn in portions, sorted by its heads, walked and selected by keys. */

import { useKeys } from '../lib/keys.js';
import { go, Link, note, recall, stamp } from '../lib/router.js';
import { t } from '../lib/texts.js';
import { html, memo, useEffect, useLayoutEffect, useMemo, useRef, useState } from '../lib/ui.js';
import { Icon } from './button.js';

/** Rows that are drawn at once, about as many as are in sight; more would take longer than a frame, and are drawn in the next ones. */
const FIRST = 20;
const PORTION = 30;
/** How long the table rests before its place is noted. */
const REST_MS = 150;

/**
 * @typedef {object} Column
 * @property {string} key
 * @property {string} title
 * @property {(row: any) => any} cell
 * @property {string} [sort] what the API sorts by
 * @property {string} [width]
 * @property {'end'} [align]
 * @property {any} [head] in place of the title
 */

/**
 * @typedef {object} Props
 * @property {string} label
 * @property {Column[]} columns the same list while they are the same
 * @property {any[]} rows
 * @property {(row: any) => string} [id] where it is not its `id`
 * @property {string} [sort] `name`, or `-name` for descending
 * @property {(sort: string) => void} [onSort]
 * @property {Set<string>} [selection]
 * @property {(id: string, checked: boolean, more: {range: string[]}) => void} [onSelect] range: from the one before, with Shift
 * @property {(checked: boolean) => void} [onSelectPage]
 * @property {(id: string) => void} [onCursor]
 * @property {(row: any) => string} [href]
 * @property {'compact' | 'standard' | 'comfortable'} [density]
 * @property {boolean} [busy]
 * @property {boolean} [remembers] whether the address and its entry in the history know how far it was scrolled
 * @property {any} [children] beneath the rows
 *
 * @typedef {Props & {id: (row: any) => string}} Held
 */

/** @param {Props} given */
export function Table(given) {
  const props = { id: idOf, ...given };
  const { label, columns, rows, id, sort, selection, href, density = 'standard', busy = false, children } = props;
  const region = useRef(/** @type {HTMLElement | null} */ (null));
  const held = useRef(props);
  held.current = props;
  const acts = useMemo(() => makeActs(held), []);
  const drawn = useDrawn(rows);
  useRowKeys(region, held, acts);
  useScroll(region, rows, props.remembers === true && drawn >= rows.length);
  return html`
    <div ref=${region} class=${`sheet ${density}`} tabindex="0" role="region" aria-label=${label} aria-busy=${busy}>
      <table style=${layOut(columns, selection ? ['2.25rem'] : [])}>
        <caption class="sr">${label}</caption>
        <thead><tr>
          ${selection && html`<th class="select"><${All} ...${{ rows, id, selection }} onSelectPage=${props.onSelectPage} /></th>`}
          ${columns.map((column) => html`<${Head} key=${column.key} ...${{ column, sort }} onSort=${props.onSort} />`)}
        </tr></thead>
        <tbody onFocusIn=${acts.focus} onClick=${acts.click}>
          ${rows.slice(0, drawn).map((row) => html`
            <${Row} key=${id(row)} id=${id(row)} ...${{ row, columns, acts }} href=${href?.(row)} selected=${selection?.has(id(row))} />`)}
        </tbody>
      </table>
      ${children}
    </div>`;
}

/** Columns are as wide as they say, and share what is left. @param {Column[]} columns @param {string[]} before widths of what stands before them */
function layOut(columns, before) {
  const widths = columns.map(({ width = '9rem' }) => width);
  return {
    'minWidth': `calc(${[...before, ...widths].join(' + ')})`,
    '--tracks': [...before, ...widths.map((width) => `minmax(${width}, ${parseFloat(width)}fr)`)].join(' '),
  };
}

/** @param {any} row */
const idOf = (row) => row.id;

/** How many of the rows are drawn already. @param {any[]} rows */
function useDrawn(rows) {
  const [state, setState] = useState({ rows, count: FIRST });
  const count = state.rows === rows ? state.count : FIRST;
  useEffect(() => {
    if (count >= rows.length) return undefined;
    const frame = requestAnimationFrame(() => setState({ rows, count: count + PORTION }));
    return () => cancelAnimationFrame(frame);
  }, [rows, count]);
  return count;
}

/**
 * Goes where the table was when one left this place: by its entry in the history, or by the first row in the address.
 *
 * @param {{current: HTMLElement | null}} region
 * @param {any[]} rows
 * @param {boolean} ready
 */
function useScroll(region, rows, ready) {
  useLayoutEffect(() => {
    const sheet = region.current;
    if (!ready || !sheet || !rows.length) return;
    const row = new URLSearchParams(location.search).get('row');
    sheet.scrollTop = recall('top') ?? (row ? topOf(sheet, sheet.querySelector(`[data-id="${CSS.escape(row)}"]`)) : 0);
  }, [rows, ready]);
  useEffect(() => {
    const sheet = region.current;
    if (!ready || !sheet) return undefined;
    let timer = 0;
    const rest = () => {
      const top = Math.round(sheet.scrollTop);
      const first = [...sheet.querySelectorAll('tbody tr')].find((row) => topOf(sheet, row) >= top);
      note({ top });
      stamp({ row: (top && /** @type {HTMLElement | undefined} */ (first)?.dataset.id) || null });
    };
    const move = () => {
      clearTimeout(timer);
      timer = setTimeout(rest, REST_MS);
    };
    sheet.addEventListener('scroll', move, { passive: true });
    return () => (clearTimeout(timer), sheet.removeEventListener('scroll', move));
  }, [rows, ready]);
}

/** How far the table is scrolled when the row is its first. @param {HTMLElement} sheet @param {Element | null} row */
function topOf(sheet, row) {
  const head = sheet.querySelector('thead')?.offsetHeight ?? 0;
  return row ? /** @type {HTMLElement} */ (row).offsetTop - head : 0;
}

/**
 * What rows do: the same functions for all of them, so that a row is drawn anew only when it has changed.
 *
 * @param {{current: Held}} held
 */
function makeActs(held) {
  let before = '';
  /** @param {string} last */
  function range(last) {
    const ids = held.current.rows.map(held.current.id);
    const [from, to] = [ids.indexOf(before), ids.indexOf(last)].sort((one, other) => one - other);
    return from === undefined || to === undefined || from < 0 ? [last] : ids.slice(from, to + 1);
  }
  return {
    /** @param {string} id @param {boolean} checked @param {boolean} wide */
    select(id, checked, wide) {
      held.current.onSelect?.(id, checked, { range: wide ? range(id) : [id] });
      before = id;
    },
    /** @param {FocusEvent} event */
    focus(event) {
      const row = rowOf(event.target);
      if (row) held.current.onCursor?.(row.dataset.id ?? '');
    },
    /** A click beside all links and boxes is one on the row. @param {MouseEvent} event */
    click(event) {
      const target = /** @type {Element} */ (event.target);
      if (!target.closest('a, button, input, label')) rowOf(target)?.focus();
    },
  };
}

/** @param {any} node @returns {HTMLTableRowElement | null} */
const rowOf = (node) => node?.closest?.('tbody tr') ?? null;

/**
 * `j` and `k` move the focus from row to row, `x` selects the one that has it, Enter opens it.
 *
 * @param {{current: HTMLElement | null}} region
 * @param {{current: Held}} held
 * @param {ReturnType<typeof makeActs>} acts
 */
function useRowKeys(region, held, acts) {
  const at = () => rowOf(document.activeElement);
  /** @param {1 | -1} step */
  function move(step) {
    const rows = [...(region.current?.querySelectorAll('tbody tr') ?? [])];
    const place = rows.indexOf(/** @type {any} */ (at()));
    const next = place < 0 ? 0 : Math.min(Math.max(place + step, 0), rows.length - 1);
    /** @type {HTMLElement | undefined} */ (rows[next])?.focus();
  }
  function select() {
    const id = at()?.dataset.id;
    if (id !== undefined) acts.select(id, !held.current.selection?.has(id), false);
  }
  function open() {
    const row = held.current.rows.find((each) => held.current.id(each) === at()?.dataset.id);
    const target = row && held.current.href?.(row);
    if (target) go(target);
  }
  const { selection, href } = held.current;
  useKeys([
    { key: 'j', text: t('keys.down'), run: () => move(1) },
    { key: 'k', text: t('keys.up'), run: () => move(-1) },
    { key: 'x', text: t('keys.select'), run: select, when: selection !== undefined },
    { key: 'o', text: t('keys.open'), run: open, when: href !== undefined },
  ], [selection !== undefined, href !== undefined]);
}

/**
 * A column by the key of its title.
 *
 * @param {string} key
 * @param {string} width
 * @param {(row: any) => any} cell
 * @param {'end'} [align]
 * @returns {Column}
 */
export const column = (key, width, cell, align) => ({ key, title: t(key), width, cell, ...(align && { align }) });

/** @param {{column: Column, sort?: string, onSort?: (sort: string) => void}} props */
function Head({ column, sort, onSort }) {
  const { title, head, align } = column;
  const [up, down] = [sort === column.sort, sort === `-${column.sort}`];
  const shown = { class: align ?? '', scope: 'col' };
  if (!column.sort || !onSort) return html`<th ...${shown}>${head ?? title}</th>`;
  return html`
    <th ...${shown} aria-sort=${up ? 'ascending' : down ? 'descending' : null}>
      <button type="button" onClick=${() => onSort(up ? `-${column.sort}` : column.sort ?? '')}>
        ${head ?? title}<${Icon} name=${up ? 'up' : down ? 'down' : 'sort'} />
      </button>
    </th>`;
}

/** @param {{rows: any[], id: (row: any) => string, selection: Set<string>, onSelectPage?: (checked: boolean) => void}} props */
function All({ rows, id, selection, onSelectPage }) {
  const count = rows.filter((row) => selection.has(id(row))).length;
  return html`<input type="checkbox" aria-label=${t('common.select_page')} checked=${count > 0 && count === rows.length} disabled=${!rows.length}
    indeterminate=${count > 0 && count < rows.length} onChange=${(/** @type {any} */ event) => onSelectPage?.(event.target.checked)} />`;
}

const Row = memo((/** @type {any} */ { id, row, columns, acts, href, selected }) => html`
  <tr data-id=${id} tabindex="-1" aria-selected=${selected === undefined ? null : String(selected)}>
    ${selected !== undefined && html`<td class="select"><input type="checkbox" checked=${selected} aria-label=${t('common.select_row', { name: row.name ?? id })}
      onClick=${(/** @type {any} */ event) => acts.select(id, event.target.checked, event.shiftKey)} /></td>`}
    ${columns.map((/** @type {Column} */ { key, align, cell }, /** @type {number} */ place) => html`
      <td key=${key} class=${align ?? ''}>${place === 0 && href ? html`<${Link} class="row-link" href=${href}>${cell(row)}<//>` : cell(row)}</td>`)}
  </tr>`);
