"""Verifies tokens of `make run` with libraries of other languages: `make test-verifiers`.

Each program of this folder prints, for each token, `accepted <sub>` or `refused`.
"""

import base64
import hmac
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import authlib
import jwt
from authlib.oidc.discovery import OpenIDProviderMetadata
from cryptography.hazmat.primitives import serialization

import server
from client import call
from server import ROOT

OUT = ROOT / "target/verifiers"
PORT = "3920"
ISSUER = f"http://localhost:{PORT}"
AUDIENCE = "latchkey"
# There are no grants: docs/adr/0016-asymmetric-keys.md. OpenID Connect requires RS256 in the list of algorithms, so Authlib
# refuses that list if another one signs.
ABSENT = {"authorization_endpoint", "token_endpoint", "response_types_supported"}
# Where Debian installs Go packages, and the package that has go-jose.
GOPATH = pathlib.Path("/usr/share/gocode")
GO_JOSE = "golang-gopkg-square-go-jose.v2-dev"


def run(*command, given=None, **environment):
    """Returns the command's output, or exits if it fails."""
    ran = subprocess.run(
        command, input=given, env={**os.environ, **environment}, text=True, capture_output=True, check=False
    )
    if ran.returncode != 0:
        sys.exit(f"{ran.stdout}{ran.stderr}\n{' '.join(map(str, command))}: exit status {ran.returncode}")
    return ran.stdout


def verifiers():
    """Returns the command of each library that this machine has, by name and version."""
    found = {f"PyJWT {jwt.__version__}": [sys.executable, HERE / "verify_pyjwt.py"]}
    OUT.mkdir(parents=True, exist_ok=True)
    for library, program in (
        ("jose", "verify_jose.mjs"),
        ("aws-jwt-verify", "verify_aws.mjs"),
        ("oauth4webapi", "verify_oauth4webapi.mjs"),
    ):
        if not shutil.which("npm"):
            print(f"NOT RUN: {library}: npm is not installed")
            continue
        shutil.copy(HERE / program, OUT)
        package = json.loads((OUT / "node_modules" / library / "package.json").read_text())
        found[f"{library} {package['version']}"] = ["node", OUT / program]
    if not shutil.which("go"):
        print("NOT RUN: go-jose: Go is not installed")
    elif not (GOPATH / "src/gopkg.in/square/go-jose.v2").exists():
        print(f"NOT RUN: go-jose: {GO_JOSE} is not installed")
    else:
        run("go", "build", "-o", OUT / "verify", HERE / "verify.go", GO111MODULE="off", GOPATH=str(GOPATH))
        version = run("dpkg-query", "--show", "--showformat", "${Version}", GO_JOSE)
        found[f"go-jose {version}"] = [OUT / "verify"]
    return found


def sign_up(username, folder, scope="user"):
    """Returns a token of a new account with these scopes."""
    account = {"username": username, "email": f"{username}@example.com", "password": "abc321"}
    token = fetch("POST", "/user", account)["token"]
    account = json.loads(decode(token.split(".")[1]))["sub"]
    server.operate(folder, "grant-scopes", f"ID={account}", f"SCOPES={scope}")
    return token


def fetch(method, path, body=None):
    status, answer, _ = call(ISSUER, method, path, body)
    if status != 200:
        sys.exit(f"{method} {path}: {status} {answer}")
    return answer


