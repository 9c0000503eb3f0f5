"""Checks `make run` against its own OpenAPI document: no 5xx, and no undocumented status, header or shape.

Runs target/debug/local, which `make run` builds, and schemathesis, which `make setup` installs;
tests/schemathesis.toml selects the checks.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
PORT = "3919"
URL = f"http://127.0.0.1:{PORT}"
# Not the password of the examples, which would delete the account.
ACCOUNT = {"email": "schema@example.com", "password": "abc321abc"}
MANY = "1000000000"

server_environment = {
    **os.environ,
    "PORT": PORT,
    "LATCHKEY_DB": ":memory:",
    "ARGON2_MEMORY_KIB": "8",
    "ARGON2_ITERATIONS": "1",
    "USER_SIGNUP_RATE_LIMIT_EMAIL": MANY,
    "USER_SIGNUP_RATE_LIMIT_IP": MANY,
    "PROFILE_RATE_LIMIT": MANY,
    "SIGNIN_RATE_LIMIT_ACCOUNT": MANY,
    "SIGNIN_RATE_LIMIT_IP": MANY,
    "SIGNIN_RATE_LIMIT_TOTAL": MANY,
    # So short that no source reaches its twenty failures for one identifier.
    "SIGNIN_RATE_LIMIT_TOTAL_WINDOW_MS": "1",
}


def sign_up(server):
    """Signs up as soon as the server listens."""
    request = urllib.request.Request(
        URL + "/user",
        data=json.dumps(ACCOUNT).encode(),
        headers={"content-type": "application/json"},
    )
    for _ in range(100):
        if server.poll() is not None:
            sys.exit("make run ended before it answered")
        try:
            return urllib.request.urlopen(request).close()
        except urllib.error.URLError:
            time.sleep(0.1)
    sys.exit("make run did not answer within ten seconds")


with tempfile.TemporaryDirectory() as folder:
    server = subprocess.Popen([ROOT / "target/debug/local"], cwd=folder, env=server_environment)
    try:
        sign_up(server)
        ran = subprocess.run(
            [
                ROOT / ".venv/bin/schemathesis",
                "--config-file", ROOT / "tests/schemathesis.toml",
                "run", URL + "/openapi.json",
                "--no-color",
            ],
            cwd=folder,
            env={
                **os.environ,
                "SCHEMA_EMAIL": ACCOUNT["email"],
                "SCHEMA_PASSWORD": ACCOUNT["password"],
            },
            timeout=600,
        )
    finally:
        server.kill()
        server.wait()
sys.exit(ran.returncode)
