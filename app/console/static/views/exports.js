/** Files of people: made now or again and again, listed with their hashes, and downloaded. */

import {
  t, html, Button, ProblemBox, useState, call, Time, useAction, Page, Section, column, useGet, useMemo, Text,
  Confirm, Listing, Table, download, JobState, useRefresh, bytes,
} from '../kit.js';
import { ExportForm } from './exports/form.js';

const SCHEDULES = '/users/exports/schedules';

/** @param {{query: URLSearchParams}} props */
export default function Exports({ query }) {
  const [removed, setRemoved] = useState('');
  const [scheduled, setScheduled] = useState(0);
  const page = useGet('/users/exports', { cursor: query.get('cursor') });
  const { data, reload } = page;
  useRefresh(data?.items, reload);
  const save = useAction((/** @type {string} */ id) => download(`/users/exports/${id}/file`, { query: { direct: false } }));
  const columns = useMemo(() => describe(save.run, setRemoved), []);
  const close = () => setRemoved('');
  return html`
    <${Page} title=${t('exports.title')}>
      <${ExportForm} onExport=${reload} onSchedule=${() => setScheduled(scheduled + 1)} />
      <${Section} title=${t('exports.files')}>
        <${ProblemBox} problem=${save.problem} />
        <${Listing} label=${t('exports.title')} none="exports.none" ...${{ page, columns }} />
      <//>
      <${Schedules} key=${scheduled} />
      <${Confirm} open=${removed !== ''} danger title=${t('exports.delete')} text=${t('exports.delete_text')} button=${t('exports.delete')}
        onClose=${close} onConfirm=${async () => (await call('DELETE', `/users/exports/${removed}`), close(), reload())} />
    <//>`;
}

/** @param {(id: string) => void} save @param {(id: string) => void} remove */
const describe = (save, remove) => [
  column('exports.format', '5rem', (each) => html`<code>${each.format}</code>`),
  column('bulk.whom', '11rem', (each) => html`<${Text} value=${tell(each)} />`),
  column('jobs.state', '7rem', ({ state, error }) => html`<span title=${error?.detail}><${JobState} state=${state} /></span>`),
  column('imports.rows', '5rem', (each) => html`<${Text} value=${each.rows} />`, 'end'),
  column('exports.size', '5.5rem', (each) => html`<${Text} value=${each.bytes === null ? null : bytes(each.bytes)} />`, 'end'),
  { key: 'sha256', title: 'SHA-256', width: '8rem', cell: (/** @type {any} */ { sha256 }) => (sha256 ? html`<code class="small" title=${sha256}>${sha256}</code>` : html`<${Text} value=${null} />`) },
  column('field.created_at', '7rem', (each) => html`<${Time} at=${each.created_at} as="relative" />`),
  column('person.expires', '6.5rem', (each) => html`<${Time} at=${each.expires_at} as="relative" />`),
  column('imports.file', '6rem', ({ id, file }) => html`
    <${Button} kind="quiet" icon="import" title=${t('exports.download')} disabled=${!file} onClick=${() => save(id)} />
    <${Button} kind="quiet" icon="trash" title=${t('exports.delete')} onClick=${() => remove(id)} />`),
];

/** Whom it has, in the words of its filter. @param {any} each */
function tell({ q, filter }) {
  const parts = Object.entries(filter).map(([name, values]) => `${name}: ${[values].flat().join(', ')}`);
  return [...(q ? [q] : []), ...parts].join(' · ') || t('exports.everybody');
}

/** Those that are made again and again: paused, resumed and deleted here. */
function Schedules() {
  const { data, problem, reload } = useGet(SCHEDULES);
  const [removed, setRemoved] = useState(/** @type {any} */ (null));
  const turn = useAction(async (/** @type {any} */ { id, is_active }) => (await call('PATCH', `${SCHEDULES}/${id}`, { json: { is_active: !is_active } }), reload()));
  const close = () => setRemoved(null);
  if (data && !data.items.length) return null;
  return html`
    <${Section} title=${t('jobs.schedules')}>
      <${ProblemBox} problem=${problem ?? turn.problem} />
      <${Table} label=${t('jobs.schedules_table')} rows=${data?.items ?? []} columns=${describeSchedules(turn.run, setRemoved)} />
      <${Confirm} open=${removed !== null} danger title=${t('exports.unschedule')} text=${t('exports.unschedule_text')} button=${t('exports.unschedule')}
        onClose=${close} onConfirm=${async () => (await call('DELETE', `${SCHEDULES}/${removed.id}`), close(), reload())} />
    <//>`;
}

/** @param {(plan: any) => void} turn @param {(plan: any) => void} remove */
const describeSchedules = (turn, remove) => [
  column('clients.name', '10rem', (plan) => html`<${Text} value=${plan.name} />`),
  column('jobs.cron', '13rem', (plan) => html`<code>${plan.cron}</code> <span class="small muted">${plan.timezone}</span>`),
  column('jobs.next', '7rem', (plan) => html`<${Time} at=${plan.is_active ? plan.next_run_at : null} as="relative" />`),
  column('jobs.last', '7rem', (plan) => html`<${Time} at=${plan.last_run_at} as="relative" />`),
  column('exports.destination', '9rem', (plan) => html`<${Text} value=${plan.destination} />`),
  column('field.is_active', '9rem', (plan) => html`
    <${Button} onClick=${() => turn(plan)}>${plan.is_active ? t('jobs.pause') : t('jobs.resume')}<//>
    <${Button} kind="quiet" icon="trash" title=${t('exports.unschedule')} onClick=${() => remove(plan)} />`),
];
