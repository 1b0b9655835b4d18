/** Light or dark: as the system is, unless the reader chose; kept in this browser. */

import { makeStore } from './store.js';

export const THEMES = ['auto', 'light', 'dark'];
const KEPT = 'roster.theme';

export const theme = makeStore(localStorage.getItem(KEPT) ?? 'auto');

/** @param {string} name */
function apply(name) {
  document.documentElement.dataset.theme = name;
  localStorage.setItem(KEPT, name);
}

apply(theme.get());
theme.subscribe(apply);
