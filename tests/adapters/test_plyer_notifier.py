"""plyer's limits, kept by a stand-in for it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from mailtray.adapters import plyer_notifier
from mailtray.adapters.icons import app_icon_path
from mailtray.adapters.plyer_notifier import PlyerNotifier
from mailtray.core.errors import NotifierError
from tests.contract.test_notifier import about

if TYPE_CHECKING:
    from collections.abc import Iterator

PAIR = "\N{GRINNING FACE}"


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


class Balloon:
    """plyer on Windows: texts go into buffers of 64 and 256 UTF-16 units with their end mark."""

    def __init__(self) -> None:
        self.shown: list[dict[str, Any]] = []
        self.error: Exception | None = None
        self.released = threading.Event()
        self.released.set()

    def notify(self, **wish: str | int) -> None:
        self.released.wait()
        if self.error is not None:
            raise self.error
        if units(str(wish["title"])) >= 64 or units(str(wish["message"])) >= 256:
            raise ValueError("string too long")
        self.shown.append(wish)


@pytest.fixture
def balloon() -> Balloon:
    return Balloon()


@pytest.fixture
def notifier(balloon: Balloon, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlyerNotifier]:
    notifier = PlyerNotifier(icon=app_icon_path(), platform="win32")
    monkeypatch.setattr(notifier, "_vendor", balloon)
    yield notifier
    balloon.released.set()
    notifier.close()


@pytest.mark.parametrize("size", [1, 62, 63, 64, 65, 200, 255, 256, 257, 5000])
@pytest.mark.parametrize("letter", ["A", PAIR])
def test_texts_fit_their_buffers(
    notifier: PlyerNotifier, balloon: Balloon, size: int, letter: str
) -> None:
    text = ("A" * (size % 2) + letter * size)[:size]
    notifier.show(about("a", text, text))
    (shown,) = balloon.shown
    for name, limit in (("title", 63), ("message", 255)):
        assert units(shown[name]) <= limit
        assert shown[name] == text or shown[name].endswith("…")
        # Cut between characters: half a pair cannot be encoded.
        shown[name].encode()


def test_a_balloon_without_a_text_would_not_be_shown(
    notifier: PlyerNotifier, balloon: Balloon
) -> None:
    notifier.show(about("a", "Ann", ""))
    assert balloon.shown[0]["message"]


def test_our_picture_as_an_ico_file(notifier: PlyerNotifier, balloon: Balloon) -> None:
    notifier.show(about("a"))
    assert balloon.shown[0]["app_icon"] == str(app_icon_path().with_suffix(".ico"))
    assert balloon.shown[0]["app_name"] == "mailtray"


def test_whatever_it_raises_is_an_error(notifier: PlyerNotifier, balloon: Balloon) -> None:
    balloon.error = Exception("Shell_NotifyIconW failed.")
    with pytest.raises(NotifierError):
        notifier.show(about("a"))


def test_one_that_hangs_is_not_asked_again_before_it_answers(
    notifier: PlyerNotifier, balloon: Balloon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plyer_notifier, "SHOW_TIMEOUT_S", 0.05)
    balloon.released.clear()
    for _ in range(2):
        with pytest.raises(NotifierError) as caught:
            notifier.show(about("a"))
        assert isinstance(caught.value.__cause__, TimeoutError)
    balloon.released.set()
    hanging = notifier._unanswered
    assert hanging is not None
    hanging.result(5)
    notifier.show(about("b"))
    assert len(balloon.shown) == 2


def test_a_system_that_plyer_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plyer.utils.platform", "toaster")
    with pytest.raises(NotifierError, match="plyer"):
        PlyerNotifier(icon=app_icon_path(), platform="toaster").show(about("a"))
