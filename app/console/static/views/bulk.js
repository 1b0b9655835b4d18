/** Many at once: one change of all who are selected, shown as a plan first, then applied, and undone by another. */

import { Empty, ProblemBox, Progress } from '../components/notices.js';
import { Facts, Page, Section } from '../components/page.js';
import { Table } from '../components/table.js';
import { Badge, Pager, Time } from '../components/values.js';
import { call, Problem } from '../lib/api.js';
import { usePeople } from '../lib/names.js';
import { Link } from '../lib/router.js';
import { clear } from '../lib/selection.js';
import { number, t } from '../lib/texts.js';
import { html, useLoad, useMemo } from '../lib/ui.js';
import { Ask } from './bulk/ask.js';
import { Actions, LASTING, Rows, useWork } from './imports/plan.js';
import { STATE_KINDS } from './imports/reading.js';

/** @param {{params: {id?: string}, query: URLSearchParams}} props */
export default function Bulk({ params: { id }, query }) {
  return id ? html`<${Plan} key=${id} ...${{ id, query }} />` : html`<${Changes} query=${query} />`;
}

/** What is changed: "Add tags: quota". @param {any} bulk */
function tell({ change }) {
  if (!change) return t('bulk.revert');
  const values = change.tags ?? change.scopes;
  return t(`bulk_action.${change.action}`) + (values ? `: ${values.join(', ')}` : '');
}

/** @param {{state: string}} props */
const State = ({ state }) => html`<${Badge} kind=${STATE_KINDS[state]}>${t(`import_state.${state}`)}<//>`;

/** @param {{query: URLSearchParams}} props */
function Changes({ query }) {
  const cursor = query.get('cursor');
  const { data, problem, reload } = useLoad(async (signal) => (await call('GET', '/users/bulk', { query: { cursor }, signal })).body, [cursor]);
  const rows = data?.items ?? [];
  const Person = usePeople(rows.map((/** @type {any} */ each) => each.created_by));
  const columns = useMemo(() => [
    { key: 'change', title: t('bulk.change'), width: '18rem', cell: (/** @type {any} */ each) => html`<span dir="auto">${tell(each)}</span>` },
    { key: 'state', title: t('imports.state'), width: '9rem', cell: State },
    { key: 'rows', title: t('imports.rows'), width: '6rem', align: /** @type {const} */ ('end'), cell: (/** @type {any} */ each) => number(each.rows) },
    { key: 'by', title: t('imports.by'), width: '12rem', cell: (/** @type {any} */ each) => html`<${Person} id=${each.created_by} />` },
    { key: 'at', title: t('field.created_at'), width: '13rem', cell: (/** @type {any} */ each) => html`<${Time} at=${each.created_at} />` },
  ], [Person]);
  return html`
    <${Page} wide title=${t('bulk.title')}>
      <${Ask} />
      <${ProblemBox} problem=${problem} onRetry=${reload} />
      <${Table} label=${t('bulk.former')} id=${(/** @type {any} */ each) => each.id} href=${(/** @type {any} */ each) => `/bulk/${each.id}`} ...${{ columns, rows }}>
        ${data && !rows.length && html`<${Empty} title=${t('bulk.none')} />`}
      <//>
      <${Pager} previous=${cursor ? '/bulk' : null} next=${data?.next ? `/bulk?cursor=${encodeURIComponent(data.next)}` : null} />
    <//>`;
}

/** @param {{id: string, query: URLSearchParams}} props */
function Plan({ id, query }) {
  const [at, status, cursor] = [`/bulk/${id}`, query.get('status'), query.get('cursor')];
  const { data, problem, reload } = useLoad(async (signal) => (await call('GET', `/users${at}`, { query: { status, cursor }, signal })).body, [status, cursor]);
  const work = useWork(data, reload);
  if (!data) return html`<${Page} title=${t('bulk.title')} back="/bulk"><${ProblemBox} problem=${problem} onRetry=${reload} /><//>`;
  return html`
    <${Page} wide back="/bulk" title=${tell(data)} count=${html`<${State} state=${data.state} />`} actions=${html`<${Actions} ...${{ plan: data, at, reload }} onApply=${clear} />`}>
      <${ProblemBox} problem=${problem ?? work.problem ?? (data.problem && new Problem(data.problem))} onRetry=${problem && reload} />
      ${work.isBusy && html`<${Progress} ...${work.progress} />`}
      <${Told} bulk=${data} />
      ${data.planned_at && html`<${Rows} ...${{ plan: data, query, at }} />`}
    <//>`;
}

/** What has to be known: what stays gone, who stays as they are and why, until when it can be undone. @param {{bulk: any}} props */
function Told({ bulk }) {
  const { change, counts, filter, irreversible, refused, reverts } = bulk;
  const place = filter && new URLSearchParams(Object.entries(filter).flatMap(([name, values]) => [values].flat().map((each) => [name, String(each)])));
  const href = place ? `/people?${place}` : reverts && `/bulk/${reverts}`;
  const whom = t(reverts ? 'bulk.title' : filter ? 'bulk.filter' : 'bulk.chosen');
  return html`
    ${irreversible.map((/** @type {any} */ { what, users, detail }) => html`<p key=${what} class="notice warn"><strong>${t('total.eq', { count: users })}</strong> ${detail}</p>`)}
    ${counts.conflict > 0 && html`<p class="notice warn">${t('bulk.conflicts', { count: counts.conflict })}</p>`}
    ${refused.length > 0 && html`<${Section} title=${t('bulk.refused')}><ul>
      ${refused.map((/** @type {any} */ { code, users }) => html`<li key=${code}>${t('total.eq', { count: users })}: ${t(`bulk_refused.${code}`)}</li>`)}
    </ul><//>`}
    <${Facts} facts=${[
      [t('bulk.whom'), href ? html`<${Link} href=${href}>${whom}<//>` : whom],
      [t('field.created_at'), html`<${Time} at=${bulk.created_at} />`],
      [t('bulk.revert_until'), html`<${Time} at=${LASTING.includes(change?.action) ? null : bulk.revert_until} />`],
    ]} />`;
}
