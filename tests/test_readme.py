"""What README and CHANGELOG say is so."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from mailtray import __version__
from mailtray.adapters import graph_failures, http_transport
from mailtray.cli import cli
from mailtray.core import text
from mailtray.core.language import _
from mailtray.core.settings import DEFAULTS
from tests.app.rig import ANN, Rig

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def table(name: str) -> list[list[str]]:
    """Return the cells of the table between two marks, without its head."""
    _, _, rest = README.partition(f"<!-- {name} -->")
    lines = rest.partition(f"<!-- /{name} -->")[0].strip().splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_setting_is_explained_with_its_default() -> None:
    rows = {key.strip("`"): default.strip("`") for key, default, _ in table("settings")}
    explained = {key: tomllib.loads(f"it = {default}")["it"] for key, default in rows.items()}
    assert explained == {key: one.shown for key, one in DEFAULTS.items()}


def test_every_sight_has_the_words_that_are_shown() -> None:
    time_shown = datetime(2026, 1, 5, 14, 2, tzinfo=UTC)
    shown = {
        text.unread(0),
        text.unread(3),
        text.new(1),
        text.checked_at(time_shown),
        _(text.FINISH_SIGN_IN),
        _(text.SIGNED_OUT),
        text.offline_since(time_shown).removeprefix("since 14:02, "),
        _(http_transport._OFFLINE[0]),
        _(graph_failures.THROTTLED[1]),
    }
    said = {
        words
        for _, tooltip, _ in table("sights")
        for quoted in re.findall(r"`([^`]+)`", tooltip)
        for words in quoted.split(" · ")
        if not words.startswith("Paused")
    }
    assert said == shown


def test_the_keys_of_json_are_those_that_are_printed() -> None:
    rig = Rig(ANN)
    rig.box().deliver("A")
    rig.do()
    rig.sign_in(ANN)
    rig.box().deliver("B")
    rig.check()
    state: dict[str, Any] = dict(rig.ask("status").get_nowait())
    (account,) = state["accounts"]
    told = {of: set(re.findall(r"`(\w+)`", keys)) for of, keys in table("json")}
    assert told["`check`, `status`"] == state.keys() - {"done"}
    assert told["each of `accounts`"] == account.keys()
    assert told["each of `messages`"] == account["messages"][0].keys()


def test_who_takes_the_common_options() -> None:
    without = {
        name
        for name, command in cli.commands.items()
        if not any("--home" in one.opts for one in command.params)
    }
    assert without == {"install-desktop", "completion", "simulator", "demo"}


def test_every_command_is_in_the_table() -> None:
    named = set(re.findall(r"^\| `mailtray ([\w-]+)", README, re.MULTILINE))
    assert named == set(cli.commands) - {"demo"}


def test_which_commands_answer_in_json() -> None:
    without = {
        name
        for name, command in cli.commands.items()
        if not any("--json" in one.opts for one in command.params)
    }
    # What stays, serves or prints something else than an answer; "rules" is a group.
    assert without == {"run", "watch", "open", "demo", "simulator", "completion", "rules"}


@pytest.mark.parametrize("command", sorted(cli.commands))
def test_every_command_explains_itself(command: str) -> None:
    result = CliRunner().invoke(cli, [command, "--help"])
    assert result.exit_code == 0
    assert result.output.startswith("Usage: ")


def test_every_option_that_readme_names_exists() -> None:
    known = {
        flag
        for command in (cli, *cli.commands.values())
        for option in command.params
        for flag in option.opts
    }
    named = set(re.findall(r"`(?:mailtray [^`]*?)?(--[a-z-]+)", README))
    assert named <= known | {"--headless"}


def test_every_command_of_the_table_has_the_options_that_it_names() -> None:
    for name, words in re.findall(r"^\| `mailtray ([\w-]+)([^`]*)`", README, re.MULTILINE):
        command = cli.commands[name]
        below = command.commands if isinstance(command, click.Group) else {}
        command = below.get(words.split()[0] if words else "", command)
        known = {flag for option in command.params for flag in option.opts}
        assert set(re.findall(r"--[a-z-]+", words)) <= known, name


def test_every_picture_and_page_that_readme_names_exists() -> None:
    for link in re.findall(r"\]\(((?!https?:)[^)#]+)", README):
        assert (ROOT / link).is_file(), link


def test_the_changelog_ends_with_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## \[(\d[^\]]*)\]", changelog, re.MULTILINE)
    assert newest is not None
    assert newest[1] == __version__


def test_make_knows_the_commands_that_readme_names() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z-]+)", README)) <= targets
