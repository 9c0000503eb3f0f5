"""Generates two clients from docs/openapi.json and tests `make run` with each: `make test-clients`.

A generator warns about what it does not understand, so a warning is a failure.
"""

import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import server

HERE = ROOT / "tests/clients"
OUT = ROOT / "target/clients"
DESCRIPTION = ROOT / "docs/openapi.json"
PORT = "3918"
URL = f"http://127.0.0.1:{PORT}"
PYTHON = ROOT / ".venv-clients/bin"


def run(*command, **environment):
    """Returns the command's output, or exits if it fails."""
    ran = subprocess.run(
        command, cwd=OUT, env={**os.environ, **environment}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )
    if ran.returncode != 0:
        sys.exit(f"{ran.stdout}\n{' '.join(map(str, command))}: exit status {ran.returncode}")
    return ran.stdout


def generate():
    # The generator formats its output with the ruff in the same folder.
    path = f"{PYTHON}{os.pathsep}{os.environ['PATH']}"
    run(
        PYTHON / "openapi-python-client", "generate", "--path", DESCRIPTION, "--meta", "none",
        "--output-path", OUT / "latchkey", "--overwrite", "--fail-on-warning", PATH=path,
    )
    output = run("node_modules/.bin/openapi-typescript", DESCRIPTION, "--output", "api.d.ts")
    if "⚠" in output or "warn" in output.lower():
        sys.exit(output)
    shutil.copy(HERE / "walk.ts", OUT)
    run(
        "node_modules/.bin/tsc", "--strict", "--target", "es2022", "--module", "nodenext",
        "--types", "node", "walk.ts",
    )


generate()
with server.make("run", URL, stdout=subprocess.DEVNULL, PORT=PORT, LATCHKEY_DB=":memory:"):
    print(run(PYTHON / "python", HERE / "walk.py", URL, PYTHONPATH=str(OUT)), end="")
    print(run("node", "walk.js", URL), end="")
