/** For those who operate the service: whether it is well, the keys that sign, the settings in force. */

import { Button } from '../components/button.js';
import { Confirm } from '../components/dialog.js';
import { Field } from '../components/fields.js';
import { ProblemBox } from '../components/notices.js';
import { Facts, Page, Section } from '../components/page.js';
import { Table } from '../components/table.js';
import { Badge, Text, Time } from '../components/values.js';
import { call } from '../lib/api.js';
import { t } from '../lib/texts.js';
import { html, useLoad, useState } from '../lib/ui.js';

/** @param {string} path */
const useItems = (path) => useLoad(async (signal) => (await call('GET', path, { signal })).body.items, [path]);

export default function Operations() {
  return html`<${Page} title=${t('operations.title')}><${Health} /><${Keys} /><${Settings} /><//>`;
}

function Health() {
  const { data, problem, busy, reload } = useLoad(async (signal) => (await call('GET', '/health/ready', { signal })).body, []);
  const state = problem ? html`<${Badge} kind="bad">${t('operations.unwell')}<//>` : html`<${Badge} kind="good">${t('operations.well')}<//>`;
  return html`
    <${Section} title=${t('operations.health')} actions=${html`<${Button} icon="refresh" busy=${busy} onClick=${reload}>${t('common.retry')}<//>`}>
      <${Facts} facts=${[[t('operations.service'), data || problem ? state : null]]} />
      <${ProblemBox} problem=${problem} />
    <//>`;
}

function Keys() {
  const { data, problem, reload } = useItems('/signing-keys');
  const [open, setOpen] = useState(false);
  const close = () => setOpen(false);
  return html`
    <${Section} title=${t('operations.keys')} actions=${html`<${Button} icon="key" onClick=${() => setOpen(true)}>${t('operations.new_key')}<//>`}>
      <${ProblemBox} problem=${problem} onRetry=${reload} />
      <${Table} label=${t('operations.keys_table')} rows=${data ?? []} id=${(/** @type {any} */ key) => key.kid} columns=${KEY_COLUMNS()} />
      <${Confirm} open=${open} title=${t('operations.new_key')} text=${t('operations.new_key_text')} button=${t('operations.new_key')}
        onClose=${close} onConfirm=${async () => (await call('POST', '/signing-keys'), close(), reload())} />
    <//>`;
}

const KEY_COLUMNS = () => [
  { key: 'kid', title: t('operations.kid'), width: '24rem', cell: (/** @type {any} */ key) => html`<code>${key.kid}</code>` },
  { key: 'algorithm', title: t('operations.algorithm'), width: '7rem', cell: (/** @type {any} */ key) => key.algorithm },
  { key: 'state', title: t('field.is_active'), width: '8rem', cell: (/** @type {any} */ key) => html`<${Badge} kind=${key.state === 'signs' ? 'good' : 'plain'}>${t(`key_state.${key.state}`)}<//>` },
  { key: 'from', title: t('operations.signs_from'), width: '11rem', cell: (/** @type {any} */ key) => html`<${Time} at=${key.signs_from} />` },
  { key: 'until', title: t('operations.verifies_until'), width: '11rem', cell: (/** @type {any} */ key) => html`<${Time} at=${key.verifies_until} />` },
];

function Settings() {
  const { data, problem, reload } = useItems('/settings');
  const [text, setText] = useState('');
  const wanted = text.toLowerCase();
  const rows = (data ?? []).filter((/** @type {any} */ { name, meaning }) => `${name} ${meaning}`.toLowerCase().includes(wanted));
  return html`
    <${Section} title=${t('operations.settings')}>
      <${Field} label=${t('operations.find_setting')} type="search" value=${text} onInput=${setText} />
      <${ProblemBox} problem=${problem} onRetry=${reload} />
      <${Table} label=${t('operations.settings_table')} ...${{ rows }} id=${(/** @type {any} */ setting) => setting.name} columns=${SETTING_COLUMNS()} />
    <//>`;
}

const SETTING_COLUMNS = () => [
  { key: 'name', title: t('operations.setting'), width: '18rem', cell: (/** @type {any} */ setting) => html`<code>${setting.name}</code>` },
  { key: 'value', title: t('operations.value'), width: '14rem', cell: valueOf },
  { key: 'meaning', title: t('operations.meaning'), width: '30rem', cell: (/** @type {any} */ setting) => setting.meaning },
];

/** @param {any} setting */
function valueOf({ value, is_secret, is_set }) {
  const shown = is_secret ? (is_set ? t('operations.secret') : null) : value;
  return html`<${Text} value=${shown} /> ${is_set && html`<${Badge} kind="brand">${t('operations.is_set')}<//>`}`;
}
