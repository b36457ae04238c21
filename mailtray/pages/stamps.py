"""Knows again what a form was made from, so that no change in the file is overwritten unseen."""

from __future__ import annotations

import hmac
import json
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailtray.pages.program import Edit


class ChangedMeanwhile(Exception):
    """The file says something else by now than what the form was made from."""


class Stamps:
    """Stamps what a file says; a stamp tells nothing of a password that may be in it."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def of(self, value: object) -> str:
        """Return the stamp of a value of TOML's types, or of ``None`` where there is none."""
        written = json.dumps(value, sort_keys=True, default=str)
        return hmac.digest(self._secret, written.encode(), "sha256").hex()

    def unless_changed(self, stamp: str, value: object) -> Edit:
        """Return the edit that sets a value where the file still says what was stamped.

        It raises :class:`ChangedMeanwhile` where it does not; where the file says already what
        it is to say nobody loses anything.
        """

        def edit(now: object) -> object:
            if now != value and not hmac.compare_digest(self.of(now), stamp):
                raise ChangedMeanwhile
            return value

        return edit
