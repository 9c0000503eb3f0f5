"""Sends requests to the API. Needs only Python."""

import json
import urllib.error
import urllib.request


def call(url, method, path, body=None, token=None, **headers):
    """The status, the body and the headers of the response. Text is sent as a form, anything else as JSON."""
    is_form = isinstance(body, str)
    headers = {"content-type": "application/x-www-form-urlencoded" if is_form else "application/json", **headers}
    if token:
        headers["authorization"] = f"Bearer {token}"
    text = body if is_form else json.dumps(body)
    data = None if body is None else text.encode()
    request = urllib.request.Request(url + path, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=600) as answer:
            return answer.status, json.loads(answer.read() or "null"), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or "null"), error.headers
