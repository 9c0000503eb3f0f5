"""Tests how `make run` starts, stops, stores data and reloads keys.

Runs target/debug/local, which `make run` builds. Needs only Python.
"""

import base64
import concurrent.futures
import hmac
import http.server
import json
import os
import pathlib
import queue
import signal
import stat
import subprocess
import sys
import tempfile
import threading

from client import call

LOCAL = pathlib.Path(__file__).resolve().parent.parent / "target/debug/local"
PORT = "3917"


class Run:
    """`make run` in this folder."""

    def __init__(self, folder, **settings):
        self.port = settings.get("PORT", PORT)
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
        return self.send("POST", path, body)[0]

    def send(self, method, path, body=None, token=None):
        return call(f"http://127.0.0.1:{self.port}", method, path, body, token)[:2]

    def end(self, sent):
        self.process.send_signal(sent)
        return self.process.wait(timeout=10)


ABC = {"email": "abc@example.com", "password": "abc321"}


def prints_its_address_routes_reference_and_a_curl_example(folder):
    with Run(folder) as run:
        for expected in (f"http://127.0.0.1:{PORT}", "POST /user", "GET  /user", "POST /user/auth",
                         f"http://127.0.0.1:{PORT}/docs"):
            assert expected in run.announced, run.announced


def exits_cleanly_on_sigint_and_sigterm(folder):
    for sent in (signal.SIGINT, signal.SIGTERM):
        with Run(folder) as run:
            assert run.post("/user/auth", **ABC) == 403
            assert run.end(sent) == 0, sent


def keeps_accounts_after_a_stop_and_after_a_kill(folder):
    for sent in (signal.SIGTERM, signal.SIGKILL):
        email = {**ABC, "email": f"{sent}@example.com"}
        with Run(folder) as run:
            assert run.post("/user", **email) == 200
            run.end(sent)
        with Run(folder) as run:
            assert run.post("/user/auth", **email) == 200
            assert run.post("/user", **email) == 400


ROUTES = (
    ("GET", "/user", None),
    ("POST", "/user", {}),
    ("GET", "/v1/auth/user", None),
    ("POST", "/v1/auth/user", {}),
    ("POST", "/v1/auth/logout", {}),
    ("POST", "/v1/api-keys", {}),
    ("GET", "/v1/api-keys", None),
    ("DELETE", "/v1/api-keys/1", None),
)


def revokes_a_token_on_every_process_after_a_logout(folder):
    with Run(folder) as one, Run(folder, PORT="3918") as another:
        token = one.send("POST", "/user", ABC)[1]["token"]
        assert another.send("GET", "/user", token=token)[0] == 200
        assert one.send("POST", "/v1/auth/logout", {}, token)[0] == 200
        for method, path, body in ROUTES:
            status, answer = another.send(method, path, body, token)
            assert (status, answer["message"]) == (401, "Bad token"), (method, path, answer)


def gives_one_successor_to_refreshes_by_two_processes_at_once(folder):
    with Run(folder) as one, Run(folder, PORT="3918") as another:
        assert one.post("/user", **ABC) == 200
        sign_in = {"username": ABC["email"], "refresh": True, **ABC}
        token = one.send("POST", "/user/auth", sign_in)[1]["refreshToken"]
        for _ in range(20):
            at_once = threading.Barrier(2)

            def refresh(run):
                at_once.wait()
                return run.send("POST", "/v1/auth/refresh", {"refreshToken": token})

            with concurrent.futures.ThreadPoolExecutor() as threads:
                answers = list(threads.map(refresh, (one, another)))
            assert [status for status, _ in answers] == [200, 200], answers
            [token] = {answer["refreshToken"] for _, answer in answers}
        newest = answers[0][1]["token"]
        sessions = another.send("GET", "/user/sessions", token=newest)[1]
        assert len(sessions) == 2, sessions  # of the sign-up and of the sign-in


def obeys_operators_while_a_server_runs(folder):
    with Run(folder) as run:
        token = run.send("POST", "/user", ABC)[1]["token"]
        found = operate(folder, "find-account", "EMAIL=" + ABC["email"])
        account = "ID=" + json.loads(found.stdout)["id"]
        granted = operate(folder, "grant-scopes", account, "SCOPES=user,admin")
        assert granted.returncode == 0, granted.stderr
        assert json.loads(granted.stdout)["scope"] == ["user", "admin"], granted.stdout
        assert run.send("GET", "/user", token=token)[1]["scope"] == ["user", "admin"]
        nobody = operate(folder, "find-account", "EMAIL=nobody@example.com")
        assert (nobody.returncode, nobody.stderr.count("\n")) == (1, 1), nobody.stderr
        ended = operate(folder, "end-sessions", account, "KEYS=true")
        assert ended.returncode == 0, ended.stderr
        assert run.send("GET", "/user", token=token)[0] == 401


