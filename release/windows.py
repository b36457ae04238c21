"""What Windows shows of an executable: Explorer's "Details", the Task Manager's name."""

from __future__ import annotations

import re

_TEMPLATE = """\
VSVersionInfo(
  ffi=FixedFileInfo(
    filevers={numbers}, prodvers={numbers},
    mask=0x3f, flags=0x0, OS=0x40004, fileType=0x1, subtype=0x0, date=(0, 0)),
  kids=[
    StringFileInfo([StringTable('040904B0', [
      StringStruct('CompanyName', 'mailtray'),
      StringStruct('FileDescription', {description!r}),
      StringStruct('FileVersion', {version!r}),
      StringStruct('InternalName', {name!r}),
      StringStruct('LegalCopyright', 'MIT licence'),
      StringStruct('OriginalFilename', {file!r}),
      StringStruct('ProductName', 'mailtray'),
      StringStruct('ProductVersion', {version!r})])]),
    VarFileInfo([VarStruct('Translation', [0x0409, 1200])])])
"""


def version_resource(version: str, name: str, description: str) -> str:
    """Return a version resource as PyInstaller reads it.

    Args:
        version: As ``1.2.3``; what follows the numbers counts in the texts only.
        name: The executable's, without ``.exe``.
        description: What the Task Manager calls the program.
    """
    found = [int(number) for number in re.findall(r"\d+", version)[:4]]
    numbers = tuple([*found, 0, 0, 0, 0][:4])
    return _TEMPLATE.format(
        numbers=numbers,
        version=version,
        name=name,
        description=description,
        file=f"{name}.exe",
    )
