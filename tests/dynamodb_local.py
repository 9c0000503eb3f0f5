"""Compares the embedded DynamoDB with AWS's DynamoDB Local over the requests of tests/it.

    python3 tests/dynamodb_local.py FOLDER [FILTER...]

Runs the tests that match the filters, all by default, with this script between them and their engine. It sends each
request to the engine, whose response the test gets, and to the DynamoDB Local in FOLDER, and prints where the two
responses differ. Capacity is not compared: DynamoDB Local does not count it as AWS documents it.
"""

import collections
import contextlib
import http.client
import http.server
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time

PORT_OF_LOCAL = 8011
PORT = 8012
# What DynamoDB Local keeps the tables apart by. Any values of the right form will do for the rest of the header.
CREDENTIAL = re.compile(r"Credential=((\d+)x\d+)/")
COPIED = ("authorization", "content-type", "x-amz-date", "x-amz-target")

locks = collections.defaultdict(threading.Lock)
copied_tables = set()
compared = collections.Counter()
differences = []


def send(port, headers, body):
    """The status and the body of the response."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("POST", "/", body, headers)
        response = connection.getresponse()
        return response.status, response.read()


def ask(port, headers, operation, request):
    headers = {**headers, "x-amz-target": f"DynamoDB_20120810.{operation}"}
    status, body = send(port, headers, json.dumps(request))
    assert status == 200, (operation, body)
    return json.loads(body)


def copy_tables(port, headers):
    """Creates the engine's tables in DynamoDB Local."""
    for name in ask(port, headers, "ListTables", {})["TableNames"]:
        table = ask(port, headers, "DescribeTable", {"TableName": name})["Table"]
        create = {key: table[key] for key in ("TableName", "KeySchema", "AttributeDefinitions")}
        indexes = [
            {key: index[key] for key in ("IndexName", "KeySchema", "Projection")}
            for index in table.get("GlobalSecondaryIndexes") or []
        ]
        if indexes:
            create["GlobalSecondaryIndexes"] = indexes
        ask(PORT_OF_LOCAL, headers, "CreateTable", {**create, "BillingMode": "PAY_PER_REQUEST"})


def comparable(operation, status, body):
    """What DynamoDB documents of a response: not the order of sets and of unordered items, nor the text of errors."""
    response = sorted_sets(json.loads(body))
    response.pop("ConsumedCapacity", None)
    if status != 200:
        reasons = [(reason["Code"], reason.get("Item")) for reason in response.get("CancellationReasons", [])]
        return status, response["__type"].split("#")[-1], response.get("Item"), reasons
    if operation == "Scan":
        response.get("Items", []).sort(key=json.dumps)
    if operation == "BatchGetItem":
        found = response.get("Responses", {})
        response["Responses"] = {table: sorted(items, key=json.dumps) for table, items in found.items() if items}
    return status, {key: value for key, value in response.items() if value != {}}


def sorted_sets(value):
    if isinstance(value, list):
        return [sorted_sets(item) for item in value]
    if isinstance(value, dict):
        return {
            key: sorted(item) if key in ("SS", "NS") and isinstance(item, list) else sorted_sets(item)
            for key, item in sorted(value.items())
        }
    return value


class Server(http.server.ThreadingHTTPServer):
    # As many connections as a test opens at once.
    request_queue_size = 1024


class Mirror(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name: self.headers[name] for name in COPIED}
        tables, engine = CREDENTIAL.search(headers["authorization"]).groups()
        operation = headers["x-amz-target"].split(".")[-1]
        # In one order for both.
        with locks[tables]:
            if tables not in copied_tables:
                copy_tables(int(engine), headers)
                copied_tables.add(tables)
            status, response = send(int(engine), headers, body)
            other = send(PORT_OF_LOCAL, headers, body)
        compared[operation] += 1
        ours, theirs = comparable(operation, status, response), comparable(operation, *other)
        if ours != theirs:
            differences.append((operation, json.loads(body), ours, theirs))
        self.send_response(status)
        self.send_header("content-type", "application/x-amz-json-1.0")
        self.send_header("content-length", str(len(response)))
        self.end_headers()
        self.wfile.write(response)

    def log_message(self, *_):
        pass


def main(folder, *filters):
    command = ["java", "-Djava.library.path=DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar", "-inMemory"]
    local = subprocess.Popen([*command, "-port", str(PORT_OF_LOCAL)], cwd=folder, stdout=subprocess.DEVNULL)
    try:
        wait_for(local)
        mirror = Server(("127.0.0.1", PORT), Mirror)
        threading.Thread(target=mirror.serve_forever, daemon=True).start()
        environment = {**os.environ, "DYNAMODB_MIRROR": f"http://127.0.0.1:{PORT}"}
        tests = ["cargo", "test", "--quiet", "--package", "tests", "--test", "it", "--", *filters]
        passed = subprocess.run(tests, env=environment).returncode == 0
    finally:
        local.kill()
    for operation, request, ours, theirs in differences[:20]:
        print(f"{operation} {json.dumps(request)}\n  embedded: {ours}\n  DynamoDB Local: {theirs}")
    print(f"{compared.total()} requests compared, {len(differences)} responses differ: {dict(compared)}")
    return passed and compared.total() > 0 and not differences


def wait_for(local):
    for _ in range(300):
        assert local.poll() is None, "DynamoDB Local has ended"
        with socket.socket() as connection:
            if connection.connect_ex(("127.0.0.1", PORT_OF_LOCAL)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("DynamoDB Local does not start")


if __name__ == "__main__":
    sys.exit(0 if main(*sys.argv[1:]) else 1)
