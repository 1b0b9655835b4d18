/** The trail of a person as a timeline, and the way back from each change. */

import {
  t, html, Button, ProblemBox, useState, call, Time, can, Confirm, toast, useLoad, usePeople, list, Differences,
} from '../../kit.js';
import { ConflictOf, useSave } from './conflict.js';
import { differing, flatten, isPicture, isSettable, nameOf, without } from './record.js';

const AT_ONCE = 10;
/** What nothing takes back. */
const STAYS = new Set(['password_set', 'signed_out']);

/**
 * @param {object} props
 * @param {import('./conflict.js').Stored} props.stored
 * @param {number} props.turn
 * @param {() => void} props.again
 * @param {string | null} [props.cursor]
 */
export function History({ stored, turn, again, cursor = null }) {
  const { id } = stored.body;
  const [more, setMore] = useState(false);
  const [undone, setUndone] = useState(/** @type {any} */ (null));
  const { data, problem, reload } = useLoad(
    async (signal) => (await call('GET', '/audit', { query: { user: id, limit: AT_ONCE, cursor }, signal })).body, [id, cursor, turn]);
  const entries = data?.items ?? [];
  const Person = usePeople(entries.map((/** @type {any} */ entry) => entry.by));
  return html`
    <${ProblemBox} problem=${problem} onRetry=${reload} />
    ${data && !entries.length && html`<p class="muted">${t('audit.none')}</p>`}
    <ol class="timeline">
      ${entries.map((/** @type {any} */ entry) => html`
        <li key=${entry.id}>
          <div class="spread">
            <span><strong>${t(`audit_action.${entry.action}`)}</strong>${entry.by && html` <span class="muted">${t('person.by')}</span> <${Person} id=${entry.by} />`}
              <span class="muted small"> · <${Time} at=${entry.at} as="relative" /> · ${t(`audit_via.${entry.via}`)}</span></span>
            ${isUndoable(entry) && html`<${Button} kind="quiet" icon="undo" onClick=${() => setUndone(entry)}>${t('person.undo')}<//>`}
            ${STAYS.has(entry.action) && html`<span class="muted small">${t('person.stays')}</span>`}
          </div>
          ${entry.action === 'changed' && html`<${Differences} differences=${entry.differences} name=${nameOf} />`}
        </li>`)}
    </ol>
    ${data?.next && (more ? html`<${History} ...${{ stored, turn, again }} cursor=${data.next} />` : html`<div><${Button} icon="down" onClick=${() => setMore(true)}>${t('person.more')}<//></div>`)}
    ${undone && html`<${Undo} entry=${undone} stored=${stored} onClose=${() => setUndone(null)} again=${again} />`}`;
}

/** An uploaded picture is gone with its URL. @param {{pointer: string, from: any}} difference */
const isUndone = ({ pointer, from }) => isSettable(pointer) && !isPicture(from);

/** @param {any} entry */
const isUndoable = ({ action, forgotten, differences }) =>
  can('users:write') && action === 'changed' && !forgotten && differences.some((/** @type {any} */ each) => isUndone(each));

/** @param {{entry: any, stored: import('./conflict.js').Stored, onClose: () => void, again: () => void}} props */
function Undo({ entry, stored, onClose, again }) {
  const saving = useSave(stored.body.id, () => {
    toast(t('person.undone'), { kind: 'good' });
    onClose();
    again();
  });
  const settable = entry.differences.filter((/** @type {any} */ each) => isUndone(each));
  const now = flatten(stored.body);
  const before = without(now, settable);
  const steps = differing(now, before).map((pointer) => ({ pointer, from: now[pointer], to: before[pointer] }));
  const text = html`<div class="stack">
    <p>${t(steps.length ? 'person.undo_text' : 'person.undo_none')}</p>
    <${Differences} differences=${steps} name=${nameOf} />
    ${notes(entry, now, settable).map((note) => html`<p key=${note} class="notice warn">${note}</p>`)}
    <${ProblemBox} problem=${saving.problem} />
  </div>`;
  return html`
    <${Confirm} open title=${t('person.undo_title')} text=${text} button=${t(steps.length ? 'person.undo' : 'common.close')} onClose=${onClose} onConfirm=${async () => (steps.length ? saving.run(stored, before) : onClose())} />
    <${ConflictOf} saving=${saving} />`;
}

/** What is not undone, or not as it was. @param {any} entry @param {import('./record.js').Flat} now @param {any[]} settable */
function notes({ differences }, now, settable) {
  const written = Object.fromEntries(settable.filter(({ pointer }) => !Array.isArray(now[pointer])).map(({ pointer, to }) => [pointer, to]));
  const since = differing(now, { ...now, ...written });
  const left = differences.filter((/** @type {any} */ each) => !isUndone(each)).map((/** @type {any} */ each) => each.pointer);
  /** @param {string} key @param {string[]} pointers */
  const tell = (key, pointers) => (pointers.length ? [t(key, { fields: list(pointers.map(nameOf)) })] : []);
  const ends = settable.some(({ pointer }) => pointer === '/scopes' || pointer === '/is_active');
  return [...tell('person.undo_since', since), ...tell('person.undo_left', left), ...(ends ? [t('person.undo_sessions')] : [])];
}
