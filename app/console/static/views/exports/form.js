/** What an export is of: whom, which columns in which order, in which format; and when, for one that is made again. */

import {
  t, html, Button, ProblemBox, useState, call, useAction, Field, Section, Select, Dialog, Words, Problem, list,
  useStore, clear, selection, Order,
} from '../../kit.js';
import { AT_TOP, IN_PROFILE, PARTS } from '../person/record.js';

const FORMATS = ['xlsx', 'csv', 'ods', 'ndjson'];
/** The columns that the API exports. */
const COLUMNS = [
  'id', ...AT_TOP, ...IN_PROFILE,
  ...[1, 2, 3].flatMap((number) => PARTS.map((part) => `address${number}_${part}`)),
  'addresses_more', 'email_verified', 'created_at', 'updated_at', 'last_login_at', 'last_login_ip', 'version',
];
const USUAL = ['name', 'email', 'phone', 'title', 'department', 'address1_city'];
const TIMES = /** @type {const} */ ({ daily: '30 6 * * *', weekdays: '30 6 * * MON-FRI', weekly: '30 6 * * MON', monthly: '30 6 1 * *' });

/** @param {string} key */
function titleOf(key) {
  const [, number, part] = /^address(\d)_(.*)$/.exec(key) ?? [];
  return part ? t('person.of_address', { number, field: t(`field.${part}`) }) : t(`field.${key}`);
}

/** The filter as a body has it. @param {import('../../lib/selection.js').Selection} chosen */
function filterOf({ ids, query }) {
  if (query === null) return ids.length ? { id: ids } : {};
  const asked = new URLSearchParams(query);
  return Object.fromEntries([...new Set(asked.keys())].map((name) => {
    const values = asked.getAll(name);
    return [name, /^age_/.test(name) ? Number(values[0]) : values.length > 1 ? values : values[0]];
  }));
}

/** @param {{onExport: () => void, onSchedule: () => void}} props */
export function ExportForm({ onExport, onSchedule }) {
  const chosen = useStore(selection);
  const [format, setFormat] = useState('xlsx');
  const [keys, setKeys] = useState(USUAL);
  const [open, setOpen] = useState('');
  const close = () => setOpen('');
  const body = { format, columns: keys.join(), ...filterOf(chosen) };
  const begin = useAction(async () => (await call('POST', '/users/exports', { json: body }), onExport()));
  const isSome = chosen.query !== null || chosen.ids.length > 0;
  return html`
    <${Section} title=${t('exports.new')}>
      <div class="row">
        <strong>${isSome ? (chosen.query === null ? t('people.selected', { count: chosen.ids.length }) : t('exports.matching')) : t('exports.everybody')}</strong>
        ${chosen.query && html`<code dir="auto">${decodeURIComponent(chosen.query.replaceAll('+', ' '))}</code>`}
        ${isSome && html`<${Button} kind="quiet" icon="close" onClick=${clear}>${t('exports.everybody')}<//>`}
      </div>
      <div class="grid">
        <${Select} label=${t('exports.format')} value=${format} onChange=${setFormat} options=${FORMATS.map((value) => ({ value, text: value.toUpperCase() }))} />
      </div>
      <p class="row"><${Button} icon="columns" onClick=${() => setOpen('columns')}>${t('people.columns')}<//><span class="muted">${list(keys.map(titleOf))}</span></p>
      <${ProblemBox} problem=${begin.problem} />
      <div class="row">
        <${Button} kind="primary" icon="export" busy=${begin.busy} onClick=${begin.run}>${t('exports.begin')}<//>
        <${Button} icon="clock" onClick=${() => setOpen('schedule')}>${t('exports.schedule')}<//>
      </div>
      <${Dialog} open=${open === 'columns'} title=${t('people.columns')} onClose=${close} footer=${html`<${Button} kind="primary" onClick=${close}>${t('common.done')}<//>`}>
        <${Order} ...${{ keys, titleOf }} all=${COLUMNS} onChange=${setKeys} />
      <//>
      <${ScheduleForm} open=${open === 'schedule'} body=${body} onClose=${close} onDone=${onSchedule} />
    <//>`;
}

/** @param {{open: boolean, body: any, onClose: () => void, onDone: () => void}} props */
function ScheduleForm({ open, body, onClose, onDone }) {
  const [name, setName] = useState('');
  const [cron, setCron] = useState(/** @type {string} */ (TIMES.weekly));
  const [timezone, setTimezone] = useState(Intl.DateTimeFormat().resolvedOptions().timeZone);
  const [destination, setDestination] = useState('');
  const [emails, setEmails] = useState(/** @type {string[]} */ ([]));
  const make = useAction(async () => {
    const recipients = await find(emails);
    await call('POST', '/users/exports/schedules', { json: { name, cron, timezone, export: body, recipients, destination: destination || null } });
    onClose();
    onDone();
  });
  const { problem } = make;
  const footer = html`<${Button} onClick=${onClose}>${t('common.cancel')}<//><${Button} kind="primary" type="submit" form="schedule" busy=${make.busy}>${t('exports.make')}<//>`;
  return html`
    <${Dialog} title=${t('jobs.schedules')} ...${{ open, onClose, footer }}>
      <form id="schedule" class="stack" onSubmit=${(/** @type {Event} */ event) => (event.preventDefault(), make.run())}>
        <${Field} label=${t('clients.name')} required value=${name} onInput=${setName} error=${problem?.of('name')} />
        <${Select} label=${t('exports.when')} value=${cron} onChange=${setCron} options=${[
          ...Object.entries(TIMES).map(([key, value]) => ({ value: /** @type {string} */ (value), text: t(`export_time.${key}`) })),
          ...(Object.values(TIMES).some((each) => each === cron) ? [] : [{ value: cron, text: cron }]),
        ]} />
        <div class="range"><${Field} label=${t('jobs.cron')} hint=${t('exports.cron_hint')} dir="ltr" required value=${cron} onInput=${setCron} error=${problem?.of('cron')} />
          <${Field} label=${t('exports.timezone')} dir="ltr" value=${timezone} onInput=${setTimezone} error=${problem?.of('timezone')} /></div>
        <${Words} label=${t('exports.recipients')} hint=${t('exports.recipients_hint')} values=${emails} onChange=${setEmails} error=${problem?.of('recipients')} />
        <${Field} label=${t('exports.destination')} hint=${t('exports.destination_hint', { example: 's3://reports/people-{date}.xlsx' })} dir="ltr" value=${destination} onInput=${setDestination} error=${problem?.of('destination')} />
        <${ProblemBox} ...${{ problem }} />
      </form>
    <//>`;
}

/** The ids of people by their addresses. @param {string[]} emails */
async function find(emails) {
  if (!emails.length) return [];
  const { body } = await call('GET', '/users', { query: { email: emails, fields: 'email', limit: 100 } });
  const known = new Set(body.items.map((/** @type {any} */ each) => each.email.toLowerCase()));
  const unknown = emails.filter((each) => !known.has(each.toLowerCase()));
  if (unknown.length) throw new Problem({ code: 'unknown_people', title: t('exports.unknown', { emails: list(unknown) }) });
  return body.items.map((/** @type {any} */ each) => each.id);
}
