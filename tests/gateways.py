"""Sends the same requests to the local gateway and to an HTTP API, and compares the answers.

The requests are those in which gateways differ: slashes, percent-encoding, repeated headers, media types,
methods, bytes that are not text, and CORS.
"""

import http.client
import json
import subprocess
import urllib.parse

import server

ADDRESS = "http://127.0.0.1:3923"
JSON = ("content-type", "application/json")
WRONG = json.dumps({"username": "nobody@example.com", "password": "incorrect"})
NEW = json.dumps({"email": "same@example.com", "password": "abc321"})
# Of those that the local gateway allows. The API must allow it, for CORS_REQUESTS.
ORIGIN = ("origin", "http://localhost:5173")
OTHER_ORIGIN = ("origin", "https://evil.example")
PREFLIGHT = ("access-control-request-method", "PUT")
# Method, path as sent, headers, body.
REQUESTS = [
    ("GET", "/", [], ""),
    ("GET", "//", [], ""),
    ("POST", "/", [], ""),
    ("GET", "/nowhere", [], ""),
    ("GET", "/v1/nowhere", [], ""),
    ("GET", "//v1/nowhere", [], ""),
    ("PUT", "/user", [], ""),
    ("DELETE", "/v1/auth/login", [], ""),
    ("OPTIONS", "/user", [], ""),
    ("HEAD", "/user", [], ""),
    ("GET", "/user/", [], ""),
    ("GET", "//user", [], ""),
    ("GET", "/USER", [], ""),
    ("GET", "/us%65r", [], ""),
    ("GET", "/user%2Fauth", [], ""),
    ("GET", "/user?a=1&a=%C3%BC&b", [], ""),
    ("POST", "//v1/auth/login", [JSON], WRONG),
    ("POST", "/v1//auth/login/", [JSON], WRONG),
    ("DELETE", "/v1/api-keys/%37", [], ""),
    ("DELETE", "/v1/api-keys/1%2F2", [], ""),
    ("DELETE", "/v1/api-keys/", [], ""),
    ("DELETE", "/v1/api-keys/1/2", [], ""),
    ("GET", "/user", [("authorization", "Bearer a.b.c"), ("authorization", "Bearer a.b.c")], ""),
    ("GET", "/user", [("x-api-key", "api_a"), ("x-api-key", "api_b")], ""),
    ("GET", "/user", [("cookie", "a=1; b=2")], ""),
    ("POST", "/user/auth", [("content-type", "application/json-patch+json")], WRONG),
    ("POST", "/user/auth", [("content-type", "application/x-www-form-urlencoded")], WRONG),
    ("POST", "/user/auth", [], WRONG),
    ("POST", "/user/auth", [JSON], b'{"username":"\xff","password":"x"}'),
    ("POST", "/user/auth", [("content-type", "application/vnd.api+json")], b"\xff\xfe"),
    ("POST", "/user", [JSON], NEW),
    ("POST", "/user", [JSON], NEW),
    ("GET", "/user", [("user-agent", "x" * 8000)], ""),
    ("GET", "/user", [("user-agent", "y" * 11000)], ""),
]
CORS_REQUESTS = [
    ("OPTIONS", "/user", [ORIGIN, PREFLIGHT], ""),
    ("OPTIONS", "/nowhere", [ORIGIN, PREFLIGHT], ""),
    ("OPTIONS", "/user", [OTHER_ORIGIN, PREFLIGHT], ""),
    ("GET", "/user", [ORIGIN], ""),
    ("GET", "/user", [OTHER_ORIGIN], ""),
]
CORS = ("allow-origin", "allow-methods", "allow-headers", "allow-credentials", "expose-headers", "max-age")
COMPARED = (
    "allow", "content-type", "www-authenticate", "ratelimit-policy", *(f"access-control-{name}" for name in CORS)
)


def ask(url, host, method, path, headers, body):
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    connection.putrequest(method, parts.path.rstrip("/") + path, skip_host=True, skip_accept_encoding=True)
    body = body if isinstance(body, bytes) else body.encode()
    for name, value in [("host", host), ("content-length", str(len(body))), *headers]:
        connection.putheader(name, value)
    connection.endheaders(body)
    answer = connection.getresponse()
    text = answer.read().decode(errors="replace")
    found = {name: answer.headers[name] for name in COMPARED if answer.headers[name]}
    try:
        content = json.loads(text)
    except ValueError:
        content = text
    if isinstance(content, dict) and "token" in content:
        content = sorted(content)
    return answer.status, content, found


def differences(url, host, requests):
    """The requests that the API answers differently, each with the local answer and the API's."""
    found = {}
    quiet = subprocess.DEVNULL
    with server.make("run", ADDRESS, quiet, quiet, LATCHKEY_DB=":memory:", PORT="3923"):
        for method, path, headers, body in requests:
            ours = ask(ADDRESS, "localhost", method, path, headers, body)
            theirs = ask(url, host, method, path, headers, body)
            if ours != theirs:
                sent = f"{method} {path} {' '.join(f'{name}: {value}'[:40] for name, value in headers)}".strip()
                found[sent] = ours, theirs
    return found
