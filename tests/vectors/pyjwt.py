"""Checks pyjwt.json, which holds a token by PyJWT and one by Latchkey that PyJWT verifies.

    python tests/vectors/pyjwt.py          verify both tokens
    python tests/vectors/pyjwt.py OURS     rewrite the file with OURS, a token by Latchkey
"""

import base64
import json
import pathlib
import sys

import jwt

KEY = base64.urlsafe_b64decode("bGF0Y2hrZXktdGVzdC1rZXktbm90LWEtc2VjcmV0LSE=")
FILE = pathlib.Path(__file__).with_name("pyjwt.json")
CLAIMS = {
    "id": "5c88c7cc04a917256c726c3d",
    "sub": "5c88c7cc04a917256c726c3d",
    "scope": ["user"],
    "jti": "fb0ee0342030a25df2a4e8788e2ae099",
    "sid": "018f2c3d4e5f60718293a4b5c6d7e8f9",
    "auth_time": 1552492609,
    "iss": "latchkey",
    "aud": "latchkey",
    "iat": 1552492609,
    "nbf": 1552492609,
    "exp": 1555084609,
}


def verify(token):
    options = {"verify_exp": False, "require": list(CLAIMS)}
    header = jwt.get_unverified_header(token)
    assert header == {"alg": "HS256", "typ": "JWT", "kid": "test"}, header
    claims = jwt.decode(
        token, KEY, algorithms=["HS256"], issuer="latchkey", audience="latchkey", options=options
    )
    assert claims == CLAIMS, claims


if len(sys.argv) > 1:
    theirs = jwt.encode(CLAIMS, KEY, algorithm="HS256", headers={"kid": "test"})
    vector = {"claims": CLAIMS, "token": theirs, "ours": sys.argv[1]}
    FILE.write_text(json.dumps(vector, indent=2) + "\n")
vector = json.loads(FILE.read_text())
verify(vector["token"])
verify(vector["ours"])
print(f"PyJWT {jwt.__version__} verifies Latchkey's token")
