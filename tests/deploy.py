"""Deploys the stack to fakecloud, an emulator of AWS, and operates it as docs/operations.md says: every route
through the HTTP API, the functions without a route, a rotation, updates and the removal. The emulator enforces
the functions' IAM policies. Prints the seconds of each step.

Run by `make test-deploy` with a Docker engine, and its bridge's address in SERVICES_HOST. Needs the functions
of `make build`, fakecloud, and what `make setup` installs.
"""

import base64
import contextlib
import copy
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import authorized
import fakecloud
import gateways
import restored
import sample_events
import streamed
from deployed import (
    AWS, OPERATORS, PASSWORD, USERS, attach_policies, call, end_instances, expect, host, invoke, must_deploy,
    sign_in, sign_up,
)
from emulator import FUNCTIONS, REGION, ROOT, STACK, TEMPLATE, Emulator, Steps, last_lines, need, until

ORIGIN = gateways.ORIGIN[1]
# The stack of the archive's README.txt.
RELEASE = Emulator(fakecloud.URL, "latchkey")
ALARM_EMAIL = "ops@example.com"
# The age, in seconds, from which a rotation lets a pending key sign.
PENDING = 600
# Requests that fakecloud answers differently from the local gateway. It chooses the route by the path as it was
# sent, which the local gateway decodes first; keeps one of several headers of a name, which AWS joins by commas; and
# has no limit on headers.
DIFFERENT = {
    "GET /us%65r",
    "GET /user%2Fauth",
    "DELETE /v1/api-keys/1%2F2",
    "GET /user authorization: Bearer a.b.c authorization: Bearer a.b.c",
    f"GET /user user-agent: {'y' * 28}",
}
# With CORS, it answers other origins as if they were the configured one.
DIFFERENT_WITH_CORS = {
    "OPTIONS /user origin: https://evil.example access-control-request-method: PUT",
    "GET /user origin: https://evil.example",
}
account = {"email": "ada@example.com"}


# Steps: a new stack.


def deploy_as_configured():
    must_deploy()
    AWS.need_status("CREATE_COMPLETE")


def drive_routes():
    command = [sys.executable, ROOT / "tests/end_to_end.py", AWS.url]
    environment = {**os.environ, "API_HOST": host()}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    need(ran.returncode == 0, last_lines(ran.stdout + ran.stderr))


def compare_gateways(requests, expected):
    found = gateways.differences(AWS.url, host(), requests)
    need(found.keys() == expected, f"differences: {found}")


def invoke_with_events():
    def invoke_as_locally(function, event):
        """The events expect the ring of a local run, whose only key has another id."""
        status, body = invoke(function, event)
        if function == "rotate-keys":
            for key in body.get("keys", []):
                key["kid"] = "local"
        return status, body

    with contextlib.redirect_stdout(io.StringIO()) as printed:
        _, failed = sample_events.try_all(invoke_as_locally, FUNCTIONS)
    need(failed == 0, printed.getvalue())


# Steps: accounts.


def operate_on_account():
    """Each function for operators, other than rotate-keys, as docs/operations.md says under Accounts."""
    email = "grace@example.com"
    token = sign_up(email)
    operated = {"rotate-keys"}

    def operate(function, **request):
        operated.add(function)
        answer = invoke(function, request)[1]
        need("errorMessage" not in answer, f"{function}: {answer}")
        return answer

    found = operate("find-account", email=email)
    need((found["state"], found["sessions"]) == ("enabled", 1), f"find-account: {found}")
    account_id = found["id"]
    operate("grant-scopes", id=account_id, scopes=["user", "introspect"])
    user = expect(200, "GET", "/user", None, token)[0]
    need(user["scope"] == ["user", "introspect"], f"scopes: {user['scope']}")
    asked = expect(200, "POST", "/oauth/introspect", f"token={token}", token)[0]
    need(asked["active"] and asked["scope"] == "user introspect", f"introspection: {asked}")
    operate("end-sessions", id=account_id)
    expect(401, "GET", "/user", None, token)
    password = operate("set-password", id=account_id)["password"]
    sign_in(email, status=403)
    token = sign_in(email, password)
    operate("disable-account", id=account_id)
    expect(401, "GET", "/user", None, token)
    sign_in(email, password, status=403)
    operate("enable-account", id=account_id)
    sign_in(email, password)
    operate("delete-account", id=account_id)
    sign_in(email, password, status=403)
    sign_up(email)
    need(operated == OPERATORS, f"for operators: {OPERATORS}")


def sign_up_account():
    account["token"] = sign_up(account["email"])


# Steps: keys.


def key_states():
    """The id of each key by its state."""
    return {key["state"]: key["kid"] for key in invoke("rotate-keys", {"action": "list"})[1]["keys"]}


def rotate_secret(states):
    """Rotates by Secrets Manager, and waits for the states."""
    AWS.client("secretsmanager").rotate_secret(SecretId=AWS.output("KeyRing"))
    until(lambda: set(key_states()) == states, f"keys are {states}")


def rotate_first():
    """As AWS does when the stack is created."""
    rotate_secret({"active", "pending"})


