/** The applications that sign people in or call the API: registered, given another secret, removed. */

import {
  t, html, Button, ProblemBox, useState, call, Time, useAction, Page, Badge, Field, column, useGet, Select, Text,
  Choice, Confirm, Dialog, Listing, Words, Tags, SCOPES,
} from '../kit.js';

const METHODS = ['client_secret_basic', 'client_secret_post', 'none'];
const GRANTS = ['authorization_code', 'refresh_token', 'client_credentials', 'urn:ietf:params:oauth:grant-type:device_code'];
const IDENTITY = ['openid', 'profile', 'email', 'phone', 'address', 'offline_access'];
const NEW = { name: '', auth_method: 'client_secret_basic', grant_types: ['authorization_code', 'refresh_token'], redirect_uris: /** @type {string[]} */ ([]), scopes: ['openid', 'profile', 'email'], is_first_party: false };

/** @param {{query: URLSearchParams}} props */
export default function Clients({ query }) {
  const page = useGet('/clients', { cursor: query.get('cursor') });
  const { busy, reload } = page;
  const [asked, ask] = useState(/** @type {{what: string, client?: any} | null} */ (null));
  const [secret, setSecret] = useState('');
  const close = () => ask(null);
  /** @param {{secret?: string | null}} made */
  const done = ({ secret: made }) => (close(), setSecret(made ?? ''), reload());
  const path = `/clients/${encodeURIComponent(asked?.client?.id ?? '')}`;
  return html`
    <${Page} wide title=${t('clients.title')} actions=${html`<${Button} kind="primary" icon="add" onClick=${() => ask({ what: 'new' })}>${t('clients.register')}<//>`}>
      <${Listing} label=${t('clients.title')} none="clients.none" ...${{ page, busy }} columns=${describe(ask)} />
      ${asked?.what === 'new' && html`<${Registration} onClose=${close} onDone=${done} />`}
      <${Confirm} open=${asked?.what === 'secret'} title=${t('clients.new_secret')} text=${t('clients.new_secret_text')} button=${t('clients.new_secret')} onClose=${close}
        onConfirm=${async () => done((await call('POST', `${path}/secret`, { json: {} })).body)} />
      <${Confirm} danger open=${asked?.what === 'remove'} title=${t('clients.remove')} text=${t('clients.remove_text')} word=${asked?.client?.name} button=${t('clients.remove')} onClose=${close}
        onConfirm=${async () => (await call('DELETE', path), done({}))} />
      <${Dialog} open=${secret !== ''} title=${t('clients.secret')} onClose=${() => setSecret('')}>
        <p>${t('clients.secret_once')}</p><p><code>${secret}</code></p>
      <//>
    <//>`;
}

/** @param {(asked: {what: string, client: any}) => void} ask */
const describe = (ask) => [
  column('clients.name', '14rem', (client) => html`<${Text} value=${client.name} /> ${client.is_dynamic && html`<${Badge} kind="warn">${t('clients.dynamic')}<//>`}`),
  column('field.id', '14rem', (client) => html`<code>${client.id}</code>`),
  column('clients.method', '12rem', (client) => t(`client_method.${client.auth_method}`)),
  column('field.scopes', '18rem', (client) => (client.scopes ? html`<${Tags} tags=${client.scopes} />` : t('clients.any_scope'))),
  column('field.created_at', '9rem', (client) => html`<${Time} at=${client.created_at} as="date" />`),
  column('clients.acts', '7rem', (client) => html`
    ${client.auth_method.startsWith('client_secret') && html`<${Button} kind="quiet" icon="key" title=${t('clients.new_secret_of', { name: client.name })} onClick=${() => ask({ what: 'secret', client })} />`}
    <${Button} kind="quiet" icon="trash" title=${t('clients.remove_it', { name: client.name })} onClick=${() => ask({ what: 'remove', client })} />`),
];

/** @param {{onClose: () => void, onDone: (made: any) => void}} props */
function Registration({ onClose, onDone }) {
  const [client, setClient] = useState(NEW);
  const set = (/** @type {string} */ name) => (/** @type {any} */ value) => setClient((held) => ({ ...held, [name]: value }));
  const { run, busy, problem } = useAction(async () => onDone((await call('POST', '/clients', { json: client })).body));
  const grants = (/** @type {string} */ grant) => (/** @type {boolean} */ on) => set('grant_types')(GRANTS.filter((each) => (each === grant ? on : client.grant_types.includes(each))));
  const footer = html`<${Button} onClick=${onClose}>${t('common.cancel')}<//><${Button} kind="primary" ...${{ busy }} onClick=${run}>${t('clients.register')}<//>`;
  return html`
    <${Dialog} open title=${t('clients.register')} ...${{ onClose, footer }}>
      <div class="stack">
        <${ProblemBox} ...${{ problem }} />
        <${Field} label=${t('clients.name')} value=${client.name} onInput=${set('name')} error=${problem?.of('name')} required />
        <${Select} label=${t('clients.method')} value=${client.auth_method} onChange=${set('auth_method')} options=${METHODS.map((value) => ({ value, text: t(`client_method.${value}`) }))} />
        <fieldset><legend>${t('clients.grants')}</legend>${GRANTS.map((grant) => html`<${Choice} key=${grant} label=${t(`client_grant.${grant.split(':').at(-1)}`)} checked=${client.grant_types.includes(grant)} onChange=${grants(grant)} />`)}</fieldset>
        <${Words} label=${t('clients.redirects')} values=${client.redirect_uris} onChange=${set('redirect_uris')} error=${problem?.of('redirect_uris')} />
        <${Words} label=${t('field.scopes')} values=${client.scopes} suggestions=${[...IDENTITY, ...SCOPES]} onChange=${set('scopes')} error=${problem?.of('scopes')} />
        <${Choice} label=${t('clients.first_party')} hint=${t('clients.first_party_hint')} checked=${client.is_first_party} onChange=${set('is_first_party')} />
      </div>
    <//>`;
}
