/** Values as people read them. All that users wrote is text, in its own direction. */

import { t, date, moment, number, relative } from '../lib/texts.js';
import { html } from '../lib/ui.js';
import { Button } from './button.js';

const WAYS = { date, moment, relative };

/** @param {{at: string | null | undefined, as?: 'moment' | 'date' | 'relative'}} props */
export function Time({ at, as = 'moment' }) {
  if (!at) return html`<${Text} value=${null} />`;
  return html`<time datetime=${at} title=${moment(at)}>${WAYS[as](at)}</time>`;
}

/** @param {{kind?: 'plain' | 'good' | 'bad' | 'warn' | 'brand', children?: any}} props */
export const Badge = ({ kind = 'plain', children }) => html`<span class=${`badge ${kind}`}>${children}</span>`;

/** @param {{tags: string[]}} props */
export const Tags = ({ tags }) =>
  tags.length ? html`<span class="tags">${tags.map((tag) => html`<span key=${tag} class="badge plain"><bdi>${tag}</bdi></span>`)}</span>` : html`<${Text} value=${null} />`;

/** A text; a dash where there is none, which screen readers pass over. @param {{value: any}} props */
export function Text({ value }) {
  if (value === null || value === undefined || value === '') return html`<span class="muted" aria-hidden="true">–</span>`;
  return html`<span dir="auto">${typeof value === 'number' ? number(value) : String(value)}</span>`;
}

/**
 * A text with what matched marked.
 *
 * @param {{text: string, ranges?: number[][]}} props ranges: code points, end exclusive, in order
 */
export function Marked({ text, ranges = [] }) {
  const letters = ranges.length ? [...text] : [];
  const parts = [];
  let at = 0;
  for (const [start = 0, end = 0] of ranges) {
    if (end <= at) continue;
    parts.push(letters.slice(at, start).join(''), html`<mark>${letters.slice(Math.max(start, at), end).join('')}</mark>`);
    at = end;
  }
  return html`<span dir="auto">${ranges.length ? [...parts, letters.slice(at).join('')] : text}</span>`;
}

/** @param {{differences: {pointer: string, from?: any, to?: any}[], name?: (pointer: string) => string}} props name: of a field, else its path */
export function Differences({ differences, name }) {
  return html`<dl class="differences">
    ${differences.map(({ pointer, from, to }) => html`
      <div key=${pointer}>
        <dt>${name ? name(pointer) : html`<code>${pointer.slice(1).replaceAll('/', '.')}</code>`}</dt>
        <dd>${tell(from, pointer) !== NOTHING && html`<del dir="auto"><span class="sr">${t('common.was')} </span>${tell(from, pointer)}</del>`} <ins dir="auto"><span class="sr">${t('common.is')} </span>${tell(to, pointer)}</ins></dd>
      </div>`)}
  </dl>`;
}

const NOTHING = '–';

/** A value of a field in words. @param {any} value @param {string} pointer */
export function tell(value, pointer) {
  if (value === null || value === undefined || value === '' || value.length === 0) return NOTHING;
  if (pointer === '/is_active') return t(value ? 'overview_status.active' : 'overview_status.inactive');
  if (typeof value === 'boolean') return t(value ? 'common.yes' : 'common.no');
  return Array.isArray(value) ? value.join(', ') : String(value);
}

/**
 * @param {object} props
 * @param {string | null} props.previous where the page before is; null if there is none
 * @param {string | null} props.next
 * @param {any} [props.text] what is shown
 */
export function Pager({ previous, next, text }) {
  return html`<nav class="pager row" aria-label=${t('common.pages')}>
    <span class="muted small num">${text}</span>
    <${Turn} icon="left" href=${previous} title=${t('common.previous')} />
    <${Turn} icon="right" href=${next} title=${t('common.next')} />
  </nav>`;
}

/** @param {{icon: string, href: string | null, title: string}} props */
const Turn = ({ icon, href, title }) =>
  href === null ? html`<${Button} ...${{ icon, title }} disabled />` : html`<${Button} ...${{ icon, title, href }} />`;

const STATES = /** @type {Record<string, string>} */ ({
  succeeded: 'good', failed: 'bad', running: 'brand', planning: 'brand', planned: 'warn', applying: 'brand', applied: 'good',
});

/** @param {{state: string}} props of a job, or of what is one */
export const JobState = ({ state }) => html`<${Badge} kind=${STATES[state]}>${t(`job_state.${state}`)}<//>`;

/** @param {{state: string}} props of an import, or of a bulk change */
export const PlanState = ({ state }) => html`<${Badge} kind=${STATES[state]}>${t(`import_state.${state}`)}<//>`;

const HUES = 12;

/** The first letters of a name that can be seen, in a colour of its own, or a picture over them. @param {{name: string, size?: 'small' | 'large', picture?: string | null}} props */
export function Avatar({ name, size = 'small', picture }) {
  const words = name.replace(/\p{C}/gu, '').trim().split(/\s+/u);
  const first = [...(words[0] ?? '')][0] ?? '';
  const last = words.length > 1 ? [...(words.at(-1) ?? '')][0] : '';
  const hue = [...name].reduce((sum, letter) => sum + (letter.codePointAt(0) ?? 0), 0) % HUES;
  return html`<span class=${`avatar ${size}`} style=${{ '--hue': 30 * hue }} aria-hidden="true">${(first + last).toUpperCase()}${picture && html`<img src=${picture} alt="" />`}</span>`;
}
