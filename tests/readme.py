"""Runs the commands of README.md and of four pages against `make run` and compares the output exactly.

Tokens, keys, ids and dates differ in each run and are masked. Needs bash, curl and jq.
"""

import difflib
import itertools
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile

import server
from documents import ROOT, blocks

ADDRESS = "http://localhost:3000"
MARK = "---8<---"

# The tour shows the remaining attempts of a limit, so it must run first.
PAGES = ("docs/tour.md", "docs/first-hour.md", "docs/from-appmixer.md", "docs/protect-your-api.md", "README.md")


def examples(page):
    """Each command in the page's console blocks, with the expected output."""
    for example in itertools.chain(*blocks(page)):
        lines = example.splitlines()
        command = [lines.pop(0)]
        while command[-1].endswith("\\"):
            command.append(lines.pop(0))
        yield "\n".join(command), "\n".join(lines).strip()


def masked(text):
    text = re.sub(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", "TOKEN", text)
    text = re.sub(r"\brefresh_[0-9a-f]{24}\.[0-9a-f]{32}\.\d+\.[\w-]{43}", "REFRESH TOKEN", text)
    text = re.sub(r"\b[0-9a-f]{24}\b", "ID", text)
    text = re.sub(r"\b[0-9a-f]{32}\b", "SESSION", text)
    text = re.sub(r"curl/[\d.]+", "curl", text)
    text = re.sub(r"\bapi_[A-Za-z0-9]{24}\b", "KEY", text)
    text = re.sub(r"\bapi_[A-Za-z0-9]{4}…", "MASKED KEY", text)
    text = re.sub(r"\b\d{4}-\d\d-\d\dT[\d:.]+Z", "DATE", text)
    text = re.sub(r"^date: .*$", "date: DATE", text, flags=re.MULTILINE)
    text = re.sub(r";t=\d+", ";t=SECONDS", text)
    text = re.sub(r'"(exp|iat|auth_time)":\d+', r'"\1":SECONDS', text)
    return text.replace("\r", "").strip()


def run(page, database):
    """Runs the page's commands and returns how many outputs differ from the page."""
    commands, expected = zip(*examples(page))
    script = f"\necho; echo '{MARK}'\n".join(commands)
    ran = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "LATCHKEY_DB": database},
    )
    failed = 0
    for command, expectation, answer in zip(commands, expected, ran.stdout.split(MARK), strict=True):
        wanted, got = masked(expectation), masked(answer)
        if wanted != got:
            failed += 1
            print(f"$ {command}")
            print("\n".join(difflib.unified_diff(wanted.split("\n"), got.split("\n"), page, "answer")))
    print(f"{page}: {len(commands) - failed} passed, {failed} failed")
    return failed


def main():
    for tool in ("bash", "curl", "jq"):
        if not shutil.which(tool):
            sys.exit(f"NOT RUN: {tool} is not installed")
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", 3000)) == 0:
            sys.exit("NOT RUN: another server listens on port 3000")
    with tempfile.TemporaryDirectory() as folder:
        database = f"{folder}/latchkey.sqlite"
        with server.make("run", ADDRESS, LATCHKEY_DB=database):
            failed = sum([run(page, database) for page in PAGES])
    sys.exit(1 if failed else 0)


main()
