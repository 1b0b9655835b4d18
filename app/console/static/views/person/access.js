/** How a person comes in: sessions, applications that they let in, tokens, and whether they must wait. */

import {
  t, html, Button, ProblemBox, useState, call, Time, useAction, Badge, Section, Text, Confirm, toast, useLoad, Tags,
  moment,
} from '../../kit.js';

/** @typedef {{id: string, turn: number, again: () => void}} Props turn: of all that is loaded of the person; again: load it */

/** @param {Props} props */
export function Access(props) {
  const path = `/users/${props.id}`;
  return html`<${Throttle} ...${props} /><${Sessions} ...${props} />
    <${Held} ...${props} path=${`${path}/consents`} title=${t('person.consents')} none=${t('person.no_consents')} end=${t('person.withdraw')} describe=${consent} />
    <${Held} ...${props} path=${`${path}/tokens`} title=${t('person.tokens')} none=${t('person.no_tokens')} end=${t('person.end')} describe=${token} />`;
}

/** @param {Props} props */
function Sessions(props) {
  const path = `/users/${props.id}/sessions`;
  const [asking, setAsking] = useState(false);
  async function endAll() {
    await call('DELETE', path, { retry: true });
    setAsking(false);
    toast(t('person.all_ended'), { kind: 'good' });
    props.again();
  }
  const all = html`<${Button} icon="out" onClick=${() => setAsking(true)}>${t('person.end_all')}<//>`;
  return html`
    <${Held} ...${props} path=${path} title=${t('person.sessions')} none=${t('person.no_sessions')} end=${t('person.end')} describe=${session} all=${all} />
    <${Confirm} open=${asking} danger title=${t('person.end_all')} text=${t('person.end_all_text')} button=${t('person.end_all')} onClose=${() => setAsking(false)} onConfirm=${endAll} />`;
}

/** A list of what can be ended one by one. @param {{path: string, turn: number, again: () => void, title: string, none: string, end: string, describe: (item: any) => any, all?: any}} props */
export function Held({ path, turn, again, title, none, end, describe, all }) {
  const { data, problem, reload } = useLoad(async (signal) => (await call('GET', path, { signal })).body.items.map(describe), [path, turn]);
  const ending = useAction(async (/** @type {string} */ key) => {
    await call('DELETE', `${path}/${encodeURIComponent(key)}`, { retry: true });
    again();
  });
  return html`
    <${Section} title=${title} actions=${data?.length ? all : null}>
      <${ProblemBox} problem=${problem ?? ending.problem} onRetry=${problem && reload} />
      ${data && !data.length && html`<p class="muted">${none}</p>`}
      ${data?.length > 0 && html`<ul class="lines">${data.map((/** @type {any} */ each) => html`
        <li key=${each.key}><div><strong title=${each.full}><${Text} value=${each.title} /></strong> ${each.note}<div class="muted small">${each.text}</div></div>
          <${Button} kind="quiet" icon="close" title=${`${end}: ${each.title}`} busy=${ending.busy} onClick=${() => ending.run(each.key)} /></li>`)}</ul>`}
    <//>`;
}

const PROGRAMS = /Edg|OPR|Firefox|Chrome|Safari|curl|python/;
const SYSTEMS = /Windows|Android|iPhone|iPad|Mac OS|Linux/;
const NAMES = /** @type {Record<string, string>} */ ({ Edg: 'Edge', OPR: 'Opera', 'Mac OS': 'macOS', python: 'Python' });

/** "Firefox, Linux": what a User-Agent says of the device, as far as it is known. @param {string | null} agent */
function device(agent) {
  const known = [PROGRAMS, SYSTEMS].map((pattern) => pattern.exec(agent ?? '')?.[0]).filter((each) => each !== undefined);
  return known.map((each) => NAMES[each] ?? each).join(', ') || agent;
}

/** @param {any} each */
const session = (each) => ({
  key: each.id, full: each.agent, title: device(each.agent) ?? each.client_id,
  note: each.current && html`<${Badge} kind="brand">${t('person.this_one')}<//>`,
  text: html`${[each.client_id, ...each.clients.filter((/** @type {string} */ client) => client !== each.client_id)].join(', ')}<br /><${Time} at=${each.used_at} as="relative" />${each.address && html` · <bdi>${each.address}</bdi>`}`,
});

/** @param {any} each */
const consent = (each) => ({
  key: each.client_id, title: each.client_name,
  text: html`<${Tags} tags=${each.scopes} /><br />${t('person.given')} <${Time} at=${each.given_at} as="relative" />`,
});

/** @param {any} each */
const token = (each) => ({
  key: each.id, title: each.name,
  text: html`<${Tags} tags=${each.scopes} /><br />${t('person.expires')} <${Time} at=${each.expires_at} as="date" />${each.last_used_at && html` · ${t('person.used')} <${Time} at=${each.last_used_at} as="relative" />`}`,
});

/** @param {Props} props */
function Throttle({ id, turn, again }) {
  const { data } = useLoad(async (signal) => (await call('GET', `/users/${id}/throttle`, { signal })).body, [id, turn]);
  const lifting = useAction(async () => {
    await call('DELETE', `/users/${id}/throttle`, { retry: true });
    again();
  });
  if (!data?.counters.length) return null;
  const count = data.counters.reduce((/** @type {number} */ sum, /** @type {any} */ each) => sum + each.failures, 0);
  return html`
    <div class="notice warn" role="status"><div class="stack tight">
      <strong>${t('person.failures', { count })}</strong>
      ${data.waits_until && html`<p>${t('person.waits', { moment: moment(data.waits_until) })}</p>`}
      <${ProblemBox} problem=${lifting.problem} />
      <div><${Button} busy=${lifting.busy} onClick=${lifting.run}>${t('person.lift')}<//></div>
    </div></div>`;
}
