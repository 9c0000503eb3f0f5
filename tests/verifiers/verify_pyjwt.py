"""Verifies access tokens of Latchkey with PyJWT: verify_pyjwt.py ISSUER AUDIENCE, a token per line."""

import sys

import jwt

issuer, audience = sys.argv[1:]
# Fetches the key set at the first token and caches it for five minutes.
keys = jwt.PyJWKClient(f"{issuer}/.well-known/jwks.json")


def verify(token):
    """Returns the claims, or raises a jwt.PyJWTError."""
    verified = jwt.decode_complete(
        token,
        keys.get_signing_key_from_jwt(token),
        algorithms=["RS256", "ES256", "EdDSA"],
        issuer=issuer,
        audience=audience,
        options={"require": ["exp"]},
    )
    # PyJWT has no option for `typ`.
    if verified["header"].get("typ") != "at+jwt":
        raise jwt.InvalidTokenError("not an access token")
    return verified["payload"]


for line in sys.stdin:
    try:
        print("accepted", verify(line.strip())["sub"])
    except jwt.PyJWTError as error:
        print("refused")
        print(error, file=sys.stderr)
