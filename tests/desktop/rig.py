"""A private, real Linux desktop without a screen, for tests and for trying things by hand.

``DesktopSession`` starts an X server, a session bus, a keyring, a notification server and a
panel with a tray, each only if asked for, and takes away everything it started. By hand::

    python -m tests.desktop.rig [--no-tray] [--no-notify] [--no-keyring | --locked-keyring]
                                [--no-bus] [--no-display] COMMAND [ARGUMENT ...]
"""

from __future__ import annotations

import argparse
import contextlib
import html
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import TracebackType

    from PIL.Image import Image

T = TypeVar("T")

SCREEN_PX = (1280, 800)
PANEL_PX = 32
KEYRING_PASSWORD = "rig"
START_TIMEOUT_S = 20.0

NOTIFICATIONS = "org.freedesktop.Notifications"
WATCHER = "org.kde.StatusNotifierWatcher"
SECRETS = "org.freedesktop.secrets"

MARK = "DESKTOP_TEST_SESSION"
KEPT_VARIABLES = ("PATH", "PYTHONPATH", "VIRTUAL_ENV", "TMPDIR", "CI")
LIBRARY_FOLDERS = ("/usr/lib", "/usr/libexec")

PROGRAMS = {
    "bus": ("dbus-daemon", "dbus-send"),
    "display": ("Xvfb", "xdotool", "import"),
    "keyring": ("gnome-keyring-daemon",),
    "notify": ("dunst", "dunstctl"),
    "tray": ("xfce4-panel",),
    "terminal": ("tmux",),
}

# Only what a session puts into its own folder can be started by this bus, so that a service
# that was left out is really not there.
BUS_CONFIG = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <servicedir>{services}</servicedir>
  <policy context="default">
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
  </policy>
</busconfig>
"""

# Notifications stay until someone acts: what a test sees must not depend on how fast it is.
DUNST_CONFIG = """\
[global]
width = 360
origin = top-right
offset = 12x44
font = DejaVu Sans 10
markup = full
format = "<b>%s</b>\\n%b"
icon_position = left
max_icon_size = 48
min_icon_size = 48
show_age_threshold = -1
show_indicators = no
mouse_left_click = do_action, close_current
mouse_right_click = close_current
dmenu = {chooser}
[urgency_low]
timeout = 0
[urgency_normal]
timeout = 0
[urgency_critical]
timeout = 0
"""

# dunst draws no buttons: it hands all that can be pressed to a menu program, which answers with
# the line that was chosen.
CHOOSER = """\
#!/bin/sh
tee '{folder}/offered' | grep -m 1 -F -f '{folder}/wanted'
"""

# A bar along the top: stretch, tray, clock.
PANEL_CONFIG = """\
<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="length" type="uint" value="100"/>
      <property name="size" type="uint" value="{size}"/>
      <property name="plugin-ids" type="array">
        <value type="int" value="11"/>
        <value type="int" value="12"/>
        <value type="int" value="13"/>
      </property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-11" type="string" value="separator">
      <property name="expand" type="bool" value="true"/>
      <property name="style" type="uint" value="0"/>
    </property>
    <property name="plugin-12" type="string" value="systray">
      <property name="square-icons" type="bool" value="true"/>
    </property>
    <property name="plugin-13" type="string" value="clock"/>
  </property>
