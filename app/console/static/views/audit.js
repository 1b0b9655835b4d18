/** The audit trail: who changed whom, how, and what was there before. */

import { Select, Field } from '../components/fields.js';
import { Button } from '../components/button.js';
import { Empty, ProblemBox } from '../components/notices.js';
import { Page } from '../components/page.js';
import { Table } from '../components/table.js';
import { Badge, Differences, Pager, Time } from '../components/values.js';
import { call } from '../lib/api.js';
import { usePeople } from '../lib/names.js';
import { changed, setQuery } from '../lib/router.js';
import { t } from '../lib/texts.js';
import { html, useLoad, useMemo } from '../lib/ui.js';

const ACTIONS = ['created', 'changed', 'deleted', 'password_set', 'signed_out', 'mail_failed'];
const FILTERS = ['user', 'by', 'action', 'from', 'to', 'cursor'];

/** @param {{query: URLSearchParams}} props */
export default function Audit({ query }) {
  const asked = new URLSearchParams([...query].filter(([name]) => FILTERS.includes(name)));
  for (const name of ['from', 'to']) if (asked.get(name)?.length === 10) asked.set(name, `${asked.get(name)}T00:00:00Z`);
  const { data, problem, busy, reload } = useLoad(
    async (signal) => (await call('GET', '/audit', { query: asked, signal })).body, [String(asked)]);
  const rows = data?.items ?? [];
  const [user, by] = [query.get('user'), query.get('by')];
  const Person = usePeople([user, by, ...rows.flatMap((/** @type {any} */ entry) => [entry.user, entry.by])]);
  const columns = useMemo(() => describe(Person), [data, Person]);
  /** @param {Record<string, string | null>} changes */
  const find = (changes) => setQuery({ ...changes, cursor: null });
  return html`
    <${Page} wide title=${t('audit.title')}>
      <div class="row">
        <${Select} label=${t('audit.what')} value=${query.get('action') ?? ''} onChange=${(/** @type {string} */ action) => find({ action: action || null })}
          options=${[{ value: '', text: t('common.any') }, ...ACTIONS.map((value) => ({ value, text: t(`audit_action.${value}`) }))]} />
        ${['from', 'to'].map((name) => html`<${Field} key=${name} type="date" label=${name === 'from' ? t('audit.from') : t('audit.before')}
          value=${query.get(name) ?? ''} onInput=${(/** @type {string} */ day) => find({ [name]: day || null })} />`)}
        ${user && html`<${Only} text=${t('audit.of')} onClear=${() => find({ user: null })}><${Person} id=${user} /><//>`}
        ${by && html`<${Only} text=${t('audit.by')} onClear=${() => find({ by: null })}><${Person} id=${by} /><//>`}
      </div>
      <${ProblemBox} problem=${problem} onRetry=${reload} />
      <${Table} label=${t('audit.title')} id=${(/** @type {any} */ entry) => entry.id} ...${{ columns, rows, busy }}>
        ${data && !rows.length && html`<${Empty} title=${t('audit.none')} />`}
      <//>
      <${Pager} previous=${null} next=${data?.next ? `/audit?${changed(query, { cursor: data.next })}` : null} />
    <//>`;
}

/** @param {any} props */
const Only = ({ text, onClear, children }) =>
  html`<span class="badge brand">${text} ${children} <${Button} kind="quiet" icon="close" title=${t('audit.everybody')} onClick=${onClear} /></span>`;

/** @param {any} Person */
const describe = (Person) => [
  { key: 'at', title: t('audit.when'), width: '12.5rem', cell: (/** @type {any} */ entry) => html`<${Time} at=${entry.at} />` },
  { key: 'user', title: t('audit.of'), width: '10rem', cell: (/** @type {any} */ entry) => html`<${Person} id=${entry.user} />` },
  { key: 'action', title: t('audit.what'), width: '7.5rem', cell: (/** @type {any} */ entry) => html`<${Badge} kind=${entry.action === 'deleted' ? 'bad' : 'plain'}>${t(`audit_action.${entry.action}`)}<//>` },
  { key: 'by', title: t('audit.by'), width: '10rem', cell: (/** @type {any} */ entry) => html`<${Person} id=${entry.by} /> <span class="small muted">${t(`audit_via.${entry.via}`)}</span>` },
  { key: 'differences', title: t('audit.differences'), width: '21rem', cell: (/** @type {any} */ entry) => (entry.forgotten ? t('audit.forgotten') : html`<${Differences} differences=${entry.differences} />`) },
  { key: 'more', title: t('audit.only'), head: html`<span class="sr">${t('audit.only')}</span>`, width: '6rem', cell: only },
];

/** @param {any} entry */
const only = ({ user, by }) => html`
  <${Button} kind="quiet" icon="person" title=${t('audit.only_of')} onClick=${() => setQuery({ user, cursor: null })} />
  ${by && html`<${Button} kind="quiet" icon="filter" title=${t('audit.only_by')} onClick=${() => setQuery({ by, cursor: null })} />`}`;
