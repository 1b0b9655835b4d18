// jose: a resource server verifies access tokens, an application ID tokens and logout tokens.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createRemoteJWKSet, jwtVerify, SignJWT, importJWK } from "jose";
import { callback, clients, issuer, key, refused, signedOut, step, user, visit } from "./harness.js";

const metadata = await step("discovery", async () =>
  (await fetch(`${issuer}/.well-known/openid-configuration`)).json());
const keys = createRemoteJWKSet(new URL(metadata.jwks_uri));

/** The form of a client with a secret, answered. */
async function post(endpoint, form, { id, secret }) {
  const authorization = `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}`;
  const reply = await fetch(endpoint, { method: "POST", headers: { authorization }, body: new URLSearchParams(form) });
  return { status: reply.status, told: reply.status === 200 ? await reply.json().catch(() => ({})) : await reply.json() };
}

/** Code with PKCE by hand. */
async function signIn(client) {
  const verifier = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const asked = new URLSearchParams({
    client_id: client.id, redirect_uri: callback, response_type: "code", scope: "openid offline_access", nonce: "n",
    code_challenge: Buffer.from(digest).toString("base64url"), code_challenge_method: "S256",
  });
  const code = new URL((await visit(`${metadata.authorization_endpoint}?${asked}`, client.id)).url).searchParams.get("code");
  const form = { grant_type: "authorization_code", code, redirect_uri: callback, code_verifier: verifier };
  const { status, told } = await post(metadata.token_endpoint, form, client);
  assert.equal(status, 200, JSON.stringify(told));
  return told;
}

const tokens = await step("code with PKCE", () => signIn(clients.listening));

await step("access token verified", async () => {
  const options = { issuer, audience: "roster", typ: "at+jwt" };
  const { payload } = await jwtVerify(tokens.access_token, keys, options);
  assert.equal(payload.sub, user.id);
  await refused(jwtVerify(tokens.id_token, keys, options));
});

await step("ID token verified", async () => {
  const { payload } = await jwtVerify(tokens.id_token, keys, { issuer, audience: clients.listening.id });
  assert.equal(payload.nonce, "n");
});

await step("client assertion signed", async () => {
  const assertion = await new SignJWT()
    .setProtectedHeader({ alg: "ES256", kid: key.kid }).setIssuer("signing").setSubject("signing")
    .setAudience(issuer).setIssuedAt().setExpirationTime("1m").setJti(crypto.randomUUID())
    .sign(await importJWK(key, "ES256"));
  const body = new URLSearchParams({
    grant_type: "client_credentials", scope: "users:read", client_assertion: assertion,
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
  });
  assert.equal((await fetch(metadata.token_endpoint, { method: "POST", body })).status, 200);
  const again = await (await fetch(metadata.token_endpoint, { method: "POST", body })).json();
  assert.equal(again.error, "invalid_client");
});

await step("back-channel logout", async () => {
  const arrived = new Promise((resolve) => {
    const listener = createServer(async (request, reply) => {
      const parts = [];
      for await (const part of request) parts.push(part);
      reply.writeHead(200).end();
      listener.close();
      resolve(new URLSearchParams(Buffer.concat(parts).toString()).get("logout_token"));
    }).listen(Number(new URL(clients.listening.logout).port), "127.0.0.1");
  });
  const asked = new URLSearchParams({ id_token_hint: tokens.id_token, post_logout_redirect_uri: signedOut });
  assert.equal((await visit(`${metadata.end_session_endpoint}?${asked}`, clients.listening.id)).url, signedOut);
  const { payload } = await jwtVerify(await arrived, keys, { issuer, audience: clients.listening.id, typ: "logout+jwt" });
  assert.deepEqual(payload.events, { "http://schemas.openid.net/event/backchannel-logout": {} });
  assert.equal(payload.sub, user.id);
  assert.equal(payload.nonce, undefined);
  const { payload: claims } = await jwtVerify(tokens.id_token, keys, { issuer });
  assert.equal(payload.sid, claims.sid);
});
