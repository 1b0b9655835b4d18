/** Fields of forms: each with its label, its hint, and what is wrong with it. */

import { t } from '../lib/texts.js';
import { html, useId, useState } from '../lib/ui.js';
import { Icon } from './button.js';

/** @param {any} props */
function Labelled({ id, label, hint, error, children }) {
  return html`
    <div class="field">
      <label for=${id}>${label}</label>
      ${children}
      ${hint && html`<p id=${`${id}-hint`} class="muted small">${hint}</p>`}
      ${error && html`<p id=${`${id}-error`} class="bad small"><${Icon} name="warn" /> ${error}</p>`}
    </div>`;
}

/** What a field is described by. @param {string} id @param {any} hint @param {any} error */
const described = (id, hint, error) => [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ') || null;

/**
 * A text; `lines` makes it a text area. Other properties go to the element.
 *
 * @param {Record<string, any>} props
 */
export function Field({ label, value, onInput, hint, error, lines, type = 'text', dir = 'auto', ...more }) {
  const id = useId();
  const props = {
    ...more, id, dir, value: value ?? '',
    onInput: (/** @type {any} */ event) => onInput(event.target.value),
    'aria-invalid': error ? 'true' : null,
    'aria-describedby': described(id, hint, error),
  };
  const field = lines ? html`<textarea rows=${lines} ...${props}></textarea>` : html`<input type=${type} ...${props} />`;
  return html`<${Labelled} ...${{ id, label, hint, error }}>${field}<//>`;
}

/**
 * @param {object} props
 * @param {string} props.label
 * @param {string} props.value
 * @param {{value: string, text: string}[]} props.options
 * @param {(value: string) => void} props.onChange
 * @param {any} [props.hint]
 * @param {any} [props.error]
 * @param {boolean} [props.disabled]
 */
export function Select({ label, value, options, onChange, hint, error, disabled = false }) {
  const id = useId();
  return html`
    <${Labelled} ...${{ id, label, hint, error }}>
      <select id=${id} value=${value} disabled=${disabled} aria-describedby=${described(id, hint, error)}
        onChange=${(/** @type {any} */ event) => onChange(event.target.value)}>
        ${options.map((each) => html`<option key=${each.value} value=${each.value} selected=${each.value === value}>${each.text}</option>`)}
      </select>
    <//>`;
}

/**
 * A check box, a switch or a radio button.
 *
 * @param {Record<string, any>} props
 */
export function Choice({ label, checked, onChange, type = 'checkbox', hint, ...more }) {
  const id = useId();
  return html`
    <div class="choice">
      <input id=${id} type=${type === 'switch' ? 'checkbox' : type} role=${type === 'switch' ? 'switch' : null} checked=${checked}
        aria-describedby=${described(id, hint, null)} onChange=${(/** @type {any} */ event) => onChange(event.target.checked)} ...${more} />
      <label for=${id}>${label}</label>
      ${hint && html`<p id=${`${id}-hint`} class="muted small">${hint}</p>`}
    </div>`;
}

/**
 * Several texts: each becomes a chip by Enter or a comma.
 *
 * @param {object} props
 * @param {string} props.label
 * @param {string[]} props.values
 * @param {(values: string[]) => void} props.onChange
 * @param {string[]} [props.suggestions]
 * @param {any} [props.hint]
 * @param {any} [props.error]
 */
export function Words({ label, values, onChange, suggestions = [], hint, error }) {
  const id = useId();
  const [typed, setTyped] = useState('');
  function take() {
    const added = typed.split(',').map((each) => each.trim()).filter((each) => each && !values.includes(each));
    setTyped('');
    if (added.length) onChange([...values, ...added]);
  }
  /** @param {KeyboardEvent} event */
  function press(event) {
    if (event.key === 'Enter' && typed.trim()) event.preventDefault(), take();
    if (event.key === ',') event.preventDefault(), take();
    if (event.key === 'Backspace' && !typed && values.length) onChange(values.slice(0, -1));
  }
  return html`
    <${Labelled} ...${{ id, label, hint, error }}>
      <div class="words">
        ${values.map((value) => html`
          <span class="chip" key=${value}><bdi>${value}</bdi>
            <button type="button" aria-label=${t('common.remove_value', { value })} onClick=${() => onChange(values.filter((each) => each !== value))}><${Icon} name="close" /></button>
          </span>`)}
        <input id=${id} dir="auto" value=${typed} list=${`${id}-list`} autocomplete="off" aria-describedby=${described(id, hint, error)}
          onInput=${(/** @type {any} */ event) => setTyped(event.target.value)} onKeyDown=${press} onBlur=${take} />
        <datalist id=${`${id}-list`}>${suggestions.map((each) => html`<option key=${each} value=${each}></option>`)}</datalist>
      </div>
    <//>`;
}
