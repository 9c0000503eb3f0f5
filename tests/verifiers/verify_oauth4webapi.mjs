// Verifies access tokens of Latchkey with oauth4webapi, by the metadata alone (RFC 8414, RFC 9068):
// verify_oauth4webapi.mjs ISSUER AUDIENCE, a token per line.

import { createInterface } from "node:readline";
import * as oauth from "oauth4webapi";

const [issuer, audience] = process.argv.slice(2);
// For a local issuer; leave it out for one with https.
const options = { [oauth.allowInsecureRequests]: true };
const server = await oauth.processDiscoveryResponse(
  new URL(issuer),
  await oauth.discoveryRequest(new URL(issuer), { algorithm: "oauth2", ...options }),
);

/** Returns the claims, or throws. */
function verify(token) {
  const request = new Request("http://localhost/orders", { headers: { authorization: `Bearer ${token}` } });
  return oauth.validateJwtAccessToken(server, request, audience, options);
}

for await (const token of createInterface({ input: process.stdin })) {
  try {
    console.log("accepted", (await verify(token)).sub);
  } catch (error) {
    console.log("refused");
    console.error(error.message);
  }
}
