"""Sends the sample events of events/ to functions, and compares with tests/events.json."""

import base64
import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent


def event(name, token=""):
    """The event with this token, the id of its session, and that of its account."""
    text = (ROOT / f"events/{name}.json").read_text().replace("TOKEN", token)
    if token:
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        text = text.replace("SESSION", claims["sid"]).replace("ACCOUNT", claims["sub"])
    return json.loads(text)


def try_all(invoke, functions=None):
    """How many events get the expected response, and how many do not. `invoke` sends an event to a function, and
    returns the status, or None if the response is not of HTTP, and the body. Only events of `functions` are sent, if
    it is given."""
    account = json.loads(event("sign-in")["body"])
    new = {"email": account["username"], "password": account["password"]}
    _, body = invoke("create-user", {**event("create-user"), "body": json.dumps(new)})
    assert "token" in body, f"the sign-up failed: {body}"
    token, passed, failed = body["token"], 0, 0
    for expected in json.loads((ROOT / "tests/events.json").read_text()):
        if functions is not None and expected["function"] not in functions:
            continue
        name, wanted = expected["event"], expected.get("body", {})
        status, answer = invoke(expected["function"], event(name, token))
        if name == "sign-in":
            token = answer.get("token", token)
        found = {member: answer.get(member) for member in wanted}
        good = status == expected.get("status") and wanted == found
        passed, failed = passed + good, failed + (not good)
        print(f"{name}: {status or 'answered'}" if good else f"{name}: {status} {answer}", flush=True)
    return passed, failed
