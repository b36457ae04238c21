from __future__ import annotations

import json
import logging
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mailtray.adapters.hook_command import HookCommand, Limits
from mailtray.adapters.no_hook import NoHook
from tests.desktop.rig import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mailtray.core.errors import MailtrayError

if sys.platform == "win32":
    pytest.skip("the programs are shell scripts", allow_module_level=True)

SECRET = "Zoë \N{WAVING HAND SIGN} \ud83d; rm -rf /"
MESSAGE = {"id": "A", "subject": SECRET, "received": None}


class Rig:
    """A hook and what its program leaves in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.troubles: list[MailtrayError | None] = []
        self.hooks: list[HookCommand] = []

    def script(self, body: str, name: str = "hook") -> Path:
        path = self.folder / name
        path.write_text(f"#!/bin/sh\ncd '{self.folder}' || exit\n{body}\n")
        path.chmod(0o755)
        return path

    def hook(
        self, program: Path | str, *arguments: str, time_s: float = 10.0, **counts: int
    ) -> HookCommand:
        command = [str(program), *arguments]
        hook = HookCommand(command, self.troubles.append, Limits(time_s=time_s, **counts))
        self.hooks.append(hook)
        return hook

    def file(self, name: str) -> Path:
        return self.folder / name

    def lines(self, name: str) -> list[str]:
        return self.file(name).read_text().splitlines() if self.file(name).exists() else []


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    for hook in rig.hooks:
        hook.close()
        for thread in hook._threads:
            thread.join(10)
            assert not thread.is_alive()


def is_alive(pid: int) -> bool:
    try:
        # One that has ended and waits for init to notice is no longer alive.
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def noted(path: Path) -> Callable[[], int]:
    return lambda: int(path.read_text().strip() or 0) if path.exists() else 0


def test_the_program_reads_the_message_as_json(rig: Rig) -> None:
    hook = rig.hook(rig.script("cat >part; mv part message; echo noise; echo noise >&2"))
    hook.run(MESSAGE)
    wait_until(rig.file("message").exists)
    text = rig.file("message").read_text()
    assert json.loads(text) == MESSAGE
    assert text.isascii()


def test_no_shell_reads_the_arguments(rig: Rig) -> None:
    words = ["$HOME", "; touch broken", "*", "two words", ""]
    hook = rig.hook(rig.script('printf "%s|" "$@" >part; mv part words', "my hook; x"), *words)
    hook.run(MESSAGE)
    wait_until(rig.file("words").exists)
    assert rig.file("words").read_text() == "".join(f"{word}|" for word in words)
    assert not rig.file("broken").exists()


def test_the_program_is_not_told_what_mailtray_alone_is(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILTRAY_PROXY", "http://ada:hunter2@proxy:8080")
    monkeypatch.setenv("OTHER", "kept")
    hook = rig.hook(rig.script("env >part; mv part env"))
    hook.run(MESSAGE)
    wait_until(rig.file("env").exists)
    text = rig.file("env").read_text()
    assert "OTHER=kept" in text
    assert "MAILTRAY" not in text
    assert "hunter2" not in text


def test_a_leading_tilde_is_the_home(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(rig.folder))
    rig.script("touch ran")
    rig.hook("~/hook").run(MESSAGE)
    wait_until(rig.file("ran").exists)


def test_each_message_has_its_run_and_no_more_than_two_are_at_once(rig: Rig) -> None:
    hook = rig.hook(
        rig.script(
            "mkdir run.$$; ls -d run.* | wc -l >>counts\n"
            "until test -e go; do sleep 0.01; done\n"
            'rmdir run.$$; id=$(cat); echo "$id" >>ids'
        )
    )
    for n in range(6):
        hook.run({"id": n})
    wait_until(lambda: len(rig.lines("counts")) == 2)
    rig.file("go").touch()
    wait_until(lambda: len(rig.lines("ids")) == 6)
    assert sorted(json.loads(line)["id"] for line in rig.lines("ids")) == list(range(6))
    assert max(int(count) for count in rig.lines("counts")) == 2


def test_those_that_cannot_wait_are_counted(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    hook = rig.hook(
        rig.script("echo x >>ran; until test -e go; do sleep 0.01; done"), running=1, waiting=2
    )
    hook.run(MESSAGE)
    wait_until(rig.file("ran").exists)
    for _ in range(5):
        hook.run(MESSAGE)
    assert "3 messages left out" in caplog.text
    rig.file("go").touch()
    wait_until(lambda: len(rig.lines("ran")) == 3)


def test_a_hanging_program_ends_with_what_it_started(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    hook = rig.hook(
        rig.script("trap '' TERM; sleep 600 & echo $! >part; mv part child; echo $$ >own; wait"),
        running=1,
        time_s=0.5,
    )
    hook.run(MESSAGE)
    child = wait_until(noted(rig.file("child")))
    own = wait_until(noted(rig.file("own")))
    assert own != os.getpgid(0)
    wait_until(lambda: not is_alive(child) and not is_alive(own))
    wait_until(lambda: "longer than 0.5 s" in caplog.text)
    rig.file("child").unlink()
    hook.run(MESSAGE)  # and the next one has its turn
    wait_until(noted(rig.file("child")))


@pytest.mark.parametrize("at_term", ["exit 1", ":"])
def test_the_end_of_mailtray_is_not_held_up(
    rig: Rig, caplog: pytest.LogCaptureFixture, at_term: str
) -> None:
    hook = rig.hook(
        rig.script(f"trap '{at_term}' TERM; echo $$ >part; mv part own; while :; do sleep 9; done"),
        running=1,
    )
    for _ in range(3):
        hook.run(MESSAGE)
    own = wait_until(noted(rig.file("own")))
    begun_s = time.perf_counter()
    hook.close()
    assert time.perf_counter() - begun_s < 1.0
    wait_until(lambda: not is_alive(own))
    assert "does not see 2 messages" in caplog.text
    hook.run(MESSAGE)
    assert "1 messages left out" in caplog.text


def test_a_program_that_does_not_read_does_no_harm(rig: Rig) -> None:
    hook = rig.hook(rig.script("exec 0<&-; echo x >>ran"), running=1)
    for _ in range(2):
        hook.run({"subject": "x" * 1_000_000})
    wait_until(lambda: len(rig.lines("ran")) == 2)


def test_a_failure_is_logged_without_the_message(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    hook = rig.hook(rig.script("cat >&2; exit 7"))
    hook.run({"subject": "hush"})
    wait_until(lambda: "ended with the code 7" in caplog.text)
    assert "hush" not in caplog.text
    assert rig.troubles == []


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        pytest.param(None, 0, "No such file", id="it is not there"),
        pytest.param("#!/bin/sh\n", 0o644, "ermission", id="it may not be run"),
        pytest.param("#!/absent\n", 0o755, "No such file", id="what runs it is not there"),
        pytest.param("\0", 0o755, "xec format", id="it is no program"),
    ],
)
def test_a_program_that_cannot_be_started_is_told_once_until_it_can(
    rig: Rig,
    caplog: pytest.LogCaptureFixture,
    content: str | None,
    mode: int,
    words: str,
) -> None:
    path = rig.file("hook")
    if content is not None:
        path.write_text(content)
        path.chmod(mode)
    hook = rig.hook(path, running=1)
    for _ in range(3):
        hook.run(MESSAGE)
    wait_until(lambda: caplog.text.count("cannot be started") == 3)
    (trouble,) = rig.troubles
    assert trouble is not None
    assert str(path) in trouble.hint
    assert words in trouble.hint
    rig.script("touch ran")
    hook.run(MESSAGE)
    wait_until(rig.file("ran").exists)
    wait_until(lambda: rig.troubles == [trouble, None])


def test_no_hook_does_nothing() -> None:
    NoHook().run(MESSAGE)
    NoHook().close()
