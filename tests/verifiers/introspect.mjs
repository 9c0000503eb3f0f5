// Introspects tokens with oauth4webapi (RFC 7662): introspect.mjs [--revoke] ISSUER CREDENTIALS, a token per line of the
// input. CREDENTIALS is a token of an account with the scope `introspect`. With --revoke the tokens are revoked (RFC 7009).

import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import * as oauth from "oauth4webapi";

const { values, positionals } = parseArgs({ options: { revoke: { type: "boolean" } }, allowPositionals: true });
const [issuer, credentials] = positionals;
// For a local issuer; leave it out for one with https.
const options = { [oauth.allowInsecureRequests]: true };
const server = await oauth.processDiscoveryResponse(
  new URL(issuer),
  await oauth.discoveryRequest(new URL(issuer), { algorithm: "oauth2", ...options }),
);
// Latchkey has no OAuth clients: the account is the caller.
const client = { client_id: "orders" };
const bearer = (_server, _client, _body, headers) => headers.set("authorization", `Bearer ${credentials}`);

/** Returns whether the token is active, and its claims. */
async function introspect(token) {
  const response = await oauth.introspectionRequest(server, client, bearer, token, options);
  return oauth.processIntrospectionResponse(server, client, response);
}

async function revoke(token) {
  const response = await oauth.revocationRequest(server, client, oauth.None(), token, options);
  await oauth.processRevocationResponse(response);
}

for await (const token of createInterface({ input: process.stdin })) {
  if (values.revoke) {
    await revoke(token);
    console.log("revoked");
  } else {
    const { active, sub } = await introspect(token);
    console.log(active ? `accepted ${sub}` : "refused");
  }
}
