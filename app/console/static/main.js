/** The shell: the navigation, the view of the address, and what the page says of itself. */

import { Button, Icon } from './components/button.js';
import { Dialog } from './components/dialog.js';
import { Choice } from './components/fields.js';
import { Menu } from './components/menu.js';
import { Busy, Empty, ProblemBox, Toasts } from './components/notices.js';
import { Page } from './components/page.js';
import { hurry, lost, Problem, waiting } from './lib/api.js';
import { config } from './lib/config.js';
import { inForce, keysOn, useKeys } from './lib/keys.js';
import { go, Link, match, url, useUrl } from './lib/router.js';
import { can, me, signIn, signOut, start, useSession } from './lib/session.js';
import { t } from './lib/texts.js';
import { theme, THEMES } from './lib/theme.js';
import { html, render, useEffect, useErrorBoundary, useState, useStore } from './lib/ui.js';
import { VIEWS } from './views.js';

function Shell() {
  const { state, problem } = useSession();
  const { path } = useUrl();
  if (state === 'starting') return html`<${Busy} />`;
  if (state === 'out') return html`<${Outside} problem=${problem} />`;
  return html`
    <a class="skip" href="#view">${t('shell.skip')}</a>
    <${Bar} path=${path} />
    <${Waiting} />
    <main id="view"><${Guarded} key=${find(path)?.path}><${Current} path=${path} /><//></main>
    <${Toasts} /><${Lost} />`;
}

/** The view of a path: one whose pattern has no parameter goes first. @param {string} path */
function find(path) {
  const fitting = VIEWS.filter((view) => match(view.path, path) && can(view.scope));
  return fitting.find((view) => !view.path.includes(':')) ?? fitting[0];
}

const listed = () => VIEWS.filter((view) => view.icon && can(view.scope));

/** @param {{path: string}} props */
function Current({ path }) {
  const view = find(path);
  const { params, query } = useUrl(view?.path);
  const View = useModule(view);
  const first = listed()[0];
  useEffect(() => {
    if (path === '/' && first) go(first.path, { replace: true });
  }, [path]);
  if (path === '/signed-in') return html`<${SignedIn} />`;
  if (!view) return path === '/' && first ? null : html`<${Nothing} />`;
  return View ? html`<${View} ...${{ params, query }} />` : html`<${Busy} />`;
}

/** The view's component, once its module is there. @param {import('./views.js').View | undefined} view */
function useModule(view) {
  const [loaded, setLoaded] = useState(/** @type {{view: any, draw: any, error?: unknown}} */ ({ view: null, draw: null }));
  useEffect(() => {
    let wanted = true;
    view?.load().then(
      (module) => wanted && setLoaded({ view, draw: module.default }),
      (error) => wanted && setLoaded({ view, draw: null, error }),
    );
    return () => void (wanted = false);
  }, [view]);
  if (loaded.view === view && loaded.error) throw new Problem({ code: 'replaced', title: t('shell.replaced'), detail: t('shell.replaced_detail') });
  return loaded.view === view ? loaded.draw : null;
}

/** What a view could not draw does not take the rest of the page with it. @param {{children?: any}} props */
function Guarded({ children }) {
  const [error] = useErrorBoundary();
  if (error === undefined) return children;
  return html`<${Page} title=${t('shell.failed')}><${ProblemBox} problem=${Problem.from(error)} onRetry=${() => location.reload()} /><//>`;
}

/** Where the tab of a new sign-in ends; the one that it was for goes on. */
function SignedIn() {
  useEffect(() => close(), []);
  return html`<${Page} title=${t('session.signed_in')}><${Empty} title=${t('session.signed_in_text')}><${Button} href="/">${t('shell.home')}<//><//><//>`;
}

function Nothing() {
  const isEmpty = listed().length === 0;
  return html`<${Page} title=${t(isEmpty ? 'shell.no_rights' : 'shell.nothing')}>
    <${Empty} title=${t(isEmpty ? 'shell.no_rights_text' : 'shell.nothing_text')}>
      ${isEmpty ? html`<a href=${`${config.root}/auth/sign-in`}>${t('shell.account')}</a>` : html`<${Button} href="/">${t('shell.home')}<//>`}
    <//><//>`;
}

