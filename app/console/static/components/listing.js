/** What the API lists page by page: its table, what went wrong, what is said where there is nothing, and the way on. */

import { changed, useUrl } from '../lib/router.js';
import { t } from '../lib/texts.js';
import { html } from '../lib/ui.js';
import { Empty, ProblemBox } from './notices.js';
import { Table } from './table.js';
import { Pager } from './values.js';

/**
 * @param {object} props others go to the table
 * @param {{data: any, problem: any, reload: () => void}} props.page as `useGet` has it
 * @param {string} props.none the key of what is said where there is nothing
 * @param {string} [props.more] what is said beneath
 * @param {string} props.label
 * @param {import('./table.js').Column[]} props.columns
 * @param {boolean} [props.busy]
 * @param {(row: any) => string} [props.href]
 */
export function Listing({ page: { data, problem, reload }, none, more, ...props }) {
  const { path, query } = useUrl();
  const rows = data?.items ?? [];
  /** @param {string | null} cursor */
  const to = (cursor) => `${path}?${changed(query, { cursor })}`;
  return html`
    <${ProblemBox} problem=${problem} onRetry=${reload} />
    <${Table} ...${props} rows=${rows}>${data && !rows.length && html`<${Empty} title=${t(none)} text=${more} />`}<//>
    <${Pager} previous=${query.has('cursor') ? to(null) : null} next=${data?.next ? to(data.next) : null} />`;
}
