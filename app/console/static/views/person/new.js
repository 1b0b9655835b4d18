/** A person who is added: by filling in who they are, or by an invitation to do so themselves. */

import {
  t, html, Button, ProblemBox, useState, call, Time, useAction, Page, Field, Section, can, go, Choice, toast,
  config, useReducer,
} from '../../kit.js';
import { Held } from './access.js';
import { Form, Scopes } from './form.js';
import { flatten, patchOf } from './record.js';

/** The scopes are the API's own choice unless they are changed. */
const EMPTY = { ...flatten({}), '/scopes': ['me'] };

export default function New() {
  const creating = useAction(async (/** @type {import('./record.js').Flat} */ values) => {
    const { body } = await call('POST', '/users', { json: patchOf(EMPTY, values), headers: { 'Idempotency-Key': crypto.randomUUID() }, retry: true });
    toast(t('person.created', { name: body.name }), { kind: 'good' });
    go(`/people/${body.id}`, { replace: true });
  });
  return html`
    <${Page} title=${t('person.new')} back="/people">
      <div class=${can('users:admin') ? 'person' : 'stack'}>
        <${Section} title=${t('person.fill_in')}><${Form} values=${EMPTY} problem=${creating.problem} busy=${creating.busy} button=${t('person.create')} onSubmit=${creating.run} onCancel=${() => go('/people')} /><//>
        ${can('users:admin') && html`<aside class="stack"><${Invite} /></aside>`}
      </div>
    <//>`;
}

function Invite() {
  const [email, setEmail] = useState('');
  const [scopes, setScopes] = useState(['me']);
  const [send, setSend] = useState(true);
  const [turn, again] = useReducer((/** @type {number} */ count) => count + 1, 0);
  const inviting = useAction(async () => {
    const { body } = await call('POST', '/auth/invitations', { json: { email: email || null, scopes, send } });
    again(undefined);
    if (!body.code) toast(t('person.invited', { email }), { kind: 'good' });
    setEmail('');
    return body.code;
  });
  const [code, setCode] = useState('');
  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    setCode((await inviting.run()) ?? '');
  }
  return html`
    <${Section} title=${t('person.invite')}>
      <form class="stack" onSubmit=${submit}>
        <p class="muted">${t('person.invite_text')}</p>
        <${Field} type="email" label=${t('field.email')} value=${email} onInput=${setEmail} required=${send} error=${inviting.problem?.of('email')} autocomplete="off" />
        <${Choice} type="switch" label=${t('person.by_mail')} hint=${t('person.by_mail_hint')} checked=${send} onChange=${setSend} />
        <${Scopes} scopes=${scopes} onChange=${setScopes} />
        <${ProblemBox} problem=${inviting.problem} />
        <div><${Button} icon="mail" type="submit" busy=${inviting.busy}>${t('person.invite')}<//></div>
        ${code && html`<p class="notice good" role="status"><span>${t('person.link')} <code>${`${config.issuer}/auth/sign-up?invitation=${code}`}</code></span></p>`}
      </form>
    <//>
    <${Held} path="/auth/invitations" turn=${turn} again=${() => again(undefined)} title=${t('person.invitations')} none=${t('person.no_invitations')} end=${t('person.withdraw')} describe=${invitation} />`;
}

/** @param {any} each */
const invitation = ({ id, email, expires_at }) => ({ key: id, title: email ?? t('person.anybody'), text: html`${t('person.expires')} <${Time} at=${expires_at} />` });
