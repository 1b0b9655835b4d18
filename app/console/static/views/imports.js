/** Files of people: one is given here, and becomes a plan; those that were given are listed. */

import { Drop } from '../components/drop.js';
import { Empty, ProblemBox, Progress } from '../components/notices.js';
import { Page } from '../components/page.js';
import { Table } from '../components/table.js';
import { Badge, Pager, Text, Time } from '../components/values.js';
import { call } from '../lib/api.js';
import { usePeople } from '../lib/names.js';
import { number, t } from '../lib/texts.js';
import { html, useLoad, useMemo } from '../lib/ui.js';
import { nameOf, Reading, STATE_KINDS, useSend } from './imports/reading.js';

/** @param {{query: URLSearchParams}} props */
export default function Imports({ query }) {
  const cursor = query.get('cursor');
  const send = useSend();
  const { data, problem, reload } = useLoad(async (signal) => (await call('GET', '/users/imports', { query: { cursor }, signal })).body, [cursor]);
  const rows = data?.items ?? [];
  const Person = usePeople(rows.map((/** @type {any} */ each) => each.created_by));
  const columns = useMemo(() => describe(Person), [Person]);
  return html`
    <${Page} title=${t('imports.title')}>
      <${Drop} label=${t('imports.drop')} hint=${t('imports.drop_hint')} busy=${send.busy} onFile=${(/** @type {File} */ file) => send.run(file)} />
      ${send.busy && html`<${Progress} value=${send.share < 1 ? send.share : null} label=${t(send.share < 1 ? 'imports.sending' : 'imports.reading')} />`}
      <${ProblemBox} problem=${send.problem}><${Reading} ...${{ send }} plan=${null} /><//>
      <${ProblemBox} problem=${problem} onRetry=${reload} />
      <${Table} label=${t('imports.before')} id=${(/** @type {any} */ each) => each.id} href=${(/** @type {any} */ each) => `/imports/${each.id}`} ...${{ rows, columns }}>
        ${data && !rows.length && html`<${Empty} title=${t('imports.none')} text=${t('imports.none_text')} />`}
      <//>
      <${Pager} previous=${cursor ? '/imports' : null} next=${data?.next ? `/imports?cursor=${encodeURIComponent(data.next)}` : null} />
    <//>`;
}

/** @param {any} Person */
const describe = (Person) => [
  { key: 'file', title: t('imports.file'), width: '16rem', cell: (/** @type {any} */ each) => html`<${Text} value=${nameOf(each)} />` },
  { key: 'state', title: t('imports.state'), width: '8rem', cell: (/** @type {any} */ each) => html`<${Badge} kind=${STATE_KINDS[each.state]}>${t(`import_state.${each.state}`)}<//>` },
  { key: 'rows', title: t('imports.rows'), width: '6rem', align: /** @type {const} */ ('end'), cell: (/** @type {any} */ each) => number(each.rows) },
  { key: 'refused', title: t('imports.refused'), width: '7rem', align: /** @type {const} */ ('end'), cell: (/** @type {any} */ { counts }) => number(counts.error + counts.conflict) },
  { key: 'by', title: t('imports.by'), width: '10rem', cell: (/** @type {any} */ each) => html`<${Person} id=${each.created_by} />` },
  { key: 'at', title: t('imports.at'), width: '11rem', cell: (/** @type {any} */ each) => html`<${Time} at=${each.created_at} />` },
];
