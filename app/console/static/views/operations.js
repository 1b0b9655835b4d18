/** For those who operate the service: whether it is well, the keys that sign, the settings in force. */

import {
  t, html, Button, ProblemBox, useState, call, Time, Page, Badge, Field, Section, column, useGet, Text, Confirm,
  Facts, Table,
} from '../kit.js';

export default function Operations() {
  return html`<${Page} title=${t('operations.title')}><${Health} /><${Keys} /><${Settings} /><//>`;
}

function Health() {
  const { data, problem, busy, reload } = useGet('/health/ready');
  const state = problem ? html`<${Badge} kind="bad">${t('operations.unwell')}<//>` : html`<${Badge} kind="good">${t('operations.well')}<//>`;
  return html`
    <${Section} title=${t('operations.health')} actions=${html`<${Button} icon="refresh" busy=${busy} onClick=${reload}>${t('common.retry')}<//>`}>
      <${Facts} facts=${[[t('operations.service'), data || problem ? state : null]]} />
      <${ProblemBox} problem=${problem} />
    <//>`;
}

function Keys() {
  const { data, problem, reload } = useGet('/signing-keys');
  const [open, setOpen] = useState(false);
  const close = () => setOpen(false);
  return html`
    <${Section} title=${t('operations.keys')} actions=${html`<${Button} icon="key" onClick=${() => setOpen(true)}>${t('operations.new_key')}<//>`}>
      <${ProblemBox} problem=${problem} onRetry=${reload} />
      <${Table} label=${t('operations.keys_table')} rows=${data?.items ?? []} id=${(/** @type {any} */ key) => key.kid} columns=${KEY_COLUMNS()} />
      <${Confirm} open=${open} title=${t('operations.new_key')} text=${t('operations.new_key_text')} button=${t('operations.new_key')}
        onClose=${close} onConfirm=${async () => (await call('POST', '/signing-keys'), close(), reload())} />
    <//>`;
}

const KEY_COLUMNS = () => [
  column('operations.kid', '24rem', (key) => html`<code>${key.kid}</code>`),
  column('operations.algorithm', '7rem', (key) => key.algorithm),
  column('field.is_active', '8rem', (key) => html`<${Badge} kind=${key.state === 'signs' ? 'good' : 'plain'}>${t(`key_state.${key.state}`)}<//>`),
  column('operations.signs_from', '11rem', (key) => html`<${Time} at=${key.signs_from} />`),
  column('operations.verifies_until', '11rem', (key) => html`<${Time} at=${key.verifies_until} />`),
];

function Settings() {
  const { data, problem, reload } = useGet('/settings');
  const [text, setText] = useState('');
  const wanted = text.toLowerCase();
  const rows = (data?.items ?? []).filter((/** @type {any} */ { name, meaning }) => `${name} ${meaning}`.toLowerCase().includes(wanted));
  return html`
    <${Section} title=${t('operations.settings')}>
      <${Field} label=${t('operations.find_setting')} type="search" value=${text} onInput=${setText} />
      <${ProblemBox} problem=${problem} onRetry=${reload} />
      <${Table} label=${t('operations.settings_table')} ...${{ rows }} id=${(/** @type {any} */ setting) => setting.name} columns=${SETTING_COLUMNS()} />
    <//>`;
}

const SETTING_COLUMNS = () => [
  column('operations.setting', '18rem', (setting) => html`<code>${setting.name}</code>`),
  column('operations.value', '14rem', valueOf),
  column('operations.meaning', '30rem', (setting) => setting.meaning),
];

/** @param {any} setting */
function valueOf({ value, is_secret, is_set }) {
  const shown = is_secret ? (is_set ? t('operations.secret') : null) : value;
  return html`<${Text} value=${shown} /> ${is_set && html`<${Badge} kind="brand">${t('operations.is_set')}<//>`}`;
}
