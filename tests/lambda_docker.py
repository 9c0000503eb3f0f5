"""Runs a command in an environment for functions in Docker: tests/lambda_docker.py COMMAND...

It starts a Docker engine if none is running and stops it at the end, pulls Lambda's base image, and sets
SERVICES_HOST to the address at which containers reach this machine. If the image cannot be pulled, it
builds a Debian image as a substitute. Needs Linux; root and Debian's docker.io to start Docker;
debootstrap for the substitute. Installs nothing. Exits with 69 if Docker is unavailable.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

IMAGE = "public.ecr.aws/lambda/provided:al2023-x86_64"
# EX_UNAVAILABLE of sysexits.h.
UNAVAILABLE = 69
# Terminates the child when this process ends, even if it is killed.
DIE_WITH_PARENT = ["setpriv", "--pdeathsig", "TERM"]


class Unavailable(Exception):
    """The reason why Docker or the image is unavailable."""


def docker(*arguments, **options):
    command = ["docker", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def last_line(text):
    return (text.strip().splitlines() or ["no reason given"])[-1]


@contextlib.contextmanager
def engine():
    if not shutil.which("docker"):
        raise Unavailable("docker is not installed (Debian: docker.io)")
    answer = docker("info")
    if answer.returncode == 0:
        yield
        return
    if os.geteuid() != 0 or not shutil.which("dockerd"):
        raise Unavailable(f"no Docker engine, and none to start as root: {last_line(answer.stderr)}")
    with tempfile.TemporaryFile("w+") as log:
        # Functions need only the bridge: forward nothing, do not change the firewall, and publish ports on
        # loopback only.
        command = [
            *DIE_WITH_PARENT, "dockerd", "--iptables=false", "--ip-forward=false", "--ip-masq=false",
            "--ip", "127.0.0.1",
        ]
        # A new session, so that Ctrl-C does not stop it before the containers.
        daemon = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            for _ in range(600):
                if daemon.poll() is not None:
                    log.seek(0)
                    raise Unavailable(f"dockerd does not start: {last_line(log.read())}")
                if docker("info").returncode == 0:
                    break
                time.sleep(0.1)
            else:
                raise Unavailable("dockerd does not answer within a minute")
            yield
        finally:
            daemon.terminate()
            daemon.wait()


def need_image():
    pulled = docker("pull", "--quiet", IMAGE)
    if pulled.returncode == 0:
        return print(f"{IMAGE}: pulled")
    reason = last_line(pulled.stderr)
    if docker("image", "inspect", IMAGE).returncode == 0:
        return print(f"{IMAGE}: using the local copy, because it cannot be pulled ({reason})")
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        raise Unavailable(f"no {IMAGE} ({reason}), and no root or debootstrap to build a substitute")
    print(f"{IMAGE}: using Debian instead, because it cannot be pulled ({reason})", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder, "root")
        made = subprocess.run(
            ["debootstrap", "--variant=minbase", "bookworm", root],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )
        if made.returncode:
            raise Unavailable(f"debootstrap: {last_line(made.stdout)}")
        with subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE) as archive:
            imported = docker("import", "-", IMAGE, stdin=archive.stdout)
    if imported.returncode or archive.returncode:
        raise Unavailable(f"docker import: {last_line(imported.stderr)}")


def run(command):
    gateway = "{{(index .IPAM.Config 0).Gateway}}"
    bridge = docker("network", "inspect", "bridge", "--format", gateway).stdout.strip()
    # An engine that starts for the first time does not report the gateway yet.
    bridge = bridge or "172.17.0.1"
    environment = {**os.environ, "SERVICES_HOST": bridge}
    process = subprocess.Popen([*DIE_WITH_PARENT, *command], env=environment, start_new_session=True)
    try:
        return process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()


for sent in (signal.SIGINT, signal.SIGTERM):
    signal.signal(sent, lambda number, _: sys.exit(128 + number))
try:
    with engine():
        need_image()
        status = run(sys.argv[1:])
except Unavailable as reason:
    print(f"NOT RUN: {reason}", file=sys.stderr)
    status = UNAVAILABLE
sys.exit(status)
