/** The fields of a person, to be filled in. */

import { t, html, Button, ProblemBox, useState, Field, can, Choice, Words, useEffect, SCOPES, useRef } from '../../kit.js';
import { addressesOf, differing, PARTS, withAddresses } from './record.js';

/** @typedef {import('./record.js').Flat} Flat */
/** @type {[string, Record<string, any>?][]} */
const FIELDS = [
  ['/name', { required: true }], ['/email', { type: 'email', required: true }], ['/username'], ['/phone', { type: 'tel' }],
  ['/profile/title'], ['/profile/department'], ['/profile/age', { type: 'number', min: 0, max: 150 }], ['/locale'],
  ['/avatar_url', { type: 'url' }],
];

/**
 * @param {object} props
 * @param {Flat} props.values
 * @param {import('../../lib/api.js').Problem | null} props.problem
 * @param {boolean} props.busy
 * @param {string} props.button
 * @param {(values: Flat) => void} props.onSubmit
 * @param {() => void} props.onCancel
 */
export function Form({ values, problem, busy, button, onSubmit, onCancel }) {
  const [draft, setDraft] = useState(values);
  const form = useRef(/** @type {HTMLFormElement | null} */ (null));
  const dirty = differing(values, draft).length > 0;
  useEffect(() => {
    form.current?.querySelector('input')?.focus();
    return () => document.querySelector('h1')?.focus({ preventScroll: true });
  }, []);
  useEffect(() => {
    if (!dirty) return undefined;
    const keep = (/** @type {Event} */ event) => event.preventDefault();
    addEventListener('beforeunload', keep);
    return () => removeEventListener('beforeunload', keep);
  }, [dirty]);
  const addresses = addressesOf(draft);
  /** @param {string} pointer @param {any} value */
  const set = (pointer, value) => setDraft((held) => ({ ...held, [pointer]: value }));
  /** @param {Record<string, any>[]} list */
  const place = (list) => setDraft((held) => withAddresses(held, list));
  /** @param {string} pointer */
  const bind = (pointer) => ({
    label: t(`field.${pointer.split('/').at(-1)}`),
    value: draft[pointer],
    error: problem?.of(pointer.slice(1).replaceAll('/', '.')),
    onInput: (/** @type {string} */ value) => set(pointer, pointer === '/profile/age' ? (value === '' ? null : Number(value)) : value),
    autocomplete: 'off',
  });
  /** @param {Event} event */
  function submit(event) {
    event.preventDefault();
    onSubmit(draft);
  }
  return html`
    <form ref=${form} class="stack" onSubmit=${submit} onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === 'Escape' && !dirty && onCancel()}>
      <div class="grid">${FIELDS.map(([pointer, more]) => html`<${Field} key=${pointer} ...${bind(pointer)} ...${more} />`)}</div>
      <${Field} ...${bind('/profile/bio')} lines=${3} />
      <${Words} ...${bind('/tags')} values=${draft['/tags'] ?? []} onChange=${(/** @type {string[]} */ tags) => set('/tags', tags)} />
      ${can('users:admin') && html`<${Scopes} scopes=${draft['/scopes']} onChange=${(/** @type {string[]} */ scopes) => set('/scopes', scopes)} />`}
      ${addresses.map((_, at) => html`
        <fieldset key=${at} class="stack part">
          <legend class="spread"><span>${t('person.address', { number: at + 1 })}</span><${Button} kind="quiet" icon="trash" title=${t('person.remove_address', { number: at + 1 })} onClick=${() => place(addresses.toSpliced(at, 1))} /></legend>
          <div class="grid">${PARTS.map((part) => html`<${Field} key=${part} ...${bind(`/profile/addresses/${at}/${part}`)} />`)}</div>
        </fieldset>`)}
      <div><${Button} icon="add" onClick=${() => place([...addresses, {}])}>${t('person.add_address')}<//></div>
      <${ProblemBox} problem=${problem} />
      <div class="row foot">
        <${Button} kind="primary" type="submit" busy=${busy}>${button}<//>
        <${Button} onClick=${onCancel}>${t('common.cancel')}<//>
      </div>
    </form>`;
}

/** @param {{scopes: string[], onChange: (scopes: string[]) => void}} props */
export function Scopes({ scopes, onChange }) {
  return html`<fieldset><legend>${t('field.scopes')}</legend><div class="row wide-gaps">
    ${SCOPES.map((scope) => html`<${Choice} key=${scope} label=${scope} checked=${scopes.includes(scope)}
      onChange=${(/** @type {boolean} */ checked) => onChange(checked ? [...scopes, scope] : scopes.filter((each) => each !== scope))} />`)}
  </div></fieldset>`;
}