def rotate_again():
    """Makes the pending key old enough to sign, instead of waiting ten minutes."""
    secrets, ring_id = AWS.client("secretsmanager"), AWS.output("KeyRing")
    ring = json.loads(secrets.get_secret_value(SecretId=ring_id)["SecretString"])
    for key in ring["keys"]:
        if key["state"] == "pending":
            key["since"] -= PENDING
    secrets.put_secret_value(SecretId=ring_id, SecretString=json.dumps(ring))
    pending = key_states()["pending"]
    rotate_secret({"retired", "active", "pending"})
    need(key_states()["active"] == pending, "the pending key is not active")
    expect(200, "GET", "/user", None, account["token"])


def signing_key(token):
    header = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"]


# Steps: updates.


def preflight():
    asked = {"origin": ORIGIN, "access-control-request-method": "POST"}
    return call("OPTIONS", "/user", **asked)[2].get("access-control-allow-origin")


def alarm_actions():
    alarms = AWS.client("cloudwatch").describe_alarms()["MetricAlarms"]
    need(alarms, "no alarms")
    return [alarm["AlarmActions"] for alarm in alarms]


def update_parameters():
    need(preflight() is None, "CORS before it is configured")
    need(not any(alarm_actions()), "an alarm has an action before there is an address")
    must_deploy(
        "Stage=dev", f"CorsOrigins={ORIGIN}", f"AlarmEmail={ALARM_EMAIL}", "SigninRateLimitAccount=2",
        "PasswordMinLength=12", *streamed.PARAMETERS,
    )
    AWS.need_status("UPDATE_COMPLETE")


def see_alarms():
    need(all(alarm_actions()), "an alarm has no action")
    topics = {action for actions in alarm_actions() for action in actions}
    found = AWS.client("sns").list_subscriptions()["Subscriptions"]
    addresses = [one["Endpoint"] for one in found if one["TopicArn"] in topics]
    need(addresses == [ALARM_EMAIL], f"mail goes to {addresses}")


def see_limits():
    short = {"email": "short@example.com", "password": "elevenchars"}
    expect(400, "POST", "/user", short)
    wrong = {"username": "stranger@example.com", "password": "incorrect"}
    for status in (403, 403, 429):
        expect(status, "POST", "/user/auth", wrong)


def see_new_key():
    """The functions' new instances sign with the new key, and the old token is valid."""
    new = sign_in(account["email"])
    need(signing_key(new) == key_states()["active"], "a token is not signed by the active key")
    need(signing_key(account["token"]) == key_states()["retired"], "the old token's key is not retired")
    for token in (new, account["token"]):
        expect(200, "GET", "/user", None, token)


def update_that_fails():
    """Adds a table whose name is taken."""
    template = AWS.template()
    template["Resources"]["Taken"] = copy.deepcopy(TEMPLATE["Resources"]["UsersTable"])
    status, printed = AWS.deploy(template=template)
    need(status != 0, f"the update succeeded: {printed}")
    AWS.need_status("UPDATE_ROLLBACK_COMPLETE")


def see_old_stack():
    expect(200, "GET", "/user", None, account["token"])
    drive_routes()
    need(preflight() == ORIGIN, f"a preflight allows {preflight()}")


def see_no_denial():
    need(not fakecloud.denials(), f"denied: {fakecloud.denials()}")


def narrow_one_role():
    """Narrows `user#*` in the policy of create-user."""
    template = AWS.template()
    statements = [
        statement
        for policy in template["Resources"][FUNCTIONS["create-user"]]["Properties"]["Policies"]
        for statement in policy.get("Statement", [])
    ]
    keys = [one["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"] for one in statements]
    narrowed = [one for one in keys if "user#*" in one]
    need(len(narrowed) == 1, f"statements with user#*: {narrowed}")
    narrowed[0][narrowed[0].index("user#*")] = "other#*"
    must_deploy(template=template)
    new = {"email": "narrowed@example.com", "password": PASSWORD}
    expect(500, "POST", "/user", new)
    need("CreateUserFunctionRole" in "".join(fakecloud.denials()), f"denied: {fakecloud.denials()}")
    sign_in(account["email"])


# Steps: the removal.


def resources():
    """The stack's resources of each kind but tables and secrets."""
    # fakecloud has roles of its own.
    roles = AWS.client("iam").list_roles()["Roles"]
    return {
        "functions": AWS.client("lambda").list_functions()["Functions"],
        "roles": [role for role in roles if role["RoleName"].startswith(STACK)],
        "policies": AWS.client("iam").list_policies(Scope="Local")["Policies"],
        "APIs": AWS.client("apigatewayv2").get_apis()["Items"],
        "log groups": AWS.client("logs").describe_log_groups()["logGroups"],
        "alarms": AWS.client("cloudwatch").describe_alarms()["MetricAlarms"],
        "dashboards": AWS.client("cloudwatch").list_dashboards()["DashboardEntries"],
        "topics": AWS.client("sns").list_topics()["Topics"],
    }


