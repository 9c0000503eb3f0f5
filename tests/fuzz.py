"""Runs the fuzz targets under libFuzzer, and prints what came of it: `make fuzz`.

    python3 tests/fuzz.py SECONDS [TARGET...]

The targets are built by plain cargo with the coverage flags of cargo-fuzz, which are flags of LLVM
that a stable rustc takes, so that nothing has to be installed. There is no sanitizer: those are
flags of a nightly rustc alone, and the project has no unsafe code. With cargo-fuzz it is

    cargo fuzz run --fuzz-dir tests/fuzz --features libfuzzer --sanitizer none TARGET

What is found stays in target/corpus/ and is where the next run starts. An input that fails is put
into tests/fuzz/crashes/TARGET/, where the suite runs it from then on.
"""

import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent
FUZZ = ROOT / "tests/fuzz"
CORPUS = ROOT / "target/corpus"
COVERAGE = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
]
STATISTIC = re.compile(r"^stat::(\w+):\s+(\d+)", re.MULTILINE)
COVERED = re.compile(r"\bcov: (\d+)")


def build():
    """Builds the targets, and returns the folder they are in."""
    host = subprocess.run(["rustc", "--print", "host-tuple"], cwd=ROOT, check=True,
                          capture_output=True, text=True).stdout.strip()
    # With a target named, build scripts and macros are built without the flags.
    command = ["cargo", "build", "--quiet", "--package", "fuzz", "--bins", "--features",
               "libfuzzer", "--profile", "fuzz", "--target", host]
    subprocess.run(command, cwd=ROOT, check=True,
                   env=os.environ | {"RUSTFLAGS": " ".join(COVERAGE)})
    return ROOT / "target" / host / "fuzz"


def run(folder, target, seconds):
    """Fuzzes one target; returns a row of the table, and whether nothing failed."""
    corpus, crashes = CORPUS / target, FUZZ / "crashes" / target
    corpus.mkdir(parents=True, exist_ok=True)
    before = {path.name for path in corpus.iterdir()}
    CORPUS.joinpath("crash").mkdir(exist_ok=True)
    command = [folder / target, corpus, FUZZ / "seeds" / target,
               *([crashes] if crashes.is_dir() else []),
               f"-max_total_time={seconds}", f"-dict={FUZZ / 'dictionary.txt'}",
               f"-artifact_prefix={CORPUS / 'crash'}/{target}-", "-timeout=10",
               "-rss_limit_mb=2048", "-print_final_stats=1", "-close_fd_mask=1"]
    done = subprocess.run(command, capture_output=True, cwd=ROOT, check=False,
                          env=os.environ | {"RUST_BACKTRACE": "0"})
    log = done.stderr.decode(errors="replace")
    found = dict(STATISTIC.findall(log))
    edges = COVERED.findall(log)
    row = [target, found.get("number_of_executed_units", "-"),
           found.get("average_exec_per_sec", "-"), edges[-1] if edges else "-",
           str(len({path.name for path in corpus.iterdir()} - before))]
    if done.returncode == 0:
        return row, True
    print(f"*** {target} failed:\n{log[-6000:]}", file=sys.stderr)
    for path in CORPUS.joinpath("crash").glob(f"{target}-*"):
        crashes.mkdir(parents=True, exist_ok=True)
        name = path.name.removeprefix(f"{target}-")
        path.rename(crashes / name)
        print(f"*** the input: {(crashes / name).relative_to(ROOT)}", file=sys.stderr)
    return row, False


def main(seconds, *targets):
    known = sorted(path.stem for path in (FUZZ / "fuzz_targets").glob("*.rs"))
    folder = build()
    heads = ["target", "executions", "a second", "edges", "new inputs"]
    print("{:<10}{:>12}{:>10}{:>8}{:>12}".format(*heads), flush=True)
    failed = []
    for target in targets or known:
        row, went_well = run(folder, target, int(seconds))
        print("{:<10}{:>12}{:>10}{:>8}{:>12}".format(*row), flush=True)
        if not went_well:
            failed.append(target)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main(*sys.argv[1:] or ["60"])
