"""Runs fakecloud, an emulator of AWS that starts functions in Docker, for tests/deploy.py."""

import contextlib
import json
import os
import pathlib
import subprocess
import tempfile
import urllib.request

import samcli

from emulator import REGION, ROOT, last_lines, need, until

ADDRESS = f"{os.environ['SERVICES_HOST']}:4566"
URL = f"http://{ADDRESS}"
LOG = ROOT / "target/fakecloud.log"
# The image that fakecloud starts functions in, and the one that tests/lambda_docker.py prepares.
IMAGE = "public.ecr.aws/lambda/provided:al2023"
BASE = "public.ecr.aws/lambda/provided:al2023-x86_64"
DOCKERFILE = f"""\
FROM {BASE}
COPY rie /usr/local/bin/aws-lambda-rie
RUN chmod 755 /usr/local/bin/aws-lambda-rie
WORKDIR /var/task
ENTRYPOINT ["/usr/local/bin/aws-lambda-rie", "/var/task/bootstrap"]
"""


def docker(*arguments):
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)


def tag_image():
    """Tags the image for fakecloud. AWS's own has the Runtime Interface Emulator as its entry point. The substitute
    gets the one that the SAM CLI contains."""
    entry_point = docker("image", "inspect", BASE, "--format", "{{.Config.Entrypoint}}")
    need(entry_point.returncode == 0, last_lines(entry_point.stderr))
    if entry_point.stdout.strip() != "[]":
        tagged = docker("tag", BASE, IMAGE)
    else:
        emulator = pathlib.Path(samcli.__file__).parent / "local/rapid/aws-lambda-rie-x86_64"
        with tempfile.TemporaryDirectory() as context:
            pathlib.Path(context, "rie").write_bytes(emulator.read_bytes())
            pathlib.Path(context, "Dockerfile").write_text(DOCKERFILE)
            tagged = docker("build", "--quiet", "--network", "none", "--tag", IMAGE, context)
    need(tagged.returncode == 0, last_lines(tagged.stderr))


@contextlib.contextmanager
def running():
    """Starts fakecloud, which removes its containers when terminated."""
    command = ["setpriv", "--pdeathsig", "TERM", "fakecloud", "--addr", ADDRESS, "--region", REGION]
    with LOG.open("w") as output:
        process = subprocess.Popen(
            [*command, "--iam", "strict"], stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def wait_for(process):
    def answers():
        need(process.poll() is None, f"fakecloud ended: {last_lines(LOG.read_text())}")
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(f"{URL}/_fakecloud/health", timeout=5).status == 200

    until(answers, "fakecloud answers")


def denials():
    """The lines of the log about requests that a policy did not allow."""
    return [line for line in LOG.read_text().splitlines() if "IAM policy evaluation denied" in line]


def end_instances(name):
    """Ends the running instances of a function."""
    request = urllib.request.Request(f"{URL}/_fakecloud/lambda/{name}/evict-container", method="POST")
    urllib.request.urlopen(request, timeout=60).close()


def dead_letters(url):
    """How many messages of the queue its function failed on so often that they are dead letters. fakecloud itself moves
    a message there only when somebody else receives it."""
    name = url.rpartition("/")[2]
    request = urllib.request.Request(f"{URL}/_fakecloud/sqs/{name}/force-dlq?region={REGION}", method="POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["movedMessages"]
