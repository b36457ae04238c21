"""A person with a browser that runs no scripts, in front of the pages of a home."""

from __future__ import annotations

import http.client
import re
from contextlib import ExitStack
from html import unescape
from typing import TYPE_CHECKING, Self
from urllib.parse import urldefrag, urlencode, urlsplit

from mailtray import bootstrap
from mailtray.pages.safety import FORM_TOKEN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mailtray.core.doctor import Check

Fields = list[tuple[str, str]]


class NoDoctor:
    """A doctor who shows nothing, and counts how often that was asked for."""

    def __init__(self) -> None:
        self.notified = 0

    def examine(self) -> Sequence[Check]:
        return ()

    def report(self, checks: Sequence[Check]) -> str:
        return str(len(checks))

    def notify(self) -> None:
        self.notified += 1


class Visitor:
    """Opens pages and presses buttons.

    Attributes:
        doctor: Whom the pages ask.
        status: The number of the last answer.
        html: The last page.
    """

    def __init__(self, home: Path, *, said: Mapping[str, object] | None = None) -> None:
        self.doctor = NoDoctor()
        self._options = bootstrap.Options(home=home, said=said or {})
        self._stack = ExitStack()
        self.status = 0
        self.html = ""
        self._cookie = ""
        self._prefix = ""
        self._host = ""

    def __enter__(self) -> Self:
        server = self._stack.enter_context(bootstrap.pages(self._options, self.doctor))
        link = urlsplit(server.link("settings"))
        self._host = link.netloc
        self._prefix = link.path.removesuffix("/open")
        answer = self._ask("GET", f"{link.path}?{link.query}")
        self._cookie = str(answer.headers["Set-Cookie"]).split(";")[0]
        return self

    def __exit__(self, *_problem: object) -> None:
        self._stack.close()

    def _ask(
        self, method: str, path: str, fields: Fields | None = None
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(self._host, timeout=20)
        headers = {"Cookie": self._cookie, "Origin": f"http://{self._host}"}
        if fields is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = None if fields is None else urlencode(fields)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        self.body = answer.read()
        connection.close()
        self.status = answer.status
        return answer

    def get(self, page: str) -> str:
        """Open a page; returns its text, and a picture is in ``body``."""
        self._ask("GET", f"{self._prefix}/{page}")
        self.html = self.body.decode(errors="replace")
        return self.html

    def form(self, mark: str) -> Fields:
        """Return the fields of the form in whose text ``mark`` is, as a browser sends them."""
        form = next(one for one in re.findall(r"<form.*?</form>", self.html, re.S) if mark in one)
        found: Fields = []
        for field in re.findall(r"<input[^>]*>", form):
            name = re.search(r'\bname="([^"]*)"', field)
            if name and ('type="checkbox"' not in field or " checked" in field):
                value = re.search(r'\bvalue="([^"]*)"', field)
                found.append((name[1], unescape(value[1]) if value else ""))
        for name_, words in re.findall(r'<textarea[^>]*\bname="([^"]*)"[^>]*>(.*?)</textarea>',
                                       form, re.S):  # fmt: skip
            found.append((name_, unescape(words)))
        for name_, options in re.findall(r'<select[^>]*\bname="([^"]*)"[^>]*>(.*?)</select>',
                                         form, re.S):  # fmt: skip
            chosen = re.search(r'value="([^"]*)" selected', options) or re.search(
                r'value="([^"]*)"', options
            )
            found.append((name_, unescape(chosen[1]) if chosen else ""))
        return found

    def press(self, page: str, fields: Fields, **changed: str) -> str:
        """Send a form, some fields of it filled in anew, and go where it leads."""
        kept = [(name, value) for name, value in fields if name not in changed]
        answer = self._ask("POST", f"{self._prefix}/{page}", [*kept, *changed.items()])
        self.html = self.body.decode()
        if answer.status == http.HTTPStatus.SEE_OTHER:
            return self.get(
                urldefrag(str(answer.headers["Location"])).url.removeprefix(f"{self._prefix}/")
            )
        return self.html

    @property
    def form_token(self) -> str:
        """The token of the last page's forms."""
        found = re.search(rf'name="{FORM_TOKEN}" value="([^"]*)"', self.html)
        assert found is not None
        return found[1]

    @property
    def alerts(self) -> list[str]:
        """What the last page complains of."""
        found = re.findall(r'role="alert">(.*?)</(?:p|div)>', self.html, re.S)
        return [unescape(re.sub(r"<[^>]*>", "", one)).strip() for one in found]
