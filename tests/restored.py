"""Restores the users table of the stack in fakecloud by the commands of docs/operations.md, for tests/deploy.py. Says
what it leaves out, because fakecloud cannot do it.
"""

from itertools import chain

from deployed import AWS, PASSWORD, USERS, WITHOUT_ROUTE, end_instances, expect, sign_in
from documents import blocks
from emulator import FUNCTIONS, OPERATIONS, need

_, STOP, REPLACE_TABLE, END_API_KEYS, START = RESTORE = blocks(OPERATIONS, "Restore")
_, REPLACE_RING, NEW_INSTANCES = blocks(OPERATIONS, "Keys")


# What commands of later blocks use.
DEFINITIONS = [
    command
    for command in chain(*blocks(OPERATIONS, "Accounts"), *RESTORE)
    if command.startswith(("operate()", "routed="))
]


def run(commands):
    AWS.run(DEFINITIONS + commands)


def need_stopped(expected):
    """Expects these functions, and no other, to have no concurrency."""
    stopped = set()
    for function, logical_id in FUNCTIONS.items():
        found = AWS.client("lambda").get_function_concurrency(FunctionName=AWS.physical_id(logical_id))
        if found.get("ReservedConcurrentExecutions") == 0:
            stopped.add(function)
    need(stopped == expected, f"stopped: {stopped}")


def stop_functions():
    run(STOP)
    need_stopped(FUNCTIONS.keys() - WITHOUT_ROUTE | {"authorize"})


def try_ended(account, token, key):
    """Expects these statuses with the ended session's token and the ended API key."""
    expect(token, "GET", "/user", None, account["ended"]["token"])
    expect(key, "GET", "/v1/auth/user", **{"x-api-key": account["ended"]["key"]})


def end_after_backup(account):
    by_email = {"username": account["email"], "password": PASSWORD}
    token = expect(200, "POST", "/v1/auth/login", by_email)[0]["token"]
    created = expect(200, "POST", "/v1/api-keys", {"name": "ended", "permissions": 3}, token)[0]["apiKey"]
    account["ended"] = {"token": token, "key": created["key"]}
    try_ended(account, 200, 200)
    backup = AWS.client("dynamodb").create_backup(TableName=USERS, BackupName="before")
    account["backup"] = backup["BackupDetails"]["BackupArn"]
    expect(200, "DELETE", f"/v1/api-keys/{created['id']}", None, token)
    expect(200, "POST", "/v1/auth/logout", {}, token)
    try_ended(account, 401, 401)


def replace_table(account):
    dynamodb = AWS.client("dynamodb")
    print("          instead of restore-table-to-point-in-time, which in fakecloud restores no earlier time: a backup")
    dynamodb.restore_table_from_backup(TargetTableName=f"{USERS}-restored", BackupArn=account["backup"])
    run(REPLACE_TABLE)
    try_ended(account, 200, 200)
    table = dynamodb.describe_table(TableName=USERS)["Table"]
    need(table["DeletionProtectionEnabled"], "no deletion protection")
    expiry = dynamodb.describe_time_to_live(TableName=USERS)["TimeToLiveDescription"]
    need(expiry.get("AttributeName") == "expires_at", f"time to live: {expiry}")
    backups = dynamodb.describe_continuous_backups(TableName=USERS)["ContinuousBackupsDescription"]
    recovery = backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
    need(recovery == "ENABLED", f"point-in-time recovery: {recovery}")


def replace_ring(account):
    run(REPLACE_RING + NEW_INSTANCES)
    print("          instead of a new description, which in fakecloud starts no new instance: the end of all instances")
    end_instances(AWS)
    try_ended(account, 401, 200)


def end_api_keys(account):
    run(END_API_KEYS)
    try_ended(account, 401, 401)


def start_functions(account):
    print("          not seen: 503 from a stopped function, because fakecloud does not obey reserved concurrency")
    run(START)
    need_stopped(set())
    account["token"] = sign_in(account["email"])
    expect(200, "GET", "/user", None, account["token"])
