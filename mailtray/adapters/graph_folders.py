"""A mailbox's tree of folders.

Source: learn.microsoft.com/graph, "List mailFolders", "List childFolders".
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from mailtray.adapters import graph_json
from mailtray.adapters.graph_failures import NOT_GRAPH, made
from mailtray.adapters.graph_requests import Call, Graph, mailbox_path
from mailtray.core import folders
from mailtray.core.model import FolderPlace

if TYPE_CHECKING:
    from collections.abc import Iterator

_log = logging.getLogger(__name__)

MAX_FOLDERS = 2_000
MAX_DEPTH = 20
MAX_REQUESTS = 300
"""What lies beyond these is left out: a tree has to come to an end."""
_PAGE_SIZE = 100
_FIELDS = "id,displayName,childFolderCount,unreadItemCount,totalItemCount"


def tree(graph: Graph, call: Call) -> tuple[FolderPlace, ...]:
    """See ``folders`` of the port."""
    walk = _Walk(graph, call)
    places = tuple(walk.below("", "", 1))
    if walk.is_cut:
        _log.info("a mailbox has too many folders; %d of them are known", len(places))
    return places


@dataclass(slots=True)
class _Walk:
    graph: Graph
    call: Call
    met: set[str] = field(default_factory=set)
    is_cut: bool = False

    def below(self, parent_id: str, path: str, depth: int) -> Iterator[FolderPlace]:
        """Yield the folders within one, each before those within it; all for no parent."""
        for folder in self._children(parent_id):
            if folder.id in self.met or self._is_over(depth):
                continue
            self.met.add(folder.id)
            here = f"{path}/{folder.name}" if path else folder.name
            key = folders.key(self.call.mailbox, folder.id)
            yield FolderPlace(key, here, folder.unread, folder.total)
            if folder.children:
                yield from self.below(folder.id, here, depth + 1)

    def _is_over(self, depth: int) -> bool:
        is_over = depth > MAX_DEPTH or len(self.met) >= MAX_FOLDERS
        self.is_cut = self.is_cut or is_over
        return is_over

    def _children(self, parent_id: str) -> Iterator[graph_json.Folder]:
        within = f"/{quote(parent_id, safe='')}/childFolders" if parent_id else ""
        path = f"{mailbox_path(self.call.mailbox)}/mailFolders{within}"
        url: str | None = self.graph.address(f"{path}?$select={_FIELDS}&$top={_PAGE_SIZE}")
        while url is not None:
            if self.call.requests >= MAX_REQUESTS:
                self.is_cut = True
                return
            answer = self.graph.get(self.call, url)
            try:
                page = graph_json.folder_page(answer.body)
            except ValueError as exc:
                raise made(NOT_GRAPH, answer) from exc
            yield from page.folders
            url = page.next_link
