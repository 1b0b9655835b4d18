/** Calls of the API: one function, which waits out what passes and renews the access token. */

import { config } from './config.js';
import { Problem } from './problem.js';
import { makeStore } from './store.js';
import { language } from './texts.js';
import * as tokens from './tokens.js';

export { Problem };

/**
 * @typedef {Record<string, unknown> | URLSearchParams} Query lists repeat; what is empty is left out
 * @typedef {{status: number, body: any, etag: string | null, headers: Headers}} Reply
 * @typedef {object} Options
 * @property {Query} [query]
 * @property {unknown} [json]
 * @property {Record<string, string> | FormData} [form]
 * @property {Record<string, string>} [headers]
 * @property {string | null} [ifMatch] the ETag that a change is for
 * @property {AbortSignal} [signal]
 * @property {string} [accept]
 * @property {boolean} [retry] whether a change may be sent again by itself: by a PUT, a DELETE or an Idempotency-Key
 * @property {(share: number) => void} [onProgress] of the sending
 * @property {'blob' | 'stream'} [as] how the body is to be given, if not as what its JSON holds
 */

/** Tries of what a server refuses for a moment; while the network is away they do not end. */
const MOST = 6;
const LONGEST_S = 15;

/** Rises when the session or the network is back: what failed is then loaded again. */
export const revived = makeStore(0);
export const revive = () => revived.update((count) => count + 1);

/** Why calls wait at the moment; null if none does. @type {import('./store.js').Store<Problem | null>} */
export const waiting = makeStore(/** @type {Problem | null} */ (null));

/** The code of why there is no session any more; null while there is one. */
export const lost = makeStore(/** @type {string | null} */ (null));

/** @type {Set<() => void>} */
const sleepers = new Set();

/** Let what waits try now. */
export function hurry() {
  for (const wake of [...sleepers]) wake();
}
addEventListener('online', hurry);

/**
 * The reply to a request; throws a Problem. Reads, and changes that may be sent again, wait while the server or the
 * network is away, which the page says meanwhile.
 *
 * @param {string} method
 * @param {string} path
 * @param {Options} [options]
 * @returns {Promise<Reply>}
 */
export async function call(method, path, options = {}) {
  const waits = method === 'GET' || options.retry;
  for (let tries = 1; ; tries += 1) {
    try {
      const reply = await send(method, path, options);
      if (waiting.get()) waiting.set(null);
      return reply;
    } catch (error) {
      const problem = /** @type {Problem} */ (error);
      if (!waits || !problem.passes || (problem.status && tries === MOST)) throw error;
      waiting.set(problem);
      await pause(problem.retryAfter ?? Math.min(2 ** tries / 2, LONGEST_S), options.signal);
    }
  }
}

/**
 * @param {number} seconds
 * @param {AbortSignal} [signal]
 */
function pause(seconds, signal) {
  return /** @type {Promise<void>} */ (new Promise((resolve, reject) => {
    const timer = setTimeout(wake, 1000 * seconds);
    sleepers.add(wake);
    signal?.addEventListener('abort', () => (end(), reject(signal.reason)), { once: true });
    function end() {
      clearTimeout(timer);
      sleepers.delete(wake);
    }
    function wake() {
      end();
      resolve();
    }
  }));
}

/**
 * @param {string} method
 * @param {string} path
 * @param {Options} options
 * @returns {Promise<Reply>}
 */
async function send(method, path, options) {
  if (!tokens.isFresh()) await renew();
  let reply = await exchange(method, path, options);
  if (reply.status === 401) {
    const refused = await Problem.of(reply);
    await renew(refused.code);
    reply = await exchange(method, path, options);
  }
  if (!reply.ok) throw await Problem.of(reply);
  return { status: reply.status, body: await read(reply, options), etag: reply.headers.get('ETag'), headers: reply.headers };
}

/** Renew the token; where there is no session, the page says why. @param {string} [why] what the API said of it */
async function renew(why) {
  const reply = await answered(tokens.renew());
  if (reply.ok) return;
  const problem = await Problem.of(reply);
  if (problem.status === 401) lost.set(ENDS.has(why ?? '') ? /** @type {string} */ (why) : problem.code);
  throw problem;
}

/** What the API calls the ends of sessions; any other refusal of a token says less than the renewal does. */
const ENDS = new Set(['session_displaced', 'session_expired', 'session_revoked']);

