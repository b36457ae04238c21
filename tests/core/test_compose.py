"""From changes to words: what a stranger's text may do on the screen, and what it may not."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtray.core.compose import (
    BODY_UNITS,
    MARKS_MAX,
    STANDING_OUT_MAX,
    TITLE_UNITS,
    Places,
    Privacy,
    Wording,
    clean,
    clip,
    compose,
    headline,
    isolate,
    sender_of,
    subject_of,
    tag_of,
)
from mailtray.core.deeds import Action
from mailtray.core.model import (
    Button,
    Changes,
    Manner,
    Meeting,
    MeetingKind,
    Message,
    MessageId,
    Notification,
    Seen,
    Urgency,
)
from mailtray.core.rules import Ruling, Verdict
from tests.core.mails import ANN, mail

if TYPE_CHECKING:
    from collections.abc import Mapping

MAILBOX = "https://outlook.office.com/mail/"
PLACES = Places(
    MAILBOX,
    frozenset({"outlook.office.com", "outlook.live.com"}),
    origin="http://127.0.0.1:8080",
)
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=ZoneInfo("Europe/Berlin"))  # a Monday
FLAG, WOMAN_AT_COMPUTER = "\U0001f1eb\U0001f1f7", "\U0001f469\u200d\U0001f4bb"
HEBREW = "\u05e9\u05dc\u05d5\u05dd (3) world"
PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
BIDI_CONTROLS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
ANY_TEXT = st.text(st.characters(categories=None))
NASTY_TEXT = st.text(
    st.sampled_from(
        "ab \u0301\u20dd\u200d\u200c\u202e\u2066\u00ad\ud83d\u0000\u001b\u0085\u2028\ufffe\ufe0f"
        "\u05d0\u0645\u0e33\U0001f469\U0001f4bb\U0001f3fd\U0001f1eb\U0001f1f7\U000e0067\u3164"
    )
)


def units(line: str) -> int:
    return len(line.encode("utf-16-le", "surrogatepass")) // 2


def compose_of(
    *messages: Message,
    catch_up: bool = False,
    rulings: Mapping[str, Ruling] | None = None,
    **wishes: Any,  # noqa: ANN401 # as Wording has them
) -> tuple[Notification, ...]:
    changes = Changes(messages, frozenset(), Seen(), is_catch_up=catch_up)
    given = {MessageId(name): ruling for name, ruling in (rulings or {}).items()}
    return compose(changes, ANN, Wording(PLACES, NOW, **wishes), given)


@pytest.mark.parametrize(
    ("name", "address", "shown"),
    [
        pytest.param("Calendar", "", "Calendar", id="a name and no address"),
        pytest.param("", "x@example.test", "x@example.test", id="an address and no name"),
        pytest.param("Bo", "b@example.test", "Bo", id="the name comes first"),
        pytest.param("", "", "Unknown sender", id="neither"),
        pytest.param("  \t", "b@example.test", "b@example.test", id="a name of white space"),
        pytest.param("\u200b\u2060", "b@example.test", "b@example.test", id="a name nobody sees"),
        pytest.param("\u3164", "", "Unknown sender", id="a filler for a name"),
        pytest.param("\u202e", "", "Unknown sender", id="an override for a name"),
        pytest.param("Support\u202e", "a@example.test", "Support", id="an override at the end"),
        pytest.param("\u2066\u2066\u2066x", "", "x", id="isolates left open"),
    ],
)
def test_sender(name: str, address: str, shown: str) -> None:
    # JensAstrup/pyOutlook#7
    message = Message(MessageId("A"), sender_name=name, sender_address=address)
    assert sender_of(message) == shown
    assert compose_of(message)[0].title == shown


@pytest.mark.parametrize(
    ("subject", "shown"),
    [
        pytest.param("", "(no subject)", id="none"),
        pytest.param("   ", "(no subject)", id="spaces"),
        pytest.param("\r\n\t", "(no subject)", id="line breaks"),
        pytest.param("\u200b\u00ad\u200d", "(no subject)", id="nothing that is seen"),
        pytest.param("\u0301\u0301", "(no subject)", id="accents on nothing"),
        pytest.param("None", "None", id="somebody writes None"),
        pytest.param("Meeting: Sync", "Meeting: Sync", id="a meeting's"),
    ],
)
def test_subject(subject: str, shown: str) -> None:
    # closeio/sync-engine#432
    message = Message(MessageId("A"), subject=subject)
    assert subject_of(message) == shown
    assert compose_of(message)[0].body == shown


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        pytest.param("a\u0000b", "ab", id="NUL"),
        pytest.param("\u001b[31mred", "[31mred", id="ESC"),
        pytest.param("x\u0001ACTION\u0001", "xACTION", id="SOH"),
        pytest.param("\ufffe\uffff", "", id="not characters"),
        pytest.param("a\U0001fffeb\ufdd0c", "abc", id="not characters of other planes"),
        pytest.param("\ud83d oops", "\ufffd oops", id="a lone surrogate"),
        pytest.param("line1\r\nline2\u2028line3", "line1 line2 line3", id="line breaks"),
        pytest.param("a\u00a0\u3000 b\u0085c", "a b c", id="spaces of all sorts"),
        pytest.param("e" + "\u0301" * 5_000, "e" + "\u0301" * MARKS_MAX, id="a pile of accents"),
        pytest.param(
            "e" + ("\u0301" * 4 + "\u202e") * 9, "e" + "\u0301" * 4, id="a pile in disguise"
        ),
        pytest.param(
            "e" + ("\u0301" * 4 + "\u200d") * 3,
            "e" + "\u0301" * 4 + "\u200d" * 3,
            id="a pile with joiners",
        ),
        pytest.param("A" * 100_000, "A" * 2_000, id="a very long one"),
        pytest.param("exe.\u202efdp.eciovni", "exe.fdp.eciovni", id="an override in the middle"),
        pytest.param(HEBREW, HEBREW, id="Hebrew"),
        pytest.param(PERSIAN, PERSIAN, id="Persian with its non-joiner"),
        pytest.param(f"{WOMAN_AT_COMPUTER} {FLAG}", f"{WOMAN_AT_COMPUTER} {FLAG}", id="emoji"),
        pytest.param("\u0915\u094d\u0937\u093f", "\u0915\u094d\u0937\u093f", id="Devanagari"),
        pytest.param(
            "AT&T <b>50%</b> &amp;", "AT&T <b>50%</b> &amp;", id="markup is the adapter's"
        ),
    ],
)
def test_clean(raw: str, cleaned: str) -> None:
    assert clean(raw) == cleaned


@pytest.mark.parametrize(
    ("line", "limit", "clipped"),
    [
        pytest.param("a" * 63, 63, "a" * 63, id="63 of 63 stay"),
        pytest.param("a" * 64, 63, "a" * 62 + "…", id="64 of 63 are cut"),
        pytest.param("a" * 255, 255, "a" * 255, id="255 of 255 stay"),
        pytest.param("a" * 256, 255, "a" * 254 + "…", id="256 of 255 are cut"),
        pytest.param("a" * 62 + "\U0001f600", 63, "a" * 62 + "…", id="emoji astride 63"),
        pytest.param("a" * 61 + "\U0001f600", 63, "a" * 61 + "\U0001f600", id="emoji up to 63"),
        pytest.param("a" * 61 + "\U0001f600b", 63, "a" * 61 + "…", id="emoji where the dots go"),
        pytest.param("a" * 254 + "\U0001f600", 255, "a" * 254 + "…", id="emoji astride 255"),
        pytest.param(f"ab{WOMAN_AT_COMPUTER}c", 7, "ab…", id="joined emoji stay whole"),
        pytest.param(f"ab{FLAG}c", 5, "ab…", id="flags stay whole"),
        pytest.param(f"{FLAG}{FLAG}{FLAG}", 9, f"{FLAG}{FLAG}…", id="flags go by twos"),
        pytest.param(f"ab{ENGLAND}c", 10, "ab…", id="flags spelt in tags stay whole"),
        pytest.param("abe\u0301d", 4, "ab…", id="accents stay on their letter"),
        pytest.param("ab cdef", 4, "ab…", id="no space before the dots"),
        pytest.param(WOMAN_AT_COMPUTER, 3, "…", id="no room for the first character"),
        pytest.param("", 5, "", id="nothing"),
    ],
)
def test_clip(line: str, limit: int, clipped: str) -> None:
    assert clip(line, limit) == clipped


@given(raw=st.one_of(ANY_TEXT, NASTY_TEXT))
def test_cleaned_text_is_harmless(raw: str) -> None:
    cleaned = clean(raw)
    assert clean(cleaned) == cleaned
    assert len(cleaned) <= 2_000
    assert BIDI_CONTROLS.isdisjoint(cleaned)
    assert {"Cc", "Cs", "Zl", "Zp"}.isdisjoint(map(unicodedata.category, cleaned))
    cleaned.encode("utf-8")


@given(raw=st.one_of(ANY_TEXT, NASTY_TEXT), limit=st.integers(1, 80))
def test_clipped_text_is_short_and_whole(raw: str, limit: int) -> None:
    line = clean(raw)
    clipped = clip(line, limit)
    assert units(clipped) <= limit
    assert clip(clipped, limit) == clipped
    if clipped != line:
        kept = clipped.removesuffix("…")
        assert line.startswith(kept)
        rest = line[len(kept) :]
        assert unicodedata.category(rest[0]) not in {"Mn", "Me", "Mc"} or not kept
        assert not kept.endswith("\u200d")


@given(raw=ANY_TEXT, limit=st.integers(1, 80))
def test_clip_takes_any_text(raw: str, limit: int) -> None:
    assert units(clip(raw, limit)) <= max(limit, units(raw) if units(raw) <= limit else limit)


@pytest.mark.parametrize(
    ("field", "isolated"),
    [
        pytest.param("plain", "plain", id="left to right"),
        pytest.param(HEBREW, f"\u2068{HEBREW}\u2069", id="Hebrew"),
        pytest.param(PERSIAN, f"\u2068{PERSIAN}\u2069", id="Persian"),
        pytest.param(WOMAN_AT_COMPUTER, WOMAN_AT_COMPUTER, id="emoji"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_isolate(field: str, isolated: str) -> None:
    assert isolate(field) == isolated


@given(sender=NASTY_TEXT, subject=NASTY_TEXT, limit=st.integers(40, 120))
def test_a_headline_is_one_short_line_of_balanced_fields(
    sender: str, subject: str, limit: int
) -> None:
    line = headline(Message(MessageId("A"), subject=subject, sender_name=sender), limit)
    assert units(line) <= limit
    assert len(line.splitlines()) == 1
    assert line.count("\u2068") == line.count("\u2069")
    assert ": " in line


@pytest.mark.parametrize(
    ("link", "opens"),
    [
        pytest.param("https://outlook.office.com/mail/id/1", True, id="https on a known host"),
        pytest.param("https://outlook.live.com/owa/?ItemID=1&x=y%2F", True, id="with a query"),
        pytest.param("HTTPS://Outlook.OFFICE.com/mail/1", True, id="upper case"),
        pytest.param("https://outlook.office.com:443/mail/1", True, id="the usual port, spelt out"),
        pytest.param("https://outlook.office.com:8443/mail/1", False, id="another port"),
        pytest.param("https://outlook.office.com:99999/", False, id="no port at all"),
        pytest.param("https://outlook.office.com:x/", False, id="a word for a port"),
        pytest.param("http://outlook.office.com/mail/1", False, id="not encrypted"),
        pytest.param("https://outlook.office.com@evil.test/", False, id="a host for a user"),
        pytest.param("https://evil.test\\@outlook.office.com/", False, id="a backslash"),
        pytest.param("https://@outlook.office.com/", False, id="an empty user"),
        pytest.param("https://outlook.office.com.evil.test/", False, id="a known beginning"),
        pytest.param("https://evil-outlook.office.com/", False, id="a known end"),
        pytest.param("https://evil.test/https://outlook.office.com/", False, id="in the path"),
        pytest.param("https://outlook.office.com./", False, id="a dot at the end"),
        pytest.param("https://[::1", False, id="half an address"),
        pytest.param("https://", False, id="no host"),
        pytest.param("//outlook.office.com/mail", False, id="no scheme"),
        pytest.param("javascript:alert(1)", False, id="javascript"),
        pytest.param(
            "javascript://outlook.office.com/%0aalert(1)", False, id="javascript in guise"
        ),
        pytest.param("file:///etc/passwd", False, id="a file"),
        pytest.param("https://outlook.office.com/a\nb", False, id="a line break"),
        pytest.param("https://outlook.off\tice.com/", False, id="a tab in the host"),
        pytest.param(" https://outlook.office.com/", False, id="a space before"),
        pytest.param("https://outlook.office.com/\u202e", False, id="an override"),
        pytest.param("--help", False, id="an option"),
        pytest.param("null", False, id="the word null"),
        pytest.param("", False, id="none"),
        pytest.param("http://127.0.0.1:8080/mail/1", True, id="the service's own origin"),
        pytest.param("http://127.0.0.1:8081/mail/1", False, id="its neighbour"),
        pytest.param("http://127.0.0.1:8080@evil.test/", False, id="the origin for a user"),
    ],
)
def test_only_known_pages_are_opened(link: str, opens: bool) -> None:
    assert PLACES.allow(link) == (link if opens else MAILBOX)
    shown = compose_of(replace(mail("A"), web_link=link))[0]
    assert shown.link == (link if opens else MAILBOX)


def test_without_an_origin_none_is_open() -> None:
    assert Places(MAILBOX, frozenset()).allow("://") == MAILBOX


@given(link=ANY_TEXT)
def test_allow_takes_any_link(link: str) -> None:
    assert PLACES.allow(link) in {link, MAILBOX}


def test_a_single_tells_sender_and_subject() -> None:
    message = mail("A", subject="Rota", sender="Bo")
    assert compose_of(message) == (
        Notification(
            tag=tag_of(message),
            title="Bo",
            body="Rota",
            account=ANN.id,
            message_ids=(message.id,),
            link=MAILBOX,
        ),
    )


def test_a_preview_has_a_line_of_its_own() -> None:
    message = replace(mail("A", subject="S" * 300), preview="P" * 300)
    subject, preview = compose_of(message)[0].body.split("\n")
    assert subject == "S" * 126 + "…"
    assert preview.endswith("P…")
    assert units(compose_of(message)[0].body) == BODY_UNITS


@pytest.mark.parametrize("length", [63, 64, 65, 200, 255, 256, 257, 5_000])
@pytest.mark.parametrize("tail", ["", "\U0001f600", "\U0001f600b"])
def test_lengths_fit_the_narrowest_desktop(length: int, tail: str) -> None:
    # nicotine-plus/nicotine-plus#1836
    long = "a" * (length - 1) + tail + "z"
    (shown,) = compose_of(replace(mail("A", subject=long, sender=long), preview=long))
    assert units(shown.title) <= TITLE_UNITS
    assert units(shown.body) <= BODY_UNITS


@pytest.mark.parametrize(
    ("count", "catch_up", "shown"),
    [
        pytest.param(0, False, 0, id="nothing"),
        pytest.param(0, True, 0, id="nothing to catch up with"),
        pytest.param(1, False, 1, id="one"),
        pytest.param(3, False, 3, id="three singles"),
        pytest.param(4, False, 1, id="four are one summary"),
        pytest.param(40, False, 1, id="a night's mail is one summary"),
        pytest.param(1, True, 1, id="one caught up with"),
        pytest.param(2, True, 1, id="two caught up with are one summary"),
    ],
)
def test_how_many_notifications(count: int, catch_up: bool, shown: int) -> None:
    messages = [mail(f"m{n}", n) for n in range(count)]
    found = compose_of(*messages, catch_up=catch_up)
    assert len(found) == shown
    told = [message_id for one in found for message_id in one.message_ids]
    assert told == [message.id for message in messages]
    assert len({one.tag for one in found}) == shown


@pytest.mark.parametrize(
    ("count", "body"),
    [
        pytest.param(2, "Bo: Subject of m1\nBo: Subject of m0", id="two, newest first"),
        pytest.param(
            3, "Bo: Subject of m2\nBo: Subject of m1\nBo: Subject of m0", id="three, all named"
        ),
        pytest.param(
            13,
            "Bo: Subject of m12\nBo: Subject of m11\nBo: Subject of m10\nand 10 more",
            id="thirteen, three named",
        ),
    ],
)
def test_a_summary(count: int, body: str) -> None:
    (shown,) = compose_of(*(mail(f"m{n}", n) for n in range(count)), max_single=0)
    assert (shown.title, shown.body, shown.link) == (f"{count} new messages", body, MAILBOX)


def test_a_summary_of_several_accounts_names_its_own() -> None:
    (shown,) = compose_of(mail("A"), mail("B"), max_single=1, name_account=True)
    assert shown.title == "2 new messages · ann@example.test"


def test_a_summary_of_long_lines_keeps_them_all() -> None:
    long = "\u05d0" * 300
    found = compose_of(*(mail(f"m{n}", n, subject=long, sender=long) for n in range(9)))
    lines = found[0].body.split("\n")
    assert lines[-1] == "and 6 more"
    assert all(line.count("\u2068") == line.count("\u2069") == 2 for line in lines[:-1])


def test_tags_tell_messages_apart() -> None:
    assert len({tag_of(mail(name)) for name in ("A", "a", "B")}) == 3


def test_with_several_accounts_each_notification_names_its_own() -> None:
    (told,) = compose_of(mail("A", 1), name_account=True)
    assert told.body.splitlines()[-1] == ANN.username
    (long,) = compose_of(replace(mail("A", 1), subject="long " * 100), name_account=True)
    assert units(long.body) <= BODY_UNITS
    assert long.body.splitlines()[-1] == ANN.username


# -- conversations --------------------------------------------------------------------------------


def talk(name: str, minute: int, sender: str = "Grace", thread: str = "T") -> Message:
    """Return a message of a conversation."""
    return replace(
        mail(name, minute, subject=f"RE: Rota {name}", sender=sender),
        sender_address=f"{sender.lower()}@example.test",
        conversation_id=thread,
        preview=f"Preview of {name}",
        web_link=f"https://outlook.office.com/mail/{name}",
    )


@pytest.mark.parametrize(
    ("senders", "title"),
    [
        pytest.param(["Grace"], "Grace", id="one message"),
        pytest.param(["Grace", "Grace", "Grace"], "Grace (3)", id="one sender"),
        pytest.param(["Bo", "Grace"], "Grace and 1 other", id="two senders"),
        pytest.param(["Bo", "Al", "Bo", "Grace"], "Grace and 2 others", id="three senders"),
    ],
)
def test_a_conversation_is_one_notification(senders: list[str], title: str) -> None:
    messages = [talk(f"m{n}", n, sender) for n, sender in enumerate(senders)]
    (shown,) = compose_of(*messages)
    last = messages[-1]
    assert shown.title == title
    assert shown.body == f"{last.subject}\n{last.preview}"
    assert shown.link == last.web_link
    assert shown.message_ids == tuple(message.id for message in messages)


def test_senders_are_told_apart_by_their_addresses() -> None:
    first = replace(talk("a", 1), sender_address="other@example.test")
    assert compose_of(first, talk("b", 2))[0].title == "Grace and 1 other"
    assert (
        compose_of(talk("a", 1, "Bo"), replace(talk("b", 2), sender_address="BO@example.test"))[
            0
        ].title
        == "Grace (2)"
    )


def test_conversations_are_counted_and_told_in_the_order_of_their_newest() -> None:
    messages = [talk("a", 1), talk("b", 2, "Bo", "U"), mail("c", 3), talk("d", 4), mail("e", 5)]
    shown = compose_of(*messages, max_single=4)
    assert [[*one.message_ids] for one in shown] == [["b"], ["c"], ["a", "d"], ["e"]]
    assert len({one.tag for one in shown}) == 4
    assert len(compose_of(*messages, max_single=3)) == 1


def test_conversations_are_left_apart_where_that_is_wished() -> None:
    shown = compose_of(talk("a", 1), talk("b", 2), group_conversations=False)
    assert [one.title for one in shown] == ["Grace", "Grace"]


def test_the_tag_of_a_conversation_is_new_each_time() -> None:
    first, second = compose_of(talk("a", 1), talk("b", 2)), compose_of(talk("c", 3), talk("d", 4))
    assert first[0].tag != second[0].tag


def test_one_conversation_caught_up_with_is_no_summary() -> None:
    assert compose_of(talk("a", 1), talk("b", 2), catch_up=True)[0].title == "Grace (2)"


def test_a_summary_has_a_line_for_each_conversation() -> None:
    messages = [*(mail(f"m{n}", n) for n in range(4)), talk("a", 5), talk("b", 6)]
    (shown,) = compose_of(*messages)
    assert (shown.title, shown.body) == (
        "6 new messages",
        "Grace (2): RE: Rota b\nBo: Subject of m3\nBo: Subject of m2\nand 2 more",
    )


# -- how much is shown ----------------------------------------------------------------------------

SECRET = replace(mail("A", subject="Rota", sender="Bo"), preview="See you")


@pytest.mark.parametrize(
    ("messages", "privacy", "several", "title", "body"),
    [
        pytest.param([SECRET], "subject", False, "Bo", "Rota\nSee you", id="all"),
        pytest.param([SECRET], "sender", False, "Bo", "New message", id="the sender"),
        pytest.param(
            [SECRET], "sender", True, "Bo", f"New message\n{ANN.username}", id="and whose"
        ),
        pytest.param([SECRET], "hidden", False, "New message", "", id="nothing"),
        pytest.param([SECRET], "hidden", True, "New message", ANN.username, id="only whose"),
        pytest.param(
            [talk("a", 1), talk("b", 2)],
            "sender",
            False,
            "Grace (2)",
            "2 new messages",
            id="the sender of a conversation",
        ),
        pytest.param(
            [talk("a", 1), talk("b", 2)], "hidden", False, "2 new messages", "",
            id="a conversation",
        ),
        pytest.param(
            [mail("a", 1), mail("b", 2, sender="Al"), mail("c", 3), mail("d", 4, sender="Cy"),
             mail("e", 5, sender="Di"), mail("f", 6, sender="Cy")],
            "sender",
            False,
            "6 new messages",
            "Cy (2)\nDi\nBo (2)\nand 1 more",
            id="a summary of senders",
        ),
        pytest.param([mail(f"m{n}", n) for n in range(4)], "hidden", False, "4 new messages", "",
                     id="a summary of nothing"),
        pytest.param([mail(f"m{n}", n) for n in range(4)], "hidden", True,
                     f"4 new messages · {ANN.username}", "", id="a summary of whose"),
    ],
)  # fmt: skip
def test_privacy(
    messages: list[Message], privacy: str, several: bool, title: str, body: str
) -> None:
    (shown,) = compose_of(*messages, privacy=Privacy(privacy), name_account=several)
    assert (shown.title, shown.body) == (title, body)


@given(
    fields=st.lists(st.text("xyz", min_size=3, max_size=9), min_size=4, max_size=4),
    count=st.integers(1, 6),
    thread=st.sampled_from(["", "T"]),
    meeting=st.none() | st.builds(Meeting, st.sampled_from(MeetingKind), st.just(NOW)),
)
def test_what_is_hidden_is_nowhere(
    fields: list[str], count: int, thread: str, meeting: Meeting | None
) -> None:
    subject, name, address, preview = fields
    message = Message(MessageId(""), subject, name, address, preview=preview,
                      conversation_id=thread, meeting=meeting)  # fmt: skip
    messages = [replace(message, id=MessageId(str(n))) for n in range(count)]
    for one in compose_of(*messages, privacy=Privacy.HIDDEN):
        assert set("xyz").isdisjoint(one.title + one.body)
    for one in compose_of(*messages, privacy=Privacy.SENDER):
        words = f"{one.title}\n{one.body}".replace(name, "")
        assert set("xyz").isdisjoint(words)


# -- meetings -------------------------------------------------------------------------------------

TUESDAY = datetime(2026, 3, 3, 13, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "subject", "starts", "body"),
    [
        pytest.param("REQUEST", "Sync", TUESDAY + timedelta(days=1), "Meeting: Sync, Wed 14:00",
                     id="an invitation"),
        pytest.param("REQUEST", "Sync", TUESDAY, "Meeting: Sync, tomorrow 14:00", id="tomorrow"),
        pytest.param("REQUEST", "Sync", TUESDAY - timedelta(days=1), "Meeting: Sync, 14:00",
                     id="today"),
        pytest.param("REQUEST", "Sync", TUESDAY + timedelta(days=5), "Meeting: Sync, Sun 14:00",
                     id="in six days"),
        pytest.param("REQUEST", "Sync", TUESDAY + timedelta(days=6),
                     "Meeting: Sync, 2026-03-09 14:00", id="in a week"),
        pytest.param("REQUEST", "Sync", TUESDAY - timedelta(days=2),
                     "Meeting: Sync, 2026-03-01 14:00", id="yesterday"),
        pytest.param("REQUEST", "Sync", TUESDAY + timedelta(days=30),
                     "Meeting: Sync, 2026-04-02 15:00", id="after the clocks change"),
        pytest.param("REQUEST", "Sync", datetime(9999, 12, 31, 23, 30, tzinfo=UTC),
                     "Meeting: Sync, 9999-12-31 23:30", id="at the end of all days"),
        pytest.param("REQUEST", "Sync", None, "Meeting: Sync", id="nobody knows when"),
        pytest.param("REQUEST", "", None, "Meeting: (no subject)", id="nobody knows what"),
        pytest.param("CANCELLED", "Canceled: Sync", TUESDAY, "Cancelled: Sync, tomorrow 14:00",
                     id="cancelled"),
        pytest.param("ACCEPTED", "Accepted: Sync: x", None, "Accepted: Sync: x", id="accepted"),
        pytest.param("DECLINED", "Sync: x", None, "Declined: Sync: x", id="declined"),
        pytest.param("TENTATIVE", "Tentative:", None, "Tentative: Tentative:", id="tentative"),
        pytest.param("REQUEST", "{0} {subject}", None, "Meeting: {0} {subject}", id="braces"),
    ],
)  # fmt: skip
def test_a_meeting(kind: str, subject: str, starts: datetime | None, body: str) -> None:
    message = replace(mail("A"), subject=subject, meeting=Meeting(MeetingKind[kind], starts))
    assert compose_of(message)[0].body == body


def test_when_a_meeting_is_stays_to_be_seen() -> None:
    message = replace(mail("A", subject="S" * 300), preview="P" * 300,
                      meeting=Meeting(MeetingKind.REQUEST, TUESDAY))  # fmt: skip
    assert compose_of(message)[0].body.split("\n")[0].endswith("S…, tomorrow 14:00")
    (shown,) = compose_of(*(replace(message, id=MessageId(str(n))) for n in range(4)))
    assert shown.body.split("\n")[0].endswith("S…, tomorrow 14:00")


# -- manners --------------------------------------------------------------------------------------


def ruled(vip: bool = False, **manner: Any) -> Ruling:  # noqa: ANN401 # as Manner has them
    return Ruling(Verdict.NOTIFY, Manner(**manner), None, "", is_vip=vip)


@pytest.mark.parametrize(
    ("manners", "shown"),
    [
        pytest.param([], Manner(), id="nothing said"),
        pytest.param([{"sound": "none", "urgency": Urgency.LOW}],
                     Manner("none", Urgency.LOW), id="of one"),
        pytest.param([{"sound": "none"}, {"sound": "desktop"}], Manner(), id="a sound and none"),
        pytest.param([{"sound": "/a.oga"}, {"sound": "desktop"}], Manner("/a.oga"),
                     id="two sounds"),
        pytest.param([{"urgency": Urgency.LOW}, {}], Manner(), id="low and normal"),
        pytest.param([{"stays": True}, {"urgency": Urgency.CRITICAL}, {"sound": "none"}],
                     Manner("desktop", Urgency.CRITICAL, stays=True), id="of each the strongest"),
    ],
)  # fmt: skip
def test_a_conversation_is_told_in_the_strongest_manner(
    manners: list[dict[str, Any]], shown: Manner
) -> None:
    messages = [talk(f"m{n}", n) for n in range(3)]
    rulings = {f"m{n}": ruled(**manner) for n, manner in enumerate(manners)}
    assert compose_of(*messages, rulings=rulings)[0].manner == shown


@pytest.mark.parametrize(
    "ruling",
    [
        pytest.param(ruled(vip=True), id="a VIP"),
        pytest.param(ruled(stays=True), id="what stays"),
        pytest.param(ruled(urgency=Urgency.CRITICAL), id="what is critical"),
    ],
)
def test_what_stands_out_is_told_beside_the_summary(ruling: Ruling) -> None:
    messages = [mail(f"m{n}", n) for n in range(5)]
    own, summary = compose_of(*messages, rulings={"m2": ruling})
    assert (own.message_ids, own.manner) == (("m2",), ruling.manner)
    assert (summary.title, summary.manner) == ("4 new messages", Manner())


def test_a_vip_comes_first() -> None:
    shown = compose_of(mail("a", 1), mail("b", 2), rulings={"b": ruled(vip=True)})
    assert [one.message_ids for one in shown] == [("b",), ("a",)]


def test_one_message_beside_those_that_stand_out_needs_no_summary() -> None:
    rulings = {"a": ruled(vip=True)}
    shown = compose_of(mail("a", 1), mail("b", 2), rulings=rulings, max_single=1)
    assert [one.title for one in shown] == ["Bo", "Bo"]
    shown = compose_of(mail("a", 1), mail("b", 2), rulings=rulings, max_single=0)
    assert [one.title for one in shown] == ["Bo", "1 new message"]


def test_a_flood_of_what_stands_out_is_no_flood_of_notifications() -> None:
    messages = [mail(f"m{n}", n) for n in range(200)]
    shown = compose_of(*messages, rulings={f"m{n}": ruled(vip=True) for n in range(200)})
    assert len(shown) == STANDING_OUT_MAX + 1
    assert shown[0].message_ids == (f"m{200 - STANDING_OUT_MAX}",)
    assert len(shown[-1].message_ids) == 200 - STANDING_OUT_MAX


def test_buttons_are_offered_with_each_message_and_conversation() -> None:
    wished = (Action.MARK_READ, Action.DELETE)
    shown = compose_of(mail("a", 1), talk("b", 2), talk("c", 3), buttons=wished)
    offered = (Button("mark_read", "Mark read"), Button("delete", "Delete"))
    assert [one.buttons for one in shown] == [offered, offered]


@pytest.mark.parametrize(
    ("wished", "offered"),
    [
        pytest.param((Action.ARCHIVE, Action.MARK_READ), (Button("mark_read", "Mark all read"),),
                     id="to mark them all"),
        pytest.param((Action.ARCHIVE, Action.DELETE), (), id="nothing else"),
    ],
)  # fmt: skip
def test_a_summary_offers(wished: tuple[Action, ...], offered: tuple[Button, ...]) -> None:
    (shown,) = compose_of(*(mail(f"m{n}", n) for n in range(4)), buttons=wished)
    assert shown.buttons == offered


ANY_MESSAGES = st.lists(
    st.builds(
        Message,
        id=st.just(MessageId("")),
        subject=NASTY_TEXT,
        sender_name=NASTY_TEXT,
        sender_address=st.sampled_from(["", "a@x.test", "b@x.test"]),
        preview=NASTY_TEXT,
        conversation_id=st.sampled_from(["", "T", "U"]),
        meeting=st.none()
        | st.builds(
            Meeting,
            st.sampled_from(MeetingKind),
            st.none() | st.datetimes(datetime(1970, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 # the zone is given apart
        ),
    ),
    max_size=6,
).map(lambda found: [replace(one, id=MessageId(f"m{n}")) for n, one in enumerate(found)])


@given(
    messages=ANY_MESSAGES,
    privacy=st.sampled_from(Privacy),
    name_account=st.booleans(),
    group_conversations=st.booleans(),
    catch_up=st.booleans(),
    max_single=st.integers(0, 9),
)
def test_each_message_is_told_once_and_fits(messages: list[Message], **wishes: Any) -> None:  # noqa: ANN401 # as Wording has them
    shown = compose_of(*messages, **wishes)
    told = sorted(message_id for one in shown for message_id in one.message_ids)
    assert told == sorted(message.id for message in messages)
    assert len({one.tag for one in shown}) == len(shown)
    assert all(units(one.title) <= TITLE_UNITS and one.title for one in shown)
    assert all(units(one.body) <= BODY_UNITS for one in shown)
