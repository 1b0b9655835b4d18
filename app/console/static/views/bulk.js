/** Many at once: one change of all who are selected, shown as a plan first, then applied, and undone by another. */

import {
  t, html, ProblemBox, Time, Page, PlanState, Section, column, useGet, useMemo, Listing, usePeople, Facts, number,
  Problem, Progress, clear, Link,
} from '../kit.js';
import { Ask } from './bulk/ask.js';
import { Actions, LASTING, Rows, useWork } from './imports/plan.js';

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

/** @param {{query: URLSearchParams}} props */
function Changes({ query }) {
  const page = useGet('/users/bulk', { cursor: query.get('cursor') });
  const Person = usePeople((page.data?.items ?? []).map((/** @type {any} */ each) => each.created_by));
  const columns = useMemo(() => [
    column('bulk.change', '18rem', (each) => html`<span dir="auto">${tell(each)}</span>`),
    column('jobs.state', '9rem', PlanState),
    column('imports.rows', '6rem', (each) => number(each.rows), 'end'),
    column('audit.by', '12rem', (each) => html`<${Person} id=${each.created_by} />`),
    column('field.created_at', '13rem', (each) => html`<${Time} at=${each.created_at} />`),
  ], [Person]);
  return html`
    <${Page} wide title=${t('bulk.title')}>
      <${Ask} />
      <${Listing} label=${t('bulk.former')} none="bulk.none" href=${(/** @type {any} */ each) => `/bulk/${each.id}`} ...${{ page, columns }} />
    <//>`;
}

/** @param {{id: string, query: URLSearchParams}} props */
function Plan({ id, query }) {
  const [at, status, cursor] = [`/bulk/${id}`, query.get('status'), query.get('cursor')];
  const { data, problem, reload } = useGet(`/users${at}`, { status, cursor });
  const work = useWork(data, reload);
  if (!data) return html`<${Page} title=${t('bulk.title')} back="/bulk"><${ProblemBox} problem=${problem} onRetry=${reload} /><//>`;
  return html`
    <${Page} wide back="/bulk" title=${tell(data)} count=${html`<${PlanState} state=${data.state} />`} actions=${html`<${Actions} ...${{ plan: data, at, reload }} onApply=${clear} />`}>
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
