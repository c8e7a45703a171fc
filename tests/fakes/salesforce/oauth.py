"""Signing in: client credentials and JWT bearer, tokens, userinfo. Other grants are refused as Salesforce refuses them.

Errors are one object, not an array: ``{"error": "invalid_grant", "error_description": "audience is invalid"}``
(https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_flow_errors.htm).
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import jwt

from .errors import Json
from .rows import Rows
from .schema import Row

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SHARED_HOSTS = ("login.salesforce.com", "test.salesforce.com")
LONGEST_ASSERTION = 300 + 60
"""Seconds a JWT's exp may lie ahead: five minutes, and a little for clocks that differ."""


class SignInRefused(Exception):
    """``SignInRefused("invalid_grant", "audience is invalid")``; the status is 400."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.body: Json = {"error": error, "error_description": description}


@dataclass(frozen=True)
class App:
    """A registered External Client App. ``public_key`` is PEM; ``username`` is approved, and the run-as user."""

    consumer_key: str
    secret: str | None
    public_key: str | None
    username: str | None


class SignIn:
    """The token endpoint and the tokens it has given."""

    def __init__(self, rows: Rows, clock: Callable[[], datetime], url: Callable[[], str]) -> None:
        self.apps: dict[str, App] = {}
        self.sandbox = False
        self.new_login_voids_old = False
        self.logins = 0
        self.refused_logins = 0
        self._rows = rows
        self._clock = clock
        self._url = url
        self._tokens: dict[str, str] = {}

    def user_of(self, token: str) -> Row | None:
        """The signed-in user, or None when the token is unknown or void."""
        return self._rows.row(self._tokens.get(token))

    def expire_tokens(self) -> None:
        self._tokens.clear()

    def issue(self, user: Row) -> str:
        """A new token for a user, as after any sign-in."""
        if self.new_login_voids_old:
            self.expire_tokens()
        token = f"00D5g0000000001!{secrets.token_urlsafe(48)}"
        self._tokens[token] = user["Id"]
        return token

    def token(self, form: Mapping[str, str], authorization: str | None, host: str) -> Json:
        """``POST /services/oauth2/token``. Raises SignInRefused."""
        try:
            user = self._sign_in(form, authorization, host)
        except SignInRefused:
            self.refused_logins += 1
            raise
        self.logins += 1
        organization = self._rows.live("Organization")[0]["Id"]
        return {
            "access_token": self.issue(user),
            "signature": base64.b64encode(secrets.token_bytes(32)).decode(),
            "scope": "api",
            "instance_url": self._url(),
            "id": f"{self._url()}/id/{organization}/{user['Id']}",
            "token_type": "Bearer",
            "issued_at": str(int(self._clock().timestamp() * 1000)),
        }

    def userinfo(self, user: Row) -> Json:
        name = " ".join(part for part in (user["FirstName"], user["LastName"]) if part)
        return {
            "sub": f"{self._url()}/id/{self._rows.live('Organization')[0]['Id']}/{user['Id']}",
            "user_id": user["Id"],
            "organization_id": self._rows.live("Organization")[0]["Id"],
            "preferred_username": user["Username"],
            "name": name,
            "email": user["Email"],
            "email_verified": True,
            "zoneinfo": user["TimeZoneSidKey"],
            "language": user["LanguageLocaleKey"],
            "locale": user["LocaleSidKey"],
            "active": user["IsActive"],
            "user_type": "STANDARD",
        }

    def _sign_in(self, form: Mapping[str, str], authorization: str | None, host: str) -> Row:
        grant = form.get("grant_type")
        if grant == "client_credentials":
            return self._client_credentials(form, authorization, host)
        if grant == JWT_BEARER:
            return self._jwt_bearer(form.get("assertion", ""))
        if not grant:
            raise SignInRefused("invalid_request", "missing required code challenge or grant_type")
        raise SignInRefused("unsupported_grant_type", "grant type not supported")

    def _client_credentials(self, form: Mapping[str, str], authorization: str | None, host: str) -> Row:
        if host in SHARED_HOSTS:
            raise SignInRefused("invalid_grant", "request not supported on this domain")
        key, secret = form.get("client_id", ""), form.get("client_secret", "")
        if authorization and authorization.lower().startswith("basic "):
            try:
                key, _, secret = base64.b64decode(authorization[6:], validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                raise SignInRefused("invalid_client", "invalid client credentials") from None
        app = self._app(key)
        if app.secret is None or not secrets.compare_digest(app.secret.encode(), secret.encode()):
            raise SignInRefused("invalid_client", "invalid client credentials")
        user = self._user(app.username)
        if user is None:
            raise SignInRefused("invalid_grant", "no client credentials user enabled")
        return self._active(user)

    def _jwt_bearer(self, assertion: str) -> Row:
        try:
            issuer = jwt.decode(assertion, options={"verify_signature": False}).get("iss")
        except jwt.PyJWTError:
            raise SignInRefused("invalid_grant", "invalid assertion") from None
        app = self._app(str(issuer))
        checked_here = {"verify_aud": False, "verify_exp": False, "verify_iat": False}
        try:
            claims = jwt.decode(assertion, app.public_key or "", algorithms=["RS256"], options=checked_here)  # type: ignore[arg-type]
        except (jwt.PyJWTError, ValueError):
            raise SignInRefused("invalid_grant", "invalid assertion") from None
        shared = SHARED_HOSTS[1 if self.sandbox else 0]
        if claims.get("aud") not in {f"https://{shared}", self._url()} and not self._is_my_domain(claims.get("aud")):
            raise SignInRefused("invalid_grant", "audience is invalid")
        try:
            ahead = float(claims.get("exp", "")) - self._clock().timestamp()
        except ValueError:
            raise SignInRefused("invalid_grant", "invalid assertion") from None
        if not 0 < ahead <= LONGEST_ASSERTION:
            raise SignInRefused("invalid_grant", "expired authorization code")
        user = self._user(claims.get("sub"))
        if user is None or app.username is None or user["Username"].casefold() != app.username.casefold():
            raise SignInRefused("invalid_grant", "user hasn't approved this consumer")
        return self._active(user)

    def _is_my_domain(self, audience: object) -> bool:
        return isinstance(audience, str) and audience.startswith("https://") and audience.endswith(".my.salesforce.com")

    def _app(self, key: str) -> App:
        if key not in self.apps:
            raise SignInRefused("invalid_client_id", "client identifier invalid")
        return self.apps[key]

    def _user(self, username: object) -> Row | None:
        wanted = str(username or "").casefold()
        return next((user for user in self._rows.live("User") if user["Username"].casefold() == wanted), None)

    def _active(self, user: Row) -> Row:
        if not user["IsActive"]:
            raise SignInRefused("inactive_user", "user is inactive")
        return user
