/** A place to drop a file, which is a button, too. */

import { t } from '../lib/texts.js';
import { html, useId, useState } from '../lib/ui.js';
import { Icon } from './button.js';

/**
 * @param {object} props
 * @param {string} props.label
 * @param {string} [props.accept]
 * @param {any} [props.hint]
 * @param {boolean} [props.busy]
 * @param {(file: File) => void} props.onFile
 */
export function Drop({ label, accept = '', hint, busy = false, onFile }) {
  const id = useId();
  const [over, setOver] = useState(false);
  /** @param {FileList | null | undefined} files */
  function take(files) {
    setOver(false);
    if (files?.[0] && !busy) onFile(files[0]);
  }
  /** @param {DragEvent} event */
  function hover(event) {
    event.preventDefault();
    setOver(true);
  }
  /** @param {DragEvent} event */
  function drop(event) {
    event.preventDefault();
    take(event.dataTransfer?.files);
  }
  return html`
    <label class=${`drop ${over ? 'over' : ''}`} for=${id} onDragOver=${hover} onDragLeave=${() => setOver(false)} onDrop=${drop}>
      ${busy ? html`<span class="spinner"></span>` : html`<${Icon} name="import" />`}
      <strong>${label}</strong>
      <span class="muted small">${hint ?? t('common.drop_hint')}</span>
      <input id=${id} class="sr" type="file" accept=${accept} disabled=${busy} onChange=${(/** @type {any} */ event) => (take(event.target.files), (event.target.value = ''))} />
    </label>`;
}