</channel>
"""

XFCONF_SERVICE = """\
[D-BUS Service]
Name=org.xfce.Xfconf
Exec={program}
"""


class Place(NamedTuple):
    """A point on the screen, in pixels."""

    x: int
    y: int


class RigError(RuntimeError):
    """A part of the session did not start; the message holds its log."""


def wait_until(
    condition: Callable[[], T | None], timeout_s: float = 15.0, step_s: float = 0.02
) -> T:
    """Ask until the answer is true, and return it; the only waiting that tests here do.

    Raises:
        AssertionError: It was not true within ``timeout_s`` seconds.
    """
    pause = threading.Event()
    end_s = time.perf_counter() + timeout_s
    while not (answer := condition()):
        assert time.perf_counter() < end_s, f"not within {timeout_s} s"
        pause.wait(step_s)
    return answer


class DesktopSession:
    """A desktop to test on; a context manager.

    Attributes:
        env: The environment in which a program sees this desktop and no other.
        folder: Everything the session keeps; gone when it ends.
    """

    def __init__(
        self,
        *,
        keyring: Literal["unlocked", "locked"] | None = "unlocked",
        notify: bool = True,
        tray: bool = True,
        bus: bool = True,
        display: bool = True,
    ) -> None:
        self.has_bus = bus
        self.has_display = display
        self.has_notify = notify and bus and display
        self.has_tray = tray and bus and display
        self.keyring = keyring if bus else None
        self.folder = Path()
        self.env: dict[str, str] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="mailtray-desktop-"))
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        # Whatever a started program leaves running carries this mark in its environment.
        self._stack.callback(self._end_marked)
        try:
            self._prepare()
            self._start_all()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    # -- parts ---------------------------------------------------------------------------------

    def start_notify(self) -> None:
        """Start the notification server and wait until it owns its name."""
        config = self.folder / "dunstrc"
        chooser = self.folder / "chooser"
        chooser.write_text(CHOOSER.format(folder=self.folder))
        chooser.chmod(0o700)
        config.write_text(DUNST_CONFIG.format(chooser=chooser))
        self._start("notify", ["dunst", "-conf", str(config)], until=self._owns(NOTIFICATIONS))

    def stop_notify(self) -> None:
        """Kill the notification server, as a crash would."""
        self._stop("notify", signal.SIGKILL)
        wait_until(lambda: not self.owner_of(NOTIFICATIONS))

    def start_panel(self) -> None:
        """Start the panel and wait until its tray takes icons."""
        self._start("tray", ["xfce4-panel", "--disable-wm-check"], until=self._owns(WATCHER))

    def stop_panel(self) -> None:
        """End the panel and with it the tray."""
        self._stop("tray", signal.SIGTERM)
        wait_until(lambda: not self.owner_of(WATCHER))

    def restart_panel(self) -> None:
        """End the panel and start it anew, as after a crash."""
        self.stop_panel()
        self.start_panel()

    def ensure_running(self) -> None:
        """Start again what a test took away."""
        if self.has_notify and not self.owner_of(NOTIFICATIONS):
            self._stop("notify", signal.SIGTERM)
            self.start_notify()
        if self.has_tray and not self.owner_of(WATCHER):
            self._stop("tray", signal.SIGTERM)
            self.start_panel()

    # -- asking --------------------------------------------------------------------------------

    def owner_of(self, name: str) -> str:
        """Return the unique name of a bus name's owner, or an empty string."""
        answer = self._bus_call("org.freedesktop.DBus", "/", "GetNameOwner", f"string:{name}")
        return answer.partition('string "')[2].partition('"')[0]

    def registered_items(self) -> list[str]:
        """Return the tray icons that the watcher lists, as it lists them."""
        answer = self._bus_call(
            WATCHER,
            "/StatusNotifierWatcher",
            "org.freedesktop.DBus.Properties.Get",
            f"string:{WATCHER}",
            "string:RegisteredStatusNotifierItems",
        )
        return [line.split('"')[1] for line in answer.splitlines() if 'string "' in line]

    def displayed_notifications(self) -> int:
        """Return how many notifications the server shows now."""
        return int(self.run("dunstctl", "count", "displayed") or 0)

    def read_notifications(self) -> list[str]:
        """Close all notifications and return what they said, as drawn, the latest first."""
        self.run("dunstctl", "close-all")
        (closed,) = json.loads(self.run("dunstctl", "history"))["data"]
        return [
            html.unescape(re.sub(r"<[^>]*>", "", notification["message"]["data"]))
            for notification in closed
        ]

    def press_button(self, label: str) -> list[str]:
        """Press a button of the notifications that are shown, and return all that were offered."""
        (self.folder / "wanted").write_text(label)
        offered = self.folder / "offered"
        offered.unlink(missing_ok=True)
        self.run("dunstctl", "context")
        return wait_until(lambda: offered.read_text().splitlines() if offered.exists() else None)

    # -- seeing and touching -------------------------------------------------------------------

    def screenshot(self, path: Path | None = None) -> Image:
        """Return the whole screen, and save it where a path is given."""
        from PIL import Image as ImageModule

        target = path or self.folder / "screen.png"
        self.run("import", "-window", "root", f"png:{target}")
        with ImageModule.open(target) as image:
            return image.convert("RGB")

    def find_tray_icon(self, colour: tuple[int, int, int]) -> Place | None:
        """Return the middle of what is drawn in a colour within the panel, if anything is."""
        panel = self.screenshot().crop((0, 0, SCREEN_PX[0], PANEL_PX))
        return middle_of(panel, colour)

    def click(self, place: Place, *, button: int = 1) -> None:
        """Click at a place: 1 is the left button, 2 the middle, 3 the right."""
        self.run("xdotool", "mousemove", str(place.x), str(place.y), "click", str(button))

    def hover(self, place: Place) -> None:
        """Move the pointer to a place, in two steps as a hand would."""
        self.run("xdotool", "mousemove", str(place.x - 3), str(place.y))
        self.run("xdotool", "mousemove", str(place.x), str(place.y))

    def press(self, *keys: str) -> None:
        """Press keys one after another, by their X names."""
        self.run("xdotool", "key", "--delay", "40", *keys)

    def run(self, *command: str) -> str:
        """Run a short program in the session and return what it prints.

        Raises:
            RigError: It failed.
        """
        done = subprocess.run(
            command, env=self.env, capture_output=True, text=True, timeout=15, check=False
        )
        if done.returncode:
            raise RigError(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}")
        return done.stdout

    # -- starting ------------------------------------------------------------------------------

    def _prepare(self) -> None:
        places = {
            f"XDG_{kind}": self.folder / kind.lower()
            for kind in ("RUNTIME_DIR", "CONFIG_HOME", "DATA_HOME", "CACHE_HOME", "STATE_HOME")
        }
        for place in (*places.values(), self.folder / "services", self.folder / "home"):
            place.mkdir(mode=0o700)
        self.env = {
            **{name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ},
            **{name: str(place) for name, place in places.items()},
            "HOME": str(self.folder / "home"),
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "XDG_SESSION_TYPE": "x11",
            "XDG_CURRENT_DESKTOP": "XFCE",
            "NO_AT_BRIDGE": "1",
            "GTK_A11Y": "none",
            "LIBGL_ALWAYS_SOFTWARE": "1",
            # A path without a bus; an unset variable would let programs find another one.
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.folder}/no-bus",
            "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.folder}/no-bus",
            MARK: str(self.folder),
        }

    def _start_all(self) -> None:
        if self.has_display:
            self._start_display()
        if self.has_bus:
            self._start_bus()
        if self.keyring:
            self._start_keyring()
        if self.has_notify:
            self.start_notify()
        if self.has_tray:
            self._configure_panel()
            self.start_panel()

    def _start_display(self) -> None:
        reading, writing = os.pipe()
        width, height = SCREEN_PX
        screen = ["-screen", "0", f"{width}x{height}x24"]
        self._start(
            "display",
            ["Xvfb", "-displayfd", str(writing), *screen, "-nolisten", "tcp", "-noreset"],
            pass_fds=(writing,),
        )
        os.close(writing)
        with os.fdopen(reading) as numbers:
            # Ends without a line where the server could not start.
            number = numbers.readline().strip()
        if not number:
            raise RigError(f"Xvfb: {self._log_of('display')}")
        self.env["DISPLAY"] = f":{number}"

    def _start_bus(self) -> None:
        config = self.folder / "bus.conf"
        address = self.folder / "bus"
        config.write_text(BUS_CONFIG.format(socket=address, services=self.folder / "services"))
        self.env["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={address}"
        self._start(
            "bus",
            ["dbus-daemon", f"--config-file={config}", "--nofork"],
            until=self._owns("org.freedesktop.DBus"),
        )

    def _start_keyring(self) -> None:
        self._start(
            "keyring",
            ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"],
            # --unlock with a password makes the login collection where there is none.
            typed=KEYRING_PASSWORD,
            until=self._owns(SECRETS),
        )
        if self.keyring == "locked":
            self._bus_call(
                SECRETS,
                "/org/freedesktop/secrets",
                "org.freedesktop.Secret.Service.Lock",
                "array:objpath:/org/freedesktop/secrets/collection/login",
            )

    def _configure_panel(self) -> None:
        found = (path for folder in LIBRARY_FOLDERS for path in Path(folder).rglob("xfconfd"))
        program = next(found, None)
        if program is None:
            raise RigError("xfconfd is not installed")
        service = self.folder / "services" / "org.xfce.Xfconf.service"
        service.write_text(XFCONF_SERVICE.format(program=program))
        channels = Path(self.env["XDG_CONFIG_HOME"]) / "xfce4/xfconf/xfce-perchannel-xml"
        channels.mkdir(parents=True)
        (channels / "xfce4-panel.xml").write_text(PANEL_CONFIG.format(size=PANEL_PX))

    def _start(
        self,
        part: str,
        command: Sequence[str],
        *,
        until: Callable[[], bool] = lambda: True,
        typed: str | None = None,
        pass_fds: Iterable[int] = (),
    ) -> None:
        with (self.folder / f"{part}.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                env=self.env,
                stdin=subprocess.PIPE if typed else subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=tuple(pass_fds),
            )
        self._running[part] = process
        self._stack.callback(self._stop, part, signal.SIGTERM)
        if process.stdin is not None:
            process.stdin.write((typed or "").encode())
            process.stdin.close()
        try:
            wait_until(lambda: until() or process.poll() is not None, START_TIMEOUT_S)
        except AssertionError:
            raise RigError(f"{command[0]} is not ready: {self._log_of(part)}") from None
        if process.poll() is not None:
            raise RigError(f"{command[0]} ended: {self._log_of(part)}")

    def _stop(self, part: str, how: signal.Signals) -> None:
        process = self._running.pop(part, None)
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(3)

    def _end_marked(self) -> None:
        for how in (signal.SIGTERM, signal.SIGKILL):
            for process in self._marked():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, how)
            with contextlib.suppress(AssertionError):
                wait_until(lambda: not list(self._marked()), 2.0)

    def _marked(self) -> Iterator[int]:
        mark = f"{MARK}={self.folder}".encode()
        for entry in Path("/proc").glob("[0-9]*"):
            # Processes end while they are looked at, and other people's cannot be read.
            with contextlib.suppress(OSError):
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    yield int(entry.name)

    def _log_of(self, part: str) -> str:
        return (self.folder / f"{part}.log").read_text(errors="replace")[-2000:]

    def _owns(self, name: str) -> Callable[[], bool]:
        return lambda: bool(self.owner_of(name))

    def _bus_call(self, destination: str, path: str, method: str, *arguments: str) -> str:
        method = method if "." in method else f"org.freedesktop.DBus.{method}"
        done = subprocess.run(
            [
                "dbus-send",
                f"--bus={self.env['DBUS_SESSION_BUS_ADDRESS']}",
                "--print-reply",
                "--reply-timeout=5000",
                f"--dest={destination}",
                path,
                method,
                *arguments,
            ],
            env=self.env,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
        return done.stdout if done.returncode == 0 else ""


def middle_of(image: Image, colour: tuple[int, int, int]) -> Place | None:
    """Return the middle of the pixels of exactly one colour, or ``None``."""
    pixels, wanted = image.tobytes(), bytes(colour)
    found = [
        divmod(start // 3, image.width)
        for start in range(0, len(pixels), 3)
        if pixels[start : start + 3] == wanted
    ]
    if not found:
        return None
    rows, columns = zip(*found, strict=True)
    return Place((min(columns) + max(columns)) // 2, (min(rows) + max(rows)) // 2)


def missing_programs(parts: Iterable[str]) -> list[str]:
    """Return the programs that these parts of a session need and this machine lacks."""
    return [name for part in parts for name in PROGRAMS[part] if shutil.which(name) is None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command in a session; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.desktop.rig", description=__doc__)
    for part in ("tray", "notify", "keyring", "bus", "display"):
        parser.add_argument(f"--no-{part}", action="store_true")
    parser.add_argument("--locked-keyring", action="store_true")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    wish = parser.parse_args(arguments)
    if not wish.command:
        parser.error("a command is needed")
    # Ended from outside, the session is still taken down.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    keyring: Literal["unlocked", "locked"] = "locked" if wish.locked_keyring else "unlocked"
    with DesktopSession(
        keyring=None if wish.no_keyring else keyring,
        notify=not wish.no_notify,
        tray=not wish.no_tray,
        bus=not wish.no_bus,
        display=not wish.no_display,
    ) as session:
        return subprocess.run(wish.command, env=session.env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
