"""A second stack in fakecloud, whose API asks the authorizer: the template of docs/protect-your-api.md. For
tests/deploy.py. fakecloud sends payload 1.0 whatever the template says."""

import re

import fakecloud
from deployed import AWS, expect, sign_up
from emulator import FUNCTIONS, ROOT, Emulator

ORDERS = Emulator(fakecloud.URL, "orders")


def see_authorizer():
    """Who is signed in reaches the function behind the API. The default route's stands in for it, whose answer to
    an unknown path is 404."""
    page = (ROOT / "docs/protect-your-api.md").read_text()
    template = re.search(r"```yaml\n(.*?)```", page, re.DOTALL).group(1)
    function = AWS.client("lambda").get_function(FunctionName=AWS.physical_id(FUNCTIONS["default-route"]))
    parameters = {
        "Authorizer": AWS.output("Authorizer"),
        "Function": function["Configuration"]["FunctionArn"],
    }
    cloudformation = ORDERS.client("cloudformation")
    cloudformation.create_stack(
        StackName=ORDERS.name, TemplateBody=template,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    ORDERS.need_status("CREATE_COMPLETE")
    api = ORDERS.output("ApiUrl").removeprefix("https://")
    token = sign_up("orders@example.com")
    expect(404, "GET", "/orders", None, token, host=api)
    expect(403, "GET", "/orders", None, token + "x", host=api)
    expect(403, "GET", "/orders", host=api)
    expect(200, "POST", "/v1/auth/logout", {}, token)
    expect(403, "GET", "/orders", None, token, host=api)
    cloudformation.delete_stack(StackName=ORDERS.name)
