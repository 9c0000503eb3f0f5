"""What `make run` promises besides its answers: that it starts, stops and remembers as it should.

Runs target/debug/local, which `make run` builds. Needs Python alone.
"""

import json
import os
import pathlib
import signal
import stat
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

LOCAL = pathlib.Path(__file__).resolve().parent.parent / "target/debug/local"
PORT = "3917"


class Run:
    """`make run` in a folder of its own."""

    def __init__(self, folder, **settings):
        environment = {**os.environ, "PORT": PORT, **settings}
        self.process = subprocess.Popen(
            [LOCAL], cwd=folder, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )

    def __enter__(self):
        self.announced = ""
        while "Try it" not in self.announced:
            line = self.process.stdout.readline()
            assert line, self.process.stderr.read()
            self.announced += line
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def post(self, path, **body):
        request = urllib.request.Request(
            f"http://127.0.0.1:{PORT}{path}",
            data=json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def end(self, sent):
        self.process.send_signal(sent)
        return self.process.wait(timeout=10)


ABC = {"email": "abc@example.com", "password": "abc321"}


def announces_its_address_routes_and_a_curl_line(folder):
    with Run(folder) as run:
        for expected in (f"http://127.0.0.1:{PORT}", "POST /user", "GET  /user", "POST /user/auth"):
            assert expected in run.announced, run.announced


def ends_cleanly_when_told(folder):
    for sent in (signal.SIGINT, signal.SIGTERM):
        with Run(folder) as run:
            assert run.post("/user/auth", **ABC) == 403
            assert run.end(sent) == 0, sent


def remembers_accounts_after_a_stop_and_after_a_kill(folder):
    for sent in (signal.SIGTERM, signal.SIGKILL):
        email = {**ABC, "email": f"{sent}@example.com"}
        with Run(folder) as run:
            assert run.post("/user", **email) == 200
            run.end(sent)
        with Run(folder) as run:
            assert run.post("/user/auth", **email) == 200
            assert run.post("/user", **email) == 400


def keeps_its_key_to_its_owner(folder):
    with Run(folder):
        key = pathlib.Path(folder, ".local/jwt-keys.json")
        assert stat.S_IMODE(key.stat().st_mode) == 0o600, key.stat()
        assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700, key.parent.stat()


def complains_in_one_line(folder, named, **settings):
    process = Run(folder, **settings).process
    output, complaint = process.communicate(timeout=10)
    assert process.returncode == 1, process.returncode
    assert complaint.count("\n") == 1 and named in complaint, complaint
    assert not output, output


def says_what_keeps_it_from_starting(folder):
    not_a_database = pathlib.Path(folder, "not-a-database")
    not_a_database.write_text("no database\n" * 1000)
    complains_in_one_line(folder, "not-a-database", LATCHKEY_DB=str(not_a_database))
    complains_in_one_line(folder, "/nonexistent/db", LATCHKEY_DB="/nonexistent/db")
    complains_in_one_line(folder, "PORT", PORT="high")
    complains_in_one_line(folder, "HOST", HOST="nowhere")
    complains_in_one_line(
        folder, "USER_SIGNUP_RATE_LIMIT_IP", USER_SIGNUP_RATE_LIMIT_IP="many"
    )
    with Run(folder):
        complains_in_one_line(folder, PORT)


PROMISES = (
    announces_its_address_routes_and_a_curl_line,
    ends_cleanly_when_told,
    remembers_accounts_after_a_stop_and_after_a_kill,
    keeps_its_key_to_its_owner,
    says_what_keeps_it_from_starting,
)

failed = 0
for promise in PROMISES:
    with tempfile.TemporaryDirectory() as folder:
        try:
            promise(folder)
            print(f"make run {promise.__name__.replace('_', ' ')}: ok")
        except AssertionError as error:
            failed += 1
            print(f"make run {promise.__name__.replace('_', ' ')}: FAILED: {error}")
print(f"{len(PROMISES) - failed} passed, {failed} failed")
sys.exit(1 if failed else 0)
