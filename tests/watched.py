"""Starts `make watch`, calls every route, stops it, and searches the functions' logs for secrets.

Needs what `make setup` installs.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import server

ROOT = pathlib.Path(__file__).resolve().parent.parent
URL = "http://localhost:9000"

folder = tempfile.TemporaryDirectory()
log = pathlib.Path(folder.name, "log")
secrets = pathlib.Path(folder.name, "secrets")
# The first request to a function builds it.
with server.make(
    "watch", URL, stdout=log.open("w"), stderr=subprocess.STDOUT, LATCHKEY_DB=":memory:"
):
    drive = [sys.executable, ROOT / "tests/end_to_end.py", URL, secrets]
    ran = subprocess.run(drive, check=False)
if ran.returncode == 0:
    # `make watch` prints each mail that it catches, as `make run` does.
    lines = [line for line in log.read_text().splitlines() if not line.startswith("mail to ")]
    answered = sum('"message":"answered"' in line for line in lines)
    assert answered > 15, f"{answered} requests are in the log"
    ring = json.loads((ROOT / ".local/jwt-keys.json").read_text())
    keys = [key["key"] for key in ring["keys"]]
    for secret in secrets.read_text().splitlines() + keys:
        leaks = [line for line in lines if secret in line]
        assert not leaks, f"a secret is in the log: {leaks[0]}"
    print(f"no secret in {len(lines)} lines of log, {answered} of them requests")
sys.exit(ran.returncode)
