"""Takes the settings over that the person changes while the program runs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mailtray.core import text
from mailtray.core.errors import ConfigError
from mailtray.core.settings import needs_fresh_start
from mailtray.core.status import EXPLAIN, Source

if TYPE_CHECKING:
    from mailtray.app.board import Board
    from mailtray.app.herald import Herald
    from mailtray.app.world import Wishes
    from mailtray.ports import SettingsSource

_log = logging.getLogger(__name__)


class Steward:
    """Asked at every step, and wakes nobody by itself; used by the poller only.

    Attributes:
        starts_over: True once settings have changed that count from the start only.
    """

    def __init__(
        self, source: SettingsSource, wishes: Wishes, board: Board, herald: Herald
    ) -> None:
        self._source = source
        self._wishes = wishes
        self._board = board
        self._herald = herald
        self.starts_over = False

    def look(self) -> bool:
        """Take changed settings over; says whether there were any.

        Mistaken ones are told of once, and those from before stay until they are mended.
        """
        found = self._source.changed()
        if found is None:
            return False
        if isinstance(found, ConfigError):
            self._tell(found)
            return False
        _log.info("the settings were changed")
        self._herald.retract("settings")
        self._board.notice(Source.SETTINGS, self._wishes.unconfigured)
        if needs_fresh_start(self._wishes.settings, found):
            self.starts_over = True
        else:
            self._wishes.settings = found
        return True

    def _tell(self, mistake: ConfigError) -> None:
        error = ConfigError(
            origin=mistake.origin,
            key=mistake.key,
            problem=mistake.problem,
            title=text.mistaken_settings_title(mistake.key),
            hint=text.mistaken_settings_hint(mistake.origin, mistake.problem),
        )
        _log.warning("the settings have a mistake; those from before stay")
        self._board.notice(Source.SETTINGS, error)
        self._herald.announce("settings", error, command=EXPLAIN)
