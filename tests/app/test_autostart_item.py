"""Start at login, as the menu has it."""

from __future__ import annotations

from mailtray.app.commands import Looked, ToggleAutostart
from mailtray.core.errors import MailtrayError
from tests.app.rig import ANN, Rig


def is_checked(rig: Rig) -> list[bool | None]:
    return [item.is_checked for item in rig.view.menu if item.command == "toggle_autostart"]


def started() -> Rig:
    rig = Rig(ANN)
    rig.do(Looked())
    return rig


def test_it_is_turned_on_and_off() -> None:
    rig = started()
    assert is_checked(rig) == [False]
    rig.do(ToggleAutostart())
    assert (is_checked(rig), rig.autostart.started()) == ([True], ("mailtray",))
    rig.do(ToggleAutostart())
    assert (is_checked(rig), rig.autostart.started()) == ([False], ())


def test_the_menu_knows_what_others_changed() -> None:
    rig = started()
    rig.autostart.turn_on()
    rig.do(Looked())
    assert is_checked(rig) == [True]


def test_a_refusal_is_told_and_changes_nothing() -> None:
    rig = started()
    rig.autostart.error = MailtrayError("It cannot be set here", "Ask somebody.")
    rig.do(ToggleAutostart())
    assert rig.titles() == ["It cannot be set here"]
    assert is_checked(rig) == [False]
