/**
 * The access token: in memory alone, renewed through the session of the browser (docs/sign-in.md). Tabs have one each.
 */

import { config } from './config.js';
import { makeStore } from './store.js';

/** Seconds before its end when a token is renewed, so that requests on their way still find it good. */
const EARLY_S = 20;

let token = '';
let endsAt = 0;
/** @type {Promise<Response> | null} */
let renewing = null;

/** The scopes of the token. @type {import('./store.js').Store<Set<string>>} */
export const scopes = makeStore(new Set());

/** @param {{access_token: string, expires_in: number, scope: string}} reply of the token endpoint */
export function accept(reply) {
  token = reply.access_token;
  endsAt = Date.now() + 1000 * (reply.expires_in - EARLY_S);
  if (reply.scope !== [...scopes.get()].join(' ')) scopes.set(new Set(reply.scope.split(' ')));
}

export function forget() {
  token = '';
  endsAt = 0;
}

/** Whether there is a token, and for long enough to be sent. */
export const isFresh = () => Date.now() < endsAt;

/** @returns {Record<string, string>} */
export const authorization = () => (token ? { Authorization: `Bearer ${token}` } : {});

/** The reply to one renewal, however many ask for it at a time; a token in it is accepted. */
export async function renew() {
  renewing ??= ask().finally(() => (renewing = null));
  return (await renewing).clone();
}

async function ask() {
  const reply = await fetch(`${config.root}/auth/browser-token`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ client_id: config.client }),
  });
  if (reply.ok) accept(await reply.clone().json());
  return reply;
}
