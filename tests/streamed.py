"""What the streams, pipes and queues of the stack in fakecloud do: mail, webhooks, and the erasure of deleted accounts.
For tests/deploy.py."""

import json
import re
import urllib.request

import fakecloud
from deployed import AWS, expect, invoke, sign_in, sign_up
from emulator import need, until

SENDER = "noreply@example.com"
APP_URL = "https://app.example.com"
# No host has the receiver's name, so no webhook is taken.
PARAMETERS = (
    f"MailFrom={SENDER}", f"AppUrl={APP_URL}", "WebhookUserCreated=https://receiver.invalid/hook",
    "WebhookRetryCount=2", "WebhookRetryInterval=1000",
)


def mails_to(address):
    """What SES was asked to send to the address."""
    with urllib.request.urlopen(f"{fakecloud.URL}/_fakecloud/ses/emails", timeout=60) as answer:
        return [mail for mail in json.load(answer)["emails"] if mail["to"] == [address]]


def verify_sender():
    AWS.client("sesv2").create_email_identity(EmailIdentity=SENDER)


def see_mail():
    """A new account's mail comes through the stream, the pipe and the queue, and its code verifies the email."""
    address = "mary@example.com"
    token = sign_up(address)
    (mail,) = until(lambda: mails_to(address), "a mail", seconds=120)
    need(SENDER in mail["from"], f"from {mail['from']}")
    code = re.search(re.escape(APP_URL) + r"/verify-email\?code=(\S+)", mail["textBody"])[1]
    expect(200, "POST", "/user/verify-email/confirm", {"code": code})
    need(expect(200, "GET", "/user", None, token)[0]["isActive"], "the email is not verified")


def see_webhook():
    """The webhook of a new account goes through the stream, the pipe and the queue, and the function fails twice."""
    sign_up("webhook@example.com")
    until(lambda: fakecloud.dead_letters(AWS.physical_id("WebhookQueue")), "a dead letter", seconds=120)


def see_erasure():
    """What belonged to a deleted account is deleted through the stream, the pipe and the queue."""
    admin = "root@example.com"
    sign_up(admin)
    admin_id = invoke("find-account", {"email": admin})[1]["id"]
    invoke("grant-scopes", {"id": admin_id, "scopes": ["admin"]})
    token = sign_up("gone@example.com")
    user = expect(200, "GET", "/user", None, token)[0]["id"]
    by = sign_in(admin)
    ticket = expect(200, "DELETE", f"/users/{user}", None, by)[0]["ticket"]
    expect(401, "GET", "/user", None, token)

    def status():
        return expect(200, "GET", f"/users/{user}/delete-status/{ticket}", None, by)[0]["status"]

    until(lambda: status() == "completed", "an erased account", seconds=120)
