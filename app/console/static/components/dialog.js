/** Dialogs: they take the focus, give it back, and close by Escape. */

import { t } from '../lib/texts.js';
import { html, useAction, useEffect, useRef, useState } from '../lib/ui.js';
import { Button } from './button.js';
import { Field } from './fields.js';
import { ProblemBox } from './notices.js';

/** What has the focus at first: a field rather than the button that closes. */
const FIRST = '.dialog > :not(header) :is(input, select, textarea, button, a)';

/**
 * @param {object} props
 * @param {boolean} props.open
 * @param {string} props.title
 * @param {(() => void) | null} props.onClose null: it stays until its question is answered
 * @param {any} [props.children]
 * @param {any} [props.footer]
 * @param {boolean} [props.wide]
 */
export function Dialog({ open, title, onClose, children, footer, wide = false }) {
  return open ? html`<${Shown} ...${{ title, onClose, footer, wide }}>${children}<//>` : null;
}

/** @param {any} props */
function Shown({ title, onClose, children, footer, wide }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    dialog.current?.showModal();
    /** @type {HTMLElement | null | undefined} */ (dialog.current?.querySelector(FIRST))?.focus();
    return () => before?.isConnected && before.focus();
  }, []);
  /** @param {Event} event */
  function cancel(event) {
    event.preventDefault();
    onClose?.();
  }
  /** A browser may close it all the same. */
  const closed = () => (onClose ? onClose() : dialog.current?.showModal());
  return html`
    <dialog ref=${dialog} class=${wide ? 'wide' : ''} aria-label=${title} onCancel=${cancel} onClose=${closed} onMouseDown=${(/** @type {MouseEvent} */ event) => event.target === dialog.current && onClose?.()}>
      <div class="dialog">
        <header class="spread">
          <h2 dir="auto">${title}</h2>
          ${onClose && html`<${Button} kind="quiet" icon="close" title=${t('common.close')} onClick=${onClose} />`}
        </header>
        <div class="stack">${children}</div>
        ${footer && html`<footer class="row end">${footer}</footer>`}
      </div>
    </dialog>`;
}

/**
 * Asks before something is done; where there is a `word`, it has to be typed.
 *
 * @param {object} props
 * @param {boolean} props.open
 * @param {string} props.title
 * @param {any} props.text
 * @param {string | null} [props.word]
 * @param {string} props.button
 * @param {boolean} [props.danger]
 * @param {() => void} props.onClose
 * @param {() => Promise<unknown>} props.onConfirm
 */
export function Confirm({ open, title, text, word = null, button, danger = false, onClose, onConfirm }) {
  const [typed, setTyped] = useState('');
  const action = useAction(onConfirm);
  useEffect(() => setTyped(''), [open]);
  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    if (word === null || typed === word) await action.run();
  }
  const footer = html`
    <${Button} onClick=${onClose}>${t('common.cancel')}<//>
    <${Button} kind=${danger ? 'danger' : 'primary'} type="submit" form="confirm" busy=${action.busy} disabled=${word !== null && typed !== word}>${button}<//>`;
  return html`
    <${Dialog} ...${{ open, title, onClose, footer }}>
      <form id="confirm" class="stack" onSubmit=${submit}>
        <div>${text}</div>
        ${word !== null && html`<${Field} label=${t('common.type_to_confirm', { word })} value=${typed} onInput=${setTyped} autocomplete="off" />`}
        <${ProblemBox} problem=${action.problem} />
      </form>
    <//>`;
}
