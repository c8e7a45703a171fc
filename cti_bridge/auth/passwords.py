"""Hashing and checking passwords, in the same time whether there is anybody or not."""

from __future__ import annotations

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from cti_bridge.errors import BadRequest

SHORTEST_PASSWORD = 10


class Passwords:
    """argon2id, with the library's own costs."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._nobodys_hash = self._hasher.hash(secrets.token_urlsafe(16))

    def hash(self, password: str) -> str:
        """For the agents table. Raises BadRequest when the password is too short."""
        if len(password) < SHORTEST_PASSWORD:
            raise BadRequest("password_too_short", shortest=SHORTEST_PASSWORD)
        return self._hasher.hash(password)

    def fits(self, hashed: str | None, password: str) -> bool:
        """Whether this is the password; None is nobody's hash, which takes as long and never fits."""
        try:
            self._hasher.verify(hashed or self._nobodys_hash, password)
        except (VerificationError, InvalidHashError):
            return False
        return hashed is not None
