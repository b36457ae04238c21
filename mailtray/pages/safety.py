"""Who may see and press what: nobody but the person to whom a page was opened.

Every program and every other user of the computer can reach the loopback, and so can any web site
by the person's own browser. So:

* the first address carries a key that opens once, and only once;
* it gives a cookie that is ``SameSite=Strict`` and, since cookies do not tell ports apart, bound to
  a path that nobody can guess;
* ``Host`` has to be this address (DNS rebinding), ``Origin`` that of the page (other sites' forms),
  and every form bears a token;
* nothing is loaded from anywhere else, and nothing inline is run.

Source: OWASP Cheat Sheets "Cross-Site Request Forgery Prevention" and "Content Security Policy";
RFC 6265bis (cookies).
"""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import Flask, Response, abort, redirect, request

from mailtray.core.language import _

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

COOKIE = "mailtray"
FORM_TOKEN = "form_token"  # noqa: S105 - the name of a field
KEY_BYTES = 24
FORM_MAX_BYTES = 256 * 1024
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # With "no-referrer" a browser would send its forms with "Origin: null".
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_READING = frozenset({"GET", "HEAD"})


class Safety:
    """Stands in front of every request of an application.

    Attributes:
        prefix: The path that all pages are under, without a slash at its end.
        form_token: What every form has to bring along, in a field named :data:`FORM_TOKEN`.
    """

    def __init__(self) -> None:
        self.prefix = f"/{secrets.token_urlsafe(KEY_BYTES)}"
        self.form_token = secrets.token_urlsafe(KEY_BYTES)
        self._cookie = secrets.token_urlsafe(KEY_BYTES)
        self._keys: set[str] = set()
        self._host = ""

    def guard(self, app: Flask) -> None:
        """Let an application answer only who may ask."""
        app.config["MAX_CONTENT_LENGTH"] = FORM_MAX_BYTES
        app.before_request(self._let_in)
        app.after_request(_sealed)
        app.add_url_rule(f"{self.prefix}/open", "open", self._open)

    def serve_at(self, host: str) -> None:
        """Take requests for this ``address:port`` and for no other name."""
        self._host = host

    def link(self, path: str) -> str:
        """Return an address that opens a page once.

        Args:
            path: The page, below the prefix, without a slash at its beginning.
        """
        key = secrets.token_urlsafe(KEY_BYTES)
        self._keys.add(key)
        return f"http://{self._host}{self.prefix}/open?key={key}&page={quote(path, safe='')}"

    def _open(self) -> AnyResponse:
        key = request.args.get("key", "")
        known = [one for one in self._keys if hmac.compare_digest(one.encode(), key.encode())]
        if not known:
            abort(403, _("This link was used before. Open the page from mailtray's menu again."))
        self._keys.difference_update(known)
        answer = redirect(f"{self.prefix}/{quote(request.args.get('page', ''), safe='/?=&')}", 303)
        answer.set_cookie(COOKIE, self._cookie, path=self.prefix, httponly=True, samesite="Strict")
        return answer

    def _let_in(self) -> None:
        if request.host != self._host:
            abort(403, _("Unknown host."))
        if request.endpoint == "static":
            return  # how all pages look, a refusal too
        if not request.path.startswith(f"{self.prefix}/"):
            abort(403, _("Open the page from mailtray's menu."))
        if request.endpoint == "open" and request.method in _READING:
            return
        given = request.cookies.get(COOKIE, "")
        if not hmac.compare_digest(given.encode(), self._cookie.encode()):
            abort(403, _("Open the page from mailtray's menu."))
        if request.method not in _READING:
            self._check_form()

    def _check_form(self) -> None:
        if request.headers.get("Origin") != f"http://{self._host}":
            abort(403, _("This form is of another site."))
        given = request.form.get(FORM_TOKEN, "")
        if not hmac.compare_digest(given.encode(), self.form_token.encode()):
            abort(403, _("This form is too old. Load the page again."))


def _sealed(answer: Response) -> Response:
    answer.headers.update(_HEADERS)
    return answer
