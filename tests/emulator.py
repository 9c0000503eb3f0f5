"""What tests/deploy.py and tests/cloudformation.py share: the stack in an emulator of AWS, and steps."""

import functools
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import boto3
import yaml

from documents import ROOT, blocks

SAM = pathlib.Path(sys.executable).with_name("sam")
OPERATIONS = "docs/operations.md"
REGION = "eu-central-1"
# `stack_name` of samconfig.toml's environment `default`.
STACK = "latchkey-dev"
TEMPLATE = yaml.safe_load((ROOT / "template.yaml").read_text())
# The logical id of each function by the folder of its code.
ALL_FUNCTIONS = {
    pathlib.Path(resource["Properties"]["CodeUri"]).name: logical_id
    for logical_id, resource in TEMPLATE["Resources"].items()
    if resource["Type"] == "AWS::Serverless::Function"
}
# Those of a stack with default parameters.
FUNCTIONS = {
    name: logical_id for name, logical_id in ALL_FUNCTIONS.items() if "Condition" not in TEMPLATE["Resources"][logical_id]
}
# The commands of docs/operations.md that take over what a removed stack has kept.
IMPORT, COPY_RING = blocks(OPERATIONS, "Create a removed stack again, with its users table")


class Failed(Exception):
    """What was found instead of what was expected."""


def need(found, what):
    if not found:
        raise Failed(what)


def until(condition, what, seconds=30):
    """Polls the condition until it holds, and returns what it returned."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.1)
    raise Failed(f"not within {seconds} s: {what}")


def last_lines(text, count=20):
    return "\n".join([line for line in text.splitlines() if line.strip()][-count:])


class Steps:
    """Runs steps, and counts those that passed and failed."""

    passed = failed = 0

    def __call__(self, name, action, *arguments):
        """Prints the seconds of a step. Returns whether it passed."""
        begun, reason = time.monotonic(), None
        try:
            action(*arguments)
        except Failed as found:
            reason = str(found)
        except Exception as error:  # Such as an error of the SDK.
            reason = f"{type(error).__name__}: {error}"[:2000]
        self.passed, self.failed = self.passed + (reason is None), self.failed + (reason is not None)
        verdict = "" if reason is None else f": FAILED: {reason}"
        print(f"{time.monotonic() - begun:6.1f} s  {name}{verdict}", flush=True)
        return reason is None

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed else 0)


class Emulator:
    """A stack in the emulator of AWS at this URL. The emulator's administrator calls it."""

    def __init__(self, url, name=STACK):
        self.url, self.name = url, name
        self.environment = {
            **os.environ,
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "SAM_CLI_TELEMETRY": "0",
        }

    @functools.cache
    def client(self, service):
        return boto3.client(
            service, endpoint_url=self.url, region_name=REGION,
            aws_access_key_id="test", aws_secret_access_key="test",
        )

    def sam(self, *arguments):
        """The exit status, and the last lines of what was printed."""
        command = [SAM, *arguments]
        ran = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        return ran.returncode, last_lines(ran.stdout + ran.stderr)

    def run(self, commands, folder=ROOT, **variables):
        """Runs commands of a document. PyPI has version 1 of the AWS CLI, which does not know --cli-binary-format."""
        script = "\n".join(commands).replace("--cli-binary-format raw-in-base64-out", "")
        path = f"{SAM.parent}:{os.environ['PATH']}"
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script], cwd=folder, capture_output=True, text=True, check=False,
            env={**self.environment, "PATH": path, "STACK": self.name, **variables},
        )
        need(ran.returncode == 0, last_lines(ran.stdout + ran.stderr))

    def copy_ring(self, kept):
        """Copies the kept secret's value into the stack's own secret."""
        (command,) = COPY_RING
        command = command.replace("<the kept secret's ARN>", kept)
        self.run([command.replace("<the output KeyRing>", self.output("KeyRing"))])

    def deploy(self, *parameters, template=None):
        """Runs `sam deploy` as `make deploy` does, with other parameters or another template if given."""
        arguments = ["deploy", "--config-env", "default", "--stack-name", self.name, "--no-confirm-changeset"]
        if parameters:
            arguments += ["--parameter-overrides", *parameters]
        with tempfile.TemporaryDirectory() as folder:
            if template:
                path = pathlib.Path(folder, "template.json")
                path.write_text(json.dumps(template))
                arguments += ["--template-file", str(path), "--config-file", str(ROOT / "samconfig.toml")]
            return self.sam(*arguments)

    def must_deploy(self, *parameters, template=None):
        status, printed = self.deploy(*parameters, template=template)
        need(status == 0, printed)

    def stack(self):
        return self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"][0]

    def need_status(self, status):
        found = self.stack()["StackStatus"]
        need(found == status, f"the stack is {found} instead of {status}")

    def template(self):
        """The deployed template, in which the code is at the addresses to which SAM uploaded it."""
        body = self.client("cloudformation").get_template(StackName=self.name)["TemplateBody"]
        return yaml.safe_load(body) if isinstance(body, str) else body

    def output(self, name):
        return next(one["OutputValue"] for one in self.stack()["Outputs"] if one["OutputKey"] == name)

    def physical_id(self, logical_id):
        found = self.client("cloudformation").describe_stack_resources(StackName=self.name)
        return next(
            one["PhysicalResourceId"]
            for one in found["StackResources"]
            if one["LogicalResourceId"] == logical_id
        )

    def tables(self):
        return self.client("dynamodb").list_tables()["TableNames"]

    def secrets(self):
        return [one["ARN"] for one in self.client("secretsmanager").list_secrets()["SecretList"]]
