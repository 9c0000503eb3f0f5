"""The stack in fakecloud, as an operator deploys and invokes it and as a client calls it, for tests/deploy.py."""

import json
import urllib.error
import urllib.request

import fakecloud
from emulator import FUNCTIONS, STACK, TEMPLATE, Emulator, need

AWS = Emulator(fakecloud.URL)
PASSWORD = "correct horse"
USERS = f"{STACK}-users"
WITHOUT_ROUTE = {
    function
    for function, logical_id in FUNCTIONS.items()
    if "Events" not in TEMPLATE["Resources"][logical_id]["Properties"]
}
OPERATORS = WITHOUT_ROUTE - {"authorize", "deliver", "erase-account"}


def must_deploy(*parameters, template=None):
    AWS.must_deploy(*parameters, template=template)
    attach_policies(AWS)


def attach_policies(stack):
    """Attaches to each function's role the managed policies that the template names by `Ref`. SAM does; fakecloud
    attaches inline policies and those with a literal name only."""
    iam = stack.client("iam")
    for logical_id in FUNCTIONS.values():
        for policy in TEMPLATE["Resources"][logical_id]["Properties"].get("Policies", []):
            if "Ref" in policy:
                # fakecloud's physical id of a role is its ARN, not its name.
                role = stack.physical_id(f"{logical_id}Role").rpartition("/")[2]
                iam.attach_role_policy(RoleName=role, PolicyArn=stack.physical_id(policy["Ref"]))


def end_instances(stack):
    for logical_id in FUNCTIONS.values():
        fakecloud.end_instances(stack.physical_id(logical_id))


def host(stack=AWS):
    """The API's own host name, by which fakecloud finds it."""
    return stack.output("ApiUrl").removeprefix("https://")


def call(method, path, body=None, token=None, **headers):
    """The status, the body and the headers of a request to the deployed API. Text is sent as a form."""
    is_form = isinstance(body, str)
    content_type = "application/x-www-form-urlencoded" if is_form else "application/json"
    headers = {"host": headers.get("host") or host(), "content-type": content_type, **headers}
    if token:
        headers["authorization"] = f"Bearer {token}"
    text = body if is_form else json.dumps(body)
    data = None if body is None else text.encode()
    request = urllib.request.Request(AWS.url + path, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read() or "null"), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or "null"), error.headers


def expect(status, method, path, *arguments, **headers):
    found, body, answered = call(method, path, *arguments, **headers)
    need(found == status, f"{method} {path}: {found} instead of {status}: {body}")
    return body, answered


def invoke(function, event):
    """The status, or None if it is not an HTTP response, and the body."""
    name = AWS.physical_id(FUNCTIONS[function])
    answer = AWS.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    body = json.load(answer["Payload"])
    if isinstance(body, dict) and "statusCode" in body:
        return body["statusCode"], json.loads(body["body"])
    return None, body


def sign_up(email):
    return expect(200, "POST", "/user", {"email": email, "password": PASSWORD})[0]["token"]


def sign_in(email, password=PASSWORD, status=200):
    return expect(status, "POST", "/user/auth", {"username": email, "password": password})[0].get("token")
