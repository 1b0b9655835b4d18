/** A user as values by JSON pointer, as the audit trail names them: what differs, what is put together, and the patch of it. */

import { t, config } from '../../kit.js';

/** @typedef {Record<string, any>} Flat a value, or a list of texts, by its pointer */

export const PARTS = ['label', 'street', 'zipcode', 'city', 'region', 'country'];
export const AT_TOP = ['name', 'email', 'username', 'phone', 'locale', 'avatar_url', 'tags', 'scopes', 'is_active'];
export const IN_PROFILE = ['title', 'department', 'age', 'bio'];
const ADDRESS = /^\/profile\/addresses\/(\d+)\/(\w+)$/;
const POINTERS = new Set([...AT_TOP.map((name) => `/${name}`), ...IN_PROFILE.map((name) => `/profile/${name}`)]);

/** Whether the API takes it in a patch. @param {string} pointer */
export const isSettable = (pointer) => POINTERS.has(pointer) || ADDRESS.test(pointer);

/** Whether it is the URL of a picture that was uploaded here. @param {unknown} value */
export const isPicture = (value) => String(value).startsWith(`${config.issuer}/avatars/`);

/** @param {any} user @returns {Flat} */
export function flatten(user) {
  const flat = Object.fromEntries([
    ...AT_TOP.map((name) => [`/${name}`, user[name]]),
    ...IN_PROFILE.map((name) => [`/profile/${name}`, user.profile?.[name]]),
  ]);
  return withAddresses(flat, user.profile?.addresses ?? []);
}

/** @param {Flat} flat @param {Record<string, any>[]} addresses @returns {Flat} */
export function withAddresses(flat, addresses) {
  const others = Object.entries(flat).filter(([pointer]) => !ADDRESS.test(pointer));
  const parts = addresses.flatMap((address, at) => PARTS.map((part) => [`/profile/addresses/${at}/${part}`, address[part] ?? null]));
  return Object.fromEntries([...others, ...parts]);
}

/** @param {Flat} flat */
export function addressesOf(flat) {
  /** @type {Record<string, any>[]} */
  const addresses = [];
  for (const [pointer, value] of Object.entries(flat)) {
    const [, at, part] = ADDRESS.exec(pointer) ?? [];
    if (part) (addresses[Number(at)] ??= {})[part] = value;
  }
  return addresses.filter(Boolean);
}

/** As JSON, in which nothing is the same however it is written, and lists are sets. @param {any} value */
const normal = (value) => (value === undefined || value === '' || value?.length === 0 ? 'null' : JSON.stringify(Array.isArray(value) ? value.toSorted() : value));

/** The pointers at which they differ. @param {Flat} one @param {Flat} other */
export function differing(one, other) {
  return Object.keys({ ...one, ...other }).filter((pointer) => normal(one[pointer]) !== normal(other[pointer]));
}

/** What makes one of the other: a merge patch. @param {Flat} before @param {Flat} after */
export function patchOf(before, after) {
  /** @type {Record<string, any>} */
  const patch = {};
  for (const pointer of differing(before, after)) {
    const [, name = '', inner = ''] = pointer.split('/');
    if (name !== 'profile') patch[name] = after[pointer] ?? null;
    else (patch.profile ??= {})[inner] = inner === 'addresses' ? addressesOf(after) : after[pointer] ?? null;
  }
  return patch;
}

/**
 * With the differences of an entry of the trail taken back: of a list only what it added and removed.
 *
 * @param {Flat} flat
 * @param {{pointer: string, from: any, to: any}[]} differences
 */
export function without(flat, differences) {
  const undone = { ...flat };
  for (const { pointer, from, to } of differences) {
    const held = flat[pointer];
    undone[pointer] = Array.isArray(held) ? back(held, from ?? [], to ?? []) : from;
  }
  return undone;
}

/** @param {string[]} held @param {string[]} from @param {string[]} to */
function back(held, from, to) {
  const kept = held.filter((each) => from.includes(each) || !to.includes(each));
  return [...kept, ...from.filter((each) => !to.includes(each) && !kept.includes(each))];
}

/** How a field is called. @param {string} pointer */
export function nameOf(pointer) {
  const [, at, part] = ADDRESS.exec(pointer) ?? [];
  if (part) return t('person.of_address', { field: t(`field.${part}`), number: Number(at) + 1 });
  return t(`field.${pointer.split('/').at(-1)}`);
}
