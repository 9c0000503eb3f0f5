"""Verifies tokens of `make run` with libraries of other languages: `make test-verifiers`.

Each program of this folder prints, for each token, `accepted <sub>` or `refused`.
"""

import base64
import contextlib
import hmac
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

import jwt
from cryptography.hazmat.primitives import serialization

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
OUT = ROOT / "target/verifiers"
LOCAL = ROOT / "target/debug/local"
PORT = "3920"
ISSUER = f"http://localhost:{PORT}"
AUDIENCE = "latchkey"
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
    for library, program in (("jose", "verify_jose.mjs"), ("aws-jwt-verify", "verify_aws.mjs")):
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


@contextlib.contextmanager
def server(algorithm, folder):
    """Runs the binary of `make run` in the folder."""
    settings = {"PORT": PORT, "LATCHKEY_DB": ":memory:", "JWT_ALGORITHM": algorithm}
    process = subprocess.Popen(
        [LOCAL], cwd=folder, env={**os.environ, **settings}, text=True, stdout=subprocess.PIPE
    )
    try:
        if not any("Try it" in line for line in process.stdout):
            sys.exit(f"{algorithm}: the server ended before it listened")
        yield
    finally:
        process.kill()
        process.communicate()


def fetch(path, **body):
    request = urllib.request.Request(
        ISSUER + path, data=json.dumps(body).encode() if body else None,
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)


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


def test(algorithm, commands, folder):
    issued = fetch("/user", username="abc", email="abc@example.com", password="abc321")["token"]
    ring = json.loads(pathlib.Path(folder, ".local/jwt-keys.json").read_text())
    (key,) = [key for key in ring["keys"] if key["state"] == "active"]
    (jwk,) = fetch("/.well-known/jwks.json")["keys"]
    if jwk["alg"] != algorithm or jwk["kid"] != key["kid"]:
        sys.exit(f"{algorithm}: another key is published than the one that signs: {jwk}")
    private_key = serialization.load_der_private_key(decode(key["key"]), None)
    accepted, refused = make_tokens(issued, private_key, jwk)
    tokens = {**accepted, **refused}
    sub = json.loads(decode(issued.split(".")[1]))["sub"]
    for library, command in commands.items():
        lines = run(*command, ISSUER, AUDIENCE, given="\n".join(tokens.values()) + "\n").splitlines()
        if len(lines) != len(tokens):
            sys.exit(f"{algorithm}: {library} printed {len(lines)} lines for {len(tokens)} tokens")
        for name, line in zip(tokens, lines):
            expected = f"accepted {sub}" if name in accepted else "refused"
            if line != expected:
                sys.exit(f"{algorithm}: {library}: the token '{name}': {line!r} instead of {expected!r}")
        print(f"{algorithm}: {library} accepts {len(accepted)} and refuses {len(refused)}")


commands = verifiers()
for algorithm in ("RS256", "ES256", "EdDSA"):
    with tempfile.TemporaryDirectory() as folder, server(algorithm, folder):
        test(algorithm, commands, folder)
