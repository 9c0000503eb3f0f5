"""Runs the local server while a test script calls it."""

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
LOCAL = ROOT / "target/debug/local"


@contextlib.contextmanager
def make(target, url, stdout=None, stderr=None, **environment):
    """Starts `make target`, with these variables added, and waits until `url` answers GET /user with an
    error, as it does without credentials. Terminates the server and its children at the end."""
    server = subprocess.Popen(
        ["make", "--silent", target], cwd=ROOT, start_new_session=True, stdout=stdout, stderr=stderr,
        env={**os.environ, **environment},
    )
    try:
        wait_for(server, f"make {target}", url)
        yield
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


@contextlib.contextmanager
def binary(folder, port, **environment):
    """Runs the binary of `make run` in this folder, where it keeps its keys."""
    server = subprocess.Popen([LOCAL], cwd=folder, stdout=subprocess.DEVNULL, env={**os.environ, "PORT": port, **environment})
    try:
        wait_for(server, "local", f"http://localhost:{port}")
        yield
    finally:
        server.terminate()
        server.wait()


def operate(folder, function, *fields):
    """Invokes a function for operators on the database in this folder."""
    subprocess.run([LOCAL, "operate", function, *fields], cwd=folder, check=True, capture_output=True)


def wait_for(server, name, url):
    # The server may have to be compiled first.
    for _ in range(6000):
        if server.poll() is not None:
            sys.exit(f"{name} ended before it answered")
        try:
            urllib.request.urlopen(url + "/user")
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"{name} did not answer within ten minutes")
