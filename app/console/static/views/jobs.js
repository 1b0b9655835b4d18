/** Long work as it goes: what waits, runs and has ended, of everybody. */

import {
  t, html, Button, ProblemBox, call, Time, useAction, Page, column, useGet, useMemo, Select, Text, Listing,
  usePeople, number, Progress, setQuery, JobState, Link, final, useRefresh,
} from '../kit.js';

const STATES = ['queued', 'running', 'succeeded', 'failed', 'cancelled'];

/** @param {{query: URLSearchParams}} props */
export default function Jobs({ query }) {
  const [state, cursor] = [query.get('state'), query.get('cursor')];
  const page = useGet('/jobs', { state, cursor });
  const { data, busy, reload } = page;
  const rows = data?.items ?? [];
  useRefresh(data?.items, reload);
  const Person = usePeople(rows.map((/** @type {any} */ job) => job.created_by));
  const cancel = useAction(async (/** @type {string} */ id) => (await call('POST', `/jobs/${id}/cancel`), reload()));
  const columns = useMemo(() => describe(Person, cancel.run), [data, Person]);
  return html`
    <${Page} wide title=${t('jobs.title')} actions=${html`<${Button} icon="refresh" busy=${busy} onClick=${reload}>${t('jobs.refresh')}<//>`}>
      <div class="row"><${Select} label=${t('jobs.state')} value=${state ?? ''} onChange=${(/** @type {string} */ value) => setQuery({ state: value || null, cursor: null })}
        options=${[{ value: '', text: t('common.any') }, ...STATES.map((value) => ({ value, text: t(`job_state.${value}`) }))]} /></div>
      <${ProblemBox} problem=${cancel.problem} />
      <${Listing} label=${t('jobs.title')} none="jobs.none" ...${{ page, columns }} />
    <//>`;
}

/** @param {any} Person @param {(id: string) => void} cancel */
const describe = (Person, cancel) => [
  column('jobs.kind', '12rem', kind),
  column('jobs.state', '8rem', JobState),
  column('jobs.progress', '12rem', progress),
  column('field.created_at', '12.5rem', (job) => html`<${Time} at=${job.created_at} />`),
  column('jobs.by', '11rem', (job) => html`<${Person} id=${job.created_by} />`),
  column('jobs.ended', '12.5rem', (job) => html`<${Time} at=${job.ended_at} />`),
  column('jobs.error', '16rem', (job) => html`<${Text} value=${job.error?.detail} />`),
  column('common.cancel', '6rem', (job) => !final(job) && html`<${Button} icon="stop" kind="quiet" title=${t('jobs.cancel')} onClick=${() => cancel(job.id)} />`),
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
