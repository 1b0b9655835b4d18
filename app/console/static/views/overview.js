/** The directory at a glance, from counts that the service keeps. */

import {
  t, html, Button, ProblemBox, Time, useAction, Page, Section, useGet, Select, Facts, number, Empty, setQuery, Busy,
  download, Bars, Days, url,
} from '../kit.js';

const SPANS = ['7', '30', '90', '365'];
const USUAL = '30';
const DAY_MS = 86_400_000;
const SHARES = ['country', 'department', 'locale', 'status'];
/** What the list of people can be filtered by. @type {Record<string, (value: string) => string>} */
const FILTERS = {
  country: (value) => `country=${encodeURIComponent(value)}`,
  department: (value) => `department=${encodeURIComponent(value)}`,
  status: (value) => `is_active=${value === 'active'}`,
};

/** @param {{query: URLSearchParams}} props */
export default function Overview({ query }) {
  const span = query.get('days') ?? USUAL;
  const from = new Date(Date.now() - (Number(span) - 1) * DAY_MS).toISOString().slice(0, 10);
  const { data, problem, reload } = useGet('/statistics', { from });
  const choice = html`<${Select} label=${t('overview.span')} value=${span} onChange=${(/** @type {string} */ days) => setQuery({ days: days === USUAL ? null : days }, { replace: true })}
    options=${SPANS.map((value) => ({ value, text: t('overview.days', { count: Number(value) }) }))} />`;
  return html`
    <${Page} title=${t('overview.title')} actions=${choice}>
      <${ProblemBox} ...${{ problem }} onRetry=${reload} />
      ${data ? html`<${Figures} ...${{ data, from }} />` : !problem && html`<${Busy} />`}
    <//>`;
}

/** @param {{data: any, from: string}} props */
function Figures({ data, from }) {
  if (!data.as_of) return html`<${Empty} title=${t('overview.not_yet')} />`;
  const open = (data.queues ?? []).filter((/** @type {any} */ { count }) => count).map(tellQueue);
  return html`
    <p class="muted small">${t('overview.as_of')} <${Time} at=${data.as_of} as="relative" /></p>
    <div class="grid halves">
      ${data.active && html`<${Section} title=${t('overview.active')}><div class="tiles"><${Facts} facts=${data.active.map((/** @type {any} */ { days, people }) => [t('overview.days', { count: days }), html`<strong class="num big">${number(people)}</strong>`])} /></div><//>`}
      ${data.queues && html`<${Section} title=${t('overview.queues')}>${open.length ? html`<${Facts} facts=${open} />` : html`<p class="muted">${t('overview.idle')}</p>`}<//>`}
    ${data.people && html`<${Chart} series="people" ...${{ from }}><${Days} label=${t('overview_line.total')} days=${data.people} fromZero=${false} lines=${[line('total')]} /><//>
    <${Chart} series="changes" csv="people" ...${{ from }}><${Days} label=${t('overview.changes')} days=${data.people} lines=${[line('created'), line('deleted')]} /><//>`}
    ${data.sign_ins && html`<${Chart} series="sign_ins" ...${{ from }}><${Days} label=${t('overview.sign_ins')} days=${data.sign_ins} lines=${[line('succeeded'), line('failed'), line('throttled')]} /><//>`}
    ${SHARES.filter((name) => data[name]).map((name) => html`<${Chart} key=${name} series=${name} ...${{ from }}><${Bars} label=${t(`overview_of.${name}`)} ...${{ url }} shares=${sharesOf(name, data[name])} /><//>`)}
    </div>`;
}

/** @param {{name: string, state: string, count: number}} queue */
const tellQueue = ({ name, state, count }) =>
  name === 'mails' ? [t('overview.mails'), number(count)] : [`${t(`job_kind.${name}`)}: ${t(`job_state.${state}`)}`, number(count)];

/** @param {string} name */
const line = (name) => ({ name: t(`overview_line.${name}`), of: (/** @type {any} */ day) => day[name] });

/** @param {string} name @param {any} found */
function sharesOf(name, { items, others, missing }) {
  const rest = [['others', others], ['missing', missing]].filter(([, people]) => people);
  return [
    ...items.map((/** @type {any} */ { value, people }) => ({ name: name === 'status' ? t(`overview_status.${value}`) : value, people, href: FILTERS[name] && `/people?${FILTERS[name](value)}` })),
    ...rest.map(([key, people]) => ({ name: t(`overview_rest.${key}`), people, rest: true })),
  ];
}

/** @param {{series: string, csv?: string, from: string, children?: any}} props */
function Chart({ series, csv = series, from, children }) {
  const save = useAction(() => download('/statistics', { query: { series: csv, from, format: 'csv' }, name: `${csv}.csv` }));
  return html`
    <${Section} title=${t(`overview_of.${series}`)} actions=${html`<${Button} icon="file" busy=${save.busy} onClick=${save.run}>CSV<//>`}>
      <${ProblemBox} problem=${save.problem} />${children}
    <//>`;
}
