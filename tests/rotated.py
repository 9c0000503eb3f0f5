"""Rotates a key ring as Secrets Manager would, and replaces it. It runs the real rotate-keys binary
behind a Lambda Runtime API, against moto's Secrets Manager, an independent implementation.

Needs what `make setup` installs, and target/debug/rotate-keys.
"""

import http.server
import json
import os
import pathlib
import queue
import subprocess
import sys
import threading
import time
import uuid

import boto3
from moto.server import ThreadedMotoServer

ROOT = pathlib.Path(__file__).resolve().parent.parent
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
os.environ.update(CREDENTIALS, AWS_EC2_METADATA_DISABLED="true")


class RuntimeApi(http.server.BaseHTTPRequestHandler):
    """Delivers events and receives responses, one at a time."""

    protocol_version = "HTTP/1.1"
    events, answers = queue.Queue(), queue.Queue()

    def do_GET(self):
        event = json.dumps(self.events.get()).encode()
        self.send_response(200)
        self.send_header("lambda-runtime-aws-request-id", str(uuid.uuid4()))
        self.send_header("lambda-runtime-deadline-ms", str(int(time.time() * 1000) + 30_000))
        self.send_header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:local:0:function:x")
        self.send_header("content-length", str(len(event)))
        self.end_headers()
        self.wfile.write(event)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(202)
        self.send_header("content-length", "0")
        self.end_headers()
        self.answers.put((self.path.endswith("/response"), json.loads(body)))

    def log_message(self, *_):
        pass


def ask(**request):
    RuntimeApi.events.put(request)
    return RuntimeApi.answers.get(timeout=30)


def step(name, version):
    return ask(Step=name, SecretId=arn, ClientRequestToken=version, RotationToken="x")


def stages():
    listed = secrets.list_secret_version_ids(SecretId=arn, IncludeDeprecated=True)["Versions"]
    return {stage: one["VersionId"] for one in listed for stage in one.get("VersionStages", [])}


def states():
    good, ring = ask(action="list")
    assert good, ring
    return [key["state"] for key in ring["keys"]]


moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
moto.start()
host, port = moto.get_host_and_port()
url = f"http://{host}:{port}"
secrets = boto3.client("secretsmanager", endpoint_url=url, region_name="us-east-1")
generated = json.dumps({"key": uuid.uuid4().hex * 2})
arn = secrets.create_secret(Name="keys", SecretString=generated)["ARN"]
api = http.server.ThreadingHTTPServer(("127.0.0.1", 0), RuntimeApi)
threading.Thread(target=api.serve_forever, daemon=True).start()
function = subprocess.Popen(
    [ROOT / "target/debug/rotate-keys"],
    stdout=subprocess.DEVNULL,
    env={
        **CREDENTIALS,
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_port}",
        "AWS_LAMBDA_FUNCTION_NAME": "rotate-keys",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_LOG_GROUP_NAME": "x",
        "AWS_LAMBDA_LOG_STREAM_NAME": "x",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": url,
        "JWT_KEYS_SECRET": arn,
        **dict.fromkeys(("TABLE_USERS", "TABLE_RATE_LIMITS"), "unused"),
    },
)
passed = 0


def expect(what, found, wanted):
    global passed
    if found != wanted:
        sys.exit(f"{what}: {found} instead of {wanted}")
    passed += 1
    print(f"{what}: {wanted}")


try:
    expect("a generated ring", states(), ["active"])
    version = str(uuid.uuid4())
    for name in ("createSecret", "setSecret", "testSecret"):
        expect(name, step(name, version), (True, {}))
    expect("before the last step", states(), ["active"])
    for name in ("finishSecret", "finishSecret", "createSecret"):
        expect(name, step(name, version), (True, {}))
    expect("after a rotation", states(), ["active", "pending"])
    expect("the current version", stages()["AWSCURRENT"], version)
    good, refusal = step("createSecret", str(uuid.uuid4()))
    expect("a rotation too soon", (good, "10 minutes" in refusal["errorMessage"]), (False, True))
    good, ring = ask(action="replace")
    expect("a replacement", good, True)
    expect("after a replacement", states(), ["revoked", "revoked", "active", "pending"])
    expect("a pending rotation", "AWSPENDING" in stages(), False)
    expect("the previous version", stages()["AWSPREVIOUS"], version)
finally:
    function.kill()
    function.wait()
    moto.stop()
print(f"{passed} passed, 0 failed")
