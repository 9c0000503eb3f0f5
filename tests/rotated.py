"""Rotates a key ring as Secrets Manager would, and replaces it. It runs the real rotate-keys binary
behind a Lambda Runtime API, against moto's Secrets Manager, an independent implementation.

Needs what `make setup` installs, and target/debug/rotate-keys.
"""

import json
import os
import pathlib
import sys
import uuid

import boto3
from moto.server import ThreadedMotoServer

from runtime_api import Function

ROOT = pathlib.Path(__file__).resolve().parent.parent
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
os.environ.update(CREDENTIALS, AWS_EC2_METADATA_DISABLED="true")


def ask(**request):
    return function.invoke(request)


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
function = Function(
    [ROOT / "target/debug/rotate-keys"],
    {
        **CREDENTIALS,
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": url,
        "JWT_KEYS_SECRET": arn,
        **dict.fromkeys(("TABLE_USERS", "TABLE_SESSIONS", "TABLE_RATE_LIMITS"), "unused"),
    },
)
passed = 0


def expect(what, found, wanted):
    global passed
    if found != wanted:
        sys.exit(f"{what}: {found} instead of {wanted}")
    passed += 1
    print(f"{what}: {wanted}")


with function:
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
    expect("a rotation too soon", (good, "too recently" in refusal["errorMessage"]), (False, True))
    good, error = ask(action="other")
    expect("an unknown action", (good, error["errorType"]), (False, "MalformedInput"))
    good, ring = ask(action="replace")
    expect("a replacement", good, True)
    expect("after a replacement", states(), ["revoked", "revoked", "active", "pending"])
    expect("a pending rotation", "AWSPENDING" in stages(), False)
    expect("the previous version", stages()["AWSPREVIOUS"], version)
moto.stop()
print(f"{passed} passed, 0 failed")
