"""Starts `make watch`, calls every route, stops it, and searches the functions' logs for secrets.

Needs what `make setup` installs.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
URL = "http://localhost:9000"

environment = {**os.environ, "LATCHKEY_DB": ":memory:"}
folder = tempfile.TemporaryDirectory()
log = pathlib.Path(folder.name, "log")
secrets = pathlib.Path(folder.name, "secrets")
server = subprocess.Popen(
    ["make", "--silent", "watch"], cwd=ROOT, env=environment, start_new_session=True,
    stdout=log.open("w"), stderr=subprocess.STDOUT,
)
try:
    for _ in range(6000):
        if server.poll() is not None:
            sys.exit("make watch ended before it answered")
        try:
            # The first request to a function builds it.
            urllib.request.urlopen(URL + "/user")
        except urllib.error.HTTPError:
            break
        except OSError:
            time.sleep(0.1)
    drive = [sys.executable, ROOT / "tests/end_to_end.py", URL, secrets]
    ran = subprocess.run(drive, check=False)
finally:
    os.killpg(server.pid, signal.SIGTERM)
    server.wait()
if ran.returncode == 0:
    lines = log.read_text().splitlines()
    answered = sum('"message":"answered"' in line for line in lines)
    assert answered > 15, f"{answered} requests are in the log"
    ring = json.loads((ROOT / ".local/jwt-keys.json").read_text())
    keys = [key["key"] for key in ring["keys"]]
    for secret in secrets.read_text().splitlines() + keys:
        leaks = [line for line in lines if secret in line]
        assert not leaks, f"a secret is in the log: {leaks[0]}"
    print(f"no secret in {len(lines)} lines of log, {answered} of them requests")
sys.exit(ran.returncode)
