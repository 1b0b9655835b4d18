/** The columns of the table of people: which fields each needs, and how it shows them. */

import { t, html, Button, Time, Badge, Text, Dialog, Tags, Avatar, Order, Marked } from '../../kit.js';

/**
 * @typedef {object} Shown
 * @property {(row: any) => any} cell
 * @property {string} [sort]
 * @property {string} [width]
 * @property {'end'} [align]
 */

/** A text field with what the search matched in it. @param {string} path */
const text = (path) => (/** @type {any} */ row) => {
  const value = path.split('.').reduce((held, name) => held?.[name], row);
  return value ? html`<${Marked} text=${value} ranges=${row.match?.fields[path]} />` : html`<${Text} value=${value} />`;
};

/** The values of all addresses, each once. @param {'city' | 'country'} name */
const place = (name) => (/** @type {any} */ row) => {
  /** @type {any[]} */
  const all = row.profile?.addresses ?? [];
  const shown = all.map((address, at) => ({ value: address[name], ranges: row.match?.fields[`profile.addresses.${at}.${name}`] }));
  const known = shown.filter(({ value }, at) => value && shown.findIndex((each) => each.value === value) === at);
  if (!known.length) return html`<${Text} value=${null} />`;
  return known.map(({ value, ranges }, at) => html`${at > 0 && ', '}<${Marked} text=${value} ranges=${ranges} />`);
};

/** @param {string} field */
const time = (field) => (/** @type {any} */ row) => html`<${Time} at=${row[field]} as="relative" />`;

/** By the path that the API has in `fields`. @type {Record<string, Shown>} */
export const COLUMNS = {
  name: { sort: 'name', width: '13rem', cell: (row) => html`<span class="who"><${Avatar} name=${row.name} />${text('name')(row)}</span>` },
  email: { sort: 'email', width: '15rem', cell: text('email') },
  username: { sort: 'username', width: '10rem', cell: text('username') },
  phone: { width: '10rem', cell: text('phone') },
  is_active: { width: '6rem', cell: (row) => html`<${Badge} kind=${row.is_active ? 'good' : 'plain'}>${t(row.is_active ? 'overview_status.active' : 'overview_status.inactive')}<//>` },
  email_verified: { width: '7rem', cell: (row) => t(row.email_verified ? 'common.yes' : 'common.no') },
  'profile.department': { width: '10rem', cell: text('profile.department') },
  'profile.title': { width: '12rem', cell: text('profile.title') },
  tags: { width: '10rem', cell: (row) => html`<${Tags} tags=${row.tags ?? []} />` },
  scopes: { width: '14rem', cell: (row) => html`<${Tags} tags=${row.scopes ?? []} />` },
  'profile.addresses.city': { width: '10rem', cell: place('city') },
  'profile.addresses.country': { width: '9rem', cell: place('country') },
  'profile.age': { sort: 'age', width: '5rem', align: 'end', cell: (row) => html`<${Text} value=${row.profile?.age} />` },
  locale: { width: '6rem', cell: text('locale') },
  last_login_at: { sort: 'last_login_at', width: '7.5rem', cell: time('last_login_at') },
  created_at: { sort: 'created_at', width: '9rem', cell: time('created_at') },
  updated_at: { sort: 'updated_at', width: '9rem', cell: time('updated_at') },
  version: { width: '6rem', align: 'end', cell: (row) => html`<${Text} value=${row.version} />` },
  id: { width: '15rem', cell: (row) => html`<code>${row.id}</code>` },
};

const USUAL = ['name', 'email', 'profile.department', 'tags', 'is_active', 'last_login_at'];

/** The columns of a query: those that it names, in its order, else the usual ones. @param {URLSearchParams} query */
export function chosen(query) {
  const named = (query.get('cols') ?? '').split(',').filter((key) => key in COLUMNS);
  return named.length ? named : USUAL;
}

/** @param {string} key */
export const titleOf = (key) => t(`field.${key.split('.').at(-1)}`);

/** As the table takes them. @param {string[]} keys */
export const describe = (keys) => keys.map((key) => ({ key, title: titleOf(key), ...COLUMNS[key] }));

/**
 * Which columns there are, and in which order.
 *
 * @param {{open: boolean, keys: string[], onClose: () => void, onChoose: (keys: string[] | null) => void}} props
 */
export function ColumnChoice({ open, keys, onClose, onChoose }) {
  const footer = html`<${Button} onClick=${() => onChoose(null)}>${t('people.usual_columns')}<//><${Button} kind="primary" onClick=${onClose}>${t('common.done')}<//>`;
  return html`
    <${Dialog} ...${{ open, onClose, footer }} title=${t('people.columns')}>
      <${Order} ...${{ keys, titleOf }} all=${Object.keys(COLUMNS)} onChange=${onChoose} />
    <//>`;
}
