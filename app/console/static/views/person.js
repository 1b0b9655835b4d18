/** A person: who they are, how they come in, what was changed of them; all of it can be changed here. */

import { Button } from '../components/button.js';
import { Confirm, Dialog } from '../components/dialog.js';
import { Field } from '../components/fields.js';
import { Menu } from '../components/menu.js';
import { Busy, ProblemBox, toast } from '../components/notices.js';
import { Facts, Page, Section } from '../components/page.js';
import { Avatar, Badge, Tags, Text, Time } from '../components/values.js';
import { call, Problem } from '../lib/api.js';
import { useKeys } from '../lib/keys.js';
import { go } from '../lib/router.js';
import { can, me } from '../lib/session.js';
import { t } from '../lib/texts.js';
import { html, useAction, useLoad, useReducer, useState } from '../lib/ui.js';
import { Access } from './person/access.js';
import { ConflictOf, Form, useSave } from './person/form.js';
import { History } from './person/history.js';
import { flatten } from './person/record.js';

/** @param {{params: {id: string}}} props */
export default function Person({ params: { id } }) {
  const [turn, next] = useReducer((/** @type {number} */ count) => count + 1, 0);
  const { data, problem, reload } = useLoad((signal) => call('GET', `/users/${id}`, { signal }), [id, turn]);
  if (!data) return html`<${Page} title=${t('person.title')} back="/people">${problem ? html`<${ProblemBox} problem=${problem} onRetry=${reload} />` : html`<${Busy} />`}<//>`;
  return html`<${Known} key=${id} stored=${data} turn=${turn} again=${() => next(undefined)} />`;
}

/** @typedef {import('./person/form.js').Stored} Stored */

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
    <${Page} title=${user.name} back="/people" actions=${actions}>
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
  const picture = URL.canParse(user.avatar_url ?? '') && new URL(user.avatar_url).origin === location.origin ? user.avatar_url : null;
  return html`<div class="row">
    <${Avatar} name=${user.name} size="large" picture=${picture} />
    <div class="stack tight">
      <span><bdi>${user.email}</bdi>${user.profile.title && html` · <bdi>${user.profile.title}</bdi>`}${user.profile.department && html` · <bdi>${user.profile.department}</bdi>`}</span>
      <span class="row">
        <${Badge} kind=${user.is_active ? 'good' : 'warn'}>${t(user.is_active ? 'people.active' : 'people.inactive')}<//>
        ${!user.email_verified && html`<${Badge}>${t('person.unverified')}<//>`}
        <span class="muted small">${t('field.last_login_at')} ${user.last_login_at ? html`<${Time} at=${user.last_login_at} as="relative" />` : t('person.never')}</span>
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

/** What else can be done with a person. @param {{stored: Stored, saving: ReturnType<typeof useSave>, again: () => void}} props */
function Ways({ stored, saving, again }) {
  const user = stored.body;
  const [asked, setAsked] = useState('');
  const close = () => setAsked('');
  const isOther = me()?.id !== user.id;
  /** @param {boolean} is_active */
  const activate = (is_active) => saving.run(stored, { ...flatten(user), '/is_active': is_active });
  async function remove() {
    await call('DELETE', `/users/${user.id}`, { ifMatch: stored.etag }).catch((error) => {
      if (error.status === 412) again();
      throw error;
    });
    toast(t('person.deleted', { name: user.name }), { kind: 'good' });
    go('/people', { replace: true });
  }
  const send = () => call('POST', `/users/${user.id}/activation`).then(
    () => toast(t('person.link_sent', { email: user.email }), { kind: 'good' }), (error) => toast(Problem.from(error).message, { kind: 'bad' }));
  const items = can('users:admin') ? [
    ...(isOther ? [{ text: t('person.set_password'), run: () => setAsked('password') }] : []),
    { text: t('person.send_link'), disabled: !user.is_active, run: send },
    user.is_active ? { text: t('person.deactivate'), run: () => setAsked('deactivate') } : { text: t('person.activate'), run: () => activate(true) },
    null,
  ] : [];
  return html`
    <${Menu} icon="more" label=${t('person.ways')} items=${[...items, { text: t('person.delete'), danger: true, run: () => setAsked('delete') }]} />
    <${Confirm} open=${asked === 'deactivate'} danger title=${t('person.deactivate_title', { name: user.name })} text=${t('person.deactivate_text')} button=${t('person.deactivate')} onClose=${close} onConfirm=${() => activate(false).then(close)} />
    <${Confirm} open=${asked === 'delete'} danger title=${t('person.delete_title', { name: user.name })} text=${t('person.delete_text')} word=${user.email} button=${t('person.delete')} onClose=${close} onConfirm=${remove} />
    ${asked === 'password' && html`<${Password} user=${user} onClose=${close} again=${again} />`}`;
}

/** @param {{user: any, onClose: () => void, again: () => void}} props */
function Password({ user, onClose, again }) {
  const [password, setPassword] = useState('');
  const setting = useAction(async () => {
    await call('PUT', `/users/${user.id}/password`, { json: { password }, retry: true });
    toast(t('person.password_set'), { kind: 'good' });
    onClose();
    again();
  });
  const footer = html`<${Button} onClick=${onClose}>${t('common.cancel')}<//><${Button} kind="primary" type="submit" form="password" busy=${setting.busy}>${t('person.set_password')}<//>`;
  return html`
    <${Dialog} open title=${t('person.set_password')} onClose=${onClose} footer=${footer}>
      <form id="password" class="stack" onSubmit=${(/** @type {Event} */ event) => (event.preventDefault(), setting.run())}>
        <${Field} type="password" label=${t('person.new_password')} hint=${t('person.password_hint')} autocomplete="new-password" required dir="ltr" value=${password} onInput=${setPassword} error=${setting.problem?.of('password')} />
        <${ProblemBox} problem=${setting.problem} />
      </form>
    <//>`;
}
