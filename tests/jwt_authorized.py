"""An API whose JWT authorizer takes tokens of `make run`: the template of docs/protect-your-api.md, in ministack. For
tests/cloudformation.py."""

import json
import re
import tempfile

import yaml

import gateways
import server
from client import call
from emulator import ROOT, Emulator, need

PORT = "3925"
ISSUER = f"http://localhost:{PORT}"
USER = {"email": "abc@example.com", "password": "abc321"}


def template():
    """The page's template of a Lambda authorizer, with the page's resources for a JWT authorizer."""
    page = (ROOT / "docs/protect-your-api.md").read_text()
    of_lambda, of_jwt = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL))
    resources = {**of_lambda["Resources"], **of_jwt["Resources"]}
    del resources["AskLatchkey"], of_lambda["Parameters"]["Authorizer"]
    resources["Latchkey"]["Properties"]["JwtConfiguration"]["Issuer"] = ISSUER
    return {**of_lambda, "Resources": resources}


def post(path, **body):
    status, answer, _ = call(ISSUER, "POST", path, body)
    need(status == 200, f"POST {path}: {status} {answer}")
    return answer


def see_jwt_authorizer(url, function):
    """Valid tokens reach the function, which answers with its event."""
    orders = Emulator(url, "orders")
    orders.client("cloudformation").create_stack(
        StackName=orders.name, TemplateBody=json.dumps(template()),
        Parameters=[{"ParameterKey": "Function", "ParameterValue": function}],
    )
    orders.need_status("CREATE_COMPLETE")
    host = orders.output("ApiUrl").partition("//")[2]

    def ask(*tokens):
        headers = [("authorization", f"Bearer {token}") for token in tokens]
        return gateways.ask(url, host, "GET", "/orders", headers, "")

    def expect(status, *tokens):
        found = ask(*tokens)
        need(found[0] == status, f"{found} instead of {status}")
        return found[1]

    with tempfile.TemporaryDirectory() as folder:
        with server.binary(folder, PORT, JWT_ALGORITHM="RS256"):
            token = post("/user", **USER)["token"]
            claims = expect(200, token)["requestContext"]["authorizer"]["jwt"]["claims"]
            need(claims["scope"] == "user" and claims["client_id"] == "latchkey", claims)
            head, body, signature = token.split(".")
            expect(401)
            expect(401, f"{head}.{body}.{signature[:-8]}AAAAAAAA")
            expect(401, f"{head}.{body[:-4]}AAAA.{signature}")
            expect(401, f"{head}.{body}.")
            need(call(ISSUER, "POST", "/oauth/revoke", f"token={token}")[0] == 200, "not revoked")
            expect(200, token)
        # The same key signs, so only the audience differs.
        with server.binary(folder, PORT, JWT_ALGORITHM="RS256", JWT_AUDIENCE="other"):
            expect(401, post("/user/auth", **USER)["token"])
        with server.binary(folder, PORT, JWT_ALGORITHM="RS256"):
            expect(200, post("/user/auth", **USER)["token"])
            server.operate(folder, "grant-scopes", f"ID={claims['sub']}", "SCOPES=admin")
            expect(403, post("/user/auth", **USER)["token"])
        with server.binary(folder, PORT, JWT_ALGORITHM="HS256"):
            expect(401, post("/user/auth", **USER)["token"])
