"""How folders are named: by the person in settings, and by key from then on.

A person writes ``inbox``, ``Projects/Alpha``, a folder's id, or any of these behind the address of
a shared mailbox: ``team@contoso.com``, ``team@contoso.com/Projects``. A key is a folder's id or
well-known name, behind ``address:`` where the mailbox is a shared one.

Source: learn.microsoft.com/graph/api/resources/mailfolder (well-known names).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from mailtray.core.language import _
from mailtray.core.model import INBOX

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailtray.core.model import FolderPlace

WELL_KNOWN = frozenset(
    {"inbox", "archive", "drafts", "sentitems", "deleteditems", "junkemail", "clutter",
     "conversationhistory", "outbox"}
)  # fmt: skip
"""Folders that every mailbox has, under names that no language changes."""
_ADDRESS = r"[^@\s/:]+@[^@\s/:]+"
_WISH = re.compile(rf"(?:({_ADDRESS})(?:/|$))?(.*)", re.DOTALL)
_NAME = re.compile(rf"(?:({_ADDRESS})(?:[/:]|$))?(.*)", re.DOTALL)
_ID_LENGTH = 64
"""Graph's folder ids are longer than this, and in them capitals count."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A folder as the person names it.

    Attributes:
        mailbox: The address of a shared mailbox, in lower case; the account's own where empty.
        folder: A well-known name, a path or an id.
    """

    mailbox: str
    folder: str

    @property
    def words(self) -> str:
        """How to show it where nothing better is known."""
        return f"{self.mailbox}/{self.folder}" if self.mailbox else self.folder

    @property
    def key(self) -> str:
        """The key where the name is one that needs no looking up, else an empty string."""
        name = self.folder.lower()
        return key(self.mailbox, name) if name in WELL_KNOWN else ""


def parse_wish(words: str) -> Wish:
    """Read a folder's name as a person writes it.

    Raises:
        ValueError: It is none.
    """
    match = _WISH.fullmatch(words.strip())
    mailbox, folder = (match[1] or "", match[2].strip("/ ")) if match else ("", "")
    if not (mailbox or folder) or not folder.isprintable() or ":" in folder:
        raise ValueError(
            _(
                "must be a folder, as “inbox”, “Projects/Alpha”, or behind the address of a shared "
                "mailbox: “team@contoso.com/inbox”"
            )
        )
    return Wish(mailbox.lower(), folder or INBOX)


@lru_cache(maxsize=256)
def meant(name: str) -> str:
    """Return by what a folder's name, path or key is compared with others of any of these."""
    match = _NAME.fullmatch(name.strip())
    mailbox, folder = (match[1] or "", match[2].strip("/ ") or INBOX) if match else ("", name)
    folder = folder if len(folder) > _ID_LENGTH else folder.casefold()
    return f"{mailbox.lower()}/{folder}" if mailbox else folder


def is_address(words: str) -> bool:
    """Say whether a shared mailbox may be named so."""
    return re.fullmatch(_ADDRESS, words) is not None and words.isprintable()


def key(mailbox: str, folder: str) -> str:
    """Return the key of a folder, given its id or well-known name."""
    return f"{mailbox}:{folder}" if mailbox else folder


def split(folder_key: str) -> tuple[str, str]:
    """Return the mailbox (empty for the account's own) and the id of a key."""
    mailbox, _, folder = folder_key.rpartition(":")
    return mailbox, folder


def find(wish: Wish, places: Iterable[FolderPlace]) -> FolderPlace | None:
    """Return the folder that a wish means: the one of its id, else of its path, in any case."""
    known = list(places)
    by_id = [one for one in known if split(one.key)[1] == wish.folder]
    path = wish.folder.casefold()
    by_path = [one for one in known if one.path.casefold() == path]
    return next(iter(by_id + by_path), None)
