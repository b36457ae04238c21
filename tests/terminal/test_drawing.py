"""How the list looks, at any size."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from mailtray.terminal.drawing import draw
from mailtray.terminal.listing import Listing, press, read, take
from tests.terminal.states import ANN, BEN, NOW, account, message, state

LONG = "a subject that goes on and on and on, and further still, past every edge there is"
MANY = [message(f"M{number:02}") for number in range(40)]
SIZES = [(80, 24), (120, 40), (40, 10), (20, 5), (9, 3), (1, 1), (80, 2)]


def console(width: int, height: int) -> Console:
    return Console(
        file=io.StringIO(), width=width, height=height, force_terminal=True, record=True,
        color_system="truecolor",
    )  # fmt: skip


def screen(listing: Listing, width: int = 80, height: int = 24) -> list[str]:
    here = console(width, height)
    here.print(draw(listing, here, NOW))
    return [line.rstrip() for line in here.export_text(styles=False).splitlines()]


def styled(listing: Listing) -> str:
    here = console(80, 24)
    here.print(draw(listing, here, NOW))
    return here.export_text(styles=True)


def showing(*accounts: dict[str, object], **more: object) -> Listing:
    return take(Listing(), read(state(*accounts, **more)))


def after(listing: Listing, *keys: str) -> Listing:
    for key in keys:
        listing, _ = press(listing, key)
    return listing


def test_the_list() -> None:
    first = message("A", sender="Grace Hopper", subject="Rota")
    older = message("B", received="2026-02-27T09:00:00+00:00")
    odd = message("C", received=None)
    lines = screen(showing(account(first, older, odd, new=1)))
    assert lines[0] == "mailtray"
    assert lines[1] == f"{ANN}  1 new · 3 unread · Checked 14:02"
    assert lines[2] == "> 13:00 Grace Hopper          Rota"
    assert lines[3] == "  02-27 Bo                    Subject of B"
    assert lines[4] == "        Bo                    Subject of C"
    assert lines[-1].startswith("Enter open · r read")
    assert len(lines) == 24


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize(
    "listing",
    [
        pytest.param(showing(account(*MANY), account(message("X", subject=LONG))), id="many"),
        pytest.param(showing(account()), id="empty"),
        pytest.param(showing(link="https://login.example/" + "x" * 300), id="signed out"),
        pytest.param(after(showing(account(*MANY)), "?"), id="help"),
        pytest.param(after(showing(account(*MANY)), "p"), id="pauses"),
        pytest.param(after(showing(account(*MANY)), "u"), id="note"),
        pytest.param(
            showing(account(*[message(str(n), sender="山田太郎" * 9, subject="日本語" * 50)
                              for n in range(9)])),
            id="wide",
        ),
        pytest.param(
            showing(account(message("R", sender="דוד" * 20, subject="שלום עולם " * 20))),
            id="right to left",
        ),
    ],
)  # fmt: skip
def test_it_fills_the_screen_and_no_more(listing: Listing, width: int, height: int) -> None:
    lines = screen(listing, width, height)
    assert len(lines) <= height
    assert max(map(cell_len, lines)) <= width


@pytest.mark.parametrize("keys", [["end"], ["home"], ["down"] * 20, ["page_down", "page_down"]])
@pytest.mark.parametrize("height", [4, 10, 24])
def test_the_chosen_message_is_always_seen(keys: list[str], height: int) -> None:
    listing = after(showing(account(*MANY)), *keys)
    assert listing.chosen is not None
    (line,) = [one for one in screen(listing, height=height) if one.startswith(">")]
    assert line.endswith(f"Subject of {listing.chosen[1]}")


def test_wide_letters_keep_the_columns() -> None:
    narrow, wide = message("A"), message("B", sender="山田太郎山田太郎山田太郎山田太郎")
    first, second = screen(showing(account(narrow, wide)))[2:4]
    at = first.index("Subject")
    assert cell_len(second[: second.index("Subject")]) == at


def test_what_runs_from_right_to_left_moves_nothing_beside_it() -> None:
    sender, subject = "דביר", "שבת"
    line = screen(showing(account(message("A", sender=sender, subject=subject))))[2]
    assert f"\u2068{sender}\u2069" in line
    assert f"\u2068{subject}\u2069" in line


def test_each_account_says_how_it_is() -> None:
    offline = account(
        username=BEN, state="offline", error="Microsoft 365 cannot be reached",
        hint="mailtray tries again by itself.", checked=None,
    )  # fmt: skip
    lines = screen(showing(account("A"), offline))
    assert lines[3] == f"{BEN}  Microsoft 365 cannot be reached"
    assert lines[4] == "  mailtray tries again by itself."


def test_what_an_account_goes_without_is_said() -> None:
    lines = screen(showing(account("A", notice="Previews need a permission. Ask.")))
    assert lines[1].endswith("1 unread · Checked 14:02")
    assert lines[2] == "  Previews need a permission. Ask."


def test_before_the_first_poll() -> None:
    assert screen(showing(account(checked=None)))[1].endswith("Checking mail…")


def test_with_nobody_signed_in_it_says_so_and_the_whole_link() -> None:
    link = "https://login.example/" + "x" * 100
    lines = screen(showing(link=link))
    assert lines[1] == "Signed out"
    assert "".join(lines).replace(" ", "").count(link) == 1


def test_the_pauses_are_offered_by_number() -> None:
    lines = screen(after(showing(account("A")), "p"))
    assert lines[1:3] == ["Pause notifications", "  1  For 30 minutes"]


def test_why_it_is_quiet_is_said() -> None:
    lines = screen(showing(account(), quiet="paused", paused_until="2026-03-02T15:00:00+00:00"))
    assert lines[0] == "mailtray · Paused until 15:00"


def test_more_than_is_listed_is_counted() -> None:
    assert screen(showing(account("A", unread=7)))[3] == "  and 6 more"


def test_checking_is_seen() -> None:
    assert screen(after(showing(account("A")), "c"))[-2] == "Checking mail…"


def test_colours_are_heeded_or_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    listing = after(showing(account("A", "B", state="offline", error="Offline")), "a")
    assert "33m  Offline" in styled(listing)
    assert "\x1b[2m" in styled(listing)
    assert "\x1b[7m" in styled(listing)
    monkeypatch.setenv("NO_COLOR", "1")
    here = Console(file=io.StringIO(), width=80, height=24, force_terminal=True)
    here.print(draw(listing, here, NOW))
    drawn = here.file.getvalue()  # type: ignore[attr-defined] # a StringIO
    assert "33m" not in drawn
    assert "\x1b[7m" in drawn
