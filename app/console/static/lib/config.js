/** What the page was told by the server that made it. */

/**
 * @typedef {object} Config
 * @property {string} root the path under which a proxy has the service, mostly empty
 * @property {string} files the path of this version's files
 * @property {string} issuer the address under which the service signs people in
 * @property {string} client the console's client_id
 * @property {string} language
 * @property {Record<string, string>} languages the name of each language, by its tag
 * @property {string} brand
 * @property {boolean} logo whether there is one, at /auth/logo
 */

/** @type {Config} */
export const config = JSON.parse(document.body.dataset.config ?? '{}');
