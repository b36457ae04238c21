"""In a made-up language that wraps every sentence in ⟦…⟧, nothing that is shown is outside.

What is in no catalogue is known by name: who the person is, and what strangers wrote.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce as fold
from gettext import NullTranslations
from typing import TYPE_CHECKING, cast

import click
import pytest
from click.testing import CliRunner
from werkzeug.exceptions import NotFound

from mailtray import bootstrap
from mailtray.adapters import graph_failures, http_transport, keyring_vault, translations
from mailtray.adapters.http_answer import Answer
from mailtray.adapters.msal_errors import MEANINGS, meaning
from mailtray.app import answers
from mailtray.cli import cli, say_help
from mailtray.core import approval, language, text, troubles
from mailtray.core.compose import Places, Privacy, Wording, compose
from mailtray.core.errors import ConfigError, ConsentRequired, NoVault, SignInRequired, Unreachable
from mailtray.core.language import _
from mailtray.core.model import (
    Account,
    AccountId,
    Changes,
    Meeting,
    MeetingKind,
    Message,
    MessageId,
    Seen,
)
from mailtray.core.panel import view
from mailtray.core.peace import Quiet, Why
from mailtray.core.settings import FORMS, Layer, Place, parse_settings
from mailtray.core.status import (
    Failed,
    Noticed,
    Polled,
    QuietChanged,
    SignInAt,
    SignInFailed,
    SignInStarted,
    Source,
    Started,
    Status,
    reduce,
)
from mailtray.pages import site
from mailtray.pages.safety import Safety

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mailtray.core.errors import MailtrayError
    from mailtray.core.model import MenuItem
    from mailtray.core.status import Event
    from mailtray.pages.program import Program

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ANN = Account(AccountId("ann.home"), "ann@example.test")
BEN = Account(AccountId("ben.home"), "ben@example.test")
PAGE = "https://login.example/organizations/v2.0/adminconsent"
ODD = Message(MessageId("m1"))
PLAIN = Message(MessageId("m2"), subject="Lunch?", sender_name="Bo", received=NOON)
NAMES = (
    "mailtray", "ann@example.test", "ben@example.test", "Lunch?", "Bo", PAGE,
    "https://login.example/device", "ABCD",
)  # fmt: skip


class Wrapped(NullTranslations):
    """Stands for any language."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"


