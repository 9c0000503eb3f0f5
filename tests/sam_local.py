"""Invokes the built functions in Lambda's container: every event through `sam local start-lambda`, one of them
through `sam local invoke`, and tests/end_to_end.py through `sam local start-api`.

Run by `make test-sam`, with the functions' settings and the addresses of the services in the
environment. Needs what `make setup` installs.
"""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from emulator import ALL_FUNCTIONS, ROOT, SAM, TEMPLATE
from sample_events import event, try_all

PORT = "3918"
URL = f"http://127.0.0.1:{PORT}"
INVOKE = URL + "/2015-03-31/functions/{}/invocations"
FOLDER = tempfile.TemporaryDirectory()
# For SAM itself: no AWS account and no network.
ENVIRONMENT = {
    **os.environ,
    "AWS_DEFAULT_REGION": os.environ["AWS_REGION"],
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "SAM_CLI_TELEMETRY": "0",
}


def template():
    """The checked-in template with this run's settings, because SAM passes only declared variables."""
    variables = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    for name, value in os.environ.items():
        if name in variables or name.startswith("AWS_ENDPOINT_URL_"):
            variables[name] = value
    for logical_id in ALL_FUNCTIONS.values():
        properties = TEMPLATE["Resources"][logical_id]["Properties"]
        properties["CodeUri"] = str(ROOT / properties["CodeUri"])
    return TEMPLATE


@contextlib.contextmanager
def sam(command, *arguments, **streams):
    """Runs SAM. It removes its containers when interrupted, but not when killed."""
    process = subprocess.Popen(
        [SAM, "local", command, *arguments, "--skip-pull-image", "--template", "template.json"],
        cwd=FOLDER.name, env=ENVIRONMENT, text=True, start_new_session=True, **streams,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()


@contextlib.contextmanager
def server(command):
    """Runs a server of SAM, which keeps the container of each function until it ends."""
    quiet = dict.fromkeys(("stdout", "stderr"), subprocess.DEVNULL)
    with sam(command, "--port", PORT, "--warm-containers", "LAZY", **quiet) as process:
        for _ in range(600):
            if process.poll() is not None:
                sys.exit(f"sam local {command} ended before it answered")
            try:
                socket.create_connection(("127.0.0.1", int(PORT))).close()
                break
            except OSError:
                time.sleep(0.1)
        else:
            sys.exit(f"sam local {command} does not answer")
        yield


def answer_of(text):
    """The status, or None if it is not an HTTP response, and the body."""
    answer = json.loads(text)
    if isinstance(answer, dict) and "statusCode" in answer:
        return answer["statusCode"], json.loads(answer["body"])
    return None, answer


def invoke(function, event):
    request = urllib.request.Request(INVOKE.format(function), json.dumps(event).encode())
    try:
        with urllib.request.urlopen(request, timeout=300) as response:
            text = response.read().decode()
    except urllib.error.HTTPError as error:
        text = error.read().decode()
    try:
        return answer_of(text)
    except ValueError:
        return None, {"no answer": text}


def invoke_alone(function, event):
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with sam("invoke", function, "--event", "-", **pipes) as process:
        output, log = process.communicate(json.dumps(event), timeout=300)
    try:
        return answer_of(output.strip().splitlines()[-1])
    except (IndexError, ValueError):
        return None, {"no answer": output + log}


signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
with FOLDER:
    pathlib.Path(FOLDER.name, "template.json").write_text(json.dumps(template()))
    with server("start-lambda"):
        passed, failed = try_all(lambda function, event: invoke(ALL_FUNCTIONS[function], event))
    status, answer = invoke_alone(ALL_FUNCTIONS["default-route"], event("default-route"))
    print(f"sam local invoke: {status} {answer}", flush=True)
    alone = status == 200
    with server("start-api"):
        drive = [sys.executable, ROOT / "tests/end_to_end.py", URL]
        driven = subprocess.run(drive, check=False).returncode == 0
passed, failed = passed + alone + driven, failed + (not alone) + (not driven)
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
