"""Compares events with tests/vectors/gateway.json: requests, and the events that the local gateway makes of them.

By itself it compares the events that AWS's SAM CLI makes. tests/cloudformation.py compares those of an emulator.
"""

import datetime
import json
import pathlib
import sys

from flask import Request
from samcli.local.apigw.event_constructor import construct_v2_event_http
from werkzeug.test import EnvironBuilder

VECTORS = json.loads(pathlib.Path(__file__).with_name("vectors").joinpath("gateway.json").read_text())
TIME = "/requestContext/time"
# The SAM CLI keeps the case of a header's name, and chooses between text and base64 by a setting of its own.
MADE_BY_SAM = {"/rawPath", "/rawQueryString", "/queryStringParameters", "/cookies", TIME}


def member(event, pointer):
    for name in pointer.split("/")[1:]:
        event = (event or {}).get(name)
    return event


def comparable(pointer, value):
    """A time without its moment, and an empty member as an absent one."""
    if pointer == TIME:
        return datetime.datetime.strptime(value, "%d/%b/%Y:%H:%M:%S +0000") and "a time"
    return value or None


def differs(pointer, found, wanted):
    try:
        return comparable(pointer, found) != comparable(pointer, wanted)
    except (TypeError, ValueError):
        return True


def differences(event_of, pointers=None):
    """What another gateway's events have otherwise: its value by the vector's name and the member's JSON pointer.
    Compares only the members of `pointers`, if given."""
    found = {}
    for vector in VECTORS:
        event = event_of(*vector["request"])
        for pointer, wanted in vector["event"].items():
            if (pointers is None or pointer in pointers) and differs(pointer, member(event, pointer), wanted):
                found[f"{vector['name']}: {pointer}"] = member(event, pointer)
    return found


def event_of_sam(method, target, headers, body):
    path, _, query = target.partition("?")
    request = EnvironBuilder(path, method=method, query_string=query, headers=headers, data=body.encode())
    return construct_v2_event_http(Request(request.get_environ()), 443, [])


if __name__ == "__main__":
    different = differences(event_of_sam, MADE_BY_SAM)
    print(f"{len(VECTORS)} events of the SAM CLI, differences: {different or 'none'}")
    sys.exit(1 if different else 0)
