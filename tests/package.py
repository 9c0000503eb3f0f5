"""Packs what `make build` built and the template, to be deployed with the AWS CLI alone:
tests/package.py ARCH. Writes target/latchkey-VERSION-ARCH.zip. Equal builds give equal archives.
"""

import io
import pathlib
import re
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
ARCH = sys.argv[1]
VERSION = re.search(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text(), re.M)[1]
NAME = f"latchkey-{VERSION}-{ARCH}"
README = f"""Latchkey {VERSION} for {ARCH}: the functions and a template for AWS CloudFormation.

Make a bucket with a name of yours, upload the functions, then deploy the stack:

    aws s3 mb s3://$BUCKET
    aws cloudformation package --template-file template.yaml --s3-bucket $BUCKET --output-template-file packaged.yaml
    aws cloudformation deploy --template-file packaged.yaml --s3-bucket $BUCKET --stack-name latchkey \\
        --capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND --parameter-overrides Stage=prod

To upgrade, run the last two commands in the folder of the new release. Parameters that you leave out keep their values.
To go back, run them in the folder of the release before.

template.yaml lists the parameters. docs/operations.md says how to operate the stack; where it runs `make deploy`, run
these two commands.
"""


def add(archive, name, content, mode=0o644):
    entry = zipfile.ZipInfo(name)
    entry.external_attr = mode << 16
    archive.writestr(entry, content, zipfile.ZIP_DEFLATED)


def zipped(program):
    """A function as Lambda takes it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        add(archive, "bootstrap", program.read_bytes(), 0o755)
    return file.getvalue()


def template():
    """The template for archives of functions, with ARCH as the default."""
    text = (ROOT / "template.yaml").read_text()
    text = re.sub(r"CodeUri: target/lambda/(.+)/\n", r"CodeUri: functions/\1.zip\n", text)
    changed = text.replace("Default: x86_64", f"Default: {ARCH}")
    assert "target/lambda" not in text and text.count("Default: x86_64") == 1
    return changed


functions = sorted(path.name for path in (ROOT / "functions").iterdir())
path = ROOT / "target" / f"{NAME}.zip"
with zipfile.ZipFile(path, "w") as package:
    add(package, f"{NAME}/README.txt", README)
    pages = [f"docs/{page}.md" for page in ("api", "operations", "protect-your-api", "settings")]
    for name in ("LICENSE", "CHANGELOG.md", *pages):
        add(package, f"{NAME}/{name}", (ROOT / name).read_bytes())
    add(package, f"{NAME}/template.yaml", template())
    add(package, f"{NAME}/edge.yaml", (ROOT / "edge.yaml").read_bytes())
    for name in functions:
        program = ROOT / "target/lambda" / name / "bootstrap"
        add(package, f"{NAME}/functions/{name}.zip", zipped(program))
print(f"{path.relative_to(ROOT)}: {len(functions)} functions, {path.stat().st_size / 1e6:.1f} MB")
