"""Checks the binaries of `make build`: their size, the glibc they need, and that panics unwind, so that
the runtime can report them. By default, cargo-lambda builds binaries that abort.

Needs Python and binutils.
"""

import io
import pathlib
import re
import subprocess
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
MOST_BYTES = 5_100_000
# The version in provided.al2023.
GLIBC = (2, 34)


def zipped(program):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.write(program, "bootstrap")
    return len(archive.getvalue())


def newest_glibc(program):
    symbols = subprocess.run(
        ["objdump", "-T", program], capture_output=True, text=True, check=True
    ).stdout
    versions = re.findall(r"GLIBC_(\d+)\.(\d+)", symbols)
    return max((int(major), int(minor)) for major, minor in versions)


def unwinds(program):
    """Whether the binary has unwind tables, which one that aborts does not need."""
    sections = subprocess.run(
        ["objdump", "-h", program], capture_output=True, text=True, check=True
    ).stdout
    size = re.search(r"\.gcc_except_table\s+([0-9a-f]+)", sections)
    return size is not None and int(size[1], 16) > 50_000


failed = 0
functions = sorted(path.name for path in (ROOT / "functions").iterdir())
for name in functions:
    program = ROOT / "target/lambda" / name / "bootstrap"
    if not program.exists():
        failed += 1
        print(f"{name:16} not built")
        continue
    size, glibc = zipped(program), newest_glibc(program)
    faults = [
        fault
        for fault, found in (
            ("TOO LARGE", size > MOST_BYTES),
            ("GLIBC TOO NEW", glibc > GLIBC),
            ("ABORTS WHEN IT PANICS", not unwinds(program)),
        )
        if found
    ]
    failed += bool(faults)
    verdict = ", ".join(faults) or "ok"
    print(f"{name:16} {size / 1e6:5.2f} MB zipped, glibc {glibc[0]}.{glibc[1]}: {verdict}")
print(f"{len(functions) - failed} passed, {failed} failed")
sys.exit(1 if failed else 0)
