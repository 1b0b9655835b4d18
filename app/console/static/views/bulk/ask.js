/** Which change, of those who are selected among the people. */

import {
  t, html, Button, ProblemBox, useState, call, useAction, Section, can, Select, go, Choice, Words, Empty, useStore,
  SCOPES, selection,
} from '../../kit.js';

const FOR_WRITERS = ['add_tags', 'remove_tags'];
const FOR_ADMINISTRATORS = ['activate', 'deactivate', 'add_scopes', 'remove_scopes', 'end_sessions'];

export function Ask() {
  const { ids, query } = useStore(selection);
  const actions = [...FOR_WRITERS, ...(can('users:admin') ? FOR_ADMINISTRATORS : []), 'delete'];
  const [action, setAction] = useState('add_tags');
  const [tags, setTags] = useState(/** @type {string[]} */ ([]));
  const [scopes, setScopes] = useState(/** @type {string[]} */ ([]));
  const values = action.endsWith('_tags') ? { tags } : action.endsWith('_scopes') ? { scopes } : {};
  const { run, busy, problem } = useAction(async () => {
    const whom = query === null ? { ids } : { filter: filterOf(new URLSearchParams(query)) };
    const { body } = await call('POST', '/users:bulk', { json: { ...whom, change: { action, ...values } }, headers: { Prefer: 'wait=0' } });
    go(`/bulk/${body.id}`);
  });
  if (query === null && !ids.length) return html`<${Empty} title=${t('bulk.nobody')} text=${t('bulk.nobody_text')}><${Button} icon="people" href="/people">${t('people.title')}<//><//>`;
  /** @param {Event} event */
  function submit(event) {
    event.preventDefault();
    run();
  }
  const title = query === null ? t('bulk.ask', { count: ids.length }) : t('bulk.ask_all');
  return html`
    <${Section} title=${title} actions=${html`<${Button} href=${`/people?${query ?? ''}`}>${t('bulk.selection')}<//>`}>
      <form class="stack" onSubmit=${submit}>
        <${Select} label=${t('bulk.change')} value=${action} onChange=${setAction} options=${actions.map((value) => ({ value, text: t(`bulk_action.${value}`) }))} />
        ${values.tags && html`<${Words} label=${t('field.tag')} hint=${t('bulk.tags_hint')} values=${tags} onChange=${setTags} error=${problem?.of('change.tags')} />`}
        ${values.scopes && html`<fieldset><legend>${t('field.scope')}</legend><div class="row">
          ${SCOPES.map((value) => html`<${Choice} key=${value} label=${value} checked=${scopes.includes(value)}
            onChange=${(/** @type {boolean} */ checked) => setScopes(checked ? [...scopes, value] : scopes.filter((each) => each !== value))} />`)}
        </div></fieldset>`}
        <p class="muted small">${t('bulk.ask_hint')}</p>
        <${ProblemBox} problem=${problem} />
        <div><${Button} kind="primary" type="submit" icon="bulk" busy=${busy}>${t('bulk.plan')}<//></div>
      </form>
    <//>`;
}

/** A listing's query as the API takes a filter in JSON. @param {URLSearchParams} query */
function filterOf(query) {
  /** @param {string} name @param {string[]} values */
  const value = (name, values) => (values.length > 1 ? values : name.startsWith('age_') ? Number(values[0]) : values[0]);
  return Object.fromEntries([...new Set(query.keys())].map((name) => [name, value(name, query.getAll(name))]));
}
