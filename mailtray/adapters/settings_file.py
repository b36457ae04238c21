"""Where things are kept, and the places that wishes are read from."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import warnings
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from mailtray.adapters.private_files import OTHER_HOME_HINT, make_private_folder
from mailtray.adapters.toml_files import parse, read_raw
from mailtray.core.errors import ConfigError
from mailtray.core.language import _
from mailtray.core.settings import INTERVAL_MIN_S, KEYS, Layer, Place, parse_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mailtray.core.settings import Settings

APP = "mailtray"
BAKED_IN: Mapping[str, object] = {}
"""What a release brings along, a client id of its own say; the last place that is asked."""
ENVIRONMENT_PREFIX = "MAILTRAY_"
LIKENESS = 0.7
"""A variable with the prefix that is so much like a setting's name is a mistyped one."""
SOCKET_PATH_MAX_BYTES = 100
"""The shortest ``sun_path`` is 104 bytes with its end mark (macOS, the BSDs); Linux has 108."""


@dataclass(frozen=True, slots=True)
class Home:
    """The places of one mailtray; two homes have nothing in common.

    Attributes:
        config_dir: Folder of the person's settings.
        state_dir: Folder of what the program remembers.
        runtime_dir: Folder of the control socket.
        machine_settings_path: The administrator's settings for all users, where there may be any.
        socket_address: Where the running program takes requests: a socket's path, or a named
            pipe on Windows.
        vault_service: Under which name the keyring keeps the secrets.
    """

    config_dir: Path
    state_dir: Path
    runtime_dir: Path
    machine_settings_path: Path | None
    socket_address: str
    vault_service: str

    @property
    def settings_path(self) -> Path:
        """Return where the person's settings are."""
        return self.config_dir / "settings.toml"

    @property
    def state_path(self) -> Path:
        """Return where the program remembers what it told."""
        return self.state_dir / "state.db"

    @property
    def lock_path(self) -> Path:
        """Return the file whose lock the running program holds."""
        return self.state_dir / "mailtray.lock"

    @property
    def log_path(self) -> Path:
        """Return where the log is."""
        return self.state_dir / "mailtray.log"

    @property
    def authkey_path(self) -> Path:
        """Return the file that opens the control socket."""
        return self.state_dir / "control.key"

    @classmethod
    def default(cls) -> Home:
        """Return the places that this system has for a person's programs.

        Source: XDG Base Directory Specification; Known Folders on Windows; platformdirs.
        """
        dirs = platformdirs.PlatformDirs(APP, appauthor=False, roaming=False)
        state = Path(dirs.user_state_dir)
        with warnings.catch_warnings():
            # Without XDG_RUNTIME_DIR there is a folder in /tmp, which does as well.
            warnings.simplefilter("ignore")
            runtime = Path(dirs.user_runtime_dir)
        # A socket of its own for each state folder: HOME may change where this folder stays.
        return cls(
            config_dir=Path(dirs.user_config_dir),
            state_dir=state,
            runtime_dir=runtime,
            machine_settings_path=Path(dirs.site_config_dir) / "settings.toml",
            socket_address=_socket_address(runtime / f"{_digest(state)}.sock", state),
            vault_service=APP,
        )

    @classmethod
    def at(cls, folder: Path) -> Home:
        """Return the places under one folder, for tests and for a portable installation."""
        root = Path(os.path.abspath(folder))  # noqa: PTH100 # resolve() would need the folder
        return cls(
            config_dir=root,
            state_dir=root / "state",
            runtime_dir=root / "run",
            machine_settings_path=None,
            socket_address=_socket_address(root / "run" / "control.sock", root),
            vault_service=f"{APP}-{_digest(root)}",
        )

    @classmethod
    def of(cls, folder: Path | None) -> Home:
        """Return the places under a folder, or where ``None`` the system's own."""
        return cls.default() if folder is None else cls.at(folder)

    def prepare(self) -> None:
        """Make the folders that are missing, each for the person alone.

        Raises:
            ConfigError: One of them cannot be made.
        """
        folders = [self.config_dir, self.state_dir]
        if sys.platform != "win32":
            folders.append(Path(self.socket_address).parent)
        for folder in folders:
            try:
                make_private_folder(folder)
            except OSError as exc:
                problem = _("cannot be made a folder of yours: {reason}").format(
                    reason=exc.strerror or exc
                )
                raise ConfigError(
                    origin=str(folder), key="", problem=problem, hint=_(OTHER_HOME_HINT)
                ) from exc


