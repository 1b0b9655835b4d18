/** The fields of a person to fill in, and the dialog where two have changed the same person. */

import { Button } from '../../components/button.js';
import { Dialog } from '../../components/dialog.js';
import { Choice, Field, Words } from '../../components/fields.js';
import { ProblemBox } from '../../components/notices.js';
import { tell } from '../../components/values.js';
import { call } from '../../lib/api.js';
import { can, SCOPES } from '../../lib/session.js';
import { t } from '../../lib/texts.js';
import { html, useAction, useEffect, useRef, useState } from '../../lib/ui.js';
import { addressesOf, differing, flatten, nameOf, PARTS, patchOf, withAddresses } from './record.js';

/** @typedef {import('./record.js').Flat} Flat */
/** @typedef {{body: any, etag: string | null}} Stored a user as the API answered it */
/** @typedef {{base: Flat, mine: Flat, theirs: Stored}} Conflict */

/** @type {[string, Record<string, any>?][]} */
const FIELDS = [
  ['/name', { required: true }], ['/email', { type: 'email', required: true }], ['/username'], ['/phone', { type: 'tel' }],
  ['/profile/title'], ['/profile/department'], ['/profile/age', { type: 'number', min: 0, max: 150 }], ['/locale'],
  ['/avatar_url', { type: 'url' }],
];

/**
 * Changes of a person, made by If-Match: where others have changed them since, the `conflict` has both sides.
 *
 * @param {string} id
 * @param {() => void} onSaved
 */
export function useSave(id, onSaved) {
  const [conflict, setConflict] = useState(/** @type {Conflict | null} */ (null));
  const action = useAction(async (/** @type {Stored} */ stored, /** @type {Flat} */ mine) => {
    const base = flatten(stored.body);
    const patch = patchOf(base, mine);
    try {
      if (Object.keys(patch).length) await call('PATCH', `/users/${id}`, { json: patch, ifMatch: stored.etag, retry: true });
    } catch (error) {
      if (/** @type {any} */ (error).status !== 412) throw error;
      const theirs = await call('GET', `/users/${id}`);
      if (differing(flatten(theirs.body), mine).length) return setConflict({ base, mine, theirs });
    }
    setConflict(null);
    onSaved();
  });
  return { ...action, conflict, close: () => setConflict(null) };
}

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

/**
 * Both sides, field by field: what only one has changed is chosen, where both have the reader chooses.
 *
 * @param {{saving: ReturnType<typeof useSave>}} props
 */
export const ConflictOf = ({ saving }) =>
  saving.conflict && html`<${Sides} key=${saving.conflict.theirs.etag} ...${saving.conflict} saving=${saving} />`;

/** @param {Conflict & {saving: ReturnType<typeof useSave>}} props */
function Sides({ base, mine, theirs, saving }) {
  const stored = flatten(theirs.body);
  const [changed, changedToo] = [differing(base, mine), differing(base, stored)];
  const pointers = differing(stored, mine);
  /** @param {string} pointer */
  const usual = (pointer) => (!changed.includes(pointer) ? 'theirs' : changedToo.includes(pointer) ? '' : 'mine');
  const [chosen, setChosen] = useState(/** @type {Record<string, string>} */ (Object.fromEntries(pointers.map((pointer) => [pointer, usual(pointer)]))));
  /** @param {Event} event */
  function submit(event) {
    event.preventDefault();
    const merged = { ...stored };
    for (const pointer of pointers) if (chosen[pointer] === 'mine') merged[pointer] = mine[pointer];
    saving.run(theirs, merged);
  }
  const sides = { theirs: { values: stored, text: t('person.theirs') }, mine: { values: mine, text: t('person.mine') } };
  const footer = html`
    <${Button} onClick=${saving.close}>${t('common.back')}<//>
    <${Button} kind="primary" type="submit" form="sides" busy=${saving.busy} disabled=${!pointers.every((pointer) => chosen[pointer])}>${t('common.save')}<//>`;
  return html`
    <${Dialog} open wide title=${t('person.conflict')} onClose=${saving.close} footer=${footer}>
      <p class="muted">${t('person.conflict_text')}</p>
      <form id="sides" class="stack" onSubmit=${submit}>
        ${pointers.map((pointer) => html`
          <fieldset key=${pointer}><legend>${nameOf(pointer)}</legend><div class="sides">
            ${Object.entries(sides).map(([side, { values, text }]) => html`<${Choice} key=${side} type="radio" name=${pointer} checked=${chosen[pointer] === side}
              label=${html`<span class="muted">${text}</span> <bdi>${tell(values[pointer], pointer)}</bdi>`} onChange=${() => setChosen((held) => ({ ...held, [pointer]: side }))} />`)}
          </div></fieldset>`)}
        <${ProblemBox} problem=${saving.problem} />
      </form>
    <//>`;
}
