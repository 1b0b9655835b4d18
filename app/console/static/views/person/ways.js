/** What else can be done with a person: picture, password, activation, deletion. */

import {
  t, html, Button, ProblemBox, useState, call, useAction, Field, can, go, Confirm, Dialog, toast, Problem, Menu,
  useRef, me,
} from '../../kit.js';
import { flatten } from './record.js';

/** Say how it went. @param {Promise<unknown>} doing @param {string} text where it went well */
const tell = (doing, text) => doing.then(() => toast(text, { kind: 'good' }), (error) => toast(Problem.from(error).message, { kind: 'bad' }));

/** @param {{stored: import('./conflict.js').Stored, saving: ReturnType<typeof import('./conflict.js').useSave>, again: () => void}} props */
export function Ways({ stored, saving, again }) {
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
  const file = useRef(/** @type {HTMLInputElement | null} */ (null));
  /** @param {File} picture */
  function upload(picture) {
    const form = new FormData();
    form.append('file', picture);
    return tell(call('PUT', `/users/${user.id}/avatar`, { form, ifMatch: stored.etag }).finally(again), t('person.saved'));
  }
  const send = () => tell(call('POST', `/users/${user.id}/activation`), t('person.link_sent', { email: user.email }));
  const picture = { text: t('person.upload'), run: () => file.current?.click() };
  const items = can('users:admin') ? [
    picture,
    ...(isOther ? [{ text: t('person.set_password'), run: () => setAsked('password') }] : []),
    { text: t('person.send_link'), disabled: !user.is_active, run: send },
    user.is_active ? { text: t('bulk_action.deactivate'), run: () => setAsked('deactivate') } : { text: t('bulk_action.activate'), run: () => activate(true) },
    null,
  ] : [picture, null];
  return html`
    <${Menu} icon="more" label=${t('person.ways')} items=${[...items, { text: t('bulk_action.delete'), danger: true, run: () => setAsked('delete') }]} />
    <input ref=${file} hidden type="file" accept="image/*" onChange=${(/** @type {any} */ { target }) => target.files[0] && upload(target.files[0]).then(() => (target.value = ''))} />
    <${Confirm} open=${asked === 'deactivate'} danger title=${t('person.deactivate_title', { name: user.name })} text=${t('person.deactivate_text')} button=${t('bulk_action.deactivate')} onClose=${close} onConfirm=${() => activate(false).then(close)} />
    <${Confirm} open=${asked === 'delete'} danger title=${t('person.delete_title', { name: user.name })} text=${t('person.delete_text')} word=${user.email} button=${t('bulk_action.delete')} onClose=${close} onConfirm=${remove} />
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