/** @param {{path: string}} props */
function Bar({ path }) {
  const [helping, setHelping] = useState(false);
  const views = listed();
  useKeys([
    { key: '?', text: t('keys.help'), run: () => setHelping(true) },
    ...views.filter((view) => view.go).map((view) => ({ key: `g ${view.go}`, text: t('keys.go', { view: t(view.title) }), run: () => go(view.path) })),
  ], [views.length]);
  return html`
    <header class="bar">
      <${Link} class="brand" href="/">${config.logo && html`<img src=${`${config.root}/auth/logo`} alt="" />`}<span>${config.brand}</span><//>
      <nav aria-label=${t('shell.views')}>
        ${views.map((view) => html`<${Link} key=${view.path} href=${view.path} aria-current=${`${path}/`.startsWith(`${view.path}/`) ? 'page' : null}><${Icon} name=${view.icon} /><span>${t(view.title)}</span><//>`)}
      </nav>
      <div class="row">
        <${Button} kind="quiet" icon="help" title=${t('keys.help')} onClick=${() => setHelping(true)} />
        <${Account} />
      </div>
    </header>
    <${Help} open=${helping} onClose=${() => setHelping(false)} />`;
}

function Account() {
  const chosen = useStore(theme);
  const items = [
    { text: t('shell.account'), run: () => location.assign(`${config.root}/auth/sign-in`) },
    null,
    ...THEMES.map((name) => ({ text: t(`theme.${name}`), checked: name === chosen, run: () => theme.set(name) })),
    null,
    ...Object.entries(config.languages).map(([tag, name]) => ({ text: name, checked: tag === config.language, run: () => speak(tag) })),
    null,
    { text: t('shell.sign_out'), run: signOut },
  ];
  return html`<${Menu} kind="quiet" icon="person" label=${t('shell.account_of', { name: me()?.name ?? '' })} text=${html`<span class="wide-only" dir="auto">${me()?.name}</span>`} items=${items} />`;
}

/** Have the server note the language for its pages, too, and begin anew in it. @param {string} tag */
async function speak(tag) {
  await fetch(`${url('')}?ui_locales=${tag}`);
  location.reload();
}

/** @param {{open: boolean, onClose: () => void}} props */
function Help({ open, onClose }) {
  const keys = useStore(inForce).flat();
  const on = useStore(keysOn);
  return html`
    <${Dialog} open=${open} title=${t('keys.help')} onClose=${onClose}>
      <dl class="keys">${keys.map(({ key, text }) => html`<div key=${key}><dt>${key.split(' ').map((each) => html`<kbd>${each}</kbd> `)}</dt><dd>${text}</dd></div>`)}</dl>
      <${Choice} type="switch" label=${t('keys.on')} hint=${t('keys.on_hint')} checked=${on} onChange=${keysOn.set} />
    <//>`;
}

/** Says that calls wait for the network or the server, and goes when they do not any more. */
function Waiting() {
  const problem = useStore(waiting);
  return html`<div class="waiting" role="status">
    ${problem && html`<${Icon} name="warn" /><span>${t(problem.code === 'offline' ? 'shell.offline' : 'shell.busy')}</span><${Button} onClick=${hurry}>${t('shell.try_now')}<//>`}
  </div>`;
}

const WHY = new Set(['session_displaced', 'session_expired', 'session_revoked']);

/** Over the view, which keeps what was typed: the sign-in is in a tab of its own, and this one goes on after it. */
function Lost() {
  const why = useStore(lost);
  const footer = html`<a class="button primary" href=${url('/signed-in')} target="_blank">${t('session.sign_in_again')}</a>`;
  return html`
    <${Dialog} open=${why !== null} title=${t('session.ended')} onClose=${null} footer=${footer}>
      <p>${t(`session_why.${WHY.has(why ?? '') ? why : 'session_expired'}`)}</p>
      <p class="muted">${t('session.kept')}</p>
    <//>`;
}

/** @param {{problem: Problem | null}} props */
function Outside({ problem }) {
  return html`<main class="outside"><div class="card stack">
    <h1>${problem ? t('session.not_in') : t('session.signed_out')}</h1>
    <${ProblemBox} problem=${problem} />
    <div class="row">
      ${problem?.passes ? html`<${Button} kind="primary" icon="refresh" onClick=${() => location.reload()}>${t('common.retry')}<//>` : html`<${Button} kind="primary" onClick=${signIn}>${t('session.sign_in')}<//>`}
    </div>
  </div></main>`;
}

render(html`<${Shell} />`, document.body);
start();
