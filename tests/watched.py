"""Starts `make watch`, drives every route through it, and stops it. Needs what `make setup` installs."""

import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
URL = "http://localhost:9000"

environment = {**os.environ, "LATCHKEY_DB": ":memory:"}
server = subprocess.Popen(
    ["make", "--silent", "watch"], cwd=ROOT, env=environment, start_new_session=True,
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
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
    ran = subprocess.run([sys.executable, ROOT / "tests/end_to_end.py", URL], check=False)
finally:
    os.killpg(server.pid, signal.SIGTERM)
    server.wait()
sys.exit(ran.returncode)
