"""A fault that nobody foresaw stops neither an account nor the end of the program."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mailtray.app.barrier import UnexpectedError, attempt
from mailtray.app.commands import Quit
from mailtray.core.errors import StateError
from tests.app.rig import ANN, Rig

if TYPE_CHECKING:
    import pytest

    from mailtray.core.model import Notification

SECRET = "s3cret subject"


class Broken(RuntimeError):
    """An error that no port allows."""


def fail() -> None:
    raise Broken(SECRET)


def test_what_is_done_is_passed_on() -> None:
    assert attempt(lambda: 7) == 7


def test_a_foreseen_error_is_passed_on_unlogged(caplog: pytest.LogCaptureFixture) -> None:
    error = StateError("Full")

    def work() -> None:
        raise error

    assert attempt(work) is error
    assert caplog.records == []


def test_an_unforeseen_error_is_logged_by_type_and_place(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    found = attempt(fail)
    assert isinstance(found, UnexpectedError)
    assert found.title == "Something unexpected went wrong (Broken)"
    assert "in fail" in caplog.text
    assert SECRET not in caplog.text + str(found)


def test_a_notifier_that_breaks_does_not_end_an_accounts_polls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # kivy/plyer#645: works at first and fails from the n-th notification on
    rig = Rig(ANN)
    rig.do()
    rig.box().deliver("A")

    def show(_: Notification) -> None:
        fail()

    with monkeypatch.context() as broken:
        broken.setattr(rig.notifier, "show", show)
        rig.check()
        rig.pass_time(600.0)
    assert "unexpected" in rig.view.tooltip
    rig.pass_time(60.0)
    assert "unexpected" not in rig.view.tooltip
    assert dict(rig.told()) == {"A": 1}
    assert rig.events("status")[-1]["state"] == "ok"


def test_a_state_store_that_breaks_does_not_end_an_accounts_polls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig = Rig(ANN)
    with monkeypatch.context() as broken:
        broken.setattr(rig.state, "save", lambda *_: fail())
        rig.do()
        assert "unexpected" in rig.view.tooltip
    rig.pass_time(70.0)
    assert rig.events("status")[-1]["state"] == "ok"
    assert rig.notifier.on_screen == {}


def test_what_does_not_close_keeps_nothing_else_open(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(ANN)
    monkeypatch.setattr(rig.state, "close", fail)
    rig.inbox.put(Quit())
    rig.poller.run()
    assert rig.notifier.is_closed
    assert rig.mail.is_closed
    assert rig.tray.is_stopped


def test_a_fault_in_a_step_is_shown_and_the_loop_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rig = Rig(ANN)
    monkeypatch.setattr(rig.vault, "accounts", fail)
    rig.inbox.put(Quit())
    rig.poller.run()
    assert "Broken" in caplog.text
    assert rig.tray.is_stopped
