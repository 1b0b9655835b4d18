/** Buttons, links that look like them, and icons. */

import { Link } from '../lib/router.js';
import { h, html, memo } from '../lib/ui.js';

/** @param {number} x @param {number} y @param {number} r */
const circle = (x, y, r) => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0-${2 * r} 0`;
const CLOCK = circle(8, 8, 5.7);

/** Drawn on 16 units by one stroke. @type {Record<string, string>} */
const PATHS = {
  add: 'M8 3v10M3 8h10',
  audit: 'M4 2.5h8v11H4zM6.2 5.5h3.6M6.2 8h3.6M6.2 10.5h2',
  bulk: 'M5.5 2.5h8v8M2.5 5.5h8v8h-8zM4.7 9.5l1.3 1.3 2.5-2.6',
  chart: 'M2.5 2.5v11h11M5.5 11V8M8.5 11V5M11.5 11V7',
  check: 'M3 8.5 6.5 12 13 4.5',
  client: 'M2.5 3h11v8h-11zM5.5 13.5h5M8 11v2.5',
  clock: `${CLOCK}M8 4.8V8l2.2 1.4`,
  close: 'M4 4l8 8M12 4l-8 8',
  columns: 'M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10',
  down: 'M4 6l4 4 4-4',
  drag: [4, 8, 12].flatMap((y) => [circle(6, y, 0.5), circle(10, y, 0.5)]).join(''),
  edit: 'M3 13l.6-2.8L10.8 3 13 5.2l-7.2 7.2zM9.3 4.5l2.2 2.2',
  export: 'M8 10V2M5 5l3-3 3 3M2.5 11v2.5h11V11',
  file: 'M4 1.5h5.5l3 3v10H4zM9.5 1.5v3h3',
  filter: 'M2 3.5h12M4.5 8h7M6.5 12.5h3',
  health: 'M1.5 8.5h3l1.5-4 3 7.5 1.7-3.5h3.8',
  help: `${CLOCK}M6.3 6.3c.1-1.1.8-1.7 1.8-1.7 1 0 1.7.6 1.7 1.5 0 1.3-1.8 1.4-1.8 2.7M8 11.2v.01`,
  import: 'M8 2v8M5 7l3 3 3-3M2.5 11v2.5h11V11',
  info: `${CLOCK}M8 7.3v4M8 4.8v.01`,
  job: 'M2.5 5 8 2.5 13.5 5 8 7.5zM2.5 8 8 10.5 13.5 8M2.5 11 8 13.5 13.5 11',
  key: `${circle(5.5, 10.5, 3)}M7.7 8.3 13.5 2.5M11 5l2 2`,
  left: 'M10 4 6 8l4 4',
  mail: 'M2 3.5h12v9H2zM2 4.5l6 4.5 6-4.5',
  more: [3.2, 8, 12.8].map((x) => circle(x, 8, 0.7)).join(''),
  out: 'M6.5 2.5h-4v11h4M10 5l3 3-3 3M13 8H6',
  people: `${circle(6, 5.5, 2.5)}M1.5 13.5c.5-3 2-4.5 4.5-4.5s4 1.5 4.5 4.5M10.5 3.2a2.5 2.5 0 0 1 0 4.6M12 9.3c1.5.6 2.3 2 2.5 4.2`,
  person: `${circle(8, 5, 2.75)}M2.5 14c.6-3.3 2.5-5 5.5-5s4.9 1.7 5.5 5`,
  refresh: 'M13.5 8A5.5 5.5 0 1 1 11.5 3.8M13.5 2v3h-3',
  right: 'M6 4l4 4-4 4',
  search: `${circle(7, 7, 4.5)}M10.5 10.5 14 14`,
  sort: 'M5 3v10M2.5 10.5 5 13l2.5-2.5M11 13V3M8.5 5.5 11 3l2.5 2.5',
  star: 'M8 2l1.8 3.8 4.2.5-3.1 2.9.8 4.1L8 11.3l-3.7 2 .8-4.1L2 6.3l4.2-.5z',
  stop: 'M4 4h8v8H4z',
  trash: 'M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.6 9h6.8l.6-9M6.7 7v4M9.3 7v4',
  undo: 'M5.5 3 2.5 6l3 3M2.5 6h6.8a3.7 3.7 0 0 1 0 7.5H6',
  up: 'M4 10l4-4 4 4',
  warn: 'M8 2.5 14.3 13.5H1.7zM8 6.5v3M8 11.5v.01',
};

/** Says nothing: what it stands beside does. */
export const Icon = memo(
  (/** @type {{name: string}} */ { name }) => html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d=${PATHS[name]} /></svg>`,
);

/**
 * A button, or a link with its looks where there is an `href`. Without children its `title` is its name.
 *
 * @param {Record<string, any>} props kind: plain, primary, danger or quiet; others go to the element
 */
export function Button({ kind = 'plain', icon, busy = false, disabled = false, href, children, title, class: more = '', ...props }) {
  const named = children === undefined || children === null;
  const shown = {
    ...props,
    class: `button ${kind} ${named ? 'square' : ''} ${more}`,
    title,
    ...(named ? { 'aria-label': title } : {}),
  };
  const content = html`${busy ? html`<span class="spinner"></span>` : icon && html`<${Icon} name=${icon} />`}${children}`;
  if (href !== undefined) return h(Link, /** @type {any} */ ({ ...shown, href }), content);
  return html`<button type="button" ...${shown} aria-busy=${busy || null} disabled=${disabled || busy}>${content}</button>`;
}
