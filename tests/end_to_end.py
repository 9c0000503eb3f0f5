"""Calls every route of a running server as a client would: tests/end_to_end.py URL [FILE].

Works with `make run`, `make watch`, `sam local start-api` and a deployed stack. Writes the secrets it used
to FILE, one per line. API_HOST replaces the host name that is sent. Needs only Python.
"""

import os
import secrets
import sys

import client

URL = sys.argv[1].rstrip("/")
NAME = f"user-{secrets.token_hex(6)}"
EMAIL = f"{NAME}@example.com"
PASSWORD = secrets.token_urlsafe(12)


def call(method, path, body=None, token=None, key=None):
    headers = {"host": os.environ.get("API_HOST"), "x-api-key": key}
    headers = {name: value for name, value in headers.items() if value}
    return client.call(URL, method, path, body, token, **headers)[:2]


passed = 0


def expect(status, what, answer):
    global passed
    if answer[0] != status:
        sys.exit(f"{what}: {answer[0]} instead of {status}: {answer[1]}")
    passed += 1
    print(f"{what}: {status}")
    return answer[1]


new = {"username": NAME, "email": EMAIL, "password": PASSWORD}
by_name = {"username": NAME, "password": PASSWORD}
signed_up = expect(200, "POST /user", call("POST", "/user", new))
expect(400, "POST /user again", call("POST", "/user", new))
token = expect(200, "POST /user/auth", call("POST", "/user/auth", by_name))["token"]
wrong = {**by_name, "password": "incorrect"}
expect(403, "POST /user/auth, wrong password", call("POST", "/user/auth", wrong))
keys = expect(200, "GET /.well-known/jwks.json", call("GET", "/.well-known/jwks.json"))
assert keys == {"keys": []}, keys
for document in ("openid-configuration", "oauth-authorization-server"):
    expect(404, f"GET /.well-known/{document} with HS256", call("GET", f"/.well-known/{document}"))
user = expect(200, "GET /user", call("GET", "/user", token=token))
assert user["id"] == signed_up["user"]["id"], user
expect(401, "GET /user without credentials", call("GET", "/user"))

logged_in = expect(200, "POST /v1/auth/login", call("POST", "/v1/auth/login", {**by_name, "refresh": True}))
again = {"refreshToken": logged_in["refreshToken"]}
session = expect(200, "POST /v1/auth/refresh", call("POST", "/v1/auth/refresh", again))["token"]
new_key = {"name": "end to end", "permissions": 3}
key = expect(200, "POST /v1/api-keys", call("POST", "/v1/api-keys", new_key, session))["apiKey"]
profile = {"user": {"firstName": "Ada", "settings": [{"category": "ui", "name": "theme"}]}}
changed = expect(200, "POST /v1/auth/user", call("POST", "/v1/auth/user", profile, key=key["key"]))
read = expect(200, "GET /v1/auth/user", call("GET", "/v1/auth/user", key=key["key"]))
assert read == changed and read["user"]["firstName"] == "Ada", read
keys = expect(200, "GET /v1/api-keys", call("GET", "/v1/api-keys", token=session))["apiKeys"]
assert [listed["id"] for listed in keys] == [key["id"]], keys
revoke = f"/v1/api-keys/{key['id']}"
expect(200, "DELETE /v1/api-keys/{id}", call("DELETE", revoke, token=session))
expect(401, "GET /v1/auth/user by a revoked key", call("GET", "/v1/auth/user", key=key["key"]))
expect(200, "POST /v1/auth/logout", call("POST", "/v1/auth/logout", {}, session))
expect(401, "GET /user after logout", call("GET", "/user", token=session))
logged_in = expect(200, "POST /v1/auth/login", call("POST", "/v1/auth/login", by_name))["token"]
asked = f"token={logged_in}&token_type_hint=access_token"
expect(403, "POST /oauth/introspect without the scope", call("POST", "/oauth/introspect", asked, token))
expect(200, "POST /oauth/revoke", call("POST", "/oauth/revoke", asked))
expect(401, "GET /user after the revocation", call("GET", "/user", token=logged_in))

exported = expect(200, "GET /user/export", call("GET", "/user/export", token=token))
assert exported["profile"]["firstName"] == "Ada", exported
change = {"oldPassword": PASSWORD, "newPassword": PASSWORD}
renamed = {"username": f"{NAME}-2", "password": PASSWORD}
sessions = expect(200, "GET /user/sessions", call("GET", "/user/sessions", token=token))
assert [one["current"] for one in sessions].count(True) == 1, sessions
other = next(f"/user/sessions/{one['id']}" for one in sessions if not one["current"])
expect(200, "DELETE /user/sessions/{id}", call("DELETE", other, token=token))
expect(200, "POST /user/change-password", call("POST", "/user/change-password", change, token))
expect(200, "POST /user/change-username", call("POST", "/user/change-username", renamed, token))
kept = "/user/sessions?except=current"
expect(200, "DELETE /user/sessions", call("DELETE", kept, token=token))
unknown = {"code": secrets.token_urlsafe(20)}
expect(200, "POST /user/verify-email", call("POST", "/user/verify-email", {}, token))
expect(400, "POST /user/verify-email/confirm, unknown code", call("POST", "/user/verify-email/confirm", unknown))
expect(200, "POST /user/forgot-password", call("POST", "/user/forgot-password", {"email": EMAIL}))
forgotten = {**unknown, "password": PASSWORD}
expect(400, "POST /user/forgot-password/reset, unknown code", call("POST", "/user/forgot-password/reset", forgotten))
moved = {"email": f"{NAME}-2@example.com", "password": PASSWORD}
expect(200, "POST /user/change-email", call("POST", "/user/change-email", moved, token))
confirm = "/user/change-email/confirm"
expect(400, "POST /user/change-email/confirm, unknown code", call("POST", confirm, unknown, token))
this = f"/users/{user['id']}"
expect(403, "GET /users without the scope", call("GET", "/users", token=token))
expect(403, "GET /users/count without the scope", call("GET", "/users/count", token=token))
expect(403, "GET /users/{id} without the scope", call("GET", this, token=token))
expect(403, "PUT /users/{id} without the scope", call("PUT", this, {"scope": ["admin"]}, token))
expect(403, "DELETE /users/{id} without the scope", call("DELETE", this, token=token))
ticket = f"{this}/delete-status/a3b8f042-1e16-4f0a-a8f0-421e16df0a1b"
expect(403, "GET /users/{id}/delete-status/{ticket} without the scope", call("GET", ticket, token=token))
reset = {"email": EMAIL, "password": PASSWORD}
expect(403, "POST /user/reset-password without the scope", call("POST", "/user/reset-password", reset, token))
expect(200, "DELETE /user", call("DELETE", "/user", {"password": PASSWORD}, token))
expect(401, "GET /user after the deletion", call("GET", "/user", token=token))
if len(sys.argv) > 2:
    with open(sys.argv[2], "w") as file:
        file.write("\n".join([EMAIL, PASSWORD, token, session, signed_up["token"], key["key"]]))
print(f"{passed} passed, 0 failed")
