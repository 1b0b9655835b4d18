/** Long work as it goes: what waits, runs and has ended, of everybody; and the exports that begin by themselves. */

import { Button } from '../components/button.js';
import { Select } from '../components/fields.js';
import { Empty, ProblemBox, Progress } from '../components/notices.js';
import { Page, Section } from '../components/page.js';
import { Table } from '../components/table.js';
import { Badge, Pager, Text, Time } from '../components/values.js';
import { call } from '../lib/api.js';
import { final } from '../lib/jobs.js';
import { usePeople } from '../lib/names.js';
import { changed, Link, setQuery } from '../lib/router.js';
import { can } from '../lib/session.js';
import { number, t } from '../lib/texts.js';
import { html, useAction, useEffect, useLoad, useMemo } from '../lib/ui.js';

const STATES = ['queued', 'running', 'succeeded', 'failed', 'cancelled'];
const KINDS = /** @type {Record<string, 'good' | 'bad' | 'brand' | 'plain'>} */ ({ succeeded: 'good', failed: 'bad', running: 'brand' });
const EVERY_MS = 2_000;

/** @param {{query: URLSearchParams}} props */
export default function Jobs({ query }) {
  const [state, cursor] = [query.get('state'), query.get('cursor')];
  const { data, problem, busy, reload } = useLoad(
    async (signal) => (await call('GET', '/jobs', { query: { state, cursor }, signal })).body, [state, cursor]);
  const rows = data?.items ?? [];
  const goes = rows.some((/** @type {any} */ job) => !final(job));
  useEffect(() => {
    if (!goes) return undefined;
    const timer = setTimeout(reload, EVERY_MS);
    return () => clearTimeout(timer);
  }, [data]);
  const Person = usePeople(rows.map((/** @type {any} */ job) => job.created_by));
  const cancel = useAction(async (/** @type {string} */ id) => (await call('POST', `/jobs/${id}/cancel`), reload()));
  const columns = useMemo(() => describe(Person, cancel.run), [data, Person]);
  return html`
    <${Page} wide title=${t('jobs.title')} actions=${html`<${Button} icon="refresh" busy=${busy} onClick=${reload}>${t('jobs.refresh')}<//>`}>
      <div class="row"><${Select} label=${t('jobs.state')} value=${state ?? ''} onChange=${(/** @type {string} */ value) => setQuery({ state: value || null, cursor: null })}
        options=${[{ value: '', text: t('common.any') }, ...STATES.map((value) => ({ value, text: t(`job_state.${value}`) }))]} /></div>
      <${ProblemBox} problem=${problem ?? cancel.problem} onRetry=${reload} />
      <${Table} label=${t('jobs.title')} id=${(/** @type {any} */ job) => job.id} ...${{ columns, rows }}>
        ${data && !rows.length && html`<${Empty} title=${t('jobs.none')} />`}
      <//>
      <${Pager} previous=${null} next=${data?.next ? `/jobs?${changed(query, { cursor: data.next })}` : null} />
      ${can('users:export') && html`<${Schedules} />`}
    <//>`;
}

/** @param {any} Person @param {(id: string) => void} cancel */
const describe = (Person, cancel) => [
  { key: 'kind', title: t('jobs.kind'), width: '12rem', cell: kind },
  { key: 'state', title: t('jobs.state'), width: '8rem', cell: (/** @type {any} */ job) => html`<${Badge} kind=${KINDS[job.state] ?? 'plain'}>${t(`job_state.${job.state}`)}<//>` },
  { key: 'progress', title: t('jobs.progress'), width: '12rem', cell: progress },
  { key: 'created_at', title: t('field.created_at'), width: '12.5rem', cell: (/** @type {any} */ job) => html`<${Time} at=${job.created_at} />` },
  { key: 'created_by', title: t('jobs.by'), width: '11rem', cell: (/** @type {any} */ job) => html`<${Person} id=${job.created_by} />` },
  { key: 'ended_at', title: t('jobs.ended'), width: '12.5rem', cell: (/** @type {any} */ job) => html`<${Time} at=${job.ended_at} />` },
  { key: 'error', title: t('jobs.error'), width: '16rem', cell: (/** @type {any} */ job) => html`<${Text} value=${job.error?.detail} />` },
  { key: 'cancel', title: t('common.cancel'), width: '6rem', cell: (/** @type {any} */ job) => !final(job) && html`<${Button} icon="stop" kind="quiet" title=${t('jobs.cancel')} onClick=${() => cancel(job.id)} />` },
];

/** @param {any} job */
function kind(job) {
  const of = /^\/users\/(imports|bulk)\/(\w+)$/.exec(job.result ?? '');
  return of ? html`<${Link} href=${`/${of[1]}/${of[2]}`}>${t(`job_kind.${job.kind}`)}<//>` : t(`job_kind.${job.kind}`);
}

/** @param {any} job */
function progress({ state, progress: { done, total } }) {
  if (state !== 'running') return html`<span class="num">${number(done)}</span>`;
  return html`<${Progress} value=${total ? done / total : null} label=${total ? `${number(done)} / ${number(total)}` : number(done)} />`;
}

function Schedules() {
  const { data, problem, reload } = useLoad(async (signal) => (await call('GET', '/users/exports/schedules', { signal })).body, []);
  const turn = useAction(async (/** @type {any} */ { id, is_active }) =>
    (await call('PATCH', `/users/exports/schedules/${id}`, { json: { is_active: !is_active } }), reload()));
  if (data && !data.items.length) return null;
  return html`
    <${Section} title=${t('jobs.schedules')}>
      <${ProblemBox} problem=${problem ?? turn.problem} />
      <${Table} label=${t('jobs.schedules_table')} rows=${data?.items ?? []} id=${(/** @type {any} */ plan) => plan.id} columns=${[
        { key: 'name', title: t('jobs.schedule'), width: '14rem', cell: (/** @type {any} */ plan) => html`<${Text} value=${plan.name} />` },
        { key: 'cron', title: t('jobs.cron'), width: '10rem', cell: (/** @type {any} */ plan) => html`<code>${plan.cron}</code> <span class="small muted">${plan.timezone}</span>` },
        { key: 'next', title: t('jobs.next'), width: '11rem', cell: (/** @type {any} */ plan) => html`<${Time} at=${plan.is_active ? plan.next_run_at : null} />` },
        { key: 'last', title: t('jobs.last'), width: '11rem', cell: (/** @type {any} */ plan) => html`<${Time} at=${plan.last_run_at} />` },
        { key: 'active', title: t('field.is_active'), width: '8rem', cell: (/** @type {any} */ plan) => html`<${Button} onClick=${() => turn.run(plan)}>${plan.is_active ? t('jobs.pause') : t('jobs.resume')}<//>` },
      ]} />
    <//>`;
}
