/** The audit trail: who changed whom, how, and what was there before. */

import {
  t, html, Button, Time, Page, Badge, Field, column, useGet, useMemo, Select, Listing, usePeople, setQuery,
  Differences,
} from '../kit.js';

const ACTIONS = ['created', 'changed', 'deleted', 'password_set', 'signed_out', 'mail_failed'];
const FILTERS = ['user', 'by', 'action', 'from', 'to', 'cursor'];

/** @param {{query: URLSearchParams}} props */
export default function Audit({ query }) {
  const asked = Object.fromEntries([...query].filter(([name]) => FILTERS.includes(name)));
  for (const name of ['from', 'to']) if (asked[name]?.length === 10) asked[name] += 'T00:00:00Z';
  const page = useGet('/audit', asked);
  const { data, busy } = page;
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
        ${user && html`<${Only} text=${t('person.title')} onClear=${() => find({ user: null })}><${Person} id=${user} /><//>`}
        ${by && html`<${Only} text=${t('audit.by')} onClear=${() => find({ by: null })}><${Person} id=${by} /><//>`}
      </div>
      <${Listing} label=${t('audit.title')} none="audit.none" ...${{ page, columns, busy }} />
    <//>`;
}

/** @param {any} props */
const Only = ({ text, onClear, children }) =>
  html`<span class="badge brand">${text} ${children} <${Button} kind="quiet" icon="close" title=${t('audit.everybody')} onClick=${onClear} /></span>`;

/** @param {any} Person */
const describe = (Person) => [
  column('audit.when', '12.5rem', (entry) => html`<${Time} at=${entry.at} />`),
  column('person.title', '10rem', (entry) => html`<${Person} id=${entry.user} />`),
  column('audit.what', '7.5rem', (entry) => html`<${Badge} kind=${entry.action === 'deleted' ? 'bad' : 'plain'}>${t(`audit_action.${entry.action}`)}<//>`),
  column('audit.by', '10rem', (entry) => html`<${Person} id=${entry.by} /> <span class="small muted">${t(`audit_via.${entry.via}`)}</span>`),
  column('audit.differences', '21rem', (entry) => (entry.forgotten ? t('audit.forgotten') : html`<${Differences} differences=${entry.differences} />`)),
  { key: 'more', title: t('audit.only'), head: html`<span class="sr">${t('audit.only')}</span>`, width: '6rem', cell: only },
];

/** @param {any} entry */
const only = ({ user, by }) => html`
  <${Button} kind="quiet" icon="person" title=${t('audit.only_of')} onClick=${() => setQuery({ user, cursor: null })} />
  ${by && html`<${Button} kind="quiet" icon="filter" title=${t('audit.only_by')} onClick=${() => setQuery({ by, cursor: null })} />`}`;
