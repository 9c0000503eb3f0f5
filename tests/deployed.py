"""The stack in fakecloud, as an operator deploys and invokes it and as a client calls it, for tests/deploy.py."""

import json

import client
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
    """The status, the body and the headers of a response of the deployed API."""
    return client.call(AWS.url, method, path, body, token, **{"host": headers.get("host") or host(), **headers})


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
