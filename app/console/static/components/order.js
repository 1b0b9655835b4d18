/** Chooses several of what there is, and their order: by drag, or by the arrows beside each. */

import { t } from '../lib/texts.js';
import { html, useState } from '../lib/ui.js';
import { Button, Icon } from './button.js';
import { Choice } from './fields.js';

/**
 * @param {object} props
 * @param {string[]} props.keys those chosen, in order; one at least stays
 * @param {string[]} props.all
 * @param {(key: string) => string} props.titleOf
 * @param {(keys: string[]) => void} props.onChange
 */
export function Order({ keys, all, titleOf, onChange }) {
  const [dragged, setDragged] = useState(-1);
  const others = all.filter((key) => !keys.includes(key));
  /** @param {number} from @param {number} to */
  const move = (from, to) => onChange(keys.toSpliced(from, 1).toSpliced(to, 0, keys[from] ?? ''));
  return html`
    <ol class="columns">
      ${keys.map((key, at) => html`
        <li key=${key} draggable=${true} onDragStart=${() => setDragged(at)} onDragOver=${(/** @type {Event} */ event) => event.preventDefault()} onDrop=${() => move(dragged, at)}>
          <${Icon} name="drag" />
          <${Choice} label=${titleOf(key)} checked=${true} disabled=${keys.length === 1} onChange=${() => onChange(keys.filter((each) => each !== key))} />
          <${Button} kind="quiet" icon="up" title=${t('people.move_up', { column: titleOf(key) })} disabled=${at === 0} onClick=${() => move(at, at - 1)} />
          <${Button} kind="quiet" icon="down" title=${t('people.move_down', { column: titleOf(key) })} disabled=${at === keys.length - 1} onClick=${() => move(at, at + 1)} />
        </li>`)}
    </ol>
    <div class="columns more">${others.map((key) => html`<${Choice} key=${key} label=${titleOf(key)} checked=${false} onChange=${() => onChange([...keys, key])} />`)}</div>`;
}
