"""The commands that show and change the settings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from mailtray.command_line import EXIT_OK, common, said, say, tell, with_json
from mailtray.core.language import _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mailtray.core.settings import Standing


@click.group("settings", invoke_without_command=True)
@common
@with_json
def settings_group(*, as_json: bool) -> int | None:
    """Show the settings, or change them.

    Without a command: list.
    """
    context = click.get_current_context()
    if context.invoked_subcommand is None:
        return context.invoke(settings_list, as_json=as_json)  # type: ignore[no-any-return] # click returns Any
    return None


@settings_group.command("list")
@common
@with_json
def settings_list(*, as_json: bool) -> int:
    """Show each setting, its value, and where that comes from."""
    from mailtray import bootstrap

    found = bootstrap.weigh_settings(said())
    if as_json:
        say(json.dumps({"settings": [_setting_json(one) for one in found.values()]}))
    else:
        for one in found.values():
            say(_setting_line(one))
    return EXIT_OK


def _setting_json(one: Standing) -> Mapping[str, object]:
    return {
        "key": one.key,
        "value": one.shown,
        "from": one.place.value,
        "origin": one.origin,
        "locked": one.is_locked,
        "overruled": list(one.overruled),
    }


def _setting_line(one: Standing) -> str:
    from mailtray.core.commented import toml

    line = f"{one.key} = {toml(one.shown)}"
    if one.is_locked:
        words = _("set by your administrator")
        if one.overruled:
            words = _("{words}, not by {origins}").format(
                words=words, origins=", ".join(one.overruled)
            )
    else:
        words = one.origin or _("default")
    return f"{line:48}  # {words}"


def _keys(_context: click.Context, _option: click.Parameter, begun: str) -> list[str]:
    from mailtray.core.settings import KEYS

    return [key for key in KEYS if key.startswith(begun)]


@settings_group.command("set")
@click.argument("key", shell_complete=_keys)
@click.argument("value")
@common
@with_json
def settings_set(key: str, value: str, *, as_json: bool) -> int:
    """Set KEY in your settings file; a list is parted by “;”."""
    from mailtray import bootstrap

    one = bootstrap.set_setting(said(), key, value)
    tell(_setting_line(one), _setting_json(one), as_json=as_json)
    return EXIT_OK


@settings_group.command("unset")
@click.argument("key", shell_complete=_keys)
@common
@with_json
def settings_unset(key: str, *, as_json: bool) -> int:
    """Take KEY out of your settings file."""
    from mailtray import bootstrap

    left = bootstrap.unset_setting(said(), key)
    if left is not None:
        tell(_setting_line(left), _setting_json(left), as_json=as_json)
    elif as_json:
        say(json.dumps({"key": key, "value": None}))
    return EXIT_OK


@settings_group.command("init")
@common
@with_json
def settings_init(*, as_json: bool) -> int:
    """Write a settings file in which every key is commented out."""
    from mailtray import bootstrap

    path = str(bootstrap.begin_settings(said()))
    tell(path, {"path": path}, as_json=as_json)
    return EXIT_OK


@settings_group.command("path")
@common
@with_json
def settings_path(*, as_json: bool) -> int:
    """Print where your settings file is."""
    from mailtray import bootstrap

    path = str(bootstrap.settings_path(said()))
    tell(path, {"path": path}, as_json=as_json)
    return EXIT_OK
