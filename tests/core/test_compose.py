"""From changes to words: what a stranger's text may do on the screen, and what it may not."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtray.core.compose import (
    BODY_UNITS,
    MARKS_MAX,
    TITLE_UNITS,
    Places,
    clean,
    clip,
    compose,
    headline,
    isolate,
    sender_of,
    subject_of,
    tag_of,
)
from mailtray.core.model import Changes, Message, MessageId, Notification, Seen
from tests.core.mails import ANN, mail

MAILBOX = "https://outlook.office.com/mail/"
PLACES = Places(
    MAILBOX,
    frozenset({"outlook.office.com", "outlook.live.com"}),
    origin="http://127.0.0.1:8080",
)
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
    *messages: Message, catch_up: bool = False, max_single: int = 3, name_account: bool = False
) -> tuple[Notification, ...]:
    changes = Changes(messages, frozenset(), Seen(), is_catch_up=catch_up)
    return compose(changes, ANN, PLACES, max_single=max_single, name_account=name_account)


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
