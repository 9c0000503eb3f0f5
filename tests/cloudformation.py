"""Creates the stack in ministack, an emulator of CloudFormation that checks parameters and rules, and that rolls
back a failed creation. No function of the stack runs. Says which resources it leaves out, because ministack lacks
them. Compares the events of ministack's API Gateway with the local gateway's.

Run by `make test-cloudformation`. Needs what `make setup` installs, and ministack in its own environment.
"""

import contextlib
import copy
import functools
import io
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import urllib.request
import zipfile

from botocore.exceptions import ClientError

import gateway_events
import gateways
import jwt_authorized
from emulator import ALL_FUNCTIONS, FUNCTIONS, IMPORT, REGION, ROOT, STACK, TEMPLATE, Emulator, Steps, last_lines, need, until

MINISTACK = ROOT / ".venv-ministack/bin/ministack"
USERS = f"{STACK}-users"
# A function that responds with its event.
ECHO = "import json\ndef handler(event, _):\n    return {'statusCode': 200, 'body': json.dumps(event)}"
# What ministack's events have otherwise than the local gateway's: no cookies, and a space between headers of a name,
# where AWS documents a comma alone.
REPEATED = "a request with repeated parameters, a repeated header and cookies"
DIFFERENT_EVENTS = {f"{REPEATED}: /cookies", f"{REPEATED}: /headers/cookie", f"{REPEATED}: /headers/header2"}
FOLDER = tempfile.TemporaryDirectory()
# A valid value of each parameter that a rule names.
RULED = {
    "DomainName": "api.example.com",
    "CertificateArn": "arn:aws:acm:eu-central-1:123456789012:certificate/0a1b",
    "HostedZoneId": "Z0123456789",
    "JwtAlgorithm": "RS256",
    "JwtIssuer": "https://id.example.com",
    "TrustedProxyHops": "1",
    "TrustedProxyCidrs": "10.0.0.0/8",
    "OriginSecret": "origin",
    "PreviousOriginSecret": "previous-origin",
    "Argon2PreviousShare": "1",
    "Argon2Previous": "8192,1,1",
    "MailFrom": "noreply@example.com",
    "AppUrl": "https://app.example.com",
    "EmailVerification": "required",
    "WebhookUserForgotPassword": "https://hooks.example.com/forgot",
}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@contextlib.contextmanager
def ministack(port):
    log = pathlib.Path(FOLDER.name, "log")
    environment = {**os.environ, "GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1"}
    with log.open("w") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", MINISTACK], env=environment, stdout=output, stderr=output
        )

    def answers():
        if process.poll() is not None:
            sys.exit(f"ministack ended: {last_lines(log.read_text())}")
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(f"http://127.0.0.1:{port}/_ministack/health", timeout=5)

    try:
        until(answers, "ministack answers")
        yield
    finally:
        process.terminate()
        process.wait()


