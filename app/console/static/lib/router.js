/** Where in the console we are: path and query of the address, which hold the whole state of a view. */

import { config } from './config.js';
import { makeStore } from './store.js';
import { h, useStore } from './ui.js';

const BASE = `${config.root}/console`;

/** @typedef {{path: string, params: Record<string, string>, query: URLSearchParams}} Place */

/** @type {import('./store.js').Store<{path: string, search: string}>} */
const place = makeStore(here());

/** Path and query now, without /console. */
export function here() {
  return { path: location.pathname.slice(BASE.length).replace(/\/$/, '') || '/', search: location.search };
}

addEventListener('popstate', () => place.set(here()));
history.scrollRestoration = 'manual';

/**
 * The path without /console, and the query; `params` are those of the pattern, which the shell knows.
 *
 * @param {string} [pattern]
 * @returns {Place}
 */
export function useUrl(pattern = '') {
  const { path, search } = useStore(place);
  return { path, params: match(pattern, path) ?? {}, query: new URLSearchParams(search) };
}

/** The address of a place in the console: '/people?q=ana'. @param {string} href */
export const url = (href) => BASE + href;

/**
 * Where it was gone from is noted as `from`.
 *
 * @param {string} href without /console
 * @param {{replace?: boolean}} [options]
 */
export function go(href, { replace = false } = {}) {
  const { path, search } = here();
  history[replace ? 'replaceState' : 'pushState'](replace ? null : { from: path + search }, '', url(href));
  place.set(here());
}

/** The query with other values: a list repeats its name, null takes it out.
 *
 * @param {URLSearchParams} query
 * @param {Record<string, string | string[] | null>} changes
 */
export function changed(query, changes) {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    next.delete(name);
    for (const each of [value ?? []].flat()) if (each !== '') next.append(name, each);
  }
  return next;
}

/**
 * @param {Record<string, string | string[] | null>} changes
 * @param {{replace?: boolean}} [options]
 */
export function setQuery(changes, options) {
  const next = String(changed(new URLSearchParams(location.search), changes));
  go(here().path + (next && `?${next}`), options);
}

/** Put values into the query of the address that change nothing of what is shown. @param {Record<string, string | null>} changes */
export function stamp(changes) {
  const next = String(changed(new URLSearchParams(location.search), changes));
  history.replaceState(history.state, '', url(here().path + (next && `?${next}`)));
}

/** Note something of this place in its entry of the history, where `recall` finds it. @param {Record<string, unknown>} values */
export function note(values) {
  history.replaceState({ ...history.state, ...values }, '');
}

/** @param {string} name */
export const recall = (name) => history.state?.[name];

/**
 * The parameters of a path by a pattern such as '/people/:id'; null if it is no such path.
 *
 * @param {string} pattern
 * @param {string} path
 * @returns {Record<string, string> | null}
 */
export function match(pattern, path) {
  const [wanted, given] = [pattern.split('/'), path.split('/')];
  if (wanted.length !== given.length) return null;
  /** @type {Record<string, string>} */
  const params = {};
  for (const [place, part] of wanted.entries()) {
    const value = given[place] ?? '';
    if (part.startsWith(':') && value) params[part.slice(1)] = decodeURIComponent(value);
    else if (part !== value) return null;
  }
  return params;
}

/** A link within the console. @param {Record<string, any>} props */
export function Link({ href, onClick, ...props }) {
  /** @param {MouseEvent} event */
  function follow(event) {
    onClick?.(event);
    if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(href);
  }
  return h('a', { ...props, href: url(href), onClick: follow });
}
