"""The licences of everything that a bundle holds, collected beside it.

What is in the bundle is asked of its files: each belongs to a distribution of Python packages, to
Python itself, or to a package of the Debian system on which the bundle was made.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LICENCE_NAME = re.compile(r"(LICEN[CS]E|COPYING|COPYRIGHT|NOTICE|AUTHORS)\b", re.IGNORECASE)
_OWN = "mailtray"


def collect(sources: Iterable[Path], folder: Path, own_licence: Path) -> None:
    """Write one folder for each part of the bundle, with the texts of its licence.

    Args:
        sources: The files from which the bundle was made.
        folder: Where to; emptied first.
        own_licence: The program's.

    Raises:
        LookupError: A part says nothing of its licence.
    """
    shutil.rmtree(folder, ignore_errors=True)
    left = set(sources)
    _copy([own_licence], folder / _OWN)
    _copy(_python_licences(), folder / "Python")
    for part in sorted(metadata.distributions(), key=lambda one: one.name.lower()):
        mine = {Path(str(part.locate_file(one))) for one in part.files or ()}
        if part.name != _OWN and mine & left:
            left -= mine
            _write_part(part, folder / part.name)
    for name, text in _system_licences(source.resolve() for source in left):
        _copy([text], folder / f"Debian {name}")


def _write_part(part: metadata.Distribution, folder: Path) -> None:
    said = _said_by(part)
    texts = [
        Path(str(part.locate_file(one)))
        for one in part.files or ()
        if _LICENCE_NAME.match(one.name) and one.suffix not in {".py", ".pyc"}
    ]
    if not texts and not said:
        raise LookupError(f"{part.name} says nothing of its licence")
    _copy(texts, folder)
    lines = [f"{part.name} {part.version}", f"Licence: {said or 'see beside'}"]
    lines += [f"Source: https://pypi.org/project/{part.name}/{part.version}/"]
    (folder / "ABOUT").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _said_by(part: metadata.Distribution) -> str:
    for key in ("License-Expression", "License"):
        if part.metadata.get_all(key):
            return part.metadata[key]
    named = [one for one in part.metadata.get_all("Classifier") or () if "License ::" in one]
    return ", ".join(one.removeprefix("License :: ") for one in named)


def _python_licences() -> list[Path]:
    # Where CPython's own installers, pyenv and Debian put it.
    version = sysconfig.get_python_version()
    for place in (
        Path(sysconfig.get_path("stdlib")) / "LICENSE.txt",
        Path(sys.base_prefix) / "LICENSE.txt",
        Path(f"/usr/share/doc/python{version}/copyright"),
    ):
        if place.is_file():
            return [place]
    raise LookupError("Python's licence is not where Python is")


def _system_licences(files: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    if shutil.which("dpkg-query") is None:
        return
    standard = Path(sysconfig.get_path("stdlib")).resolve()
    libraries = [one for one in files if ".so" in one.name and not one.is_relative_to(standard)]
    # A system whose /lib is a link may know a file by either path; what it does not know is
    # Python's own.
    paths = [path for one in libraries for path in (one, Path("/", *one.parts[2:]))]
    done = subprocess.run(  # noqa: S603 - paths of our own
        ["dpkg-query", "--search", *map(str, paths)],  # noqa: S607 - Debian's own
        capture_output=True,
        text=True,
        check=False,
    )
    for name in sorted({line.partition(":")[0] for line in done.stdout.splitlines()}):
        yield name, Path(f"/usr/share/doc/{name}/copyright").resolve()


def _copy(texts: Iterable[Path], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for text in texts:
        name, number = text.name, 1
        while (folder / name).exists():
            number += 1
            name = f"{text.name}.{number}"
        (folder / name).write_bytes(text.read_bytes())
