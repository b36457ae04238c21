"""A Debian package of the bundle: ``python -m release.deb BUNDLE FOLDER``.

It needs nothing of the system but libc, and no scripts: Debian's own triggers see to the caches
of menus and icons.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mailtray import __version__
from mailtray.adapters.desktop_files import DesktopFiles
from mailtray.adapters.icons import asset_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent
PLACE = Path("usr", "lib", "mailtray")
METAINFO = "local.mailtray.mailtray.metainfo.xml"
_SYMBOL = re.compile(r"\(GLIBC_(\d+(?:\.\d+)+)\)")
_ELF = b"\x7fELF"

CONTROL = """\
Package: mailtray
Version: {version}
Architecture: {architecture}
Maintainer: the mailtray developers <mailtray@localhost>
Installed-Size: {size_kib}
Depends: libc6 (>= {libc})
Recommends: gnome-keyring | kwalletmanager | keepassxc, notification-daemon | plasma-workspace
Section: mail
Priority: optional
Description: tells you once about every new message in your mailbox
 mailtray sits in your tray and tells you once about every new message in your
 Microsoft 365 or Outlook.com mailbox. You sign in once, in your own browser.
 .
 The package holds its own Python. The licences of all parts lie in
 /usr/lib/mailtray/_internal/licences.
"""
COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: mailtray
Comment: The licences of the parts that the bundle holds besides mailtray lie in
 /usr/lib/mailtray/_internal/licences, one folder each.

Files: *
Copyright: {copyright}
License: MIT
{licence}
"""


def build(bundle: Path, folder: Path) -> Path:
    """Make the package and return its path.

    Args:
        bundle: The folder that PyInstaller made.
        folder: Where to.

    Raises:
        FileNotFoundError: There is no bundle, or a tool of Debian's is missing.
    """
    architecture = _told(["dpkg", "--print-architecture"]).strip()
    version = debian_version(__version__)
    target = folder / f"mailtray_{version}_{architecture}.deb"
    with tempfile.TemporaryDirectory(prefix="mailtray-deb-") as made:
        root = Path(made, "root")
        _lay_out(bundle, root)
        size = sum(one.lstat().st_size for one in root.rglob("*") if not one.is_dir())
        control = CONTROL.format(
            version=version,
            architecture=architecture,
            size_kib=size // 1024,
            libc=least_libc(root.rglob("*")),
        )
        (root / "DEBIAN").mkdir()
        (root / "DEBIAN" / "control").write_text(control, encoding="utf-8")
        _set_modes(root)
        _told(["dpkg-deb", "--build", "--root-owner-group", str(root), str(target)])
    return target


def debian_version(version: str) -> str:
    """Return a version so that Debian sorts candidates before their release."""
    return re.sub(r"\.?(a|b|rc|dev)(\d+)", r"~\1\2", version)


def least_libc(files: Iterable[Path]) -> str:
    """Return the oldest version of GNU's libc that has what these programs and libraries need."""
    needed: set[tuple[int, ...]] = {(2, 17)}
    for file in programs(files):
        found = _SYMBOL.findall(_told(["objdump", "--dynamic-syms", str(file)]))
        needed |= {tuple(map(int, one.split("."))) for one in found}
    return ".".join(map(str, max(needed)))


def programs(files: Iterable[Path]) -> Iterator[Path]:
    """Yield the programs and libraries among some files."""
    for file in files:
        if file.is_file() and not file.is_symlink():
            with file.open("rb") as opened:
                if opened.read(len(_ELF)) == _ELF:
                    yield file


def _lay_out(bundle: Path, root: Path) -> None:
    share = root / "usr" / "share"
    shutil.copytree(bundle, root / PLACE, symlinks=True)
    (root / "usr" / "bin").mkdir()
    (root / "usr" / "bin" / "mailtray").symlink_to("../lib/mailtray/mailtray")
    DesktopFiles(share, ("mailtray", "run")).install()
    (share / "metainfo").mkdir()
    shutil.copy(asset_path(METAINFO), share / "metainfo")
    doc = share / "doc" / "mailtray"
    doc.mkdir(parents=True)
    _, owner, *terms = (ROOT / "LICENSE").read_text(encoding="utf-8").strip().split("\n\n")
    indented = "\n".join(f" {line}" if line else " ." for line in "\n\n".join(terms).splitlines())
    said = COPYRIGHT.format(copyright=owner.removeprefix("Copyright (c) "), licence=indented)
    (doc / "copyright").write_text(said, encoding="utf-8")
    changelog = (ROOT / "CHANGELOG.md").read_bytes()
    (doc / "changelog.gz").write_bytes(gzip.compress(changelog, mtime=0))


def _set_modes(root: Path) -> None:
    """Give each file the mode it has on every machine, whatever the builder's umask."""
    root.chmod(0o755)
    for path in root.rglob("*"):
        if not path.is_symlink():
            is_open = path.is_dir() or (os.access(path, os.X_OK) and path.stat().st_mode & 0o100)
            path.chmod(0o755 if is_open else 0o644)


def _told(command: Sequence[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - tools of Debian's


def main(words: Sequence[str]) -> int:
    """Make the package that the command line asks for."""
    if missing := [one for one in ("dpkg-deb", "objdump") if shutil.which(one) is None]:
        sys.stderr.write(f"A Debian package is made with {' and '.join(missing)}: install it.\n")
        return 1
    bundle, folder = map(Path, words)
    sys.stdout.write(f"{build(bundle, folder)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
