/** The filters of the listing: all that the API has, as fields of a form and as chips above the table. */

import {
  t, html, Button, useState, Field, Select, Choice, Dialog, Words, list, useEffect, SCOPES, changed, Icon,
} from '../../kit.js';

/** @typedef {Record<string, string[]>} Values of each filter's parameter */

const WORDS = ['department', 'city', 'country', 'tag', 'email', 'username', 'phone', 'id'];
const FLAGS = ['is_active', 'email_verified'];
const MISSING = ['username', 'phone', 'tag', 'scope', 'department', 'city', 'country', 'age', 'last_login_at'];
/** The two ends of each range. @type {[string, string, string][]} */
export const RANGES = [['age', 'age_min', 'age_max'], ['created_at', 'created_from', 'created_to'], ['updated_at', 'updated_from', 'updated_to'], ['last_login_at', 'last_login_from', 'last_login_to']];

/** Every parameter of the API that filters. */
export const FILTERS = [...WORDS, ...FLAGS, 'scope', ...RANGES.flatMap(([, from, to]) => [from, to]), 'missing'];

/** @param {URLSearchParams} query @returns {Values} */
export const read = (query) => Object.fromEntries(FILTERS.map((name) => [name, query.getAll(name)]));

/** Only what finds people: without the place, the order and the looks. @param {URLSearchParams} query */
export function ofFilters(query) {
  const pairs = [...query].filter(([name]) => name === 'q' || FILTERS.includes(name));
  return new URLSearchParams(pairs);
}

/** @param {string} name @param {string} value */
const flagText = (name, value) =>
  name === 'is_active' ? t(value === 'true' ? 'overview_status.active' : 'overview_status.inactive') : t(value === 'true' ? 'common.yes' : 'common.no');

/** What a chip says. @param {string} name @param {string[]} values */
function tell(name, values) {
  const range = RANGES.find(([, from, to]) => name === from || name === to);
  if (range) return t(name === range[1] ? 'people.from' : 'people.to', { field: t(`field.${range[0]}`), value: values[0] });
  if (name === 'missing') return t('people.lacks', { fields: list(values.map((value) => t(`field.${value}`))) });
  const shown = FLAGS.includes(name) ? values.map((value) => flagText(name, value)) : values;
  return t('people.is', { field: t(`field.${name}`), values: shown.join(', ') });
}

/**
 * @param {{query: URLSearchParams, onChange: (changes: Record<string, string[] | null>) => void}} props
 */
export function FilterChips({ query, onChange }) {
  const held = Object.entries(read(query)).filter(([, values]) => values.length);
  if (!held.length) return null;
  return html`<div class="row" role="group" aria-label=${t('people.filters')}>
    ${held.map(([name, values]) => html`
      <span key=${name} class="chip"><span dir="auto">${tell(name, values)}</span>
        <button type="button" aria-label=${t('common.remove_value', { value: tell(name, values) })} onClick=${() => onChange({ [name]: null })}><${Icon} name="close" /></button>
      </span>`)}
    <${Button} kind="quiet" onClick=${() => onChange(Object.fromEntries(FILTERS.map((name) => [name, null])))}>${t('people.clear_filters')}<//>
  </div>`;
}

/**
 * @param {object} props
 * @param {boolean} props.open
 * @param {URLSearchParams} props.query
 * @param {() => void} props.onClose
 * @param {(changes: Values) => void} props.onChange
 */
export function FilterForm({ open, query, onClose, onChange }) {
  const [values, setValues] = useState(/** @type {Values} */ ({}));
  useEffect(() => setValues(read(query)), [open]);
  /** @param {string} name @param {string[]} next */
  const set = (name, next) => setValues((held) => ({ ...held, [name]: next }));
  /** @param {Event} event */
  function submit(event) {
    event.preventDefault();
    onChange(values);
    onClose();
  }
  const footer = html`
    <${Button} onClick=${() => setValues(read(changed(query, Object.fromEntries(FILTERS.map((name) => [name, null])))))}>${t('people.clear_filters')}<//>
    <${Button} kind="primary" type="submit" form="filters">${t('common.apply')}<//>`;
  return html`
    <${Dialog} ...${{ open, onClose, footer }} wide title=${t('people.filters')}>
      <form id="filters" class="stack" onSubmit=${submit}>
        <p class="muted small">${t('people.filters_hint')}</p>
        <div class="grid">
          ${WORDS.map((name) => html`<${Words} key=${name} label=${t(`field.${name}`)} values=${values[name] ?? []} onChange=${(/** @type {string[]} */ next) => set(name, next)} />`)}
          ${FLAGS.map((name) => html`<${Flag} key=${name} ...${{ name, set }} value=${values[name] ?? []} />`)}
          ${RANGES.map(([field, ...ends]) => html`<${Range} key=${field} ...${{ field, ends, values, set }} />`)}
        </div>
        <${Several} name="scope" legend=${t('field.scope')} options=${SCOPES} values=${values.scope ?? []} text=${String} set=${set} />
        <${Several} name="missing" legend=${t('people.missing')} options=${MISSING} values=${values.missing ?? []} text=${(/** @type {string} */ name) => t(`field.${name}`)} set=${set} />
      </form>
    <//>`;
}

/** @param {{name: string, value: string[], set: (name: string, next: string[]) => void}} props */
function Flag({ name, value, set }) {
  const options = [{ value: '', text: t('common.any') }, ...['true', 'false'].map((each) => ({ value: each, text: flagText(name, each) }))];
  return html`<${Select} label=${t(`field.${name}`)} value=${value.length === 1 ? value[0] : ''} options=${options} onChange=${(/** @type {string} */ next) => set(name, next ? [next] : [])} />`;
}

/** @param {{field: string, ends: string[], values: Values, set: (name: string, next: string[]) => void}} props */
function Range({ field, ends, values, set }) {
  const type = field === 'age' ? { type: 'number', min: 0, max: 150 } : { type: 'date' };
  return html`<fieldset><legend>${t(`field.${field}`)}</legend><div class="range">
    ${ends.map((name, at) => html`<${Field} key=${name} ...${type} label=${t(at ? 'people.until' : 'people.since')} value=${(values[name]?.[0] ?? '').slice(0, 10)} onInput=${(/** @type {string} */ next) => set(name, next ? [next] : [])} />`)}
  </div></fieldset>`;
}

/** @param {{name: string, legend: string, options: string[], values: string[], text: (value: string) => string, set: (name: string, next: string[]) => void}} props */
function Several({ name, legend, options, values, text, set }) {
  return html`<fieldset><legend>${legend}</legend><div class="row">
    ${options.map((value) => html`<${Choice} key=${value} label=${text(value)} checked=${values.includes(value)}
      onChange=${(/** @type {boolean} */ checked) => set(name, checked ? [...values, value] : values.filter((each) => each !== value))} />`)}
  </div></fieldset>`;
}
