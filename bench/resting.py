"""What the program holds while nothing happens, and how often it wakes."""

from __future__ import annotations

import sys
from threading import Event
from typing import TYPE_CHECKING

from bench import process
from bench.idle import OURS
from bench.runs import resting

if TYPE_CHECKING:
    from pathlib import Path

    from bench.results import Results
    from bench.runs import Bench

PSS, USS = "at rest, PSS MB", "at rest, USS MB"
FIVE, LONG = "mailtray, five accounts", "mailtray, after 10,000 polls"
FLOOR, PROXY = "import floor", "email-oauth2-proxy"
GROWTH, WAKEUPS = "growth over 10,000 polls, MB", "wake-ups a minute"
SETTLE_S, IDLE_S = 5.0, 60.0
YOUNG_POLLS, MANY_POLLS = 200, 10_000
LIBRARIES = ("msal", "requests", "keyring", "keyring.backends.SecretService", "PIL.Image",
             "dbus_fast.aio", "truststore", "sqlite3", "click", "platformdirs", "filelock",
             "socks", "json", "logging.handlers", "subprocess")  # fmt: skip
"""What the running program has loaded, at the level at which it asks for it; see
``hasty.py``, which lists its modules."""
PROXY_CONFIG = """\
[Server setup]
[IMAP-{port}]
local_address = 127.0.0.1
server_address = outlook.office365.com
server_port = 993
[ada@contoso.example]
token_url = https://login.microsoftonline.com/common/oauth2/v2.0/token
oauth2_scope = https://outlook.office365.com/IMAP.AccessAsUser.All offline_access
redirect_uri = http://localhost
client_id = 11111111-2222-3333-4444-555555555555
"""


def measure(bench: Bench, results: Results) -> None:
    """Measure all in turns, and the long run once."""
    one = bench.signed_in()
    names = [f"rest{number}@contoso.example" for number in range(5)]
    for name in names:
        bench.cloud.simulator.cloud.add_account(name, name.partition("@")[0])
    five = bench.signed_in(names)
    for _ in range(bench.runs):
        with resting(
            [sys.executable, "-m", "bench.peers.import_floor", *LIBRARIES], bench.env
        ) as floor:
            _note(results, FLOOR, floor.pid)
        for who, home in ((OURS, one), (FIVE, five)):
            with bench.mailtray(home) as program:
                program.wait(event="polled", times=1 if who == OURS else 5)
                program.check()
                _note(results, who, program.pid)
        _proxy(bench, results)
    with bench.mailtray(one) as program:
        program.wait(event="polled")
        _let_pass(SETTLE_S)  # what the poll leaves to be done is the poll's
        before = process.wakeups(program.pid)
        _let_pass(IDLE_S)
        results.add(WAKEUPS, OURS, (process.wakeups(program.pid) - before) * 60.0 / IDLE_S)
    _many_polls(bench, results, one)


def _many_polls(bench: Bench, results: Results, home: Path) -> None:
    with bench.mailtray(home, 0.001) as program:
        bench.let_poll(YOUNG_POLLS)
        young = process.memory(program.pid)
        bench.let_poll(MANY_POLLS)
        old = process.memory(program.pid)
        _note(results, LONG, program.pid)
        results.add(GROWTH, OURS, old.uss_mb - young.uss_mb)


def _proxy(bench: Bench, results: Results) -> None:
    config = bench.folder / "emailproxy.config"
    config.write_text(PROXY_CONFIG.format(port=1993), encoding="utf-8")
    words = ["--config-file", str(config), "--log-file", str(bench.folder / "emailproxy.log")]
    env = {**bench.env, "PYSTRAY_BACKEND": "xorg"}
    with resting([sys.executable, "-m", "bench.peers.email_proxy", *words], env) as peer:
        _let_pass(3.0)
        _note(results, PROXY, peer.pid)


def _note(results: Results, who: str, pid: int) -> None:
    held = process.memory(pid)
    results.add(PSS, who, held.pss_mb)
    results.add(USS, who, held.uss_mb)


def _let_pass(seconds: float) -> None:
    Event().wait(seconds)
