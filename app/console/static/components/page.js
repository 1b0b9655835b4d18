/** The frame of a view: its one heading, its sections, its tabs. */

import { config } from '../lib/config.js';
import { Link } from '../lib/router.js';
import { t } from '../lib/texts.js';
import { html, useEffect, useRef } from '../lib/ui.js';
import { Button } from './button.js';

/**
 * @param {object} props
 * @param {string} props.title
 * @param {any} [props.count] beside the title
 * @param {any} [props.actions]
 * @param {string} [props.back] where the view was come to from
 * @param {boolean} [props.wide]
 * @param {any} [props.children]
 */
export function Page({ title, count, actions, back, wide = false, children }) {
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    document.title = `${title} · ${config.brand}`;
  }, [title]);
  useEffect(() => {
    if (document.activeElement === document.body) heading.current?.focus({ preventScroll: true });
  }, []);
  return html`
    <div class=${`page ${wide ? 'wide' : ''}`}>
      <header class="spread">
        <div class="row">
          ${back && html`<${Button} kind="quiet" icon="left" title=${t('common.back')} href=${back} />`}
          <h1 ref=${heading} tabindex="-1" dir="auto">${title}</h1>
          ${count !== undefined && html`<span class="muted num">${count}</span>`}
        </div>
        ${actions && html`<div class="row">${actions}</div>`}
      </header>
      ${children}
    </div>`;
}

/** @param {{title: string, actions?: any, children?: any}} props */
export function Section({ title, actions, children }) {
  return html`<section class="card stack" aria-label=${title}>
    <header class="spread"><h2>${title}</h2>${actions && html`<div class="row">${actions}</div>`}</header>${children}
  </section>`;
}

/** Terms and what they are. @param {{facts: [any, any][]}} props */
export function Facts({ facts }) {
  return html`<dl class="facts">${facts.map(([term, value], place) => html`<div key=${place}><dt>${term}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/**
 * Links that look like tabs: each is a place of its own.
 *
 * @param {{label: string, current: string, tabs: {id: string, title: string, href: string, count?: any}[]}} props
 */
export function Tabs({ label, tabs, current }) {
  return html`<nav class="tabs" aria-label=${label}>
    ${tabs.map(({ id, title, href, count }) => html`
      <${Link} key=${id} href=${href} aria-current=${id === current ? 'page' : null}>${title}${count !== undefined && html` <span class="muted num">${count}</span>`}<//>`)}
  </nav>`;
}