def allows_cross_origin_requests_only_from_localhost(folder):
    with Run(folder) as run:
        for origin, allowed in (("http://localhost:5173", True), ("https://example.com", False)):
            preflight = {"origin": origin, "access-control-request-method": "POST"}
            status, _, headers = call(f"http://127.0.0.1:{run.port}", "OPTIONS", "/user", **preflight)
            assert status == 204, status
            found = headers["access-control-allow-origin"]
            assert found == (origin if allowed else None), found


def reloads_a_changed_key_ring_in_running_processes(folder):
    """Activates a new key and retires the old one: tokens of both stay valid."""
    ring_file = pathlib.Path(folder, ".local/jwt-keys.json")
    second = str(int(PORT) + 1)
    with Run(folder) as one, Run(folder, PORT=second) as other:
        old = one.send("POST", "/user", ABC)[1]["token"]
        ring = json.loads(ring_file.read_text())
        ring["keys"][0]["state"] = "retired"
        ring["keys"].append({"kid": "next", "state": "active", "key": "A" * 43})
        ring_file.write_text(json.dumps(ring))
        with Run(folder, PORT=str(int(PORT) + 2)) as newest:
            token = newest.send("POST", "/user/auth", {"username": ABC["email"], **ABC})[1]["token"]
            assert '"kid":"next"' in decoded(token), decoded(token)
            for run in (one, other, newest):
                for token_of_both in (old, token):
                    assert run.send("GET", "/user", token=token_of_both)[0] == 200


def decoded(token):
    header = token.split(".")[0]
    return base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)).decode()


def sends_signed_webhooks_and_tries_them_again(folder):
    taken = queue.Queue()

    class Receiver(http.server.BaseHTTPRequestHandler):
        """Takes nothing at the first try."""

        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            taken.put((self.headers, body))
            self.send_response(500 if taken.qsize() == 1 else 204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/hook"
    with Run(folder, WEBHOOK_USER_CREATED=url, WEBHOOK_RETRY_INTERVAL="1000") as run:
        user = run.send("POST", "/user", ABC)[1]["user"]["id"]
        (_, first), (headers, body) = taken.get(timeout=60), taken.get(timeout=60)
    server.shutdown()
    assert first == body, (first, body)
    assert json.loads(body)["userId"] == user, body
    key = pathlib.Path(folder, ".local/webhook-key").read_text().strip().removeprefix("whsec_")
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = hmac.digest(base64.b64decode(key), signed, "sha256")
    assert headers["webhook-signature"] == "v1," + base64.b64encode(expected).decode()


def operate(folder, function, *fields):
    command = [LOCAL, "operate", function, *fields]
    return subprocess.run(command, cwd=folder, text=True, capture_output=True, timeout=20)


def restricts_its_key_file_to_its_owner(folder):
    with Run(folder):
        key = pathlib.Path(folder, ".local/jwt-keys.json")
        assert stat.S_IMODE(key.stat().st_mode) == 0o600, key.stat()
        assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700, key.parent.stat()


def assert_fails_with_one_line(folder, named, **settings):
    process = Run(folder, **settings).process
    output, complaint = process.communicate(timeout=10)
    assert process.returncode == 1, process.returncode
    assert complaint.count("\n") == 1 and named in complaint, complaint
    assert not output, output


def reports_in_one_line_why_it_cannot_start(folder):
    not_a_database = pathlib.Path(folder, "not-a-database")
    not_a_database.write_text("no database\n" * 1000)
    assert_fails_with_one_line(folder, "not-a-database", LATCHKEY_DB=str(not_a_database))
    assert_fails_with_one_line(folder, "/nonexistent/db", LATCHKEY_DB="/nonexistent/db")
    assert_fails_with_one_line(folder, "PORT", PORT="high")
    assert_fails_with_one_line(folder, "HOST", HOST="nowhere")
    assert_fails_with_one_line(
        folder, "USER_SIGNUP_RATE_LIMIT_IP", USER_SIGNUP_RATE_LIMIT_IP="many"
    )
    with Run(folder):
        assert_fails_with_one_line(folder, PORT)


TESTS = (
    prints_its_address_routes_reference_and_a_curl_example,
    exits_cleanly_on_sigint_and_sigterm,
    keeps_accounts_after_a_stop_and_after_a_kill,
    revokes_a_token_on_every_process_after_a_logout,
    gives_one_successor_to_refreshes_by_two_processes_at_once,
    obeys_operators_while_a_server_runs,
    allows_cross_origin_requests_only_from_localhost,
    reloads_a_changed_key_ring_in_running_processes,
    restricts_its_key_file_to_its_owner,
    sends_signed_webhooks_and_tries_them_again,
    reports_in_one_line_why_it_cannot_start,
)

failed = 0
for test in TESTS:
    with tempfile.TemporaryDirectory() as folder:
        try:
            test(folder)
            print(f"make run {test.__name__.replace('_', ' ')}: ok")
        except AssertionError as error:
            failed += 1
            print(f"make run {test.__name__.replace('_', ' ')}: FAILED: {error}")
print(f"{len(TESTS) - failed} passed, {failed} failed")
sys.exit(1 if failed else 0)
