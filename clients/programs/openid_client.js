// openid-client 6: the flows of a server, of a service and of a command line.
import assert from "node:assert/strict";
import * as openid from "openid-client";
import { callback, clients, issuer, key, refused, signedOut, step, user, visit } from "./harness.js";

const IDENTITY = "openid profile email phone address offline_access";

/** Discovery for one of the clients. */
function discover(name, auth, metadata = {}) {
  return openid.discovery(new URL(issuer), name, metadata, auth, { execute: [openid.allowInsecureRequests] });
}

/** Code with PKCE, to the tokens. */
async function signIn(config, { more = {}, push = false, scope = IDENTITY } = {}) {
  const pkceCodeVerifier = openid.randomPKCECodeVerifier();
  const expectedNonce = openid.randomNonce();
  const expectedState = openid.randomState();
  const asked = {
    redirect_uri: callback, scope, state: expectedState, nonce: expectedNonce, ...more,
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: "S256",
  };
  const url = push ? await openid.buildAuthorizationUrlWithPAR(config, asked) : openid.buildAuthorizationUrl(config, asked);
  const { url: end } = await visit(url);
  const maxAge = more.max_age === undefined ? undefined : Number(more.max_age);
  return openid.authorizationCodeGrant(config, new URL(end), { pkceCodeVerifier, expectedNonce, expectedState, maxAge });
}

const web = await step("discovery", () => discover("server", openid.ClientSecretBasic(clients.server.secret)));
openid.enableNonRepudiationChecks(web); // it verifies the signature of ID tokens, too

const tokens = await step("code with PKCE", () => signIn(web));
assert.equal(tokens.claims()?.sub, user.id);

await step("userinfo", async () => {
  const told = await openid.fetchUserInfo(web, tokens.access_token, user.id);
  assert.equal(told.email, user.email);
  assert.equal(told.address?.country, "DE");
});

const refreshed = await step("refresh", () => openid.refreshTokenGrant(web, tokens.refresh_token));
await step("refresh with fewer scopes", async () => {
  const narrowed = await openid.refreshTokenGrant(web, refreshed.refresh_token, { scope: "openid" });
  assert.equal(narrowed.scope, "openid");
  refreshed.refresh_token = narrowed.refresh_token;
});

await step("max_age", async () => {
  const { auth_time } = (await signIn(web, { more: { max_age: "3600" } })).claims();
  assert.equal(typeof auth_time, "number");
});
await step("claims", async () => {
  const wanted = { id_token: { email: { essential: true } } };
  const claims = (await signIn(web, { more: { claims: JSON.stringify(wanted) }, scope: "openid" })).claims();
  assert.equal(claims.email, user.email);
});

await step("code, client_secret_post", async () =>
  signIn(await discover("server", openid.ClientSecretPost(clients.server.secret))));
await step("PAR", async () =>
  signIn(await discover("pushing", openid.ClientSecretBasic(clients.pushing.secret)), { push: true }));

const privateKey = await crypto.subtle.importKey("jwk", key, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
const signing = await discover("signing", openid.PrivateKeyJwt({ key: privateKey, kid: key.kid }));
await step("code, private_key_jwt", () => signIn(signing));
await step("PAR, private_key_jwt", () => signIn(signing, { push: true }));
await step("client credentials, private_key_jwt", () => openid.clientCredentialsGrant(signing, { scope: "users:read" }));

await step("client credentials", async () => {
  const service = await discover("service", openid.ClientSecretBasic(clients.service.secret));
  const { access_token } = await openid.clientCredentialsGrant(service, { scope: "users:read" });
  const reply = await openid.fetchProtectedResource(service, access_token, new URL(`${issuer}/users?limit=1`), "GET");
  assert.equal(reply.status, 200);
});

await step("device code", async () => {
  const config = await discover("command-line", openid.None());
  const device = await openid.initiateDeviceAuthorization(config, { scope: "me" });
  const polling = openid.pollDeviceAuthorizationGrant(config, device);
  await visit(device.verification_uri_complete);
  const got = await polling;
  assert.equal(got.scope, "me");
  assert.ok((await openid.refreshTokenGrant(config, got.refresh_token)).access_token);
});

await step("device code, refused", async () => {
  const config = await discover("command-line", openid.None());
  const device = await openid.initiateDeviceAuthorization(config, { scope: "me" });
  const polling = openid.pollDeviceAuthorizationGrant(config, device);
  await visit(device.verification_uri_complete, "refuses");
  assert.equal((await refused(polling)).error, "access_denied");
});

await step("dynamic registration", async () => {
  const config = await openid.dynamicClientRegistration(
    new URL(issuer), { client_name: "Registered", redirect_uris: [callback], scope: "openid profile" }, undefined,
    { execute: [openid.allowInsecureRequests] },
  );
  await signIn(config, { scope: "openid profile" });
});

await step("introspection", async () => {
  assert.equal((await openid.tokenIntrospection(web, refreshed.access_token)).sub, user.id);
});

await step("revocation", async () => {
  await openid.tokenRevocation(web, refreshed.refresh_token);
  assert.equal((await openid.tokenIntrospection(web, refreshed.access_token)).active, false);
  assert.equal((await refused(openid.refreshTokenGrant(web, refreshed.refresh_token))).error, "invalid_grant");
});

await step("logout", async () => {
  const last = await signIn(web);
  const url = openid.buildEndSessionUrl(web, { id_token_hint: last.id_token, post_logout_redirect_uri: signedOut, state: "s" });
  assert.equal((await visit(url)).url, `${signedOut}?state=s`);
  assert.equal((await openid.tokenIntrospection(web, last.access_token)).active, false);
});
