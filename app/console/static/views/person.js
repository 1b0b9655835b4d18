/** A person: who they are, how they come in, what was changed of them; all of it can be changed here. */

import {
  t, html, Button, ProblemBox, useState, call, Time, Page, Badge, Section, can, Text, toast, useLoad, Facts, Tags,
  Busy, useKeys, Avatar, useReducer, recall,
} from '../kit.js';
import { Access } from './person/access.js';
import { ConflictOf, useSave } from './person/conflict.js';
import { Form } from './person/form.js';
import { History } from './person/history.js';
import { flatten, isPicture } from './person/record.js';
import { Ways } from './person/ways.js';

/** @param {{params: {id: string}}} props */
export default ({ params: { id } }) => html`<${Person} key=${id} id=${id} />`;

/** @param {{id: string}} props */
function Person({ id }) {
  const [turn, next] = useReducer((/** @type {number} */ count) => count + 1, 0);
  const { data, problem, reload } = useLoad((signal) => call('GET', `/users/${id}`, { signal }), [id, turn]);
  if (!data) return html`<${Page} title=${t('person.title')} back=${back()}>${problem ? html`<${ProblemBox} problem=${problem} onRetry=${reload} />` : html`<${Busy} />`}<//>`;
  return html`<${Known} stored=${data} turn=${turn} again=${() => next(undefined)} />`;
}

/** The list as it was, if one came from there. */
const back = () => (recall('from')?.startsWith('/people') ? recall('from') : '/people');

/** @typedef {import('./person/conflict.js').Stored} Stored */

/** @param {{stored: Stored, turn: number, again: () => void}} props */
function Known({ stored, turn, again }) {
  const user = stored.body;
  const [edited, setEdited] = useState(/** @type {Stored | null} */ (null));
  const saving = useSave(user.id, () => {
    toast(t('person.saved'), { kind: 'good' });
    setEdited(null);
    again();
  });
  const isAdmin = can('users:admin');
  const mayWrite = can('users:write') && (isAdmin || !user.scopes.includes('users:admin'));
  const edit = () => setEdited(stored);
  useKeys([{ key: 'e', text: t('person.edit'), run: edit, when: mayWrite && !edited }], [mayWrite, edited, stored.etag]);
  const actions = mayWrite && !edited && html`
    <${Button} icon="edit" onClick=${edit}>${t('person.edit')}<//>
    <${Ways} ...${{ stored, saving, again }} />`;
  return html`
    <${Page} title=${user.name} back=${back()} actions=${actions}>
      <${Head} user=${user} />
      ${!edited && html`<${ProblemBox} problem=${saving.conflict ? null : saving.problem} />`}
      <div class=${isAdmin ? 'person' : 'stack'}>
        <${Section} title=${t('person.profile')}>
          ${edited ? html`<${Form} values=${flatten(edited.body)} problem=${saving.problem} busy=${saving.busy} button=${t('common.save')} onSubmit=${(/** @type {any} */ values) => saving.run(edited, values)} onCancel=${() => (saving.clear(), setEdited(null))} />` : html`<${Profile} user=${user} />`}
        <//>
        ${isAdmin && html`<aside class="stack" aria-label=${t('person.access')}><${Access} id=${user.id} turn=${turn} again=${again} /></aside>
          <${Section} title=${t('person.history')}><${History} stored=${stored} turn=${turn} again=${again} /><//>`}
      </div>
      <${ConflictOf} saving=${saving} />
    <//>`;
}

/** @param {{user: any}} props */
function Head({ user }) {
  const picture = isPicture(user.avatar_url) ? `${user.avatar_url}?size=128` : null;
  return html`<div class="row">
    <${Avatar} name=${user.name} size="large" picture=${picture} />
    <div class="stack tight">
      <span><bdi>${user.email}</bdi>${user.profile.title && html` · <bdi>${user.profile.title}</bdi>`}${user.profile.department && html` · <bdi>${user.profile.department}</bdi>`}</span>
      <span class="row">
        <${Badge} kind=${user.is_active ? 'good' : 'warn'}>${t(user.is_active ? 'overview_status.active' : 'overview_status.inactive')}<//>
        ${!user.email_verified && html`<${Badge}>${t('person.unverified')}<//>`}
        <span class="muted small">${user.last_login_at ? html`${t('field.last_login_at')} <${Time} at=${user.last_login_at} as="relative" />` : t('person.never')}</span>
      </span>
    </div>
  </div>`;
}

const TEXTS = ['username', 'phone', 'locale'];
const OF_PROFILE = ['title', 'department', 'age'];

/** @param {{user: any}} props */
function Profile({ user }) {
  /** @param {any} values @returns {(name: string) => [string, any]} */
  const fact = (values) => (name) => [t(`field.${name}`), html`<${Text} value=${values[name]} />`];
  return html`
    <${Facts} facts=${[
      ...TEXTS.map(fact(user)), ...OF_PROFILE.map(fact(user.profile)),
      [t('field.tags'), html`<${Tags} tags=${user.tags} />`], [t('field.scopes'), html`<${Tags} tags=${user.scopes} />`],
      ...['created_at', 'updated_at'].map((name) => [t(`field.${name}`), html`<${Time} at=${user[name]} />`]),
      [t('field.id'), html`<code>${user.id}</code>`],
    ]} />
    ${user.profile.bio && html`<div><h3 class="muted small">${t('field.bio')}</h3><p class="lined" dir="auto">${user.profile.bio}</p></div>`}
    ${user.avatar_url && html`<div><h3 class="muted small">${t('field.avatar_url')}</h3><span dir="ltr">${user.avatar_url}</span></div>`}
    ${user.profile.addresses.length > 0 && html`<div class="grid">${user.profile.addresses.map(address)}</div>`}`;
}

/** @param {any} each @param {number} at */
function address(each, at) {
  const place = [each.zipcode, each.city].filter(Boolean).join(' ');
  const lines = [each.street, place, each.region, each.country].filter(Boolean);
  return html`<div key=${at}><h3 class="muted small" dir="auto">${each.label || t('person.address', { number: at + 1 })}</h3>${lines.map((line) => html`<div dir="auto">${line}</div>`)}</div>`;
}
