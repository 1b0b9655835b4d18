/** Who is signed in: by the code flow with PKCE (RFC 7636), once, and then through the browser's session. */

import { call, lost, Problem, revive } from './api.js';
import { config } from './config.js';
import { go, here, url } from './router.js';
import { makeStore } from './store.js';
import { t } from './texts.js';
import * as tokens from './tokens.js';
import { useStore } from './ui.js';

/**
 * @typedef {{id: string, name: string, email: string}} Me
 * @typedef {{state: 'starting' | 'in' | 'out', me: any, problem: Problem | null}} Session
 */

export const SCOPES = ['me', 'users:read', 'users:write', 'users:export', 'users:admin', 'events:read', 'webhooks'];
const KEPT = 'roster.sign-in';
const PLACE = location.origin + url('');
const SIGNED_OUT = `${PLACE}/signed-out`;

/** @type {import('./store.js').Store<Session>} */
const session = makeStore(/** @type {Session} */ ({ state: 'starting', me: null, problem: null }));

/** Tabs tell each other that there is a session again. */
const tabs = new BroadcastChannel('roster-console');
tabs.onmessage = () => comeBack();
addEventListener('focus', () => lost.get() && comeBack());

export const me = () => session.get().me;

/** Whether the caller may do what needs the scope; null needs none. @param {string | null} scope */
export const can = (scope) => scope === null || tokens.scopes.get().has(scope);

export function useSession() {
  const held = useStore(session);
  return { ...held, scopes: useStore(tokens.scopes), why: useStore(lost) };
}

/** Find the session, or go to sign in: to be called once, before anything is drawn. */
export async function start() {
  if (location.href.split(/[?#]/)[0] === SIGNED_OUT) return session.set({ state: 'out', me: null, problem: null });
  try {
    if (isElsewhere()) return goHome();
    const asked = new URLSearchParams(location.search);
    if (asked.has('state')) await finish(asked);
    if (!tokens.isFresh() && !(await hasSession())) return signIn();
    await enter();
  } catch (error) {
    session.set({ state: 'out', me: null, problem: Problem.from(error) });
  }
}

const isElsewhere = () => location.origin !== new URL(config.issuer).origin;
const LOOPBACK = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:|\/|$)/;

/** People sign in under the service's own address alone: on the same machine it is another name of this one. */
function goHome() {
  const home = config.issuer + location.pathname.slice(config.root.length) + location.search;
  if (LOOPBACK.test(config.issuer) && LOOPBACK.test(location.origin)) return location.replace(home);
  throw new Problem({ code: 'elsewhere', title: t('session.elsewhere'), detail: t('session.elsewhere_detail', { address: `${config.issuer}/console` }) });
}

async function hasSession() {
  const reply = await tokens.renew().catch(() => {
    throw Problem.offline();
  });
  if (!reply.ok && reply.status !== 401) throw await Problem.of(reply);
  return reply.ok;
}

/** The view need not wait for who it is. */
async function enter() {
  session.set({ state: 'in', me: null, problem: null });
  tabs.postMessage('in');
  session.set({ state: 'in', me: await readMe(), problem: null });
}

const readMe = async () => (can('me') ? (await call('GET', '/users/me')).body : null);

/** Another tab signed in: go on here, if it was the same person. */
async function comeBack() {
  if (!lost.get()) return;
  const reply = await tokens.renew().catch(() => null);
  if (!reply?.ok || !lost.get()) return;
  if ((await readMe())?.id !== me()?.id) return location.reload();
  lost.set(null);
  revive();
}

/** Go to the sign-in, and come back to this place. */
export async function signIn() {
  const [state, verifier] = [random(), random()];
  const challenge = encode(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))));
  const back = location.href.startsWith(SIGNED_OUT) ? '/' : here().path + withoutAnswer();
  sessionStorage.setItem(KEPT, JSON.stringify({ state, verifier, back }));
  const asked = new URLSearchParams({
    response_type: 'code', client_id: config.client, redirect_uri: PLACE, scope: SCOPES.join(' '), state,
    code_challenge: challenge, code_challenge_method: 'S256', ui_locales: config.language,
  });
  location.assign(`${config.root}/auth/authorize?${asked}`);
}

function withoutAnswer() {
  const query = new URLSearchParams(location.search);
  for (const name of ['code', 'state', 'iss', 'error', 'error_description']) query.delete(name);
  return query.size ? `?${query}` : '';
}

/** Redeem the code of the address, which then is where the sign-in began. @param {URLSearchParams} answer */
async function finish(answer) {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? 'null');
  sessionStorage.removeItem(KEPT);
  if (kept === null || kept.state !== answer.get('state')) return go('/', { replace: true });
  go(kept.back, { replace: true });
  const refused = answer.get('error');
  if (refused) throw new Problem({ code: refused, title: t('session.refused'), detail: answer.get('error_description') ?? '' });
  const form = new URLSearchParams({
    grant_type: 'authorization_code', client_id: config.client, redirect_uri: PLACE,
    code: answer.get('code') ?? '', code_verifier: kept.verifier,
  });
  const reply = await fetch(`${config.root}/auth/token`, { method: 'POST', body: form });
  if (reply.ok) tokens.accept(await reply.json());
}

const random = () => encode(crypto.getRandomValues(new Uint8Array(32)));

/** @param {Uint8Array} bytes */
const encode = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

/** End the session of the browser, and with it all tokens that came of it. */
export async function signOut() {
  const { body } = await call('GET', '/users/me/sessions');
  const current = body.items.find((/** @type {{current: boolean}} */ each) => each.current);
  if (current) await call('DELETE', `/users/me/sessions/${current.id}`, { retry: true });
  tokens.forget();
  location.assign(SIGNED_OUT);
}
