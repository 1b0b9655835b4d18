/** The plan of an import: what each row does, or why it is refused; applied, mended and undone from here. */

import {
  t, html, Button, ProblemBox, useState, call, Time, useAction, Page, Badge, PlanState, column, useGet, useMemo, go, Confirm,
  usePeople, Facts, number, Empty, Problem, Progress, Table, list, useEffect, Busy, Differences, changed, download,
  Pager, final, Tabs, useJob,
} from '../../kit.js';
import { isSettable, nameOf as fieldOf } from '../person/record.js';
import { Errors, Mend, Mended, useMending } from './mend.js';
import { nameOf, Reading, useSend } from './reading.js';

/** Bulk changes of which nothing can be brought back. */
export const LASTING = ['delete', 'end_sessions'];
/** How long the page waits for the end of a job to be written. */
const REST_MS = 200;
/** Of a row that will be changed so, and of one that was. @type {Record<string, 'good' | 'bad' | 'brand' | 'warn'>} */
const ROW_KINDS = { create: 'good', update: 'brand', delete: 'bad', conflict: 'warn', error: 'bad' };

/** @param {{params: {id: string}, query: URLSearchParams}} props */
export default function Plan({ params: { id }, query }) {
  const [status, cursor] = [query.get('status'), query.get('cursor')];
  const path = `/users/imports/${id}`;
  const { data, problem, reload } = useGet(path, { status, cursor, cells: true });
  const send = useSend();
  const plan = data?.id === id ? data : null;
  const work = useWork(plan, reload);
  if (!plan) return html`<${Page} title=${t('imports.title')} back="/imports">${problem ? html`<${ProblemBox} ...${{ problem }} onRetry=${reload} />` : html`<${Busy} />`}<//>`;
  return html`
    <${Page} wide title=${nameOf(plan)} back="/imports" count=${html`<${PlanState} state=${plan.state} />`}
      actions=${html`<${Actions} ...${{ plan, at: `/imports/${id}`, reload }} />`}>
      <${About} plan=${plan} />
      <${Reading} ...${{ send, plan }} />
      <${ProblemBox} problem=${problem ?? send.problem ?? work.problem ?? (plan.problem && new Problem(plan.problem))} onRetry=${problem && reload} />
      ${work.isBusy && html`<${Progress} ...${work.progress} />`}
      ${plan.planned_at && html`<${Rows} key=${id} ...${{ plan, query }} at=${`/imports/${id}`} />`}
    <//>`;
}

/** The job that plans or applies it, as it goes; once it has ended the plan is loaded again. @param {any} plan @param {() => void} reload */
export function useWork(plan, reload) {
  const id = plan?.state === 'planning' ? plan.plan_job : plan?.state === 'applying' ? plan.apply_job : null;
  const { job, problem } = useJob(id);
  useEffect(() => {
    if (!id || !final(job)) return undefined;
    const timer = setTimeout(reload, REST_MS);
    return () => clearTimeout(timer);
  }, [job, plan]);
  const { done, total } = job?.progress ?? { done: 0, total: 0 };
  const label = total ? t('imports.done_of', { done, total }) : t(`import_state.${plan?.state ?? 'planning'}`);
  return { isBusy: id !== null, problem, progress: { value: total ? done / total : null, label } };
}

