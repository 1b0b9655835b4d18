/** Keys: each view says which are in force, and `?` shows them. */

import { makeStore } from './store.js';
import { useEffect } from './ui.js';

/**
 * @typedef {object} Key
 * @property {string} key one key (`j`, `Enter`), two after each other (`g p`), or with Ctrl or Command: `mod+s`
 * @property {string} text what it does
 * @property {(event: KeyboardEvent) => void} run
 * @property {boolean} [when] whether it is in force
 */

const FIELDS = 'input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]';
const PAUSE_MS = 1_000;

/** @type {import('./store.js').Store<Key[][]>} */
export const inForce = makeStore(/** @type {Key[][]} */ ([]));

const KEPT = 'roster.keys';

/** Whether keys without Ctrl or Command do anything: who dictates turns them off (WCAG 2.2, success criterion 2.1.4). */
export const keysOn = makeStore(localStorage.getItem(KEPT) !== 'off');
keysOn.subscribe((on) => localStorage.setItem(KEPT, on ? 'on' : 'off'));

let before = { name: '', at: 0 };

/**
 * @param {Key[]} keys
 * @param {unknown[]} deps
 */
export function useKeys(keys, deps) {
  useEffect(() => {
    const mine = keys.filter(({ when }) => when !== false);
    inForce.update((all) => [...all, mine]);
    return () => inForce.update((all) => all.filter((each) => each !== mine));
  }, deps);
}

/** @param {KeyboardEvent} event */
function nameOf({ key, ctrlKey, metaKey }) {
  return (ctrlKey || metaKey ? 'mod+' : '') + key;
}

/** The last that was told goes first. @param {string} name */
const find = (name) => inForce.get().flat().findLast(({ key }) => key === name);

addEventListener('keydown', (event) => {
  const name = nameOf(event);
  if (!keysOn.get() && name.length === 1) return;
  const target = /** @type {Element} */ (event.target);
  const typing = target.matches?.(FIELDS) && !name.startsWith('mod+') && name !== 'Escape';
  if (event.defaultPrevented || event.altKey || event.isComposing || typing) return;
  if (document.querySelector('dialog:modal')) return;
  const pair = Date.now() - before.at < PAUSE_MS ? find(`${before.name} ${name}`) : undefined;
  const found = pair ?? find(name);
  before = { name, at: Date.now() };
  if (!found) return;
  event.preventDefault();
  found.run(event);
});