def supported_template():
    """The template without what ministack lacks, and with an empty program for each function."""
    code = pathlib.Path(FOLDER.name, "code")
    code.mkdir()
    (code / "bootstrap").touch()
    template = copy.deepcopy(TEMPLATE)
    for logical_id in ALL_FUNCTIONS.values():
        template["Resources"][logical_id]["Properties"]["CodeUri"] = str(code)
    left_out = [
        logical_id
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == "AWS::SecretsManager::RotationSchedule"
        # An alarm on an expression over several metrics.
        or (resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"])
    ]
    for logical_id in left_out:
        del template["Resources"][logical_id]
    print(f"left out, because ministack lacks it: {', '.join(left_out)}")
    return template


# Steps: parameters and rules.


def package():
    """Uploads the code and the template, whose address it returns, so that change sets can be created without
    `sam deploy`."""
    source, packaged = (pathlib.Path(FOLDER.name, name) for name in ("template.json", "packaged.json"))
    source.write_text(json.dumps(SUPPORTED))
    status, printed = AWS.sam(
        "package", "--resolve-s3", "--use-json", "--template-file", str(source),
        "--output-template-file", str(packaged),
    )
    if status:
        sys.exit(f"sam package: {printed}")
    # CloudFormation takes a template of over 51,200 bytes only from S3.
    s3 = AWS.client("s3")
    bucket = s3.list_buckets()["Buckets"][0]["Name"]
    s3.upload_file(str(packaged), bucket, "packaged.json")
    return f"https://s3.{REGION}.amazonaws.com/{bucket}/packaged.json"


def refusal(parameters):
    """Why CloudFormation refuses these parameters of a new stack, or None if it accepts them."""
    cloudformation = AWS.client("cloudformation")
    named = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    stack = {"StackName": "parameters", "ChangeSetName": "parameters"}
    try:
        cloudformation.create_change_set(
            **stack, ChangeSetType="CREATE", TemplateURL=PACKAGED, Parameters=named,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
    except ClientError as error:
        return str(error)
    described = cloudformation.describe_change_set(**stack)
    cloudformation.delete_stack(StackName="parameters")
    if described["Status"] == "FAILED":
        return described["StatusReason"]
    return None


def invalid_values(parameter):
    """Values that this parameter's definition does not allow."""
    if "AllowedValues" in parameter:
        yield "another"
    if "AllowedPattern" in parameter:
        yield "!"
    if "MinValue" in parameter:
        yield str(parameter["MinValue"] - 1)
    if "MaxValue" in parameter:
        yield str(parameter["MaxValue"] + 1)
    if "MinLength" in parameter:
        yield ""
    if "MaxLength" in parameter:
        yield "x" * (parameter["MaxLength"] + 1)


def refuse_parameters():
    need(refusal({}) is None, f"the defaults are refused: {refusal({})}")
    tried = 0
    for name, parameter in TEMPLATE["Parameters"].items():
        for value in invalid_values(parameter):
            tried += 1
            reason = refusal({name: value})
            need(reason and name in reason, f"{name}={value}: {reason}")
    print(f"          {tried} values of {len(TEMPLATE['Parameters'])} parameters")


def refuse_by_rules():
    """Each assertion's description starts with the parameter that needs another: `A needs B.`"""
    for rule in TEMPLATE["Rules"].values():
        for assertion in rule["Assertions"]:
            description = assertion["AssertDescription"]
            name = description.split(" needs ")[0]
            reason = refusal({name: RULED[name]})
            need(reason and description in reason, f"{name} alone: {reason}")
    need(refusal(RULED) is None, f"all of them together: {refusal(RULED)}")


# Steps: a creation that fails.


def with_failure(template):
    """Adds a resource that fails after the retained ones exist: a stream of a log group that does not."""
    failing = copy.deepcopy(template)
    failing["Resources"]["Failing"] = {
        "Type": "AWS::Logs::LogStream",
        "DependsOn": ["UsersTable", "JwtKey"],
        "Properties": {"LogGroupName": "absent"},
    }
    return failing


def delete_stack():
    cloudformation = AWS.client("cloudformation")
    cloudformation.delete_stack(StackName=STACK)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})


def fail_to_create(template):
    status, printed = AWS.deploy(template=with_failure(template))
    need(status != 0, f"the creation succeeded: {printed}")
    AWS.need_status("ROLLBACK_COMPLETE")


def create_fails():
    fail_to_create(SUPPORTED)
    need(not AWS.tables(), f"tables are left: {AWS.tables()}")
    need(not AWS.secrets(), f"secrets are left: {AWS.secrets()}")
    delete_stack()


def create_fails_with_retain():
    retain = copy.deepcopy(SUPPORTED)
    for logical_id in ("UsersTable", "JwtKey"):
        retain["Resources"][logical_id]["DeletionPolicy"] = "Retain"
    fail_to_create(retain)
    need(AWS.tables() == [USERS] and len(AWS.secrets()) == 1, f"left: {AWS.tables()}, {AWS.secrets()}")
    delete_stack()
    delete_what_is_left()


def delete_what_is_left():
    for name in AWS.tables():
        AWS.client("dynamodb").delete_table(TableName=name)
    for arn in AWS.secrets():
        AWS.client("secretsmanager").delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


def create():
    AWS.must_deploy(template=SUPPORTED)
    AWS.need_status("CREATE_COMPLETE")


def see_policies():
    """The managed policies that the template names by `Ref`, which tests/deploy.py attaches itself."""
    iam = AWS.client("iam")
    for logical_id in FUNCTIONS.values():
        policies = TEMPLATE["Resources"][logical_id]["Properties"].get("Policies", [])
        wanted = {AWS.physical_id(policy["Ref"]) for policy in policies if "Ref" in policy}
        role = AWS.physical_id(f"{logical_id}Role")
        found = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        missing = wanted - {policy["PolicyArn"] for policy in found}
        need(not missing, f"{logical_id} lacks {missing}")


# Steps: a removed stack.


def remove():
    AWS.client("dynamodb").put_item(TableName=USERS, Item={"pk": {"S": "user#1"}, "sk": {"S": "user"}})
    delete_stack()
    need(AWS.tables() == [USERS], f"tables: {AWS.tables()}")
    need(len(AWS.secrets()) == 1, f"secrets: {AWS.secrets()}")


