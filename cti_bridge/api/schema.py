"""What the JSON API takes, as pydantic models. What it returns is described by ``live/frames.schema.json``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Text = Annotated[str, StringConstraints(strip_whitespace=True)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]


def _storable(value: object) -> object:
    """Text without what no database takes: NUL and halves of surrogate pairs. A note is worth more than they are."""
    return value.replace("\0", "").encode("utf-8", "ignore").decode() if isinstance(value, str) else value


class Body(BaseModel):
    """A request's JSON object. Unknown members are ignored, as everywhere in the protocol."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _clean(cls, data: object) -> object:
        return {name: _storable(value) for name, value in data.items()} if isinstance(data, dict) else data


class SignIn(Body):
    email: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=254)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    code: Annotated[str, StringConstraints(max_length=40)] = ""
    """Of an authenticator app, or a recovery code; asked for with ``code_required``."""


class Code(Body):
    code: Annotated[str, StringConstraints(min_length=1, max_length=40)]


class SetPresence(Body):
    presence: Literal["available", "away"]


class SetLanguage(Body):
    language: Literal["ja", "en"]


class Dial(Body):
    number: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    line_id: int | None = None
    record_id: Annotated[str, StringConstraints(max_length=200)] | None = None


class Choose(Body):
    contact_id: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Relate(Body):
    record_id: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Vouch(Body):
    """Whom a CRM's plug-in vouches for: the CRM's name for its user, and their e-mail address if it knows it."""

    user: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    email: Annotated[str, StringConstraints(strip_whitespace=True, max_length=254)] = ""


class Redeem(Body):
    ticket: Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class Draft(Body):
    note: Annotated[str, StringConstraints(max_length=20_000)] = ""
    disposition: Annotated[str, StringConstraints(max_length=40)] | None = None


class NewContact(Body):
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    reading: Name = ""
    company: Name = ""


class Search(Body):
    """A query string: ``?q=山田``."""

    q: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Json(BaseModel):
    """Any JSON object; its members are described by the live protocol's schema."""

    model_config = ConfigDict(extra="allow")


class SignedIn(BaseModel):
    token: str
    expires_in: int = Field(description="seconds")
    agent: dict[str, Any] | None = None
    must_enrol: bool = Field(default=False, description="one-time codes must be set up before anything else")


class SecondFactor(BaseModel):
    on: bool
    demanded: bool = Field(description="the bridge's settings want this agent to have one-time codes")
    recovery_codes_left: int


class Enrolment(BaseModel):
    secret: str = Field(description="base 32, to type into an authenticator app")
    uri: str = Field(description="otpauth://…, the same for programs")
    qr: str = Field(description="the same as a picture, SVG")


class RecoveryCodes(BaseModel):
    recovery_codes: list[str] = Field(description="each signs in once instead of a code; told only now")


class Ended(BaseModel):
    ended: int = Field(description="sign-ins that were ended")


class Ticket(BaseModel):
    ticket: str
    expires_in: int = Field(description="seconds")
