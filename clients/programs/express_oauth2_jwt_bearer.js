// express-oauth2-jwt-bearer: an API in Express that takes our access tokens, by their scope.
import assert from "node:assert/strict";
import { once } from "node:events";
import express from "express";
import { auth, requiredScopes } from "express-oauth2-jwt-bearer";
import { clients, issuer, step } from "./harness.js";

const app = express();
app.use(auth({ issuerBaseURL: issuer, audience: "roster", tokenSigningAlg: "ES256", strict: true }));
app.get("/people", requiredScopes("users:read"), (request, reply) => reply.json(request.auth.payload));
app.get("/exports", requiredScopes("users:export"), (_, reply) => reply.json({}));
app.use((error, _request, reply, _next) => reply.status(error.status ?? 500).set(error.headers ?? {}).json({ error: error.message }));
const listener = app.listen(0, "127.0.0.1");
await once(listener, "listening");
const api = `http://127.0.0.1:${listener.address().port}`;

const token = await step("client credentials", async () => {
  const { id, secret } = clients.service;
  const body = new URLSearchParams({ grant_type: "client_credentials", scope: "users:read", client_id: id, client_secret: secret });
  const reply = await fetch(`${issuer}/auth/token`, { method: "POST", body });
  assert.equal(reply.status, 200);
  return (await reply.json()).access_token;
});
const headers = { authorization: `Bearer ${token}` };

await step("discovery, keys and scope", async () => {
  const reply = await fetch(`${api}/people`, { headers });
  const told = await reply.json();
  assert.equal(reply.status, 200, told.error);
  assert.equal(told.client_id, "service");
});
await step("missing scope: 403", async () => assert.equal((await fetch(`${api}/exports`, { headers })).status, 403));
await step("no token, or a broken one: 401", async () => {
  assert.equal((await fetch(`${api}/people`)).status, 401);
  const broken = { authorization: `Bearer ${token.slice(0, -8)}AAAAAAAA` };
  assert.equal((await fetch(`${api}/people`, { headers: broken })).status, 401);
});
listener.close();
