/** Changes of a person that lose nothing: where two make them at once, one sees both sides and chooses. */

import { t, html, Button, ProblemBox, useState, call, useAction, Choice, Dialog, tell } from '../../kit.js';
import { differing, flatten, nameOf, patchOf } from './record.js';

/** @typedef {import('./record.js').Flat} Flat */
/** @typedef {{body: any, etag: string | null}} Stored a user as the API answered it */
/** @typedef {{base: Flat, mine: Flat, theirs: Stored}} Conflict */

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
