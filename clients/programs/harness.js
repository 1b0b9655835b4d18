// What the tier tells a client in Node, how a client has a person visit a page, and how it says what it did.

/**
 * @typedef {{id: string, secret: string}} Registered
 * @typedef {{url: string, page: string, sent: Record<string, string>}} Arrival
 */

const told = JSON.parse(process.env.CLIENTS ?? "{}");

/** @type {string} */
export const issuer = told.issuer;
/** @type {Record<string, Registered>} */
export const clients = told.clients;
/** @type {{id: string, email: string, name: string}} */
export const user = told.user;
/** @type {{kid: string}} The private JWK of the client `signing`. */
export const key = told.key;

export const callback = "http://127.0.0.1:49152/callback";
export const signedOut = "http://127.0.0.1/signed-out";

/**
 * A person signs in and consents where they are asked to; where that ends.
 * @param {string | URL} url
 * @param {string} [person] another browser for each name
 * @returns {Promise<Arrival>}
 */
export async function visit(url, person = "") {
  const asked = new URLSearchParams({ url: String(url), person });
  const reply = await fetch(`${told.person}?${asked}`);
  if (!reply.ok) throw new Error(`The person came to grief: ${await reply.text()}`);
  return reply.json();
}

/**
 * @template T
 * @param {string} name of the flow, as the report has it
 * @param {() => Promise<T>} work
 */
export async function step(name, work) {
  const result = await work();
  console.log(`ok ${name}`);
  return result;
}

/**
 * The error of what must be refused.
 * @param {Promise<unknown>} work
 * @returns {Promise<any>}
 */
export async function refused(work) {
  const error = await work.then(
    () => undefined,
    (/** @type {unknown} */ reason) => reason,
  );
  if (error === undefined) throw new Error("What should have been refused was accepted.");
  return error;
}
