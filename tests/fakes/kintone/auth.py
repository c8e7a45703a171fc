"""Who asks and what they may: API tokens, passwords, OAuth and Basic authentication, in kintone's own order.

https://cybozu.dev/ja/kintone/docs/rest-api/overview/authentication
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .app import RIGHTS, FakeApp, Right, Token
from .wire import Json, Refused, Request, bad_request, not_allowed, token_may_not, wrong_token

if TYPE_CHECKING:
    from .domain import FakeDomain

MOST_TOKENS = 9


@dataclass
class User:
    """A user of the domain. ``rights`` hold for every app; ``may_create_apps`` is the domain's permission."""

    code: str
    name: str
    email: str = ""
    password: str = ""
    rights: frozenset[Right] = RIGHTS
    may_create_apps: bool = True

    def entity(self) -> Json:
        """``{"code": "hanako", "name": "佐藤 花子"}``."""
        return {"code": self.code, "name": self.name}


@dataclass(frozen=True)
class Asker:
    """Who sent a request: a user, or tokens that act as the administrator."""

    user: User
    tokens: tuple[str, ...] = ()

    def must(self, app: FakeApp, *rights: Right) -> None:
        """Refuse unless all these rights are there: GAIA_IA02, GAIA_NO01 for tokens, CB_NO02 for users."""
        if not self.tokens:
            if not self.user.rights.issuperset(rights):
                raise not_allowed()
            return
        held = self._tokens_of(app)
        if not held:
            raise wrong_token()
        if not frozenset[Right]().union(*(token.rights for token in held)).issuperset(rights):
            raise token_may_not()

    def must_one_of(self, app: FakeApp, *rights: Right) -> None:
        """Refuse unless one of these rights is there."""
        if not any(self.may(app, right) for right in rights):
            self.must(app, *rights)

    def may(self, app: FakeApp, right: Right) -> bool:
        """Whether ``must`` would let it pass."""
        try:
            self.must(app, right)
        except Refused:
            return False
        return True

    def must_be_a_user(self) -> User:
        """Refuse a token where the API takes none."""
        if self.tokens:
            raise token_may_not()
        return self.user

    def _tokens_of(self, app: FakeApp) -> list[Token]:
        return [app.tokens[text] for text in self.tokens if text in app.tokens and not app.tokens[text].inert]


def identify(domain: FakeDomain, request: Request) -> Asker:
    """Who asks. Raises ``Refused``: CB_AU01 when nobody says who, CB_WA01 when the password is wrong."""
    if secret := request.header("X-Cybozu-Authorization"):
        return Asker(_by_password(domain, secret))
    if tokens := request.header("X-Cybozu-API-Token"):
        sent = tuple(token.strip() for token in tokens.split(","))
        if len(sent) > MOST_TOKENS:
            raise bad_request()
        return Asker(domain.administrator, sent)
    scheme, _, token = request.header("Authorization").partition(" ")
    if scheme == "Bearer":
        if user := domain.bearers.get(token):
            return Asker(user)
        raise Refused(401, "CB_OA01", ("OAuthの認証に失敗しました。", "The OAuth token is invalid."))
    raise Refused(401, "CB_AU01", ("ログインしてください。", "Please login."))


def passes_the_gateway(domain: FakeDomain, request: Request) -> bool:
    """Whether Basic authentication lets the request pass, where the domain has it."""
    if domain.basic is None:
        return True
    scheme, _, secret = request.header("Authorization").partition(" ")
    return scheme == "Basic" and _decoded(secret) == domain.basic


def _by_password(domain: FakeDomain, secret: str) -> User:
    pair = _decoded(secret)
    user = domain.users.get(pair[0]) if pair else None
    if pair is None or user is None or not user.password or user.password != pair[1]:
        raise Refused(
            401,
            "CB_WA01",
            (
                "パスワード認証に失敗しました。「X-Cybozu-Authorization」の値が正しくありません。",
                'Password authentication failed. The value of "X-Cybozu-Authorization" is incorrect.',
            ),
        )
    return user


def _decoded(secret: str) -> tuple[str, str] | None:
    try:
        user, _, password = base64.b64decode(secret, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return user, password
