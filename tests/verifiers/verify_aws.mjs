// Verifies access tokens of Latchkey with aws-jwt-verify: verify_aws.mjs ISSUER AUDIENCE, a token per line.

import { createInterface } from "node:readline";
import { JwtVerifier } from "aws-jwt-verify";

const [issuer, audience] = process.argv.slice(2);
const jwksUri = `${issuer}/.well-known/jwks.json`;
// The library accepts only the `alg` of the key. It has no option for `typ` or for required claims.
const verifier = JwtVerifier.create({
  issuer,
  audience,
  jwksUri,
  customJwtCheck({ header, payload }) {
    if (header.typ !== "at+jwt") throw new Error("not an access token");
    if (payload.exp === undefined) throw new Error("no expiry");
  },
});

// The library fetches over https only. With an https issuer, leave these lines out and await
// `verifier.verify(token)`, which fetches the key set and caches it.
const response = await fetch(jwksUri);
verifier.cacheJwks(await response.json());

for await (const token of createInterface({ input: process.stdin })) {
  try {
    console.log("accepted", verifier.verifySync(token).sub);
  } catch (error) {
    console.log("refused");
    console.error(error.message);
  }
}
