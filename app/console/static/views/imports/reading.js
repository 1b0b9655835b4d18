/** Sends files to be planned, and has them read in another way while this page still has them. */

import { t, html, useState, call, useAction, Select, go, upload } from '../../kit.js';

/** The likely ones; what the API suggests for a file goes before them. */
const ENCODINGS = ['utf-8', 'utf-16', 'windows-1252', 'windows-1250', 'windows-1251', 'gb18030', 'cp950', 'cp932', 'cp949', 'mac-roman'];

/** The file that was sent last, and the import that it became. */
const last = { file: /** @type {File | null} */ (null), id: '' };

/** @param {any} plan */
export const nameOf = (plan) => (plan.reverts ? t('imports.revert') : plan.file?.name ?? t('imports.nameless'));

export function useSend() {
  const [share, setShare] = useState(0);
  const action = useAction(async (/** @type {File} */ file, /** @type {Record<string, string>} */ options = {}, replaced = '') => {
    Object.assign(last, { file, id: '' });
    setShare(0);
    const { body } = await upload('/users/import', file, { query: options, onProgress: setShare });
    last.id = body.id;
    go(`/imports/${body.id}`, { replace: replaced !== '' });
    if (replaced) await call('DELETE', `/users/imports/${replaced}`);
  });
  return { ...action, share };
}

/**
 * The encoding of a file, or the sheet of a workbook, to be chosen; nothing where the file is not here any more.
 *
 * @param {{send: ReturnType<typeof useSend>, plan: any}} props plan: null of a file that has none
 */
export function Reading({ send, plan }) {
  const { file } = last;
  if (!file || last.id !== (plan?.id ?? '')) return null;
  const { encoding, sheet, other_sheets: others = [] } = plan?.file ?? {};
  /** @param {Record<string, string>} options */
  const again = (options) => send.run(file, options, plan?.id);
  const told = [...(send.problem ?? plan?.problem)?.detail.matchAll(/encoding=([\w-]+) \(([^)]*)\)/g) ?? []];
  const names = new Set([...told.map(([, name]) => name ?? ''), ...(encoding ? [encoding] : []), ...ENCODINGS]);
  const samples = Object.fromEntries(told.map(([, name, sample]) => [name, sample]));
  const isText = encoding || send.problem?.code === 'unreadable_file' || plan?.state === 'failed';
  return html`<div class="row">
    ${isText && html`<${Select} label=${t('imports.encoding')} value=${encoding ?? ''} disabled=${send.busy} onChange=${(/** @type {string} */ value) => again({ encoding: value })}
      options=${[...(encoding ? [] : [{ value: '', text: t('imports.choose') }]), ...[...names].map((value) => ({ value, text: samples[value] ? `${value} · ${samples[value]}` : value }))]} />`}
    ${others.length > 0 && html`<${Select} label=${t('imports.sheet')} value=${sheet} disabled=${send.busy} onChange=${(/** @type {string} */ value) => again({ sheet: value })}
      options=${[sheet, ...others].map((value) => ({ value, text: value }))} />`}
  </div>`;
}
