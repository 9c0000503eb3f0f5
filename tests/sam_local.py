"""Invokes the built functions in Lambda's container: `sam local invoke` with every event, then
`sam local start-api` with tests/end_to_end.py.

Run by `make test-sam`, with the functions' settings and the addresses of the services in the
environment. Needs what `make setup` installs.
"""

import contextlib
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

import yaml

from sample_events import try_all

ROOT = pathlib.Path(__file__).resolve().parent.parent
SAM = pathlib.Path(sys.executable).with_name("sam")
PORT = "3918"
URL = f"http://127.0.0.1:{PORT}"
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
    """The checked-in template with this run's settings, because SAM passes only declared variables;
    and the logical id of each function."""
    text = yaml.safe_load((ROOT / "template.yaml").read_text())
    variables = text["Globals"]["Function"]["Environment"]["Variables"]
    for name, value in os.environ.items():
        if name in variables or name.startswith("AWS_ENDPOINT_URL_"):
            variables[name] = value
    functions = {}
    for logical_id, resource in text["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            properties = resource["Properties"]
            properties["CodeUri"] = str(ROOT / properties["CodeUri"])
            functions[pathlib.Path(properties["CodeUri"]).name] = logical_id
    return text, functions


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


def invoke(function, event):
    """The status, or None if it is not an HTTP response, and the body."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with sam("invoke", function, "--event", "-", **pipes) as process:
        output, log = process.communicate(json.dumps(event), timeout=300)
    try:
        answer = json.loads(output.strip().splitlines()[-1])
    except (IndexError, ValueError):
        return None, {"no answer": output + log}
    if isinstance(answer, dict) and "statusCode" in answer:
        return answer["statusCode"], json.loads(answer["body"])
    return None, answer


def drive_api():
    """Whether tests/end_to_end.py passes."""
    quiet = dict.fromkeys(("stdout", "stderr"), subprocess.DEVNULL)
    with sam("start-api", "--port", PORT, **quiet) as server:
        for _ in range(600):
            if server.poll() is not None:
                sys.exit("sam local start-api ended before it answered")
            try:
                urllib.request.urlopen(URL + "/user", timeout=300)
            except urllib.error.HTTPError:
                break
            except OSError:
                time.sleep(0.1)
        else:
            sys.exit("sam local start-api does not answer")
        drive = [sys.executable, ROOT / "tests/end_to_end.py", URL]
        return subprocess.run(drive, check=False).returncode == 0


signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
with FOLDER:
    text, functions = template()
    pathlib.Path(FOLDER.name, "template.json").write_text(json.dumps(text))
    passed, failed = try_all(lambda function, event: invoke(functions[function], event))
    driven = drive_api()
print(f"{passed + driven} passed, {failed + (not driven)} failed")
sys.exit(1 if failed or not driven else 0)
