"""The last barrier: what nobody foresaw becomes an error that a person may read."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING, TypeVar

from mailtray.core.errors import MailtrayError
from mailtray.core.language import _

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)

T = TypeVar("T")


class UnexpectedError(MailtrayError):
    """A fault of mailtray's own."""


def attempt(work: Callable[[], T]) -> T | MailtrayError:
    """Do the work and return its result, or the error that stopped it.

    An unforeseen exception is logged by type and place only: its message may hold an address, a
    subject or a token.
    """
    try:
        return work()
    except MailtrayError as error:
        return error
    except Exception as error:  # noqa: BLE001 - one fault must not end the program
        places = "".join(traceback.format_tb(error.__traceback__))
        _log.error("unexpected %s\n%s", type(error).__name__, places)
        return UnexpectedError(
            _("Something unexpected went wrong ({kind})").format(kind=type(error).__name__),
            _("mailtray goes on trying; the log tells where it happened."),
        )
