"""Starting at login, by each system's own means, for the person alone.

Every home has an entry of its own, under its own name; an entry is all there is to it, nothing
runs until the next login.
"""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailtray.adapters.entry_syntax import escape, first_group, quote_exec, unescape, unquote_exec
from mailtray.core import text
from mailtray.core.errors import MailtrayError
from mailtray.core.language import _

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mailtray.ports import Autostart

RUN_LINE_MAX_CHARS = 260
"""Windows starts no longer line.

Source: learn.microsoft.com/windows/win32/setupapi/run-and-runonce-registry-keys.
"""
ENTRY_MODE = 0o644


def own_autostart(name: str, home: Path | None, icon: Path) -> Autostart:
    """Return how this system starts this mailtray at login.

    Args:
        name: What the entry is called; each home has its own.
        home: The folder given as ``--home``, or ``None``.
        icon: The picture that a list of entries shows.
    """
    command = start_command(home)
    if sys.platform == "win32":
        return RunKey(name, command)
    elif sys.platform == "darwin":  # noqa: RET505 - mypy reads the other systems' code here
        return LaunchAgent(name, command, Path.home() / "Library" / "LaunchAgents")
    else:
        return DesktopEntry(name, command, _config_folder(os.environ) / "autostart", icon)


# -- what is started ------------------------------------------------------------------------------


def start_command(home: Path | None, executable: str = "", platform: str = "") -> tuple[str, ...]:
    """Return the command that a login is to run: the installed script, else the interpreter.

    Args:
        home: The folder given as ``--home``, or ``None``.
        executable: The interpreter; this one where empty.
        platform: As ``sys.platform``; this one where empty.
    """
    python, platform = executable or sys.executable, platform or sys.platform
    more = ("run",) if home is None else ("run", "--home", os.path.abspath(home))  # noqa: PTH100 - links stay
    if getattr(sys, "frozen", False):
        # Of a Windows bundle's two programs the one that opens no console.
        return (re.sub(r"-cli\.exe$", ".exe", python), *more)
    script = "mailtray-gui.exe" if platform == "win32" else "mailtray"
    folders = [Path(python).parent]
    if not executable:
        folders.append(Path(sysconfig.get_path("scripts")))
    for folder in folders:
        if (folder / script).is_file():
            return (str(folder / script), *more)
    windowless = Path(python).with_name("pythonw.exe")
    if platform == "win32" and windowless.is_file():
        python = str(windowless)
    return (python, "-m", "mailtray", *more)


def _refusal(problem: str) -> MailtrayError:
    return MailtrayError(_(text.NO_AUTOSTART_TITLE), problem)


def _registry_refusal(error: OSError) -> MailtrayError:
    reason = error.strerror or error
    return _refusal(_("The registry refused: {reason}.").format(reason=reason))


def _write(path: Path, content: bytes) -> None:
    """Write an entry whole or not at all: a login may read it at any time."""
    beside = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(content)
        beside.chmod(ENTRY_MODE)
        beside.replace(path)
    except OSError as exc:
        with suppress(OSError):
            beside.unlink()
        raise _refusal(
            _("{path} cannot be written: {reason}.").format(path=path, reason=exc.strerror or exc)
        ) from exc


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as exc:
        raise _refusal(
            _("{path} cannot be read: {reason}.").format(path=path, reason=exc.strerror or exc)
        ) from exc


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except NotADirectoryError:
        pass
    except OSError as exc:
        raise _refusal(
            _("{path} cannot be removed: {reason}.").format(path=path, reason=exc.strerror or exc)
        ) from exc


# -- Linux ----------------------------------------------------------------------------------------


class DesktopEntry:
    """An entry in the ``autostart`` folder of the person's configuration.

    Source: Desktop Application Autostart Specification 0.5; Desktop Entry Specification 1.5, "The
    Exec key" for the quoting, which comes before the escapes that every value has.
    """

    def __init__(self, name: str, command: Sequence[str], folder: Path, icon: Path) -> None:
        self.path = folder / f"{name}.desktop"
        self.command = tuple(command)
        self._icon = icon

    def turn_on(self) -> None:
        """Write the entry."""
        if "=" in self.command[0]:
            raise _refusal(
                _("An entry cannot start a program with “=” in its path: {path}.").format(
                    path=self.command[0]
                )
            )
        lines = [
            "[Desktop Entry]",
            "Type=Application",
            f"Name={text.APP_NAME}",
            f"Comment={_(text.AUTOSTART_COMMENT)}",
            f"Exec={escape(quote_exec(self.command))}",
            f"TryExec={escape(self.command[0])}",
            f"Icon={escape(str(self._icon))}",
            "Terminal=false",
            "StartupNotify=false",
            "X-GNOME-Autostart-enabled=true",
        ]
        try:
            content = "".join(f"{line}\n" for line in lines).encode()
        except UnicodeEncodeError as exc:
            raise _refusal(_("A folder's name in the program's path is not UTF-8.")) from exc
        _write(self.path, content)

    def turn_off(self) -> None:
        """Remove the entry."""
        _remove(self.path)

    def started(self) -> tuple[str, ...]:
        """Return what the entry starts."""
        content = _read(self.path)
        if content is None:
            return ()
        entry = first_group(content.decode(errors="replace"))
        is_hidden = entry.get("Hidden") == "true"
        # How GNOME's and other desktops' settings take an entry's tick away.
        if is_hidden or entry.get("X-GNOME-Autostart-enabled") == "false":
            return ()
        return tuple(unquote_exec(unescape(entry.get("Exec", "")))) or (str(self.path),)


