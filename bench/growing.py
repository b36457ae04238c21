"""What each further account and each further folder costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import process

if TYPE_CHECKING:
    from pathlib import Path

    from bench.results import Results
    from bench.runs import Bench

CPU_BY_ACCOUNTS, USS_BY_ACCOUNTS = "polls by accounts, CPU ms", "at rest by accounts, USS MB"
CPU_BY_FOLDERS, USS_BY_FOLDERS = "polls by folders, CPU ms", "at rest by folders, USS MB"
ACCOUNTS = (1, 5, 10, 20)
FOLDERS = (1, 10, 25, 50)
CHECKS = 10


def measure(bench: Bench, results: Results) -> None:
    """Measure one program for each number, nothing else about it being another."""
    cloud = bench.cloud.simulator.cloud
    names = [f"many{number}@contoso.example" for number in range(max(ACCOUNTS))]
    for name in names:
        cloud.add_account(name, name.partition("@")[0])
    for count in ACCOUNTS:
        home = bench.signed_in(names[:count])
        _note(bench, results, home, (count, CPU_BY_ACCOUNTS, USS_BY_ACCOUNTS))
    paths = [f"Part {number}" for number in range(max(FOLDERS) - 1)]
    for path in paths:
        cloud.add_folder(path, username=names[0])
    home = bench.signed_in(names[:1])
    for count in FOLDERS:
        chosen = ["inbox", *(f"Inbox/{path}" for path in paths[: count - 1])]
        written = ", ".join(f'"{one}"' for one in chosen)
        (home / "settings.toml").write_text(f"folders = [{written}]\n", encoding="utf-8")
        _note(bench, results, home, (count, CPU_BY_FOLDERS, USS_BY_FOLDERS))


def _note(bench: Bench, results: Results, home: Path, about: tuple[int, str, str]) -> None:
    count, cpu, uss = about
    with bench.mailtray(home) as program:
        program.check()
        program.check()
        cpu_s = process.cpu_s(program.pid)
        for _ in range(CHECKS):
            program.check()
        results.add(cpu, str(count), 1000 * (process.cpu_s(program.pid) - cpu_s) / CHECKS)
        results.add(uss, str(count), process.memory(program.pid).uss_mb)
