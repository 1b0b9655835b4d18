// oauth4webapi: every endpoint, checked as strictly as the RFCs allow.
import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";
import { callback, clients, issuer, key, refused, signedOut, step, user, visit } from "./harness.js";

const http = { [oauth.allowInsecureRequests]: true };
const IDENTITY = "openid profile email phone address offline_access";

const server = await step("discovery", async () => {
  const url = new URL(issuer);
  const plain = await oauth.discoveryRequest(url, { ...http, algorithm: "oauth2" });
  const found = await oauth.processDiscoveryResponse(url, plain);
  const openid = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, http));
  assert.equal(found.token_endpoint, openid.token_endpoint);
  return openid;
});

/** A client and how it authenticates. */
const browser = { client: { client_id: "browser" }, auth: oauth.None() };
const web = { client: { client_id: "server" }, auth: oauth.ClientSecretBasic(clients.server.secret) };
const posting = { client: { client_id: "server" }, auth: oauth.ClientSecretPost(clients.server.secret) };
const pushing = { client: { client_id: "pushing" }, auth: oauth.ClientSecretBasic(clients.pushing.secret) };
const service = { client: { client_id: "service" }, auth: oauth.ClientSecretBasic(clients.service.secret) };
const privateKey = await crypto.subtle.importKey("jwk", key, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
const signing = { client: { client_id: "signing" }, auth: oauth.PrivateKeyJwt({ key: privateKey, kid: key.kid }) };
const commandLine = { client: { client_id: "command-line" }, auth: oauth.None() };

/** Code with PKCE, to the tokens. */
async function signIn({ client, auth }, { more = {}, push = false, person = "", scope = IDENTITY } = {}) {
  const verifier = oauth.generateRandomCodeVerifier();
  const nonce = oauth.generateRandomNonce();
  const state = oauth.generateRandomState();
  const asked = {
    client_id: client.client_id, redirect_uri: callback, response_type: "code", scope, state, nonce, ...more,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
  };
  const url = new URL(server.authorization_endpoint);
  url.search = new URLSearchParams(push ? await pushed(client, auth, asked) : asked).toString();
  const { url: end, sent } = await visit(url, person);
  const answer = more.response_mode === "form_post" ? new URLSearchParams(sent) : new URL(end);
  const parameters = oauth.validateAuthResponse(server, client, answer, state);
  const exchange = () => oauth.authorizationCodeGrantRequest(server, client, auth, parameters, callback, verifier, http);
  const reply = await exchange();
  const isOpenId = scope.includes("openid");
  const expected = isOpenId ? { expectedNonce: nonce, requireIdToken: true } : {};
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, reply, expected);
  if (isOpenId) await oauth.validateApplicationLevelSignature(server, reply, http);
  return { tokens, claims: oauth.getValidatedIdTokenClaims(tokens), exchange };
}

async function pushed(client, auth, asked) {
  const reply = await oauth.pushedAuthorizationRequest(server, client, auth, asked, http);
  const { request_uri } = await oauth.processPushedAuthorizationResponse(server, client, reply);
  return { client_id: client.client_id, request_uri };
}

async function refresh({ client, auth }, token) {
  const reply = await oauth.refreshTokenGrantRequest(server, client, auth, token, http);
  return oauth.processRefreshTokenResponse(server, client, reply);
}

async function introspect(token) {
  const reply = await oauth.introspectionRequest(server, web.client, web.auth, token, http);
  return oauth.processIntrospectionResponse(server, web.client, reply);
}

const first = await step("code with PKCE, public client", () => signIn(browser));
assert.equal(first.claims?.sub, user.id);

await step("userinfo", async () => {
  const reply = await oauth.userInfoRequest(server, browser.client, first.tokens.access_token, http);
  const told = await oauth.processUserInfoResponse(server, browser.client, user.id, reply);
  assert.equal(told.email, user.email);
  assert.equal(told.name, user.name);
});

await step("access token verified (RFC 9068)", async () => {
  const headers = { authorization: `Bearer ${first.tokens.access_token}` };
  const claims = await oauth.validateJwtAccessToken(server, new Request("https://api.example", { headers }), "roster", http);
  assert.equal(claims.client_id, "browser");
});

const second = await step("refresh", () => refresh(browser, first.tokens.refresh_token));
assert.notEqual(second.refresh_token, first.tokens.refresh_token);

