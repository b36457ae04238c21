"""Several ways to notify, the best first."""

from __future__ import annotations

import logging
from collections import OrderedDict
from typing import TYPE_CHECKING

from mailtray.core.errors import NotifierError
from mailtray.core.language import N_, _

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mailtray.core.model import Notification
    from mailtray.ports import Notifier

log = logging.getLogger(__name__)

KEPT_TAGS = 256
CONSTRUCTION_ERRORS = (NotifierError, ImportError, NotImplementedError, OSError, RuntimeError)
"""What a platform that refuses notifications raises while its notifier is built."""

NOTHING_WORKS = N_("No desktop notifications on this computer")


class NotifierLadder:
    """Shows each notification on the highest rung that can; see :class:`mailtray.ports.Notifier`.

    Every notification starts at the top again, so a rung that recovers is used again. Where a
    rung did not answer in time (its error's cause is a ``TimeoutError``) it may yet show the
    notification: no other rung is tried for it, or the person would be told twice.

    Attributes:
        name: The rung that showed the last notification, or the highest there is.
    """

    def __init__(self, rungs: Sequence[Callable[[], Notifier]]) -> None:
        """Build all rungs; one that cannot be built is tried again with each notification."""
        self._makers = tuple(rungs)
        self._rungs: list[Notifier | None] = [None] * len(self._makers)
        self._shown_by: OrderedDict[str, Notifier] = OrderedDict()
        built = [rung for rung in map(self._try_rung, self._places()) if rung is not None]
        self.name = built[0].name if built else "none"

    def show(self, notification: Notification) -> None:
        """See :meth:`mailtray.ports.Notifier.show`."""
        first: NotifierError | None = None
        for place in self._places():
            try:
                rung = self._rung(place)
                rung.show(notification)
            except NotifierError as exc:
                log.info("%s", exc.title)
                if isinstance(exc.__cause__, TimeoutError):
                    raise
                first = first or exc
            else:
                self._remember(notification.tag, rung)
                return
        raise first or NotifierError(_(NOTHING_WORKS))

    def withdraw(self, tags: Iterable[str]) -> None:
        """See :meth:`mailtray.ports.Notifier.withdraw`; each from the rung that showed it."""
        by_rung: dict[int, tuple[Notifier, list[str]]] = {}
        for tag in tags:
            rung = self._shown_by.pop(tag, None)
            if rung is not None:
                by_rung.setdefault(id(rung), (rung, []))[1].append(tag)
        for rung, its_tags in by_rung.values():
            rung.withdraw(its_tags)

    def close(self) -> None:
        """See :meth:`mailtray.ports.Notifier.close`."""
        for rung in self._rungs:
            if rung is not None:
                rung.close()

    def _places(self) -> range:
        return range(len(self._makers))

    def _rung(self, place: int) -> Notifier:
        rung = self._rungs[place]
        if rung is None:
            try:
                rung = self._rungs[place] = self._makers[place]()
            except NotifierError:
                raise
            except CONSTRUCTION_ERRORS as exc:
                log.info("A way to notify cannot be had: %s", exc)
                raise NotifierError(_(NOTHING_WORKS)) from exc
        return rung

    def _try_rung(self, place: int) -> Notifier | None:
        try:
            return self._rung(place)
        except NotifierError:
            return None

    def _remember(self, tag: str, rung: Notifier) -> None:
        self.name = rung.name
        before = self._shown_by.pop(tag, None)
        # The tag's earlier notification hangs on another rung, which cannot replace it.
        if before is not None and before is not rung:
            before.withdraw([tag])
        self._shown_by[tag] = rung
        while len(self._shown_by) > KEPT_TAGS:
            self._shown_by.popitem(last=False)
