"""Checks `make run` against its own OpenAPI document: no 5xx, and no undocumented status, header or shape.

Runs target/debug/local, which `make run` builds, and schemathesis, which `make setup` installs;
tests/schemathesis.toml selects the checks.
"""

import os
import subprocess
import sys
import tempfile

import server
from client import call
from server import ROOT

PORT = "3919"
URL = f"http://127.0.0.1:{PORT}"
# Not the password of the examples, which would delete the account.
ACCOUNT = {"email": "schema@example.com", "password": "abc321abc"}
MANY = "1000000000"
SETTINGS = {
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
COMMAND = [
    ROOT / ".venv/bin/schemathesis", "--config-file", ROOT / "tests/schemathesis.toml",
    "run", URL + "/openapi.json", "--no-color",
]

with tempfile.TemporaryDirectory() as folder, server.binary(folder, PORT, **SETTINGS):
    status, answer, _ = call(URL, "POST", "/user", ACCOUNT)
    assert status == 200, answer
    environment = {**os.environ, "SCHEMA_EMAIL": ACCOUNT["email"], "SCHEMA_PASSWORD": ACCOUNT["password"]}
    ran = subprocess.run(COMMAND, cwd=folder, env=environment, timeout=600)
sys.exit(ran.returncode)
