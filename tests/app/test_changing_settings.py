"""Settings that the person changes while the program runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mailtray.app.commands import Clicked, Quit
from mailtray.core.errors import ConfigError, Unconfigured
from mailtray.core.peace import Presence, QuietHours
from tests.app.rig import ANN, Rig

ALWAYS = (QuietHours(frozenset(range(7)), 0, 1440),)
MISTAKE = ConfigError(origin="/home/ann/settings.toml", key="interval_s", problem="is wrong")
TITLE = "Your settings have a mistake at interval_s"


@pytest.fixture
def rig() -> Rig:
    rig = Rig(ANN)
    rig.do()
    return rig


def change(rig: Rig, **wishes: object) -> None:
    """Change some settings, behind the program's back."""
    rig.settings.write(replace(rig.settings.settings, **wishes))  # type: ignore[arg-type] # any key


def test_a_new_interval_counts_from_the_next_poll_on(rig: Rig) -> None:
    change(rig, interval_s=600.0)
    rig.pass_time(61)
    polls = len(rig.events("polled"))
    rig.pass_time(400)
    assert len(rig.events("polled")) == polls


def test_changed_settings_are_looked_at_with_a_poll(rig: Rig) -> None:
    change(rig, max_single_notifications=0)
    rig.box().deliver("A")
    rig.do()
    assert rig.titles() == ["1 new message"]


def test_quiet_hours_begin_and_end_by_a_change(rig: Rig) -> None:
    change(rig, quiet_hours=ALWAYS)
    rig.box().deliver("A")
    rig.check()
    assert rig.titles() == []
    assert rig.view.tooltip.startswith("Quiet until")
    change(rig, quiet_hours=())
    rig.do()
    assert len(rig.titles()) == 1


def test_a_mistake_is_told_once_and_taken_back_when_it_is_mended(rig: Rig) -> None:
    rig.settings.write(MISTAKE)
    rig.pass_time(300)
    assert rig.titles() == [TITLE]
    assert TITLE in rig.view.tooltip
    assert "/home/ann/settings.toml: is wrong" in rig.notifier.shown[0].body
    rig.do(Clicked(rig.notifier.shown[0], ""))
    assert rig.own_pages.opened == ["trouble/settings"]
    (trouble,) = rig.troubles()
    assert (trouble["title"], trouble["remedy"], trouble["key"]) == (
        TITLE,
        "settings",
        "interval_s",
    )
    rig.settings.write(rig.settings.settings)
    rig.do()
    assert "settings" not in rig.notifier.on_screen
    assert TITLE not in rig.view.tooltip


def test_what_was_wished_before_a_mistake_still_counts(rig: Rig) -> None:
    change(rig, max_single_notifications=0)
    rig.do()
    rig.settings.write(MISTAKE)
    rig.do()
    rig.box().deliver("A")
    rig.check()
    assert rig.titles() == [TITLE, "1 new message"]


def test_another_mistake_takes_the_first_ones_place(rig: Rig) -> None:
    rig.settings.write(MISTAKE)
    rig.do()
    rig.settings.write(ConfigError(origin="/x.toml", key="", problem="is too long"))
    rig.do()
    assert rig.titles() == [TITLE, "Your settings have a mistake"]
    assert [*rig.notifier.on_screen] == ["settings"]


def test_a_mistake_does_not_hide_that_there_is_no_client_id() -> None:
    rig = Rig(unconfigured=Unconfigured("No client id", "Set one."))
    rig.do()
    rig.settings.write(MISTAKE)
    rig.do()
    assert rig.events("status")[-1]["error"] == TITLE
    rig.settings.write(rig.settings.settings)
    rig.do()
    assert rig.events("status")[-1]["error"] == "No client id"


@pytest.mark.parametrize(
    "wishes",
    [
        pytest.param({"client_id": "x"}, id="another registration"),
        pytest.param({"proxy": "http://proxy:1"}, id="another proxy"),
        pytest.param({"tray": "none"}, id="no icon"),
        pytest.param({"language": "de"}, id="another language"),
    ],
)
def test_what_counts_from_the_start_makes_the_program_start_over(
    rig: Rig, wishes: dict[str, object]
) -> None:
    change(rig, **wishes)
    rig.poller.step(None)
    assert rig.poller.starts_over
    posted = []
    while not rig.inbox.empty():
        posted.append(rig.inbox.get())
    assert posted == [Quit()]


def test_a_permission_is_asked_for_once_it_is_wished(rig: Rig) -> None:
    change(rig, preview=True)
    rig.identity.refused_scopes = {"Mail.Read"}
    rig.do()
    assert rig.titles() == ["Previews need a permission"]
    change(rig, preview=False)
    rig.do()
    assert rig.notifier.on_screen == {}
    rig.box().deliver("A")
    rig.check()
    assert rig.told() == {"A": 1}
    assert rig.events("failed") == []
    assert "Give permission…" not in [item.label for item in rig.view.menu]


def test_what_a_cursor_asks_for_changes_with_the_permission(rig: Rig) -> None:
    rig.box().deliver("A")
    rig.check()
    change(rig, preview=True)
    rig.do()
    assert rig.box().cursors[-1] is None
    assert rig.told() == {"A": 1}


def test_what_the_desktop_tells_is_heeded_anew(rig: Rig) -> None:
    rig.desktop.presence = Presence(is_locked=True)
    change(rig, quiet_when_locked=False)
    rig.box().deliver("A")
    rig.check()
    assert len(rig.titles()) == 1