def encode(part):
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def decode(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def make_tokens(issued, private_key, public_jwk):
    """Returns the tokens that a verifier accepts and those that it refuses, both by name."""
    head, body, signature = issued.split(".")
    header, claims, now = json.loads(decode(head)), json.loads(decode(body)), int(time.time())
    algorithm = jwt.get_algorithm_by_name(header["alg"])
    altered = bytearray(decode(signature))
    altered[len(altered) // 2] ^= 1
    pem = private_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )

    def by_key(data):
        return algorithm.sign(data, private_key)

    def by_secret(secret):
        return lambda data: hmac.digest(secret, data, "sha256")

    def token(sign=by_key, header_changes=(), **changes):
        """Returns the issued token with these changes, signed anew. A change to None leaves out a claim."""
        changed = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        parts = ({**header, **dict(header_changes)}, changed)
        signed = ".".join(encode(json.dumps(part).encode()) for part in parts)
        return f"{signed}.{encode(sign(signed.encode()))}"

    # The token with nothing changed shows that each of the others is refused for its change.
    accepted = {"as issued": issued, "signed anew": token()}
    hs256 = {"alg": "HS256"}
    refused = {
        "signature altered": f"{head}.{body}.{encode(altered)}",
        "payload altered": f"{head}.{token(scope='admin').split('.')[1]}.{signature}",
        "expired": token(iat=now - 7200, nbf=now - 7200, exp=now - 3600),
        "without expiry": token(exp=None),
        "not yet valid": token(nbf=now + 3600, exp=now + 7200),
        "other audience": token(aud="other"),
        "other issuer": token(iss="http://localhost:1"),
        "alg none": token(lambda _: b"", {"alg": "none"}),
        "HS256 with the JWK as secret": token(by_secret(json.dumps(public_jwk).encode()), hs256),
        "HS256 with the PEM as secret": token(by_secret(pem), hs256),
        "unknown kid": token(header_changes={"kid": "unknown"}),
        "wrong typ": token(header_changes={"typ": "JWT"}),
    }
    if header["alg"] == "RS256":
        other = jwt.get_algorithm_by_name("PS256")
        refused["PS256"] = token(lambda data: other.sign(data, private_key), {"alg": "PS256"})
    return accepted, refused


def check_metadata(algorithm):
    """Authlib checks each member of the metadata."""
    metadata = OpenIDProviderMetadata(fetch("GET", "/.well-known/openid-configuration"))
    failed = set()
    for name in metadata.REGISTRY_KEYS:
        try:
            getattr(metadata, f"validate_{name}")()
        except ValueError:
            failed.add(name)
    absent = ABSENT if algorithm == "RS256" else ABSENT | {"id_token_signing_alg_values_supported"}
    if failed != absent:
        sys.exit(f"{algorithm}: Authlib refuses {failed} of the metadata")
    print(f"{algorithm}: Authlib {authlib.__version__} accepts the metadata, except what it lacks by design")


def test(algorithm, commands, folder):
    check_metadata(algorithm)
    issued = sign_up("abc", folder)
    service = sign_up("orders", folder, "user,introspect")
    ring = json.loads(pathlib.Path(folder, ".local/jwt-keys.json").read_text())
    (key,) = [key for key in ring["keys"] if key["state"] == "active"]
    (jwk,) = fetch("GET", "/.well-known/jwks.json")["keys"]
    if jwk["alg"] != algorithm or jwk["kid"] != key["kid"]:
        sys.exit(f"{algorithm}: another key is published than the one that signs: {jwk}")
    private_key = serialization.load_der_private_key(decode(key["key"]), None)
    accepted, refused = make_tokens(issued, private_key, jwk)
    tokens = {**accepted, **refused}
    sub = json.loads(decode(issued.split(".")[1]))["sub"]

    def compare(what, command, expected):
        lines = run(*command, given="\n".join(tokens.values()) + "\n").splitlines()
        if len(lines) != len(tokens):
            sys.exit(f"{algorithm}: {what} printed {len(lines)} lines for {len(tokens)} tokens")
        for name, line in zip(tokens, lines):
            if line != expected(name):
                sys.exit(f"{algorithm}: {what}: the token '{name}': {line!r} instead of {expected(name)!r}")

    def accepts_or_refuses(name):
        return f"accepted {sub}" if name in accepted else "refused"

    for library, command in commands.items():
        compare(library, [*command, ISSUER, AUDIENCE], accepts_or_refuses)
        print(f"{algorithm}: {library} accepts {len(accepted)} and refuses {len(refused)}")
    if not shutil.which("npm"):
        print("NOT RUN: introspection and revocation: npm is not installed")
        return
    shutil.copy(HERE / "introspect.mjs", OUT)
    introspect = ["node", OUT / "introspect.mjs", ISSUER, service]
    compare("introspection", introspect, accepts_or_refuses)
    compare("revocation", [*introspect, "--revoke"], lambda _: "revoked")
    compare("introspection after revocation", introspect, lambda _: "refused")
    print(f"{algorithm}: oauth4webapi introspects and revokes")


commands = verifiers()
for algorithm in ("RS256", "ES256", "EdDSA"):
    with tempfile.TemporaryDirectory() as folder, server.binary(folder, PORT, JWT_ALGORITHM=algorithm):
        test(algorithm, commands, folder)