@pytest.fixture(autouse=True)
def _wrapped(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    language.speak(Wrapped())
    monkeypatch.setattr(translations, "speak", lambda _wished="": None)
    yield
    language.speak(NullTranslations())


def unsaid(shown: str) -> str:
    """Return the words of a text that no catalogue has."""
    left, before = shown, ""
    while left != before:
        left, before = re.sub(r"⟦[^⟦⟧]*⟧", "", left, flags=re.DOTALL), left
    left = re.sub(r"⟦[^⟦⟧]*…", "", left, flags=re.DOTALL)  # clipped
    for name in NAMES:
        left = left.replace(name, "")
    return "".join(re.findall(r"[^\W\d_]+", left))


def test_what_is_outside_is_found() -> None:
    assert unsaid("⟦Checked ⟦12:00⟧⟧ · 3 unread\n⟦Sign in⟧ · ann@example.test") == "unread"
    assert unsaid("⟦Choose “⟦Sign in⟧” …") == ""


def errors() -> Mapping[str, MailtrayError]:
    asked = ConsentRequired(_("a title"), _("a hint"))
    asked.link = PAGE
    return {
        "offline": Unreachable(_("a title"), _("a hint")),
        "signed out": SignInRequired(_("a title"), _("a hint")),
        "to be approved": asked,
    }


STARTED, BOTH = Started((ANN,)), Started((ANN, BEN))
MAIL = Polled(ANN.id, 2, (PLAIN, ODD), NOON)
STATES: Mapping[str, list[Event]] = {
    "starting": [],
    "nobody": [Started(())],
    "before the first poll": [STARTED],
    "nothing unread": [STARTED, Polled(ANN.id, 0, (), NOON)],
    "unread": [STARTED, MAIL],
    "two accounts": [BOTH, MAIL],
    "signing in": [Started(()), SignInStarted()],
    "with a code": [SignInStarted(), SignInAt("https://login.example/device", "ABCD")],
    "paused": [STARTED, MAIL, QuietChanged(Quiet(Why.PAUSED))],
    "paused for hours": [STARTED, MAIL, QuietChanged(Quiet(Why.PAUSED, NOON))],
    "paused for a day": [STARTED, QuietChanged(Quiet(Why.PAUSED, NOON + timedelta(days=1)))],
    "paused for days": [STARTED, QuietChanged(Quiet(Why.PAUSED, NOON + timedelta(days=3)))],
    "quiet hours": [STARTED, MAIL, QuietChanged(Quiet(Why.QUIET_HOURS, NOON))],
    "do not disturb": [STARTED, MAIL, QuietChanged(Quiet(Why.DO_NOT_DISTURB))],
    "locked": [STARTED, MAIL, QuietChanged(Quiet(Why.LOCKED))],
}


def after(*events: Event) -> Status:
    return fold(reduce, events, Status())


def statuses() -> Iterator[tuple[str, Status]]:
    for name, events in STATES.items():
        yield name, after(*events)
    for name, error in errors().items():
        for started in (STARTED, BOTH):
            yield name, after(started, MAIL, Failed(ANN.id, error, NOON))
        yield name, after(Started(()), SignInFailed(error))
    notice = Noticed(Source.VAULT, NoVault(_("a title"), _("a hint")))
    yield "a notice", after(STARTED, MAIL, notice)
    yield "a notice and nobody", after(notice)
    lacking = ConsentRequired(_("a title"), _("a hint"))
    yield "no previews", after(STARTED, replace(MAIL, lacking=lacking))
    yield "not configured", replace(Status(), is_configured=False)


def lines(items: tuple[MenuItem, ...]) -> Iterator[str]:
    for item in items:
        yield item.label
        yield from lines(item.children)


def test_icon_and_menu() -> None:
    for name, status in statuses():
        shown = view(status, NOON)
        assert unsaid(shown.tooltip) == "", name
        assert [line for line in lines(shown.menu) if unsaid(line)] == [], name


def test_what_is_wrong() -> None:
    for name, status in statuses():
        for one in map(troubles.as_json, troubles.troubles(status)):
            assert unsaid(f"{one['title']}\n{one['hint']}\n{one['means']}") == "", name


@pytest.mark.parametrize("max_single", [0, 20])
@pytest.mark.parametrize("privacy", Privacy)
def test_notifications(max_single: int, privacy: Privacy) -> None:
    several = [replace(PLAIN, conversation_id="1"), replace(ODD, conversation_id="1")]
    alone = [replace(PLAIN, conversation_id="2")] * 2
    meetings = [
        replace(PLAIN, meeting=Meeting(kind, NOON + timedelta(days=days)))
        for kind in MeetingKind
        for days in (0, 1, 3, 9)
    ]
    told = [PLAIN, ODD, *alone, *several, *meetings]
    arrived = tuple(replace(one, id=MessageId(f"{n}")) for n, one in enumerate(told))
    changes = Changes(arrived, retired=frozenset(), seen=Seen())
    nowhere = Places("", frozenset())
    wording = Wording(nowhere, NOON, max_single, name_account=True, privacy=privacy)
    for one in compose(changes, ANN, wording, {}):
        assert unsaid(f"{one.title}\n{one.body}") == ""
    assert unsaid(text.click_label("")) == ""


@pytest.mark.parametrize("code", [*MEANINGS, 99999])
def test_refusals_of_microsofts_sign_in(code: int) -> None:
    answer = {"error": "invalid_grant", "error_codes": [code], "correlation_id": "1-2"}
    for is_interactive in (False, True):
        assert is_said(meaning(answer, interactive=is_interactive), "AADSTS")


@pytest.mark.parametrize(
    "error", ["invalid_grant", "consent_required", "access_denied", "other", "server_error"]
)
def test_refusals_without_a_number(error: str) -> None:
    assert is_said(meaning({"error": error}, interactive=True))


@pytest.mark.parametrize(
    "status", [400, 401, 403, 404, 408, 409, 410, 412, 425, 429, 500, 504, 511]
)
@pytest.mark.parametrize(
    "about", [graph_failures.About.READING, graph_failures.About.SHARED, graph_failures.About.DEED]
)
def test_refusals_of_graph(status: int, about: graph_failures.About) -> None:
    assert is_said(graph_failures.failure(Answer(status, {}, b"{}"), NOON, about))


def test_troubles_of_the_network() -> None:
    for theirs, _ours, _words in http_transport.ERRORS:
        assert is_said(http_transport.translate(theirs()))


def test_troubles_of_keyrings() -> None:
    for error in (OSError(), OSError("-25308"), RuntimeError()):
        assert is_said(keyring_vault.translate(error))


def is_said(error: MailtrayError, *names: str) -> bool:
    left = f"{error.title}\n{error.hint}"
    for name in names:
        left = left.replace(name, "")
    return unsaid(left) == ""


@pytest.mark.parametrize("key", [*FORMS, "intervall"])
def test_what_is_wrong_with_a_setting(key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_settings([Layer(Place.FILE, "/home/ann/settings.toml", {key: {"odd": [1]}})])
    assert caught.value.problem.startswith("⟦")
    assert unsaid(caught.value.problem) == ""


def test_what_the_settings_are_for() -> None:
    assert [key for key, form in FORMS.items() if unsaid(_(form.meaning))] == []


def test_the_letter_to_an_administrator() -> None:
    found = approval.letter(f"{PAGE}?client_id=1&scope=Mail.Read")
    assert unsaid(found.subject) == unsaid(found.body) == ""


TROUBLED = after(BOTH, MAIL, Failed(BEN.id, Unreachable("⟦a title⟧", "⟦a hint⟧"), NOON))
STATE_ANSWER = answers.state(TROUBLED, view(TROUBLED, NOON))


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("status", STATE_ANSWER),
        ("pause", {"quiet": "paused", "paused_until": "2026-03-02T12:00:00+00:00"}),
        ("pause", {"quiet": "paused", "paused_until": None}),
        ("resume", {"quiet": None, "paused_until": None}),
    ],
)
def test_commands(
    command: str,
    answer: Mapping[str, object],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(bootstrap, "ask", lambda *_args, **_options: answer)
    done = CliRunner().invoke(cli, ["--home", str(tmp_path), command])
    assert done.exception is None
    assert unsaid(done.output) == ""


def test_a_page_that_there_is_not() -> None:
    app = site.build(cast("Program", object()), Safety())
    with app.test_request_context():
        page, _code = site._refusal(NotFound())
    assert unsaid(re.sub(r"<[^>]*>", "", page)) == ""


def test_help() -> None:
    command = click.Group(
        help="All of it.",
        params=[click.Option(["--loud"], help="Loudly.")],
        commands={"walk": click.Command("walk", help="Walk on.")},
    )
    say_help(command)
    shown = CliRunner().invoke(command, ["--help"]).output
    assert {"⟦All of it.⟧", "⟦Loudly.⟧", "⟦Walk on.⟧"} <= set(re.findall(r"⟦[^⟧]*⟧", shown))
