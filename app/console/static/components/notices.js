/** What the page says of itself: that it works, that something went wrong, that nothing is there. */

import { makeStore } from '../lib/store.js';
import { t } from '../lib/texts.js';
import { html, useStore } from '../lib/ui.js';
import { Button, Icon } from './button.js';

/** @typedef {{id: number, text: string, kind: string, action?: {text: string, run: () => void}}} Toast */

const SHOWN_MS = 8_000;
const ICONS = /** @type {Record<string, string>} */ ({ info: 'info', good: 'check', bad: 'warn' });

/** @type {import('../lib/store.js').Store<Toast[]>} */
const toasts = makeStore(/** @type {Toast[]} */ ([]));
let last = 0;

/**
 * Say something for some seconds, or until it is closed where it offers something to do.
 *
 * @param {string} text
 * @param {{kind?: 'info' | 'good' | 'bad', action?: {text: string, run: () => void}}} [options]
 */
export function toast(text, { kind = 'info', action } = {}) {
  last += 1;
  const id = last;
  toasts.update((all) => [...all, { id, text, kind, ...(action ? { action } : {}) }]);
  if (!action) setTimeout(() => dismiss(id), SHOWN_MS);
}

/** @param {number} id */
const dismiss = (id) => toasts.update((all) => all.filter((each) => each.id !== id));

export function Toasts() {
  return html`<div class="toasts" role="status" aria-live="polite">
    ${useStore(toasts).map((/** @type {Toast} */ { id, text, kind, action }) => html`
      <div key=${id} class=${`toast ${kind}`}>
        <${Icon} name=${ICONS[kind]} /><span dir="auto">${text}</span>
        ${action && html`<${Button} onClick=${() => (dismiss(id), action.run())}>${action.text}<//>`}
        <${Button} kind="quiet" icon="close" title=${t('common.close')} onClick=${() => dismiss(id)} />
      </div>`)}
  </div>`;
}

/**
 * What went wrong, with each field; nothing where nothing did.
 *
 * @param {object} props
 * @param {import('../lib/api.js').Problem | null} props.problem
 * @param {() => void} [props.onRetry]
 * @param {any} [props.children]
 */
export function ProblemBox({ problem, onRetry, children }) {
  if (!problem) return null;
  return html`
    <div class="notice bad" role="alert">
      <${Icon} name="warn" />
      <div class="stack tight">
        <strong>${problem.title}</strong>
        ${problem.detail && html`<p dir="auto">${problem.detail}</p>`}
        ${problem.errors.length > 0 && html`<ul>${problem.errors.map(({ field, detail }) => html`<li key=${field}><code>${field}</code> ${detail}</li>`)}</ul>`}
        ${problem.requestId && html`<p class="small muted">${t('problem.number', { id: problem.requestId })}</p>`}
        ${children}
        ${onRetry && html`<div><${Button} icon="refresh" onClick=${onRetry}>${t('common.retry')}<//></div>`}
      </div>
    </div>`;
}

/** @param {{label?: string}} props */
export function Busy({ label = t('common.loading') }) {
  return html`<p class="busy muted" role="status"><span class="spinner"></span> ${label}</p>`;
}

/** @param {{title: string, text?: any, children?: any}} props */
export function Empty({ title, text, children }) {
  return html`<div class="empty stack"><h2>${title}</h2>${text && html`<p class="muted">${text}</p>`}${children && html`<div class="row">${children}</div>`}</div>`;
}

/** @param {{value: number | null, label: string}} props value: from 0 to 1, null while nobody knows */
export function Progress({ value, label }) {
  return html`<div class="progress"><span class="small">${label}</span><progress aria-label=${label} value=${value} max="1"></progress></div>`;
}