/** The reply; a Problem if there is none. @param {Promise<Response>} asked */
async function answered(asked) {
  try {
    return await asked;
  } catch (error) {
    throw error instanceof TypeError ? Problem.offline() : error;
  }
}

/**
 * @param {string} method
 * @param {string} path
 * @param {Options} options
 */
function exchange(method, path, options) {
  const { query, json, form, ifMatch, signal, accept = 'application/json', onProgress } = options;
  const headers = {
    'Accept': accept,
    'Accept-Language': language,
    ...tokens.authorization(),
    ...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
    ...(ifMatch ? { 'If-Match': ifMatch } : {}),
    ...options.headers,
  };
  const body = json === undefined ? bodyOf(form) : JSON.stringify(json);
  const url = address(path, query);
  return answered(onProgress ? post(url, headers, body, onProgress, signal) : fetch(url, { method, headers, body, signal: signal ?? null }));
}

/** @param {Options['form']} form */
const bodyOf = (form) => (!form || form instanceof FormData ? form ?? null : new URLSearchParams(form));

/**
 * @param {string} path
 * @param {Query} [query]
 */
export function address(path, query = {}) {
  const asked = query instanceof URLSearchParams ? query : new URLSearchParams(pairs(query));
  return `${config.root}${path}${asked.size ? `?${asked}` : ''}`;
}

/**
 * @param {Record<string, unknown>} query
 * @returns {string[][]}
 */
function pairs(query) {
  return Object.entries(query).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).filter((each) => each !== null && each !== undefined && each !== '').map((each) => [name, String(each)]),
  );
}

/**
 * @param {Response} reply
 * @param {Options} options
 */
async function read(reply, { as }) {
  if (as) return as === 'blob' ? reply.blob() : reply.body;
  const text = await reply.text();
  return text && /json/.test(reply.headers.get('Content-Type') ?? '') ? JSON.parse(text) : text || null;
}

/**
 * A POST by XMLHttpRequest, as fetch does not tell how much of it is sent.
 *
 * @param {string} url
 * @param {Record<string, string>} headers
 * @param {any} body
 * @param {(share: number) => void} onProgress
 * @param {AbortSignal} [signal]
 * @returns {Promise<Response>}
 */
function post(url, headers, body, onProgress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', url);
    request.responseType = 'blob';
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0);
    request.onload = () => resolve(new Response(request.response, { status: request.status, headers: headersOf(request) }));
    request.onerror = () => reject(new TypeError('no answer'));
    request.onabort = () => reject(signal?.reason);
    signal?.addEventListener('abort', () => request.abort(), { once: true });
    request.send(body);
  });
}

/** @param {XMLHttpRequest} request */
function headersOf(request) {
  const lines = request.getAllResponseHeaders().trim().split(/\r?\n/).filter(Boolean);
  return new Headers(lines.map((line) => /** @type {[string, string]} */ (line.split(/: ?(.*)/s).slice(0, 2))));
}

/**
 * Send a file as a form's field `file`.
 *
 * @param {string} path
 * @param {File} file
 * @param {Options & {fields?: Record<string, string>}} [options]
 */
export function upload(path, file, { fields = {}, ...options } = {}) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', file);
  return call('POST', path, { onProgress: () => {}, ...options, form });
}

/**
 * Save what is there as a file, under the server's name for it unless there is another.
 *
 * @param {string} path
 * @param {{query?: Query, name?: string, signal?: AbortSignal}} [options]
 */
export async function download(path, { query, name, signal } = {}) {
  const { body, headers } = await call('GET', path, { query, signal, as: 'blob', accept: '*/*' });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(body);
  link.download = name ?? nameOf(headers) ?? path.split('/').at(-1) ?? '';
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** @param {Headers} headers */
const nameOf = (headers) => /filename="?([^";]+)/.exec(headers.get('Content-Disposition') ?? '')?.[1];

/**
 * The items of a list that comes in pages.
 *
 * @param {string} path
 * @param {Record<string, unknown>} [query]
 * @param {AbortSignal} [signal]
 */
export async function* pages(path, query = {}, signal) {
  for (let cursor = null; ; ) {
    const { body } = await call('GET', path, { query: { ...query, cursor }, signal });
    yield* body.items;
    cursor = body.next;
    if (!cursor) return;
  }
}
