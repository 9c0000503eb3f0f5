// Verifies access tokens of Latchkey with jose: verify_jose.mjs ISSUER AUDIENCE, a token per line.

import { createInterface } from "node:readline";
import { createRemoteJWKSet, jwtVerify } from "jose";

const [issuer, audience] = process.argv.slice(2);
// Fetches the key set at the first token and caches it.
const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`));

/** Returns the claims, or throws. */
async function verify(token) {
  const { payload } = await jwtVerify(token, keys, {
    issuer,
    audience,
    typ: "at+jwt",
    algorithms: ["RS256", "ES256", "EdDSA"],
    requiredClaims: ["exp"],
  });
  return payload;
}

for await (const token of createInterface({ input: process.stdin })) {
  try {
    console.log("accepted", (await verify(token)).sub);
  } catch (error) {
    console.log("refused");
    console.error(error.message);
  }
}
