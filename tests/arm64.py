"""Runs the functions that `make build ARCH=arm64` built, in an emulated processor, and sends each its sample events.

Run by `make test-arm64`, with the functions' settings and the addresses of the services in the environment.
Needs qemu-aarch64 and the C library of arm64 (Debian: qemu-user, libc6-arm64-cross). Exits with 69 without them.
"""

import json
import os
import pathlib
import shutil
import sys

from runtime_api import Function
from sample_events import ROOT, try_all

LIBRARIES = "/usr/aarch64-linux-gnu"
# EX_UNAVAILABLE of sysexits.h.
UNAVAILABLE = 69


def invoke(name, event):
    """The status, or None if the response is not of HTTP, and the body."""
    program = ROOT / "target/lambda" / name / "bootstrap"
    with Function(["qemu-aarch64", "-L", LIBRARIES, program], dict(os.environ)) as function:
        _, answer = function.invoke(event)
    if "statusCode" in answer:
        return answer["statusCode"], json.loads(answer["body"])
    return None, answer


if not shutil.which("qemu-aarch64") or not pathlib.Path(LIBRARIES).exists():
    print("NOT RUN: qemu-aarch64 or arm64's C library is missing (Debian: qemu-user, libc6-arm64-cross)")
    sys.exit(UNAVAILABLE)
passed, failed = try_all(invoke)
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
