/** Texts of the catalogue, and numbers and times as the reader's language and time zone have them. */

import { config } from './config.js';

export const language = document.documentElement.lang || 'en';

/** By section and name. @type {Record<string, Record<string, string>>} */
const texts = await (await fetch(`${config.files}/texts/${config.language}.json`)).json();

const NUMBER = new Intl.NumberFormat(language);
const BYTES = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'].map(
  (unit) => new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: 1 }),
);
const DATE = new Intl.DateTimeFormat(language, { dateStyle: 'medium' });
const MOMENT = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' });
const RELATIVE = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
const LIST = new Intl.ListFormat(language, { type: 'conjunction' });
const PLURAL = new Intl.PluralRules(language);
/** The forms of a plural in a text come in this order, those that the language has. */
const FORMS = ['zero', 'one', 'two', 'few', 'many', 'other'].filter((form) =>
  PLURAL.resolvedOptions().pluralCategories.includes(/** @type {Intl.LDMLPluralRule} */ (form)),
);
const PLACE = /\{(\w+)(?::([^}]*))?\}/g;

/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [['year', 31_557_600], ['month', 2_629_800], ['week', 604_800], ['day', 86_400], ['hour', 3_600], ['minute', 60]];

/**
 * The text of a key, filled in: `{name}`, or `{count:person|people}` for the form that the number asks for.
 *
 * @param {string} key without `console.`
 * @param {Record<string, unknown>} [values]
 * @returns {string}
 */
export function t(key, values = {}) {
  const [section = '', last = ''] = key.split('.');
  const text = texts[section]?.[last];
  if (text === undefined) throw new Error(`There is no text console.${key}.`);
  return text.replace(PLACE, (_, name, forms) => {
    const value = values[name];
    if (forms !== undefined) return choose(Number(value), forms.split('|'));
    return typeof value === 'number' ? number(value) : String(value ?? '');
  });
}

/**
 * @param {number} count
 * @param {string[]} forms
 */
function choose(count, forms) {
  return forms[FORMS.indexOf(PLURAL.select(count))] ?? forms.at(-1) ?? '';
}

/** @param {number} value */
export const number = (value) => NUMBER.format(value);

/** @param {string} iso */
export const date = (iso) => DATE.format(new Date(iso));

/** @param {string} iso */
export const moment = (iso) => MOMENT.format(new Date(iso));

/** @param {string[]} items */
export const list = (items) => LIST.format(items);

/** "3 hours ago", "tomorrow". @param {string} iso */
export function relative(iso) {
  const seconds = (Date.parse(iso) - Date.now()) / 1000;
  const [unit, size] = UNITS.find(([, least]) => Math.abs(seconds) >= least) ?? ['second', 1];
  return RELATIVE.format(Math.round(seconds / size), unit);
}

/** "1.2 MB". @param {number} value */
export function bytes(value) {
  const power = Math.min(Math.max(Math.floor(Math.log10(value || 1) / 3), 0), BYTES.length - 1);
  return BYTES[power]?.format(value / 1000 ** power) ?? '';
}
