/** Saved views: a listing with its columns and its density, for oneself or for all who may read users. */

import {
  t, html, Button, ProblemBox, useState, call, useAction, Badge, Field, can, go, Choice, Dialog, toast, useLoad,
  Menu, me, pages,
} from '../../kit.js';
import { ofFilters } from './filters.js';

/** @typedef {{id: string, name: string, query: string, columns: string[] | null, density: string, is_shared: boolean, created_by: string, version: number}} Saved */

/** @param {{query: URLSearchParams}} props */
export function SavedViews({ query }) {
  const [open, setOpen] = useState(false);
  const { data, problem, reload } = useLoad(load, []);
  const views = data ?? [];
  const items = [
    ...views.map((view) => ({ text: view.name, hint: view.is_shared ? t('views.shared') : '', run: () => go(addressOf(view)) })),
    ...(views.length ? [null] : []),
    { text: t('views.manage'), run: () => setOpen(true) },
  ];
  return html`
    <${Menu} icon="star" label=${t('views.title')} text=${t('views.title')} items=${items} />
    <${Dialog} open=${open} title=${t('views.title')} onClose=${() => setOpen(false)}>
      <${Save} query=${query} onSaved=${() => (setOpen(false), reload())} />
      <${ProblemBox} problem=${problem} onRetry=${reload} />
      ${views.length > 0 && html`<ul class="views">${views.map((view) => html`<${Line} key=${view.id} view=${view} onGone=${reload} />`)}</ul>`}
    <//>`;
}

/** @param {AbortSignal} signal @returns {Promise<Saved[]>} */
async function load(signal) {
  const views = [];
  for await (const view of pages('/views', { limit: 100 }, signal)) views.push(view);
  return views;
}

/** Where a view leads. @param {Saved} view */
function addressOf({ query, columns, density }) {
  const place = new URLSearchParams(query);
  if (columns) place.set('cols', columns.join());
  if (density !== 'standard') place.set('density', density);
  return `/people${place.size ? `?${place}` : ''}`;
}

/** What the address shows, as the API keeps it. @param {URLSearchParams} query @param {string} name @param {boolean} shared */
function describe(query, name, shared) {
  const asked = ofFilters(query);
  for (const each of ['sort', 'limit']) if (query.has(each)) asked.set(each, query.get(each) ?? '');
  return { name, is_shared: shared, query: String(asked), columns: query.get('cols')?.split(',') ?? null, density: query.get('density') ?? 'standard' };
}

/** @param {{query: URLSearchParams, onSaved: () => void}} props */
function Save({ query, onSaved }) {
  const [name, setName] = useState('');
  const [shared, setShared] = useState(false);
  const { run, busy, problem } = useAction(async () => {
    await call('POST', '/views', { json: describe(query, name, shared) });
    toast(t('views.saved', { name }), { kind: 'good' });
    onSaved();
  });
  /** @param {Event} event */
  function submit(event) {
    event.preventDefault();
    run();
  }
  return html`<form class="stack" onSubmit=${submit}>
    <${Field} label=${t('views.name')} hint=${t('views.hint')} value=${name} onInput=${setName} required maxlength="100" error=${problem?.of('name')} />
    <${Choice} type="switch" label=${t('views.share')} checked=${shared} onChange=${setShared} />
    <${ProblemBox} problem=${problem} />
    <div><${Button} kind="primary" type="submit" busy=${busy}>${t('views.save_button')}<//></div>
  </form>`;
}

/** @param {{view: Saved, onGone: () => void}} props */
function Line({ view, onGone }) {
  const { run, busy, problem } = useAction(async () => {
    await call('DELETE', `/views/${view.id}`, { ifMatch: `"${view.version}"`, retry: true });
    onGone();
  });
  const mine = view.created_by === me()?.id;
  return html`<li>
    <span dir="auto">${view.name}</span> ${view.is_shared && html`<${Badge}>${t('views.shared')}<//>`}
    ${(mine || can('users:admin')) && html`<${Button} kind="quiet" icon="trash" busy=${busy} title=${t('views.remove', { name: view.name })} onClick=${run} />`}
    <${ProblemBox} problem=${problem} />
  </li>`;
}