def _config_folder(environment: Mapping[str, str]) -> Path:
    # A relative path is to be ignored (XDG Base Directory Specification).
    wished = Path(environment.get("XDG_CONFIG_HOME", ""))
    return wished if wished.is_absolute() else Path.home() / ".config"


# -- macOS ----------------------------------------------------------------------------------------


class LaunchAgent:
    """A property list in ``~/Library/LaunchAgents``; launchd reads it at the next login.

    Source: launchd.plist(5).
    """

    def __init__(self, name: str, command: Sequence[str], folder: Path) -> None:
        self._label = f"local.{name}"
        self.path = folder / f"{self._label}.plist"
        self.command = tuple(command)

    def turn_on(self) -> None:
        """Write the property list."""
        entry = {
            "Label": self._label,
            "ProgramArguments": list(self.command),
            "RunAtLoad": True,
            "ProcessType": "Interactive",
            "LimitLoadToSessionType": "Aqua",
        }
        import plistlib  # macOS' alone, and slow to load

        _write(self.path, plistlib.dumps(entry))

    def turn_off(self) -> None:
        """Remove the property list."""
        _remove(self.path)

    def started(self) -> tuple[str, ...]:
        """Return what the property list starts."""
        content = _read(self.path)
        if content is None:
            return ()
        import plistlib
        from xml.parsers.expat import ExpatError

        try:
            entry = plistlib.loads(content)
        except (plistlib.InvalidFileException, ExpatError, ValueError):
            return (str(self.path),)
        if not isinstance(entry, dict):
            return (str(self.path),)
        if entry.get("Disabled") or not entry.get("RunAtLoad"):
            return ()
        words = entry.get("ProgramArguments")
        return tuple(str(word) for word in words) if isinstance(words, list) else (str(self.path),)


# -- Windows --------------------------------------------------------------------------------------

RUN_KEY = r"Software\Microsoft\Windows\CurrentVersion\Run"
APPROVED_KEY = r"Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"


class RunKey:
    """A value of the person's ``Run`` key; the Task Manager's switch beside it counts too.

    Source: learn.microsoft.com/windows/win32/setupapi/run-and-runonce-registry-keys; the switch is
    written down nowhere: Explorer's own first byte there is odd where it is off.
    """

    def __init__(self, name: str, command: Sequence[str], registry: Any = None) -> None:  # noqa: ANN401 - a module that only Windows has
        """Prepare.

        Args:
            name: The value's name.
            command: What it starts.
            registry: The module ``winreg``, loaded when first needed, or what stands in for it.
        """
        self._name = name
        self.command = tuple(command)
        self._given = registry

    def turn_on(self) -> None:
        """Set the value."""
        line = subprocess.list2cmdline(self.command)
        if len(line) > RUN_LINE_MAX_CHARS:
            raise _refusal(
                _("Windows starts no line longer than {most}: {line}").format(
                    most=RUN_LINE_MAX_CHARS, line=line
                )
            )
        registry = self._registry
        try:
            with registry.CreateKey(registry.HKEY_CURRENT_USER, RUN_KEY) as key:
                registry.SetValueEx(key, self._name, 0, registry.REG_SZ, line)
        except OSError as exc:
            raise _registry_refusal(exc) from exc
        self._delete(APPROVED_KEY)

    def turn_off(self) -> None:
        """Delete the value."""
        self._delete(RUN_KEY)
        self._delete(APPROVED_KEY)

    def started(self) -> tuple[str, ...]:
        """Return what the value starts; a line that is not ours stays in one piece."""
        line, switch = self._value(RUN_KEY), self._value(APPROVED_KEY)
        if not isinstance(line, str) or (
            isinstance(switch, bytes) and switch[:1] and switch[0] % 2
        ):
            return ()
        return self.command if line == subprocess.list2cmdline(self.command) else (line,)

    @property
    def _registry(self) -> Any:  # noqa: ANN401 - as above
        return self._given or importlib.import_module("winreg")

    def _value(self, path: str) -> object:
        registry = self._registry
        try:
            with registry.OpenKey(registry.HKEY_CURRENT_USER, path) as key:
                value, _kind = registry.QueryValueEx(key, self._name)
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise _registry_refusal(exc) from exc
        return value

    def _delete(self, path: str) -> None:
        registry = self._registry
        try:
            with registry.OpenKey(
                registry.HKEY_CURRENT_USER, path, 0, registry.KEY_SET_VALUE
            ) as key:
                registry.DeleteValue(key, self._name)
        except FileNotFoundError:
            pass
        except OSError as exc:
            raise _registry_refusal(exc) from exc