await step("code, client_secret_basic", () => signIn(web));
await step("code, client_secret_post", () => signIn(posting));
await step("code, private_key_jwt", () => signIn(signing));
await step("PAR", () => signIn(pushing, { push: true }));
await step("without PAR refused where it is required", async () => {
  assert.equal((await refused(signIn(pushing))).error, "invalid_request");
});
await step("response_mode=form_post", () => signIn(web, { more: { response_mode: "form_post" } }));
await step("OAuth without OpenID", async () => {
  const { tokens, claims } = await signIn(browser, { scope: "me" });
  assert.equal(claims, undefined);
  assert.equal(tokens.id_token, undefined);
});
await step("prompt=none", () => signIn(web, { more: { prompt: "none" } }));
await step("prompt=none, public client on loopback: consent_required", async () => {
  assert.equal((await refused(signIn(browser, { more: { prompt: "none" } }))).error, "consent_required");
});
await step("prompt=none without a sign-in: login_required", async () => {
  assert.equal((await refused(signIn(browser, { more: { prompt: "none" }, person: "nobody" }))).error, "login_required");
});

await step("a code used twice ends what it gave", async () => {
  const { tokens, exchange } = await signIn(web);
  assert.equal((await introspect(tokens.access_token)).active, true);
  const again = await refused(oauth.processAuthorizationCodeResponse(server, web.client, await exchange()));
  assert.equal(again.error, "invalid_grant");
  assert.equal((await introspect(tokens.access_token)).active, false);
});

await step("client credentials", async () => {
  for (const { client, auth } of [service, signing]) {
    const reply = await oauth.clientCredentialsGrantRequest(server, client, auth, { scope: "users:read" }, http);
    const { access_token } = await oauth.processClientCredentialsResponse(server, client, reply);
    const people = await fetch(`${issuer}/users?limit=1`, { headers: { authorization: `Bearer ${access_token}` } });
    assert.equal(people.status, 200);
  }
});

await step("device code", async () => {
  const { client, auth } = commandLine;
  const asked = await oauth.deviceAuthorizationRequest(server, client, auth, { scope: "me" }, http);
  const device = await oauth.processDeviceAuthorizationResponse(server, client, asked);
  const poll = async () => {
    const reply = await oauth.deviceCodeGrantRequest(server, client, auth, device.device_code, http);
    return oauth.processDeviceCodeResponse(server, client, reply);
  };
  assert.equal((await refused(poll())).error, "authorization_pending");
  await visit(device.verification_uri_complete ?? device.verification_uri);
  await new Promise((resolve) => setTimeout(resolve, 1000 * (device.interval ?? 5)));
  const { access_token } = await poll();
  assert.equal((await introspect(access_token)).client_id, "command-line");
});

await step("dynamic registration", async () => {
  const wanted = { client_name: "Registered", redirect_uris: [callback], token_endpoint_auth_method: "client_secret_basic", scope: "openid profile" };
  const made = await oauth.processDynamicClientRegistrationResponse(
    await oauth.dynamicClientRegistrationRequest(server, wanted, http),
  );
  await signIn({ client: made, auth: oauth.ClientSecretBasic(made.client_secret) }, { scope: "openid profile" });
});

await step("introspection", async () => {
  const told = await introspect(second.access_token);
  assert.equal(told.active, true);
  assert.equal(told.sub, user.id);
});

await step("revocation", async () => {
  const reply = await oauth.revocationRequest(server, browser.client, browser.auth, second.refresh_token, http);
  await oauth.processRevocationResponse(reply);
  assert.equal((await introspect(second.access_token)).active, false);
  assert.equal((await refused(refresh(browser, second.refresh_token))).error, "invalid_grant");
});

await step("logout", async () => {
  const { tokens } = await signIn(browser);
  const url = new URL(server.end_session_endpoint);
  url.search = new URLSearchParams({ id_token_hint: tokens.id_token, post_logout_redirect_uri: signedOut, state: "s" }).toString();
  assert.equal((await visit(url)).url, `${signedOut}?state=s`);
  assert.equal((await introspect(tokens.access_token)).active, false);
  assert.equal((await refused(signIn(browser, { more: { prompt: "none" } }))).error, "login_required");
});
