/** Files of people: one is given here, and becomes a plan; those that were given are listed. */

import {
  t, html, ProblemBox, Time, Page, PlanState, column, useGet, useMemo, Text, Listing, usePeople, number, Progress, Drop,
} from '../kit.js';
import { nameOf, Reading, useSend } from './imports/reading.js';

/** @param {{query: URLSearchParams}} props */
export default function Imports({ query }) {
  const send = useSend();
  const page = useGet('/users/imports', { cursor: query.get('cursor') });
  const Person = usePeople((page.data?.items ?? []).map((/** @type {any} */ each) => each.created_by));
  const columns = useMemo(() => describe(Person), [Person]);
  return html`
    <${Page} title=${t('imports.title')}>
      <${Drop} label=${t('imports.drop')} hint=${t('imports.drop_hint')} busy=${send.busy} onFile=${(/** @type {File} */ file) => send.run(file)} />
      ${send.busy && html`<${Progress} value=${send.share < 1 ? send.share : null} label=${t(send.share < 1 ? 'imports.sending' : 'imports.reading')} />`}
      <${ProblemBox} problem=${send.problem}><${Reading} ...${{ send }} plan=${null} /><//>
      <${Listing} label=${t('imports.before')} none="imports.none" more=${t('imports.none_text')} href=${(/** @type {any} */ each) => `/imports/${each.id}`} ...${{ page, columns }} />
    <//>`;
}

/** @param {any} Person */
const describe = (Person) => [
  column('imports.file', '16rem', (each) => html`<${Text} value=${nameOf(each)} />`),
  column('jobs.state', '8rem', PlanState),
  column('imports.rows', '6rem', (each) => number(each.rows), 'end'),
  column('imports.refused', '7rem', ({ counts }) => number(counts.error + counts.conflict), 'end'),
  column('audit.by', '10rem', (each) => html`<${Person} id=${each.created_by} />`),
  column('imports.at', '11rem', (each) => html`<${Time} at=${each.created_at} />`),
];
