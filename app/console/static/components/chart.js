/** Charts as SVG, each with its figures as a table. */

import { date, number, t } from '../lib/texts.js';
import { html } from '../lib/ui.js';

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [480, 180, 48, 22, 8];
/** Lines above the lowest, at most. */
const STEPS = 5;

/** @typedef {{name: string, of: (day: any) => number | null}} Line */

/** Whole numbers of an axis, from below the least to above the most: 1, 2 or 5 times a power of ten apart. @param {number} least @param {number} most */
function ticksOf(least, most) {
  let step = 1;
  for (let turn = 0; most / step - Math.floor(least / step) > STEPS; turn += 1) step *= turn % 3 === 1 ? 2.5 : 2;
  const first = Math.floor(least / step);
  return Array.from({ length: Math.max(Math.ceil(most / step) - first, 1) + 1 }, (_, place) => step * (first + place));
}

/**
 * Lines over days; where nothing is known, they break.
 *
 * @param {{label: string, days: any[], lines: Line[], fromZero?: boolean}} props
 */
export function Days({ label, days, lines, fromZero = true }) {
  const values = lines.flatMap(({ of }) => days.map(of)).filter((value) => value !== null);
  const ticks = ticksOf(fromZero || !values.length ? 0 : Math.min(...values), Math.max(...values, 0));
  const [least, most] = [ticks[0] ?? 0, ticks.at(-1) ?? 1];
  const x = (/** @type {number} */ place) => LEFT + (WIDTH - LEFT - 4) * (days.length > 1 ? place / (days.length - 1) : 0.5);
  const y = (/** @type {number} */ value) => TOP + (HEIGHT - BOTTOM - TOP) * (1 - (value - least) / (most - least));
  const marks = [...new Set([0, Math.floor((days.length - 1) / 2), days.length - 1])];
  return html`
    <svg class="chart" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label=${label}>
      ${ticks.map((value) => html`<path key=${value} class="rule" d=${`M${LEFT} ${y(value)}H${WIDTH}`} /><text x=${LEFT - 8} y=${y(value) + 4} text-anchor="end">${number(value)}</text>`)}
      ${marks.map((place) => html`<text key=${place} x=${x(place)} y=${HEIGHT - 4} text-anchor=${place === 0 ? 'start' : place === days.length - 1 ? 'end' : 'middle'}>${date(days[place].day)}</text>`)}
      ${lines.map(({ name, of }, place) => html`<path key=${name} class=${`line line-${place}`} d=${draw(days.map(of), x, y)} />`)}
    </svg>
    <ul class="legend row small">${lines.map(({ name }, place) => html`<li key=${name}><span class=${`swatch line-${place}`}></span>${name}</li>`)}</ul>
    <${Figures} ...${{ label }} heads=${[t('overview.day'), ...lines.map(({ name }) => name)]}
      rows=${days.map((day) => [date(day.day), ...lines.map(({ of }) => of(day))]).reverse()} />`;
}

/** @param {(number | null)[]} values @param {(place: number) => number} x @param {(value: number) => number} y */
function draw(values, x, y) {
  let path = '';
  values.forEach((value, place) => {
    if (value === null) return;
    const from = place > 0 && values[place - 1] !== null ? 'L' : 'M';
    path += `${from}${x(place).toFixed(1)} ${y(value).toFixed(1)}`;
    if (from === 'M') path += 'h.01';  // a day between unknown ones is a dot
  });
  return path;
}

const [ROW, NAME, ACROSS, FIGURE] = [26, 140, 440, 70];

/** Bars of shares. @param {{label: string, shares: {name: string, people: number, href?: string, rest?: boolean}[], url: (href: string) => string}} props */
export function Bars({ label, shares, url }) {
  const most = Math.max(...shares.map(({ people }) => people), 1);
  return html`
    <svg class="chart" viewBox=${`0 0 ${ACROSS} ${ROW * shares.length}`} role="group" aria-label=${label}>
      ${shares.map(({ name, people, href, rest }, place) => {
        const width = Math.max(2, ((ACROSS - NAME - FIGURE) * people) / most);
        const bar = html`
          <rect class="hit" y=${ROW * place} width=${ACROSS} height=${ROW} />
          <text x=${NAME - 10} y=${ROW * place + 17} text-anchor="end">${name.length > 18 ? `${name.slice(0, 17)}…` : name}</text>
          <rect class=${rest ? 'share rest' : 'share'} x=${NAME} y=${ROW * place + 4} rx="3" height=${ROW - 8} width=${width} />
          <text class="num" x=${NAME + width + 8} y=${ROW * place + 17}>${number(people)}</text>`;
        return href ? html`<a key=${name} href=${url(href)}><title>${name}: ${number(people)}</title>${bar}</a>` : html`<g key=${name}>${bar}</g>`;
      })}
    </svg>
    <${Figures} ...${{ label }} heads=${[label, t('overview_line.total')]} rows=${shares.map(({ name, people }) => [name, people])} />`;
}

/** @param {{label: string, heads: string[], rows: any[][]}} props */
function Figures({ label, heads, rows }) {
  return html`<details><summary class="small">${t('overview.as_table')}</summary><div class="sheet compact figures" tabindex="0" role="region" aria-label=${t('overview.figures', { what: label })}><table style=${{ '--tracks': `repeat(${heads.length}, 1fr)` }}>
    <thead><tr>${heads.map((head) => html`<th key=${head} scope="col">${head}</th>`)}</tr></thead>
    <tbody>${rows.map((row, place) => html`<tr key=${place}>${row.map((value, column) => html`<td key=${column} dir="auto">${typeof value === 'number' ? number(value) : value ?? '–'}</td>`)}</tr>`)}</tbody>
  </table></div></details>`;
}
