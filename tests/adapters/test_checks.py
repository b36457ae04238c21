"""What the doctor's checks make of what they meet."""

from __future__ import annotations

import shutil
import ssl
import threading
from typing import TYPE_CHECKING, NamedTuple

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from mailtray.adapters import check_system
from mailtray.adapters.certificate_met import issuer_of
from mailtray.adapters.check_desktop import other_system, sound_file
from mailtray.adapters.keyring_vault import KeyringVault
from mailtray.adapters.msal_cache import kept
from mailtray.core.doctor import Check, Part, Verdict, good, unknown
from mailtray.core.errors import MailtrayError
from mailtray.core.model import AccountId
from mailtray.diagnosis import Probe, look_at_all
from mailtray.pages.chart import LEAST_BAR, ROW_HEIGHT, chart
from tests.fakes.keyrings import MemoryKeyring

if TYPE_CHECKING:
    from pathlib import Path

FREE_BYTES = {"full": 1_000, "low": 50 * 1024 * 1024, "roomy": 10 * 1024**3}


# -- side by side ---------------------------------------------------------------------------------


def raises(error: Exception) -> Check:
    raise error


def test_a_check_that_breaks_or_hangs_stops_no_other() -> None:
    over = threading.Event()

    def hang() -> Check:
        over.wait(20)
        return good(Part.CLOCK, "never seen")

    found = look_at_all(
        [
            Probe((Part.VERSIONS,), lambda: good(Part.VERSIONS, "1")),
            Probe((Part.DISK, Part.STATE), lambda: raises(ZeroDivisionError("a secret"))),
            Probe((Part.KEYRING,), lambda: raises(MailtrayError("It is locked", "Unlock it."))),
            Probe((Part.CLOCK,), hang, limit_s=0.1),
            Probe((Part.GRAPH,), hang, limit_s=0.1, late=Verdict.FAIL),
            Probe((Part.TRAY, Part.SOUND), lambda: [good(Part.TRAY, "a"), good(Part.SOUND, "b")]),
        ]
    )
    over.set()
    broken = "could not be looked at (ZeroDivisionError)"
    assert found == [
        Check(Part.GRAPH, Verdict.FAIL, "no answer within 0 seconds"),
        unknown(Part.CLOCK, "no answer within 0 seconds"),
        good(Part.TRAY, "a"),
        good(Part.SOUND, "b"),
        unknown(Part.KEYRING, "It is locked", "Unlock it."),
        unknown(Part.STATE, broken),
        unknown(Part.DISK, broken),
        good(Part.VERSIONS, "1"),
    ]


# -- certificates ---------------------------------------------------------------------------------


def test_a_certificates_issuer_is_read() -> None:
    root = trustme.CA(organization_name="Contoso, Überwachung")
    pem = root.issue_cert("login.example").cert_chain_pems[0].bytes()
    certificate = x509.load_pem_x509_certificate(pem)
    whole = certificate.public_bytes(Encoding.DER)
    assert whole == ssl.PEM_cert_to_DER_cert(pem.decode())
    assert issuer_of(whole) == "Contoso, Überwachung"
    for cut in range(0, len(whole), 7):
        assert issuer_of(whole[:cut]) in {"", "Contoso, Überwachung"}


@pytest.mark.parametrize("odd", [b"", b"\x30", b"\x30\x84\xff\xff\xff\xff", b"\x30\x00", b"x" * 99])
def test_what_is_no_certificate_has_no_issuer(odd: bytes) -> None:
    assert issuer_of(odd) == ""


# -- the computer ---------------------------------------------------------------------------------


class Usage(NamedTuple):
    """What :func:`shutil.disk_usage` returns."""

    total: int
    used: int
    free: int


@pytest.mark.parametrize(
    ("free", "verdict"),
    [("full", Verdict.FAIL), ("low", Verdict.ATTENTION), ("roomy", Verdict.OK)],
)
def test_disk_space(
    free: str, verdict: Verdict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(0, 0, FREE_BYTES[free]))
    found = check_system.disk(tmp_path / "not" / "there")
    assert found.verdict is verdict
    assert (str(tmp_path) in found.action) is (verdict is not Verdict.OK)


def test_folders(tmp_path: Path) -> None:
    mine, there = tmp_path / "mine", tmp_path / "file"
    assert check_system.folders([mine]).found == "made when mailtray first runs"
    mine.mkdir(mode=0o700)
    mine.chmod(0o700)
    assert check_system.folders([mine, mine]) == good(Part.FOLDERS, str(mine))
    mine.chmod(0o755)
    found = check_system.folders([mine])
    assert (found.verdict, found.action.endswith(f"chmod 700 {mine}")) == (Verdict.ATTENTION, True)
    there.touch()
    assert check_system.folders([mine, there]).verdict is Verdict.FAIL


class Login:
    """A login that starts something."""

    command: tuple[str, ...] = ("mailtray", "run")

    def __init__(self, *started: str) -> None:
        self._started = started

    def turn_on(self) -> None:
        raise AssertionError

    def turn_off(self) -> None:
        raise AssertionError

    def started(self) -> tuple[str, ...]:
        return self._started


@pytest.mark.parametrize(
    ("started", "verdict", "found"),
    [
        ([], Verdict.OK, "off"),
        (["mailtray", "run"], Verdict.OK, "on"),
        (["old", "run"], Verdict.ATTENTION, "starts another mailtray: old run"),
    ],
)
def test_autostart(started: list[str], verdict: Verdict, found: str) -> None:
    check = check_system.autostart(Login(*started))
    assert (check.verdict, check.found) == (verdict, found)


def test_the_keyring_keeps_nothing_of_the_probe() -> None:
    backend = MemoryKeyring()
    vault = KeyringVault("mailtray-doctor", backend)
    assert check_system.keyring(vault).verdict is Verdict.OK
    assert vault.accounts() == ()
    assert not backend.entries


def test_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [one.verdict for one in other_system("desktop")] == [
        Verdict.OK, Verdict.OK, Verdict.UNKNOWN, Verdict.OK,
    ]  # fmt: skip
    assert sound_file(str(tmp_path / "gone.wav")).verdict is Verdict.ATTENTION
    sound = tmp_path / "ping.wav"
    sound.touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "no program" in sound_file(str(sound)).found
    player = tmp_path / "paplay"
    player.touch(mode=0o755)
    assert sound_file(str(sound)) == good(Part.SOUND, f"played by {player}")


def test_no_cache_is_no_sign_in() -> None:
    for cache in ("", "{}", "[]", "rubbish"):
        assert kept(cache, AccountId("ada.home")) is None


# -- the drawing ----------------------------------------------------------------------------------


def test_the_chart_shows_one_fault_among_many_polls() -> None:
    hours = [
        {"starts": f"2026-03-02T{n:02}:00:00+00:00", "polls": 60 * n, "arrivals": 0, "faults": 0}
        for n in range(24)
    ]
    hours[1] |= {"faults": 1, "polls": 1}
    drawn = chart(hours)
    polls, arrivals, faults = drawn.rows
    assert [row.total for row in drawn.rows] == [60 * (276 - 1) + 1, 0, 1]
    assert (polls.bars[0].height, polls.bars[1].height) == (0, LEAST_BAR)
    assert polls.bars[23].height == ROW_HEIGHT == faults.bars[1].height
    assert not any(bar.height for bar in arrivals.bars)
    assert polls.bars[23].x < drawn.width
    assert len(drawn.table) == 23
    assert drawn.table[-1][1:] == (1, 0, 1)
