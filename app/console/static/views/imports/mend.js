/** Mends the cells of refused rows where they stand; the mended rows are then an import of their own. */

import { t, html, Button, ProblemBox, Field, useMemo, useStore, makeStore } from '../../kit.js';
import { useSend } from './reading.js';

/** @typedef {{cells: (string | null)[], wanted: number[], mended: Record<number, string>}} Held a row: what must be mended, and what was */
/** @typedef {import('../../lib/store.js').Store<Record<number, Held>>} Mending by the row's number */

/** @returns {Mending} */
export const useMending = () => useMemo(() => makeStore({}), []);

/** @param {{errors: any[]}} props */
export function Errors({ errors }) {
  return errors.length ? html`<ul class="errors">${errors.map((bad) => html`<li key=${bad.detail}>${bad.column && html`<b dir="auto">${bad.column}</b> `}${bad.detail}</li>`)}</ul>` : null;
}

/**
 * The cells of a row that are wrong, each with what would be right; all that find the user, where no cell is blamed.
 *
 * @param {{row: any, columns: any[], mending: Mending}} props
 */
export function Mend({ row, columns, mending }) {
  const held = useStore(mending)[row.row]?.mended ?? {};
  const isBlamed = (/** @type {any} */ column) => column.use !== 'password_hash' && row.errors.some((/** @type {any} */ bad) => bad.column === column.heading);
  const blamed = columns.flatMap((column, place) => (isBlamed(column) ? [place] : []));
  const shown = blamed.length ? blamed : columns.flatMap(({ use }, place) => (use === 'key' ? [place] : []));
  /** @param {number} place @param {string} value */
  function set(place, value) {
    mending.update((all) => ({ ...all, [row.row]: { cells: row.cells, wanted: blamed, mended: { ...all[row.row]?.mended, [place]: value } } }));
  }
  const errorOf = (/** @type {string} */ heading) => row.errors.filter((/** @type {any} */ bad) => bad.column === heading).map((/** @type {any} */ bad) => bad.detail).join(' ');
  return html`<div class="mend">
    <${Errors} errors=${row.errors.filter((/** @type {any} */ bad) => !columns.some((column) => column.heading === bad.column && isBlamed(column)))} />
    ${shown.map((place) => html`
      <${Field} key=${place} label=${columns[place].heading} value=${held[place] ?? row.cells[place]} error=${held[place] === undefined && errorOf(columns[place].heading)}
        onInput=${(/** @type {string} */ value) => set(place, value)} />`)}
  </div>`;
}

/** @param {Held} row */
const isWhole = ({ wanted, mended }) => wanted.every((place) => mended[place] !== undefined);

/** Says how many rows were mended, and has them planned. @param {{plan: any, mending: Mending}} props */
export function Mended({ plan, mending }) {
  const all = Object.values(useStore(mending));
  const rows = all.filter(isWhole);
  const send = useSend();
  if (!all.length) return null;
  const name = t('imports.mended_name', { name: (plan.file.name ?? '').replace(/\.\w+$/, '') });
  return html`<div class="selected row" role="status">
    <strong>${t('imports.mended', { count: rows.length })}</strong><span class="muted small">${t('imports.mended_hint')}</span>
    <${Button} kind="primary" busy=${send.busy} disabled=${!rows.length} onClick=${() => send.run(new File([write(plan.columns, rows)], `${name}.csv`, { type: 'text/csv' }))}>${t('imports.plan_mended')}<//>
    <${ProblemBox} problem=${send.problem} />
  </div>`;
}

/** A CSV of the mended rows under the API's own names of the columns. @param {any[]} columns @param {Held[]} rows */
function write(columns, rows) {
  const read = columns.map(({ field, use }, place) => ({ field, use, place })).filter(({ use }) => ['field', 'key', 'version', 'delete'].includes(use));
  const fields = [...new Set(read.map(({ field }) => field))];
  /** Several columns of a name are joined, as they were read. @param {Held} row @param {string} wanted */
  const cell = ({ cells, mended }, wanted) => read.filter(({ field }) => field === wanted).map(({ place }) => mended[place] ?? cells[place] ?? '').join(' ').trim();
  const lines = [fields, ...rows.map((row) => fields.map((field) => cell(row, field)))];
  return lines.map((line) => `${line.map((text) => `"${text.replaceAll('"', '""')}"`).join()}\r\n`).join('');
}
