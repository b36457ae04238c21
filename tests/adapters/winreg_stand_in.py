"""A registry that keeps what ``winreg``'s documentation says of it, and Windows' limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

NAME_MAX_CHARS = 16_383
KEY_NAME_MAX_CHARS = 255


class StandInKey:
    """An open key; only a context manager, as much as is used."""

    def __init__(self, values: dict[str, tuple[object, int]], access: int) -> None:
        self.values = values
        self.access = access

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class StandInRegistry:
    """The person's own branch; names are found in any case.

    Attributes:
        is_denied: True where a policy forbids to write.
        is_sealed: True where it forbids to read as well.
    """

    HKEY_CURRENT_USER = object()
    REG_SZ, REG_BINARY = 1, 3
    KEY_READ, KEY_SET_VALUE, KEY_WRITE = 0x20019, 0x0002, 0x20006

    def __init__(self) -> None:
        self._keys: dict[str, dict[str, tuple[object, int]]] = {}
        self.is_denied = self.is_sealed = False

    def CreateKey(self, root: object, path: str) -> StandInKey:  # noqa: N802 - winreg's name
        assert root is self.HKEY_CURRENT_USER
        assert all(0 < len(part) <= KEY_NAME_MAX_CHARS for part in path.split("\\"))
        self._refuse_where_denied()
        return StandInKey(self._keys.setdefault(path.lower(), {}), self.KEY_WRITE)

    def OpenKey(  # noqa: N802 - winreg's name
        self, root: object, path: str, reserved: int = 0, access: int = KEY_READ
    ) -> StandInKey:
        assert root is self.HKEY_CURRENT_USER
        assert reserved == 0
        if path.lower() not in self._keys:
            raise FileNotFoundError(2, "The system cannot find the file specified")
        if self.is_sealed:
            raise PermissionError(13, "Access is denied")
        if access & self.KEY_SET_VALUE:
            self._refuse_where_denied()
        return StandInKey(self._keys[path.lower()], access)

    def SetValueEx(  # noqa: N802 - winreg's name
        self, key: StandInKey, name: str, reserved: int, kind: int, value: object
    ) -> None:
        assert len(name) <= NAME_MAX_CHARS
        assert reserved == 0
        assert key.access & self.KEY_SET_VALUE
        assert isinstance(value, str if kind == self.REG_SZ else bytes)
        key.values[name.lower()] = (value, kind)

    def QueryValueEx(self, key: StandInKey, name: str) -> tuple[object, int]:  # noqa: N802
        if name.lower() not in key.values:
            raise FileNotFoundError(2, "The system cannot find the file specified")
        return key.values[name.lower()]

    def DeleteValue(self, key: StandInKey, name: str) -> None:  # noqa: N802 - winreg's name
        assert key.access & self.KEY_SET_VALUE
        if key.values.pop(name.lower(), None) is None:
            raise FileNotFoundError(2, "The system cannot find the file specified")

    def _refuse_where_denied(self) -> None:
        if self.is_denied:
            raise PermissionError(13, "Access is denied")
