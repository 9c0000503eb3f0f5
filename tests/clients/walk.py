"""Follows the README, errors included, with the client that openapi-python-client generates: walk.py URL."""

import sys

from latchkey import AuthenticatedClient, Client
from latchkey.api.appmixer import (
    change_password,
    delete_user,
    end_own_sessions,
    get_user,
    list_sessions,
    sign_in,
    sign_up,
)
from latchkey.api.management import (
    create_api_key,
    get_profile,
    list_api_keys,
    log_in,
    log_out,
    revoke_api_key,
    update_profile,
)
from latchkey.models import (
    AppmixerError,
    ChangePasswordRequest,
    Code,
    DeleteUserRequest,
    EndOwnSessionsExcept,
    LogInRequest,
    LogOutRequest,
    ManagementError,
    NewApiKey,
    SettingChange,
    SettingType,
    SignInByEmail,
    SignInByUsername,
    SignUpRequest,
    UpdateProfileRequest,
    UserChange,
)

URL = sys.argv[1]
EMAIL, PASSWORD = "python@example.com", "abc321"
anybody = Client(URL, raise_on_unexpected_status=True)


def bearer(token):
    return AuthenticatedClient(URL, token=token, raise_on_unexpected_status=True)


def by_key(key):
    return AuthenticatedClient(
        URL, token=key, auth_header_name="x-api-key", prefix="", raise_on_unexpected_status=True
    )


def assert_appmixer(error, status, message):
    assert isinstance(error, AppmixerError), error
    assert (error.status_code, error.message) == (status, message), error


def assert_management(error, code, message):
    assert isinstance(error, ManagementError), error
    assert (error.success, error.code, error.message) == (False, code, message), error


class WithoutPassword:
    """A body that the generated classes do not allow."""

    def to_dict(self):
        return {"email": EMAIL}


new = SignUpRequest(email=EMAIL, password=PASSWORD, username="python")
signed_up = sign_up.sync(client=anybody, body=new)
assert signed_up.user.username == "python" and signed_up.user.vendor is None, signed_up
assert_appmixer(sign_up.sync(client=anybody, body=new), 400, "User already exists.")
missing = sign_up.sync(client=anybody, body=WithoutPassword())
assert_appmixer(missing, 400, '"password" is required')

signed_in = sign_in.sync(client=anybody, body=SignInByUsername("python", PASSWORD))
by_email = sign_in.sync(client=anybody, body=SignInByEmail(EMAIL, PASSWORD))
assert signed_in.user == by_email.user, signed_in
assert signed_in.user.to_dict() == {**signed_up.user.to_dict(), "scope": ["user"]}, signed_in
wrong = sign_in.sync(client=anybody, body=SignInByEmail(EMAIL, "abc322"))
assert_appmixer(wrong, 403, "Invalid username or password.")
user = get_user.sync(client=bearer(signed_in.token))
assert (user.email, user.scope, user.plan) == (EMAIL, ["user"], "free"), user
bad = get_user.sync(client=bearer("a.b.c"))
assert_appmixer(bad, 401, "Invalid JWT: key or signature is invalid")

wrong = log_in.sync(client=anybody, body=LogInRequest("python", "abc322"))
assert_management(wrong, Code.INVALID_CREDENTIALS, "Invalid username or password.")
logged_in = log_in.sync(client=anybody, body=LogInRequest("python", PASSWORD))
assert logged_in.success and logged_in.expires_in == 1800, logged_in
session = bearer(logged_in.token)

made = create_api_key.sync(client=session, body=NewApiKey("ci", permissions=3)).api_key
assert made.created_date.tzinfo and made.expire_date is None, made
refused = create_api_key.sync(client=session, body=NewApiKey("ci", permissions=16))
assert_management(refused, Code.INVALID_FIELD, '"permissions" must be a mask from 0 to 15')
listed = list_api_keys.sync(client=session).api_keys
assert [key.id for key in listed] == [made.id] and listed[0].key.endswith("…"), listed

theme = SettingChange(category="ui", name="theme", value="dark", type_=SettingType.STRING)
change = UserChange(first_name="Ada", country_code="GB", settings=[theme])
changed = update_profile.sync(client=by_key(made.key), body=UpdateProfileRequest(change))
read = get_profile.sync(client=by_key(made.key))
assert read.user == changed.user and read.user.first_name == "Ada", read
assert read.user.settings[0].type_ == SettingType.STRING and read.user.title is None, read
cleared = UpdateProfileRequest(UserChange(first_name=None))
assert update_profile.sync(client=session, body=cleared).user.first_name is None
nowhere = UpdateProfileRequest(UserChange(country_code="XX"))
refused = update_profile.sync(client=session, body=nowhere)
message = '"countryCode" must be a country code of ISO 3166-1 alpha-2'
assert_management(refused, Code.INVALID_FIELD, message)

assert revoke_api_key.sync(made.id, client=session).success
unknown = revoke_api_key.sync(99, client=session)
assert_management(unknown, Code.NO_API_KEY, "API key not found")
assert_management(get_profile.sync(client=by_key(made.key)), Code.API_KEY, "Invalid API key")
assert log_out.sync(client=session, body=LogOutRequest()).success
assert_management(get_profile.sync(client=session), Code.TOKEN_REVOKED, "Bad token")

owner = bearer(signed_in.token)
sessions = list_sessions.sync(client=owner)
assert [one.current for one in sessions].count(True) == 1 and sessions[0].created.tzinfo, sessions
refused = change_password.sync(client=owner, body=ChangePasswordRequest("abc322", "abc323"))
assert_appmixer(refused, 403, "Invalid username or password.")
change_password.sync(client=owner, body=ChangePasswordRequest(PASSWORD, "abc323"))
end_own_sessions.sync(client=owner, except_=EndOwnSessionsExcept.CURRENT)
assert len(list_sessions.sync(client=owner)) == 1
delete_user.sync(client=owner, body=DeleteUserRequest("abc323"))
assert_appmixer(get_user.sync(client=owner), 401, "Bad token")
print("openapi-python-client: walked")