def delete():
    empty = [kind for kind, found in resources().items() if not found]
    need(not empty, f"there are no {empty}")
    status, printed = AWS.sam("delete", "--stack-name", STACK, "--region", REGION, "--no-prompts")
    need(status == 0, printed)


def see_what_is_kept(ring_id):
    need(AWS.tables() == [USERS], f"tables: {AWS.tables()}")
    kept = AWS.client("dynamodb").scan(TableName=USERS, Select="COUNT")["Count"]
    need(kept > 0, "the users table is empty")
    ring = json.loads(AWS.client("secretsmanager").get_secret_value(SecretId=ring_id)["SecretString"])
    states = {key["state"] for key in ring["keys"]}
    need(states == {"revoked", "active", "pending"}, f"the keys are {states}")
    left = {kind: found for kind, found in resources().items() if found}
    need(not left, f"left: {left}")


# Steps: a release.


def deploy_package():
    """Follows the README.txt of the archive that `make package` makes."""
    command = [sys.executable, "tests/package.py", "x86_64"]
    packed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    with tempfile.TemporaryDirectory() as folder:
        shutil.unpack_archive(ROOT / packed.stdout.partition(":")[0], folder)
        (readme,) = pathlib.Path(folder).glob("*/README.txt")
        RELEASE.run(re.findall("^    (.+)$", readme.read_text(), re.MULTILINE), readme.parent, BUCKET="a-bucket")
    attach_policies(RELEASE)
    expect(200, "GET", "/", host=host(RELEASE))
    expect(200, "POST", "/user", {"email": "release@example.com", "password": PASSWORD}, host=host(RELEASE))


def take_over(kept_ring):
    """Gives the release's stack the kept users table and key ring of the first one."""
    dynamodb = AWS.client("dynamodb")
    expect(401, "GET", "/user", None, account["token"], host=host(RELEASE))
    backup = dynamodb.create_backup(TableName=USERS, BackupName="move")["BackupDetails"]["BackupArn"]
    dynamodb.restore_table_from_backup(TargetTableName=f"{RELEASE.name}-users-restored", BackupArn=backup)
    RELEASE.run(restored.REPLACE_TABLE)
    RELEASE.copy_ring(kept_ring)
    end_instances(RELEASE)
    expect(200, "GET", "/user", None, account["token"], host=host(RELEASE))


def delete_release():
    RELEASE.run(["aws cloudformation delete-stack --stack-name latchkey"])
    functions = AWS.client("lambda").list_functions()["Functions"]
    need(not functions, f"left: {functions}")


def run():
    """The later steps need the stack of the first one."""
    if not step("the stack is created, with samconfig.toml's default", deploy_as_configured):
        return
    step("RotateSecret adds a pending key", rotate_first)
    step("every route answers through the HTTP API", drive_routes)
    step("the API answers as the local gateway, but for known differences", compare_gateways, gateways.REQUESTS,
         DIFFERENT)
    step("every function answers its events", invoke_with_events)
    step("the functions for operators act on an account", operate_on_account)
    step("the API of another stack asks the authorizer, by the documented template", authorized.see_authorizer)
    step("an account signs up for the next steps", sign_up_account)
    step("RotateSecret makes it active; a token of the old key stays valid", rotate_again)
    step("the stack is updated with other parameters", update_parameters)
    step("CORS allows the new origin as the local gateway does, but for known differences", compare_gateways,
         gateways.CORS_REQUESTS, DIFFERENT_WITH_CORS)
    step("every alarm mails to the new address", see_alarms)
    step("the new limits apply", see_limits)
    step("new instances sign with the new key", see_new_key)
    step("SES knows the sender", streamed.verify_sender)
    step("mail comes through stream, pipe and queue, and its code verifies the email", streamed.see_mail)
    step("a webhook that its receiver never takes goes to the dead letters", streamed.see_webhook)
    step("a deleted account is erased through stream, pipe and queue", streamed.see_erasure)
    step("an update that fails ends as rolled back", update_that_fails)
    step("the old stack answers after it", see_old_stack)
    step("a session and an API key end after a backup", restored.end_after_backup, account)
    step("the commands for a restore stop the functions with a route and the authorizer", restored.stop_functions)
    step("the restored table revives the session and the API key", restored.replace_table, account)
    step("a new key ring ends the session", restored.replace_ring, account)
    step("end-sessions for each account ends the API key", restored.end_api_keys, account)
    step("the functions start again", restored.start_functions, account)
    step("no policy has denied a request", see_no_denial)
    step("POST /user fails, and only it, with its role's user#* narrowed", narrow_one_role)
    ring_id = AWS.output("KeyRing")
    if step("the stack is deleted", delete):
        step("the users table and the key ring are kept, and nothing else", see_what_is_kept, ring_id)
    if step("the archive of make package is deployed with the AWS CLI alone", deploy_package):
        step("with the table and key ring that the first stack kept, its token is valid", take_over, ring_id)
        step("the release's stack is deleted", delete_release)


step = Steps()
with fakecloud.running() as server:
    ready = step("the image of the functions is ready", fakecloud.tag_image)
    if ready and step("fakecloud starts", fakecloud.wait_for, server):
        run()
step.end()