/** Of an import or a bulk change. @param {{plan: any, at: string, reload: () => void, onApply?: () => void}} props */
export function Actions({ plan, at, reload, onApply }) {
  const [path, list] = [`/users${at}`, at.slice(0, at.lastIndexOf('/'))];
  const [asking, setAsking] = useState('');
  const { counts, state } = plan;
  const pending = counts.create + counts.update + counts.delete;
  const isOpen = plan.planned_at && ['planned', 'cancelled'].includes(state) && pending > 0;
  const apply = async () => (await call('POST', `${path}/apply`, { headers: { Prefer: 'wait=0' }, retry: true }), setAsking(''), onApply?.(), reload());
  const act = useAction(apply);
  const revert = useAction(async () => go(`${list}/${(await call('POST', `${path}/revert`)).body.id}`));
  const cancel = useAction(async () => (await call('POST', `/jobs/${state === 'planning' ? plan.plan_job : plan.apply_job}/cancel`), reload()));
  const save = useAction(() => download(`${path}/rows.xlsx`, { query: { status: ['error', 'conflict'] } }));
  const remove = async () => (await call('DELETE', path), go(list, { replace: true }));
  const close = () => setAsking('');
  return html`
    ${['planning', 'applying'].includes(state) && html`<${Button} icon="stop" busy=${cancel.busy} onClick=${cancel.run}>${t('common.cancel')}<//>`}
    ${'file' in plan && plan.planned_at && counts.error + counts.conflict > 0 && html`<${Button} icon="import" busy=${save.busy} onClick=${save.run}>${t('imports.download')}<//>`}
    ${(plan.applied_at || state === 'cancelled') && !LASTING.includes(plan.change?.action) ? html`<${Button} icon="undo" busy=${revert.busy} onClick=${revert.run}>${t('imports.undo')}<//>` : null}
    ${state !== 'applying' && html`<${Button} kind="quiet" icon="trash" title=${t('imports.delete')} onClick=${() => setAsking('delete')} />`}
    ${isOpen && html`<${Button} kind="primary" icon="check" busy=${act.busy} onClick=${() => (counts.delete ? setAsking('apply') : act.run())}>${t('imports.apply', { count: pending })}<//>`}
    <${ProblemBox} problem=${act.problem ?? revert.problem ?? cancel.problem ?? save.problem} />
    <${Confirm} open=${asking === 'apply'} danger title=${t('imports.apply', { count: pending })} text=${t('imports.deletes', { count: counts.delete })} word=${number(counts.delete)}
      button=${t('common.apply')} onClose=${close} onConfirm=${apply} />
    <${Confirm} open=${asking === 'delete'} danger title=${t('imports.delete')} text=${t('imports.delete_text')} button=${t('imports.delete')} onClose=${close} onConfirm=${remove} />`;
}

/** How the file was read. @param {{plan: any}} props */
function About({ plan: { file, columns, rows, created_at: at } }) {
  const unread = columns.filter((/** @type {any} */ each) => ['unknown', 'ignored', 'hidden'].includes(each.use)).map((/** @type {any} */ each) => each.heading);
  const facts = [
    [t('imports.at'), html`<${Time} at=${at} />`],
    [t('imports.rows'), number(rows)],
    file && [t('imports.format'), [file.format.toUpperCase(), file.encoding, file.sheet].filter(Boolean).join(' · ')],
    file?.hidden_rows > 0 && [t('imports.hidden_rows'), number(file.hidden_rows)],
    unread.length > 0 && [t('imports.unread'), html`<span dir="auto">${list(unread)}</span>`],
  ].filter(Boolean);
  return html`<${Facts} ...${{ facts }} />`;
}

/** @param {{plan: any, query: URLSearchParams, at: string}} props */
export function Rows({ plan, query, at }) {
  const rows = plan.items;
  const mending = useMending();
  const Person = usePeople(rows.map((/** @type {any} */ row) => row.id));
  const columns = useMemo(() => describe(plan, Person, mending), [plan.id, Person, mending]);
  const counts = Object.entries(plan.counts).filter(([, count]) => count);
  const tabs = [
    { id: '', title: t('imports.all'), href: at, count: number(plan.rows) },
    ...counts.map(([id, count]) => ({ id, title: t(`import_row.${id}`), href: `${at}?status=${id}`, count: number(/** @type {number} */ (count)) })),
  ];
  return html`
    <${Tabs} label=${t('imports.results')} current=${query.get('status') ?? ''} ...${{ tabs }} />
    <${Mended} ...${{ plan, mending }} />
    <${Table} label=${t('imports.plan')} id=${(/** @type {any} */ row) => String(row.row)} ...${{ rows, columns }}>
      ${!rows.length && html`<${Empty} title=${t('imports.no_rows')} />`}
    <//>
    <${Pager} previous=${query.has('cursor') ? `${at}?${changed(query, { cursor: null })}` : null} next=${plan.next ? `${at}?${changed(query, { cursor: plan.next })}` : null} />`;
}

/** @param {any} plan @param {any} Person @param {import('./mend.js').Mending} mending */
const describe = (plan, Person, mending) => [
  column('imports.row', '4.5rem', (row) => number(row.row), 'end'),
  column('imports.result', '8rem', (row) => html`<${Badge} kind=${ROW_KINDS[row.status.replace(/d$/, '')]}>${t(`import_row.${row.status}`)}<//>`),
  column('person.title', '12rem', (row) => (row.values ? html`<bdi>${row.values.name}</bdi>` : html`<${Person} id=${row.id} />`)),
  column('imports.what', '32rem', (row) => html`<${What} ...${{ row, plan, mending }} />`),
];

/** @param {{row: any, plan: any, mending: import('./mend.js').Mending}} props */
function What({ row, plan, mending }) {
  if (row.status === 'error' && row.cells) return html`<${Mend} ...${{ row, mending }} columns=${plan.columns} />`;
  const differences = row.values ? flatten(row.values) : row.differences;
  return html`${differences.length > 0 && html`<${Differences} ...${{ differences }} name=${nameOfField} />`}<${Errors} errors=${row.errors} />`;
}

/** @param {string} pointer */
const nameOfField = (pointer) => (isSettable(pointer) ? fieldOf(pointer) : pointer.slice(1).replaceAll('/', '.'));

/** The values of a new user, each by its pointer. @param {Record<string, any>} values @param {string} [above] @returns {{pointer: string, to: any}[]} */
function flatten(values, above = '') {
  return Object.entries(values).flatMap(([name, to]) => {
    const isDeep = typeof to === 'object' && Object.values(to).some((each) => typeof each === 'object');
    return isDeep || (to?.constructor === Object) ? flatten(to, `${above}/${name}`) : [{ pointer: `${above}/${name}`, to }];
  });
}
