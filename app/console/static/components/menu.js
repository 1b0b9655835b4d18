/** A menu that a button opens: arrows move in it, Escape and a click beside it close it. */

import { Link } from '../lib/router.js';
import { html, useEffect, useId, useRef, useState } from '../lib/ui.js';
import { Button, Icon } from './button.js';

/**
 * @typedef {object} Item
 * @property {string} text
 * @property {() => void} [run]
 * @property {string} [href]
 * @property {boolean} [danger]
 * @property {boolean} [checked] of an item that is one of several choices
 * @property {boolean} [disabled]
 * @property {string} [hint]
 */

/**
 * @param {object} props
 * @param {string} props.label
 * @param {string} [props.icon]
 * @param {any} [props.text] on the button; without one the label is its name
 * @param {string} [props.kind]
 * @param {(Item | null)[]} props.items null draws a line
 */
export function Menu({ label, icon, text, kind = 'plain', items }) {
  const id = useId();
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const menu = list.current?.parentElement;
    if (!open || !list.current || !menu) return undefined;
    focus(list.current, 0);
    const leave = (/** @type {FocusEvent} */ event) => menu.contains(/** @type {any} */ (event.relatedTarget)) || setOpen(false);
    menu.addEventListener('focusout', leave);
    return () => menu.removeEventListener('focusout', leave);
  }, [open]);
  function close() {
    /** @type {HTMLElement | null | undefined} */ (list.current?.parentElement?.querySelector('button'))?.focus();
    setOpen(false);
  }
  /** @param {KeyboardEvent} event */
  function press(event) {
    const steps = /** @type {Record<string, number>} */ ({ ArrowDown: 1, ArrowUp: -1 });
    if (event.key === 'Escape') event.preventDefault(), close();
    else if (event.key in steps && list.current) event.preventDefault(), move(list.current, steps[event.key] ?? 0);
  }
  /** @param {Item} item */
  function choose(item) {
    close();
    item.run?.();
  }
  return html`
    <div class="menu" onKeyDown=${press}>
      <${Button} ...${{ kind, icon, title: label }} aria-label=${label} aria-haspopup="menu" aria-expanded=${String(open)} aria-controls=${id} onClick=${() => setOpen(!open)}>${text}<//>
      ${open && html`<div ref=${list} id=${id} role="menu" aria-label=${label} class="popup">
        ${items.map((item, place) => (item ? html`<${Choice} key=${place} ...${{ item, choose }} />` : html`<hr key=${place} />`))}
      </div>`}
    </div>`;
}

/** @param {{item: Item, choose: (item: Item) => void}} props */
function Choice({ item, choose }) {
  const { checked } = item;
  const shown = {
    role: checked === undefined ? 'menuitem' : 'menuitemradio',
    'aria-checked': checked === undefined ? null : String(checked),
    'aria-disabled': item.disabled ? 'true' : null,
    tabIndex: -1,
    class: item.danger ? 'bad' : '',
    onClick: () => item.disabled || choose(item),
  };
  const content = html`${checked !== undefined && html`<span class="mark">${checked && html`<${Icon} name="check" />`}</span>`}
    <span dir="auto">${item.text}</span>${item.hint && html`<span class="muted small">${item.hint}</span>`}`;
  return item.href === undefined ? html`<button type="button" ...${shown}>${content}</button>` : html`<${Link} href=${item.href} ...${shown}>${content}<//>`;
}

/** @param {HTMLElement} list */
const itemsOf = (list) => /** @type {HTMLElement[]} */ ([...list.querySelectorAll('[role^=menuitem]')]);

/** @param {HTMLElement} list @param {number} place */
function focus(list, place) {
  itemsOf(list).at(place)?.focus();
}

/** @param {HTMLElement} list @param {number} step */
function move(list, step) {
  const items = itemsOf(list);
  const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  items.at((at + step) % items.length)?.focus();
}
