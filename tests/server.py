"""Runs a make target that serves the API while a test script calls it."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent


@contextlib.contextmanager
def make(target, url, stdout=None, stderr=None, **environment):
    """Starts `make target`, with these variables added, and waits until `url` answers GET /user with an
    error, as it does without credentials. Terminates the server and its children at the end."""
    server = subprocess.Popen(
        ["make", "--silent", target], cwd=ROOT, start_new_session=True, stdout=stdout, stderr=stderr,
        env={**os.environ, **environment},
    )
    try:
        wait_for(server, target, url)
        yield
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def wait_for(server, target, url):
    # The server may have to be compiled first.
    for _ in range(6000):
        if server.poll() is not None:
            sys.exit(f"make {target} ended before it answered")
        try:
            urllib.request.urlopen(url + "/user")
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"make {target} did not answer within ten minutes")