def _digest(folder: Path) -> str:
    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]


def _socket_address(wished: Path, home: Path) -> str:
    if sys.platform == "win32":
        return rf"\\.\pipe\{APP}-{_digest(home)}"
    bases = [os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir(), "/tmp"]  # noqa: S108 # the folder in it is made private
    short = [Path(base) / f"{APP}-{_digest(home)}" / "control.sock" for base in bases if base]
    fitting = [p for p in [wished, *short] if len(os.fsencode(p)) <= SOCKET_PATH_MAX_BYTES]
    return str(fitting[0])


def load_settings(
    home: Home,
    command_line: Mapping[str, object] | None = None,
    environment: Mapping[str, str] | None = None,
    *,
    interval_min_s: float = INTERVAL_MIN_S,
) -> Settings:
    """Read the wishes from all places.

    Args:
        home: Whose files to read.
        command_line: Settings given as options; ``None`` values count as not given.
        environment: Variables to look through; those of this process if left out.
        interval_min_s: The shortest interval to accept, in seconds.

    Raises:
        ConfigError: A file cannot be read, or see :func:`parse_settings`.
    """
    layers = read_layers(
        home, command_line or {}, os.environ if environment is None else environment
    )
    return parse_settings(layers, interval_min_s=interval_min_s)


def read_layers(
    home: Home, command_line: Mapping[str, object], environment: Mapping[str, str]
) -> list[Layer]:
    """Return what each place says, the strongest first: option, variable, person, machine, release.

    Raises:
        ConfigError: A file is there and cannot be read.
    """
    said = {key: value for key, value in command_line.items() if value is not None}
    layers = [Layer(Place.OPTION, "command line", said), *_variables(environment)]
    layers.append(_file_layer(Place.FILE, home.settings_path))
    if home.machine_settings_path is not None:
        layers.append(_file_layer(Place.ADMINISTRATOR, home.machine_settings_path))
    return [*layers, Layer(Place.RELEASE, "this release", BAKED_IN)]


def _file_layer(place: Place, path: Path) -> Layer:
    return Layer(place, str(path), parse(path, read_raw(path) or b""))


def _variables(environment: Mapping[str, str]) -> Iterator[Layer]:
    for name, value in environment.items():
        key = name.removeprefix(ENVIRONMENT_PREFIX).lower()
        is_meant = name.startswith(ENVIRONMENT_PREFIX) and value.strip()
        if is_meant and get_close_matches(key, KEYS, n=1, cutoff=LIKENESS):
            yield Layer(Place.VARIABLE, name, {key: value})


class SettingsWatch:
    """The settings, read again whenever one of their files was changed.

    Args:
        home: Whose files.
        command_line: See :func:`load_settings`.
        interval_min_s: See :func:`load_settings`.

    Attributes:
        settings: The last that had no mistake.

    Raises:
        ConfigError: They have a mistake from the beginning.
    """

    def __init__(
        self, home: Home, command_line: Mapping[str, object], *, interval_min_s: float
    ) -> None:
        self._home = home
        self._command_line = command_line
        self._interval_min_s = interval_min_s
        self._is_mistaken = False
        # Looked at before they are read: what changes in between is seen the next time.
        self._marks = self._look()
        self.settings = self._load()

    def changed(self) -> Settings | ConfigError | None:
        """See the port."""
        marks = self._look()
        if marks == self._marks:
            return None
        self._marks = marks
        try:
            found = self._load()
        except ConfigError as error:
            self._is_mistaken = True
            return error
        if found == self.settings and not self._is_mistaken:
            return None
        self._is_mistaken, self.settings = False, found
        return found

    def _load(self) -> Settings:
        return load_settings(self._home, self._command_line, interval_min_s=self._interval_min_s)

    def _look(self) -> tuple[tuple[int, int, int] | None, ...]:
        paths = (self._home.settings_path, self._home.machine_settings_path)
        return tuple(_mark(path) for path in paths if path is not None)


def _mark(path: Path) -> tuple[int, int, int] | None:
    """Return what differs once a file is another one; ``None`` where none can be seen."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