def import_table(stack):
    """Runs the commands of docs/operations.md, the last of which is `make deploy`."""
    users = f"{stack.name}-users"
    table = copy.deepcopy(TEMPLATE["Resources"]["UsersTable"])
    table["Properties"].update(TableName=users, DeletionProtectionEnabled=False)
    pathlib.Path(FOLDER.name, "users.yaml").write_text(json.dumps({"Resources": {"UsersTable": table}}))
    stack.run(IMPORT[:-1], FOLDER.name)
    stack.must_deploy(template=SUPPORTED)
    stack.need_status("UPDATE_COMPLETE")
    need(stack.client("dynamodb").scan(TableName=users)["Count"] == 1, "the table lost its item")


def move():
    """Restores a backup of the kept table under another name, and imports it into a stack of that name."""
    stack, dynamodb = Emulator(AWS.url, "latchkey-moved"), AWS.client("dynamodb")
    backup = dynamodb.create_backup(TableName=USERS, BackupName="move")["BackupDetails"]["BackupArn"]
    users = f"{stack.name}-users"
    dynamodb.restore_table_from_backup(TargetTableName=users, BackupArn=backup)
    # A restore does not keep the stream.
    stream = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    dynamodb.update_table(TableName=users, StreamSpecification=stream)
    import_table(stack)


def copy_ring():
    """Copies the value of a secret that stands for the kept one, whose name ministack gives to the new one."""
    secrets = AWS.client("secretsmanager")
    AWS.copy_ring(secrets.create_secret(Name="kept", SecretString="kept")["ARN"])
    found = secrets.get_secret_value(SecretId=AWS.output("KeyRing"))["SecretString"].strip()
    need(found == "kept", f"the new secret is {found}")


# Steps: the events of API Gateway.


def host_of_echo():
    """The host of an API that invokes ECHO, by the local gateway's routes."""
    function = create_echo()
    gateway = AWS.client("apigatewayv2")
    api = gateway.create_api(Name="echo", ProtocolType="HTTP")
    integration = gateway.create_integration(
        ApiId=api["ApiId"], IntegrationType="AWS_PROXY", IntegrationUri=function,
        PayloadFormatVersion="2.0",
    )
    target = f"integrations/{integration['IntegrationId']}"
    for route in ("$default", "DELETE /v1/api-keys/{id}"):
        gateway.create_route(ApiId=api["ApiId"], RouteKey=route, Target=target)
    gateway.create_stage(ApiId=api["ApiId"], StageName="$default", AutoDeploy=True)
    return api["ApiEndpoint"].partition("//")[2]


@functools.cache
def create_echo():
    """The ARN of a function with the program ECHO."""
    program = io.BytesIO()
    with zipfile.ZipFile(program, "w") as archive:
        archive.writestr("echo.py", ECHO)
    function = AWS.client("lambda").create_function(
        FunctionName="echo", Runtime="python3.12", Handler="echo.handler", Code={"ZipFile": program.getvalue()},
        Role="arn:aws:iam::000000000000:role/echo",
    )
    return function["FunctionArn"]


def compare_events():
    host = host_of_echo()
    found = gateway_events.differences(lambda *request: gateways.ask(AWS.url, host, *request)[1])
    need(found.keys() == DIFFERENT_EVENTS, f"differences: {found}")


step = Steps()
with FOLDER:
    port = free_port()
    AWS = Emulator(f"http://127.0.0.1:{port}")
    SUPPORTED = supported_template()
    with ministack(port):
        PACKAGED = package()
        step("CloudFormation refuses each parameter's invalid values", refuse_parameters)
        step("CloudFormation refuses what the rules refuse", refuse_by_rules)
        step("the control: with Retain, a failed creation leaves both", create_fails_with_retain)
        step("a failed creation leaves no table and no secret", create_fails)
        step("the next creation succeeds", create)
        step("each function's role has its managed policies", see_policies)
        step("a removal keeps the users table and the secret", remove)
        step("the kept table is imported, and the stack deployed over it", import_table, AWS)
        step("the kept key ring is copied into the new one", copy_ring)
        step("the stack is removed", delete_stack)
        step("a copy of the kept table is imported into a stack with another name", move)
        step("its events are those of the local gateway, but for known differences", compare_events)
        step("its JWT authorizer takes tokens of RS256, by the documented template",
             lambda: jwt_authorized.see_jwt_authorizer(AWS.url, create_echo()))
step.end()
