"""Counts lines of code by purpose, without blank lines and comments: `make lines`.

    python3 tests/lines.py [ROOT]

Unit tests are `tests.rs` files and items under `#[cfg(test)]`, in any file. Rust's `/* */` comments
would count as code, but there are none; Python's docstrings count as comments.
"""

import ast
import pathlib
import sys

KINDS = ["product", "unit tests", "integration tests", "harness", "bench", "fuzz", "scripts"]
MACHINERY = ["harness", "bench", "fuzz", "scripts"]
# The first matching prefix decides; other folders are not counted.
FOLDERS = {
    "functions/": "product", "shared/": "product", "local/": "product",
    "tests/it/": "integration tests",
    "tests/bench/": "bench", "tests/fuzz/": "fuzz",
    # The paths of the bench until version 0.1, to count older trees.
    "tests/hashes/": "bench", "tests/src/bench/": "bench", "tests/src/bin/b": "bench",
    "tests/src/": "harness",
}
SCRIPTS = {".py", ".sh", ".js", ".mjs", ".ts", ".go"}
GENERATED = {"target", "node_modules", ".venv", "__pycache__"}


def rust(text):
    """Counts a Rust file's lines outside and inside `#[cfg(test)]` items."""
    counts, in_tests = [0, 0], False
    for line in text.splitlines():
        in_tests = in_tests or line == "#[cfg(test)]"
        if line.strip() and not line.lstrip().startswith("//"):
            counts[in_tests] += 1
            # An item ends at its closing brace, or at once if it has none.
            if line[0] == "}" or line.startswith("mod ") and line.endswith(";"):
                in_tests = False
    return counts


def python(text):
    """Counts a Python file's lines that are neither comments nor docstrings."""
    docstrings = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            docstrings.update(range(node.lineno, node.end_lineno + 1))
    return sum(number not in docstrings and is_code(line, "#")
               for number, line in enumerate(text.splitlines(), 1))


def is_code(line, comment):
    """Says whether a line is neither blank nor a comment."""
    return bool(line.strip()) and not line.lstrip().startswith(comment)


def count(root):
    """Counts the lines of each kind in the tree below `root`."""
    totals = dict.fromkeys(KINDS, 0)
    for path in sorted(path for top in ("functions", "shared", "local", "tests", ".ci")
                       for path in (root / top).rglob("*")):
        if not path.is_file() or GENERATED & set(path.parts):
            continue
        name = path.relative_to(root).as_posix()
        if path.suffix == ".rs":
            kind = next(kind for prefix, kind in FOLDERS.items() if name.startswith(prefix))
            code, tests = rust(path.read_text())
            if path.name == "tests.rs":
                code, tests = 0, code + tests
            totals[kind] += code
            totals["unit tests"] += tests
        elif path.suffix == ".py":
            totals["scripts"] += python(path.read_text())
        elif path.suffix in SCRIPTS or name.startswith(".ci/"):
            comment = "#" if path.suffix in {".sh", ""} else "//"
            totals["scripts"] += sum(is_code(line, comment)
                                     for line in path.read_text().splitlines())
    return totals


def main(root="."):
    totals = count(pathlib.Path(root))
    for kind, lines in totals.items():
        print(f"{kind:<20}{lines:>7,}")
    machinery = " + ".join(MACHINERY)
    print(f"{'all':<20}{sum(totals.values()):>7,}")
    print(f"\n{machinery}: {sum(totals[kind] for kind in MACHINERY):,}")


if __name__ == "__main__":
    main(*sys.argv[1:])
