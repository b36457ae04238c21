"""Lines on a console."""

from __future__ import annotations

import io

import pytest

from mailtray.adapters.console_notifier import ConsoleNotifier
from mailtray.core.errors import NotifierError
from tests.contract.test_notifier import about


def test_one_line_each() -> None:
    stream = io.StringIO()
    notifier = ConsoleNotifier(stream)
    notifier.show(about("a", "3 new messages", "Ann: Hello\nBen: Hi\nand 1 more"))
    notifier.show(about("b", "Ann", ""))
    assert stream.getvalue() == "3 new messages: Ann: Hello · Ben: Hi · and 1 more\nAnn\n"


def test_what_the_encoding_lacks_is_replaced() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    ConsoleNotifier(stream).show(about("a", "Zoë", "…"))
    assert raw.getvalue() == b"Zo?: ?\n"


def test_a_closed_stream_is_an_error_and_stays_the_callers() -> None:
    stream = io.StringIO()
    notifier = ConsoleNotifier(stream)
    notifier.close()
    assert not stream.closed
    stream.close()
    with pytest.raises(NotifierError):
        notifier.show(about("a"))
