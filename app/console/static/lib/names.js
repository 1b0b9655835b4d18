/** Names of people whose ids other things have. */

import { Text } from '../components/values.js';
import { call } from './api.js';
import { Link } from './router.js';
import { can } from './session.js';
import { html, useLoad, useMemo } from './ui.js';

const MOST = 100;

/**
 * Draws a person by their id: as a link by their name, where it is known.
 *
 * @param {(string | null | undefined)[]} ids
 */
export function usePeople(ids) {
  const asked = [...new Set(ids)].filter(Boolean).sort().slice(0, MOST);
  const { data } = useLoad(async (signal) => {
    if (!asked.length || !can('users:read')) return new Map();
    const { body } = await call('GET', '/users', { query: { id: asked, fields: 'name', limit: MOST }, signal });
    return new Map(body.items.map((/** @type {{id: string, name: string}} */ { id, name }) => [id, name]));
  }, [asked.join()]);
  return useMemo(() => (/** @type {{id: string | null}} */ { id }) => {
    const name = id && data?.get(id);
    if (!name) return html`<${Text} value=${id} />`;
    return html`<${Link} href=${`/people/${id}`} dir="auto">${name}<//>`;
  }, [data]);
}
