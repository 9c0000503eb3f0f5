"""The console blocks of the documents, for the tests that run them."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent


def blocks(page, heading=None):
    """The examples of each console block of the page, or of one section: a command and what it prints."""
    text = (ROOT / page).read_text()
    if heading:
        text = re.search(rf"^## {heading}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)[1]
    found = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    return [re.split(r"^\$ ", block, flags=re.MULTILINE)[1:] for block in found]
