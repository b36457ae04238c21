"""How it is, as data: every event to icon, tooltip and menu."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import reduce as fold

import pytest

from mailtray.core.errors import (
    AccessDenied,
    AuthBlocked,
    ConsentRequired,
    CursorExpired,
    InvalidResponse,
    MailboxUnavailable,
    MailtrayError,
    NoVault,
    ServiceUnavailable,
    SignInCancelled,
    SignInRequired,
    StateError,
    Throttled,
    Unreachable,
    UntrustedCertificate,
)
from mailtray.core.model import Account, AccountId, AuthAction, IconKind, Message, TrayView
from mailtray.core.panel import TOOLTIP_UNITS, view
from mailtray.core.peace import Quiet, Why
from mailtray.core.status import (
    DeedsChanged,
    Event,
    Failed,
    Noticed,
    Polled,
    QuietChanged,
    SignedOut,
    SignInFailed,
    SignInStarted,
    SignInSucceeded,
    Source,
    StartAtLogin,
    Started,
    State,
    Status,
    UndoChanged,
    needs_sign_in,
    overall,
    reduce,
    remedy,
    state_of,
    unread_count,
)
from tests.core.mails import ANN, mail

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
BEN = Account(AccountId("ben.home"), "ben@example.test")
STARTED = Started((ANN,))
BOTH = Started((ANN, BEN))
A, B = mail("A", 1), mail("B", 2)

SIGN_IN = SignInRequired("Sign-in is needed", "Choose “Sign in again”.")
BLOCKED = AuthBlocked("Blocked by your organisation", "Ask your administrator for help.")
CLOCK = AuthBlocked("The clock is off", "Set the clock.", action=AuthAction.CHECK_CLOCK)
APPROVAL = ConsentRequired("An administrator must approve mailtray", "Send them the link.")
APPROVAL.link = "https://login.example/organizations/v2.0/adminconsent"
DECLINED = ConsentRequired("Previews need a permission", "Choose “Give permission…”.")
ELSEWHERE = AuthBlocked("Not in that organisation", action=AuthAction.OTHER_ACCOUNT)
OFFLINE = Unreachable("No connection", "Checking again by itself.")
BUSY = Throttled("Microsoft 365 asks mailtray to wait")
NO_MAILBOX = MailboxUnavailable("No mailbox here", "Use another account.")
NO_VAULT = NoVault("No keyring", "Signed in until mailtray quits.")
CANCELLED = SignInCancelled("Sign-in was not finished", "Choose “Sign in” to try again.")


PAUSED = QuietChanged(Quiet(Why.PAUSED, NOON + timedelta(hours=3)))
FOREVER = QuietChanged(Quiet(Why.PAUSED))


def polled(unread: int, *latest: Message, account: Account = ANN) -> Polled:
    return Polled(account.id, unread, latest, NOON)


def failed(
    error: MailtrayError,
    *,
    account: Account = ANN,
    at: datetime = NOON,
    retry_s: float | None = None,
) -> Failed:
    return Failed(
        account.id, error, at, None if retry_s is None else at + timedelta(seconds=retry_s)
    )


def after(*events: Event, start: Status | None = None) -> Status:
    return fold(reduce, events, start or Status())


def shown(*events: Event, now: datetime = NOON) -> TrayView:
    return view(after(*events), now)


PAUSES = ["pause 30m", "pause 1h", "pause 2h", "pause tomorrow", "pause forever"]


def commands(found: TrayView) -> list[str]:
    lines = [line for item in found.menu for line in (item, *item.children)]
    offered = [
        f"{line.command} {line.argument}".strip()
        for line in lines
        if line.command not in {"", "act", "mark_all_read", "open_own_page", "toggle_autostart"}
    ]
    # All pauses or none: one name stands for them.
    assert [one for one in offered if one.startswith("pause ")] in ([], PAUSES)
    return [
        one.partition(" ")[0] if one == PAUSES[0] else one
        for one in offered
        if one not in PAUSES[1:]
    ]


@pytest.mark.parametrize(
    ("events", "icon", "tooltip"),
    [
        pytest.param([], IconKind.NORMAL, "Checking mail…", id="just started"),
        pytest.param(
            [Started(())],
            IconKind.ATTENTION,
            "Signed out\nChoose “Sign in” to start",
            id="nobody is signed in",
        ),
        pytest.param(
            [STARTED],
            IconKind.NORMAL,
            "Checking mail…\nann@example.test",
            id="before the first poll",
        ),
        pytest.param(
            [STARTED, polled(0)],
            IconKind.NORMAL,
            "No unread messages · Checked 12:00\nann@example.test",
            id="nothing unread",
        ),
        pytest.param(
            [STARTED, polled(3)],
            IconKind.UNREAD,
            "3 unread · Checked 12:00\nann@example.test",
            id="three unread",
        ),
        pytest.param(
            [STARTED, polled(3), polled(2)],
            IconKind.UNREAD,
            "2 unread · Checked 12:00\nann@example.test",
            id="one read elsewhere",
        ),
        pytest.param(
            [STARTED, polled(3), failed(OFFLINE, retry_s=8)],
            IconKind.OFFLINE,
            "No connection\nsince 12:00, trying again by itself\n3 unread\nann@example.test",
            id="offline",
        ),
        pytest.param(
            [STARTED, failed(BUSY, retry_s=60)],
            IconKind.OFFLINE,
            "Microsoft 365 asks mailtray to wait\nsince 12:00, trying again by itself\n"
            "ann@example.test",
            id="throttled",
        ),
        pytest.param(
            [STARTED, failed(NO_MAILBOX, retry_s=3_600)],
            IconKind.ATTENTION,
            "No mailbox here\nUse another account.\nann@example.test",
            id="what hours or an administrator can mend",
        ),
        pytest.param(
            [STARTED, failed(OFFLINE, retry_s=8), polled(1)],
            IconKind.UNREAD,
            "1 unread · Checked 12:00\nann@example.test",
            id="back again",
        ),
        pytest.param(
            [STARTED, polled(3), failed(SIGN_IN)],
            IconKind.ATTENTION,
            "Sign-in is needed\nChoose “Sign in again”.\n3 unread\nann@example.test",
            id="the sign-in expired",
        ),
        pytest.param(
            [STARTED, failed(SIGN_IN), SignInStarted()],
            IconKind.SIGNING_IN,
            "Finish signing in in your browser",
            id="signing in",
        ),
        pytest.param(
            [STARTED, failed(SIGN_IN), SignInStarted(), SignInSucceeded(ANN)],
            IconKind.NORMAL,
            "Checking mail…\nann@example.test",
            id="signed in again",
        ),
        pytest.param(
            [Started(()), SignInStarted(), SignInFailed(CANCELLED)],
            IconKind.ATTENTION,
            "Sign-in was not finished\nChoose “Sign in” to try again.",
            id="not signed in",
        ),
        pytest.param(
            [Started(()), SignInStarted(), SignInFailed(CANCELLED), SignInStarted()],
            IconKind.SIGNING_IN,
            "Finish signing in in your browser",
            id="signing in once more",
        ),
        pytest.param(
            [STARTED, SignedOut(ANN.id)],
            IconKind.ATTENTION,
            "Signed out\nChoose “Sign in” to start",
            id="signed out",
        ),
        pytest.param(
            [Noticed(Source.VAULT, NO_VAULT)],
            IconKind.ATTENTION,
            "No keyring\nSigned in until mailtray quits.",
            id="no keyring",
        ),
        pytest.param(
            [STARTED, polled(1), Noticed(Source.VAULT, NO_VAULT)],
            IconKind.UNREAD,
            "1 unread · Checked 12:00\nann@example.test\nNo keyring",
            id="a notice comes last",
        ),
        pytest.param(
            [STARTED, polled(1), Noticed(Source.VAULT, NO_VAULT), Noticed(Source.VAULT, None)],
            IconKind.UNREAD,
            "1 unread · Checked 12:00\nann@example.test",
            id="the notice is over",
        ),
        pytest.param(
            [STARTED, polled(3), PAUSED],
            IconKind.PAUSED,
            "Paused until 15:00 · 3 unread\nann@example.test",
            id="paused",
        ),
        pytest.param(
            [PAUSED, STARTED],
            IconKind.PAUSED,
            "Paused until 15:00 · No unread messages\nann@example.test",
            id="paused before the first poll",
        ),
        pytest.param(
            [BOTH, polled(3), FOREVER],
            IconKind.PAUSED,
            "Paused · 3 unread\nann@example.test: 3 unread · Checked 12:00\n"
            "ben@example.test: Checking mail…",
            id="paused with two accounts",
        ),
        pytest.param(
            [STARTED, polled(3), FOREVER, QuietChanged(None)],
            IconKind.UNREAD,
            "3 unread · Checked 12:00\nann@example.test",
            id="resumed",
        ),
        pytest.param(
            [STARTED, polled(3), QuietChanged(Quiet(Why.QUIET_HOURS, NOON + timedelta(hours=19)))],
            IconKind.UNREAD,
            "Quiet until tomorrow 07:00 · 3 unread\nann@example.test",
            id="quiet hours leave the number on the icon",
        ),
        pytest.param(
            [STARTED, polled(3), QuietChanged(Quiet(Why.PAUSED, NOON + timedelta(days=4)))],
            IconKind.PAUSED,
            "Paused until Fri 12:00 · 3 unread\nann@example.test",
            id="paused for days",
        ),
        pytest.param(
            [STARTED, polled(3), QuietChanged(Quiet(Why.DO_NOT_DISTURB))],
            IconKind.UNREAD,
            "Do not disturb · 3 unread\nann@example.test",
            id="the desktop does not disturb",
        ),
        pytest.param(
            [STARTED, polled(3), failed(SIGN_IN), PAUSED],
            IconKind.ATTENTION,
            "Sign-in is needed\nChoose “Sign in again”.\n3 unread\nann@example.test\n"
            "Paused until 15:00",
            id="a pause hides no trouble",
        ),
        pytest.param(
            [FOREVER, Started(())],
            IconKind.ATTENTION,
            "Signed out\nChoose “Sign in” to start",
            id="paused with nobody signed in",
        ),
        pytest.param(
            [BOTH, polled(2), polled(1, account=BEN)],
            IconKind.UNREAD,
            "3 unread\nann@example.test: 2 unread · Checked 12:00\n"
            "ben@example.test: 1 unread · Checked 12:00",
            id="two accounts",
        ),
        pytest.param(
            [BOTH, polled(2), failed(SIGN_IN, account=BEN)],
            IconKind.ATTENTION,
            "2 unread\nben@example.test: Sign-in is needed\n"
            "ann@example.test: 2 unread · Checked 12:00",
            id="the account in trouble comes first",
        ),
        pytest.param(
            [BOTH, failed(OFFLINE, retry_s=8), failed(SIGN_IN, account=BEN)],
            IconKind.ATTENTION,
            "No unread messages\nben@example.test: Sign-in is needed\n"
            "ann@example.test: No connection",
            id="what only the person can mend comes first",
        ),
    ],
)
def test_icon_and_tooltip(events: list[Event], icon: IconKind, tooltip: str) -> None:
    found = shown(*events)
    assert found.icon is icon
    assert found.tooltip == tooltip


@pytest.mark.parametrize(
    ("events", "offered"),
    [
        pytest.param([], ["sign_in", "quit"], id="just started"),
        pytest.param([Started(())], ["sign_in", "quit"], id="nobody is signed in"),
        pytest.param([SignInStarted()], ["sign_in", "cancel_sign_in", "quit"], id="signing in"),
        pytest.param(
            [STARTED, polled(2, B, A)],
            [
                "open_message B",
                "open_message A",
                "check_now",
                "open_mailbox",
                "pause",
                "sign_out ann.home",
                "add_account",
                "quit",
            ],
            id="two unread",
        ),
        pytest.param(
            [STARTED, polled(9, *(mail(f"m{n}") for n in range(9)))],
            [f"open_message m{n}" for n in range(5)]
            + ["check_now", "open_mailbox", "pause", "sign_out ann.home", "add_account", "quit"],
            id="five of nine unread",
        ),
        pytest.param(
            [STARTED, polled(0), PAUSED],
            ["check_now", "open_mailbox", "resume", "sign_out ann.home", "add_account", "quit"],
            id="paused",
        ),
        pytest.param(
            [STARTED, failed(SIGN_IN)],
            [
                "explain ann.home",
                "open_mailbox",
                "pause",
                "sign_in ann.home",
                "sign_out ann.home",
                "add_account",
                "quit",
            ],
            id="nothing to check before signing in",
        ),
        pytest.param(
            [STARTED, failed(BLOCKED)],
            [
                "explain ann.home",
                "check_now",
                "open_mailbox",
                "pause",
                "sign_out ann.home",
                "add_account",
                "quit",
            ],
            id="signing in again does not lift a block",
        ),
        pytest.param(
            [STARTED, failed(APPROVAL)],
            [
                "explain ann.home",
                f"ask_approval {APPROVAL.link}",
                f"open_page {APPROVAL.link}",
                "check_now",
                "open_mailbox",
                "pause",
                "sign_in ann.home",
                "sign_out ann.home",
                "add_account",
                "quit",
            ],
            id="an administrator has to approve",
        ),
        pytest.param(
            [Started(()), SignInFailed(APPROVAL)],
            [
                "explain sign-in",
                f"ask_approval {APPROVAL.link}",
                f"open_page {APPROVAL.link}",
                "sign_in",
                "quit",
            ],
            id="an administrator has to approve the first sign-in",
        ),
        pytest.param(
            [STARTED, replace(polled(0), lacking=DECLINED)],
            [
                "explain ann.home",
                "check_now",
                "open_mailbox",
                "pause",
                "sign_in ann.home",
                "sign_out ann.home",
                "add_account",
                "quit",
            ],
            id="mail is read with less than wished",
        ),
        pytest.param(
            [STARTED, replace(polled(0), lacking=APPROVAL)],
            [
                "explain ann.home",
                f"ask_approval {APPROVAL.link}",
                f"open_page {APPROVAL.link}",
                "check_now",
                "open_mailbox",
                "pause",
                "sign_in ann.home",
                "sign_out ann.home",
                "add_account",
                "quit",
            ],
            id="mail is read with less than an administrator approved",
        ),
        pytest.param(
            [STARTED, failed(NO_MAILBOX, retry_s=3_600)],
            [
                "explain ann.home",
                "check_now",
                "open_mailbox",
                "pause",
                "sign_out ann.home",
                "add_account",
                "quit",
            ],
            id="signing in again makes no mailbox",
        ),
        pytest.param(
            [STARTED, SignInStarted()],
            ["check_now", "open_mailbox", "pause", "sign_in", "cancel_sign_in", "quit"],
            id="adding an account",
        ),
        pytest.param(
            [BOTH, failed(SIGN_IN, account=BEN)],
            [
                "explain ben.home",
                "check_now",
                "open_mailbox",
                "pause",
                "sign_out ann.home",
                "sign_in ben.home",
                "sign_out ben.home",
                "add_account",
                "quit",
            ],
            id="one of two has to sign in",
        ),
        pytest.param(
            [Noticed(Source.VAULT, NO_VAULT)],
            ["explain vault", "check_now", "sign_in", "quit"],
            id="a notice can be read, and the keyring asked again",
        ),
        pytest.param(
            [Noticed(Source.VAULT, NO_VAULT), SignInFailed(CANCELLED)],
            ["explain sign-in", "check_now", "sign_in", "quit"],
            id="a click explains what the line says",
        ),
        pytest.param(
            [STARTED, Noticed(Source.VAULT, NO_VAULT), SignInFailed(CANCELLED)],
            [
                "explain vault",
                "check_now",
                "open_mailbox",
                "pause",
                "sign_out ann.home",
                "add_account",
                "quit",
            ],
            id="a notice beside an account",
        ),
    ],
)
def test_the_menu_offers_what_makes_sense(events: list[Event], offered: list[str]) -> None:
    found = shown(*events)
    assert commands(found) == offered
    assert sum(item.is_default for item in found.menu) <= 1
    assert not found.menu[0].is_separator
    assert not found.menu[-1].is_separator
    pairs = zip(found.menu, found.menu[1:], strict=False)
    assert not any(one.is_separator and other.is_separator for one, other in pairs)


WAITING = DeedsChanged(ANN.id, 2, None)


@pytest.mark.parametrize(
    ("events", "words"),
    [
        pytest.param([STARTED, polled(1), WAITING], "", id="a moment's matter"),
        pytest.param(
            [STARTED, polled(1), failed(OFFLINE), WAITING],
            "2 actions wait for the network",
            id="offline",
        ),
        pytest.param(
            [BOTH, failed(OFFLINE), DeedsChanged(ANN.id, 1, None)],
            "1 action waits for the network",
            id="one of two accounts",
        ),
        pytest.param(
            [STARTED, failed(SIGN_IN), WAITING], "2 actions wait", id="until they sign in"
        ),
        pytest.param(
            [STARTED, polled(1), DeedsChanged(ANN.id, 2, SIGN_IN)],
            "2 actions wait for your permission",
            id="asked for permission",
        ),
        pytest.param(
            [STARTED, failed(OFFLINE), WAITING, polled(1)], "", id="the mail is read again"
        ),
    ],
)
def test_what_waits_is_said_where_it_takes_long(events: list[Event], words: str) -> None:
    found = shown(*events)
    said = [line for line in found.tooltip.splitlines() if "action" in line]
    assert said == ([words] if words else [])
    lines = [item for item in found.menu if "action" in item.label]
    # What the person can do something about is explained by a click.
    assert [line.label for line in lines] == [
        f"{each}…" if "permission" in each else each for each in said
    ]
    assert {line.command for line in lines} <= {"", "explain"}


def test_messages_can_be_acted_on_from_the_menu() -> None:
    found = shown(STARTED, polled(2, mail("A")), UndoChanged({"7": "Undo: archive “Rota”"}))
    undo, *_ = found.menu
    assert (undo.label, undo.command, undo.argument) == ("Undo: archive “Rota”", "undo", "7")
    of_one, all_of_it = [item for item in found.menu if item.children][:2]
    assert [(one.label, one.command, one.argument) for one in of_one.children] == [
        ("Open", "open_message", "A"),
        ("Mark read", "act", "mark_read:A"),
        ("Archive", "act", "archive:A"),
        ("Delete", "act", "delete:A"),
    ]
    assert all_of_it.label == "Mark all as read…"
    (confirmation,) = all_of_it.children
    assert (confirmation.label, confirmation.command, confirmation.argument) == (
        "Mark 2 messages as read", "mark_all_read", ANN.id,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("events", "default"),
    [
        pytest.param([STARTED, polled(0)], "check_now", id="a left click checks"),
        pytest.param([Started(())], "sign_in", id="it signs in where nobody is"),
        pytest.param([STARTED, failed(SIGN_IN)], "sign_in ann.home", id="it signs in again"),
        pytest.param(
            [BOTH, failed(SIGN_IN), failed(SIGN_IN, account=BEN)],
            "sign_in ann.home",
            id="the first",
        ),
        pytest.param([BOTH, failed(SIGN_IN)], "check_now", id="it checks the other account"),
        pytest.param([SignInStarted()], None, id="it does nothing while the browser waits"),
    ],
)
def test_a_left_click(events: list[Event], default: str | None) -> None:
    found = [item for item in shown(*events).menu if item.is_default]
    assert [f"{item.command} {item.argument}".strip() for item in found] == (
        [default] if default else []
    )


def test_without_a_client_id_only_setting_up_makes_sense() -> None:
    found = view(
        Status(
            is_configured=False,
            notices={Source.SETTINGS: MailtrayError("mailtray needs a client id")},
        ),
        NOON,
    )
    assert commands(found) == ["explain settings", "set_up", "quit"]
    assert (found.icon, found.tooltip) == (IconKind.ATTENTION, "mailtray needs a client id")


def test_a_menu_line_shows_whose_message_it_is() -> None:
    found = shown(STARTED, polled(1, mail("A", subject="Rota\n\u202e", sender="Bo")))
    labels = [item.label for item in found.menu]
    assert labels[:3] == ["ann@example.test", "1 unread · Checked 12:00", "Bo: Rota"]


def test_no_line_is_longer_than_a_menu_takes() -> None:
    long = Account(AccountId("x"), "\u05d0" * 200)
    events: list[Event] = [
        Started((long, BEN)),
        failed(MailtrayError("T" * 90, "H" * 200), account=long),
        polled(1, mail("A", subject="S" * 300), account=BEN),
        Noticed(Source.STATE, MailtrayError("N" * 200)),
    ]
    assert max(len(item.label) for item in shown(*events).menu) <= 60


@pytest.mark.parametrize("tail", ["", "\U0001f600", "\u05d0"])
def test_a_tooltip_fits_and_says_the_useful_part_first(tail: str) -> None:
    # DevilXD/TwitchDropsMiner#460: a longer tooltip stops all later updates
    accounts = [Account(AccountId(f"{n}"), f"{n}" + "n" * 38 + tail) for n in range(5)]
    events: list[Event] = [polled(20, account=one) for one in accounts[:4]]
    found = shown(Started(tuple(accounts)), *events, failed(SIGN_IN, account=accounts[4]))
    assert len(found.tooltip.encode("utf-16-le")) // 2 <= TOOLTIP_UNITS
    assert found.tooltip.startswith("80 unread\n")
    assert "Sign-in is needed" in found.tooltip
    assert found.count == 80


def test_times_are_shown_where_the_person_is() -> None:
    there = timezone(timedelta(hours=5, minutes=30))
    assert "Checked 17:30" in shown(STARTED, polled(1), now=NOON.astimezone(there)).tooltip


@pytest.mark.parametrize(
    ("error", "state", "sign_in_helps"),
    [
        pytest.param(SIGN_IN, State.ATTENTION, True, id="signed out"),
        pytest.param(ConsentRequired("?"), State.ATTENTION, True, id="no consent"),
        pytest.param(AccessDenied("?"), State.ATTENTION, True, id="no permission"),
        pytest.param(
            AuthBlocked("?", action=AuthAction.SIGN_IN), State.ATTENTION, True, id="says so itself"
        ),
        pytest.param(BLOCKED, State.ATTENTION, False, id="blocked"),
        pytest.param(CLOCK, State.ATTENTION, False, id="the clock is off"),
        pytest.param(NO_MAILBOX, State.ATTENTION, False, id="no mailbox"),
        pytest.param(
            UntrustedCertificate("?"), State.ATTENTION, False, id="a stranger's certificate"
        ),
        pytest.param(StateError("?"), State.ATTENTION, False, id="anything else"),
        pytest.param(OFFLINE, State.OFFLINE, False, id="offline"),
        pytest.param(InvalidResponse("?"), State.OFFLINE, False, id="a portal's page"),
        pytest.param(CursorExpired("?"), State.OFFLINE, False, id="no fresh start either"),
        pytest.param(BUSY, State.THROTTLED, False, id="throttled"),
        pytest.param(ServiceUnavailable("?"), State.THROTTLED, False, id="in trouble"),
    ],
)
def test_the_state_that_an_error_means(
    error: MailtrayError, state: State, sign_in_helps: bool
) -> None:
    assert state_of(error) is state
    assert needs_sign_in(error) is sign_in_helps
    assert overall(after(STARTED, failed(error))) is state


def test_an_outage_counts_from_its_first_failure() -> None:
    later = NOON + timedelta(hours=1)
    events: list[Event] = [STARTED, failed(OFFLINE, retry_s=8), failed(BUSY, at=later, retry_s=60)]
    assert "since 12:00" in shown(*events, now=later).tooltip
    again = [*events, polled(0), failed(OFFLINE, at=later, retry_s=8)]
    assert "since 13:00" in shown(*again, now=later).tooltip


@pytest.mark.parametrize("event", [polled(3), failed(OFFLINE)])
def test_news_of_an_account_signed_out_meanwhile_is_dropped(event: Event) -> None:
    status = after(STARTED, SignedOut(ANN.id))
    assert reduce(status, event) == status


def test_a_second_account_leaves_the_first_alone() -> None:
    status = after(STARTED, polled(3), SignInStarted(), SignInSucceeded(BEN))
    assert list(status.accounts) == [ANN.id, BEN.id]
    assert unread_count(status) == 3
    assert not needs_sign_in(None)


def test_signing_in_again_takes_a_changed_name_over() -> None:
    renamed = replace(ANN, username="ann.smith@example.test")
    status = after(STARTED, polled(3), failed(SIGN_IN), SignInSucceeded(renamed))
    assert status.accounts[ANN.id].account == renamed
    assert unread_count(status) == 3


def test_what_is_lacking_is_told_and_is_no_trouble() -> None:
    found = shown(STARTED, replace(polled(0), lacking=DECLINED))
    assert found.icon is IconKind.NORMAL
    assert "permission" not in found.tooltip
    labels = [item.label for item in found.menu]
    assert "Previews need a permission…" in labels
    assert "Give permission…" in labels
    assert "Sign in again" not in labels
    allowed = shown(STARTED, replace(polled(0), lacking=DECLINED), SignInSucceeded(ANN))
    assert "Give permission…" not in [item.label for item in allowed.menu]


def test_what_is_lacking_stays_so_while_offline() -> None:
    found = shown(STARTED, replace(polled(0), lacking=DECLINED), failed(OFFLINE))
    assert "Give permission…" in [item.label for item in found.menu]


@pytest.mark.parametrize(
    ("error", "command"),
    [
        (SIGN_IN, "sign_in"),
        (APPROVAL, "explain"),
        (ELSEWHERE, "add_account"),
        (BLOCKED, "explain"),
        (CLOCK, "explain"),
        (NO_MAILBOX, "explain"),
    ],
)
def test_only_what_signing_in_may_mend_leads_to_a_sign_in(
    error: MailtrayError, command: str
) -> None:
    assert remedy(error) == command


def own_items(*events: Event) -> list[str]:
    offered = ("open_own_page", "toggle_autostart")
    return [
        f"{item.command} {item.argument}".strip()
        for item in shown(*events).menu
        if item.command in offered
    ]


def test_the_menu_has_what_is_about_mailtray_itself() -> None:
    assert own_items() == ["open_own_page settings", "open_own_page doctor", "open_own_page about"]
    assert own_items(STARTED, StartAtLogin(is_on=False)) == [
        "open_own_page messages",
        "toggle_autostart",
        "open_own_page settings",
        "open_own_page doctor",
        "open_own_page about",
    ]


@pytest.mark.parametrize("is_on", [True, False])
def test_a_check_mark_says_whether_a_login_starts_it(is_on: bool) -> None:
    menu = shown(STARTED, StartAtLogin(is_on)).menu
    assert [item.is_checked for item in menu if item.command == "toggle_autostart"] == [is_on]


def test_an_account_is_called_what_the_person_calls_it() -> None:
    now_is = fold(reduce, [BOTH], Status())
    found = view(now_is, NOON, names={ANN.username: "Work"})
    labels = [item.label for item in found.menu]
    assert labels[0] == "Work"
    assert BEN.username in labels
    assert "Sign out · Work" in labels
    assert "Work: " in found.tooltip


def test_mnemonics_differ_within_the_menu() -> None:
    menu = shown(BOTH, StartAtLogin(is_on=True)).menu
    letters = [item.mnemonic.lower() for item in menu if item.mnemonic and "·" not in item.label]
    assert sorted(letters) == sorted(set(letters))
