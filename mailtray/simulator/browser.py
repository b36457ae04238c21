"""A person at the browser: walks through the sign-in pages over HTTP, form by form.

Run as ``python -m mailtray.simulator.browser URL``, it can stand in for the system browser
(``BROWSER="python -m mailtray.simulator.browser %s"``), with the account to choose in
``MAILTRAY_SIM_USERNAME``.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin

import requests

MODULE = "mailtray.simulator.browser"
MOST_PAGES = 12
TIMEOUT_S = 30.0
USERNAME_VARIABLE = "MAILTRAY_SIM_USERNAME"
DEFAULT_USERNAME = "ada@contoso.example"


class WalkError(Exception):
    """The pages led nowhere: an error page, or no end."""


@dataclass
class Form:
    """One form of a page: where it goes, its fields and its buttons."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    """Names of the fields a person types into."""
    buttons: list[tuple[str, str]] = field(default_factory=list)
    """Name and value of the submit buttons."""


class _Forms(HTMLParser):
    """Collects the forms of a page, as much as the sign-in pages use of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(given.get("action", ""))
            self.found.append(self._open)
        elif self._open is not None and tag == "input":
            self._input(self._open, given)
        elif self._open is not None and tag == "button":
            self._open.buttons.append((given.get("name", ""), given.get("value", "")))

    def _input(self, form: Form, given: dict[str, str]) -> None:
        name, kind = given.get("name", ""), given.get("type", "text")
        if name:
            form.fields[name] = given.get("value", "")
            if kind != "hidden":
                form.texts.append(name)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None


def forms_of(html: str) -> list[Form]:
    """Return the forms of a page in order."""
    parser = _Forms()
    parser.feed(html)
    return parser.found


@dataclass
class _Person:
    username: str
    password: str
    consent: bool

    def fill_in(self, forms: Sequence[Form]) -> tuple[Form, dict[str, str]]:
        """Choose a form of the page and return it with the data it sends.

        Raises:
            WalkError: No form of the page is one a person would know what to do with.
        """
        for form in forms:
            data = self._data(form)
            if data is not None:
                return form, data
        raise WalkError("The page has no form to go on with.")

    def _data(self, form: Form) -> dict[str, str] | None:
        """What this person sends with a form; ``None`` if it is not one to go on with."""
        for is_meant, entry in (
            ("password" in form.texts, {"password": self.password, "action": "password"}),
            (
                ("action", "accept") in form.buttons,
                {"action": "accept" if self.consent else "cancel"},
            ),
            ("username" in form.texts, {"username": self.username, "action": "account"}),
            (("username", self.username) in form.buttons, {"username": self.username}),
            ("code" in form.fields or "error" in form.fields, {}),
            (bool(form.fields.get("user_code")), {}),
        ):
            if is_meant:
                return form.fields | entry
        return None


def walk(url: str, *, username: str, password: str = "x", consent: bool = True) -> str:  # noqa: S107 (any password will do)
    """Sign in as a person would, and hand the answer to the program that asked.

    Args:
        url: The authorize address the program opened, or the one for device codes.
        username: The account to choose.
        password: What to type; the simulator takes anything.
        consent: Accept the permissions, or press Cancel.

    Returns:
        The text of the last page, as a rule the program's own "you can close this tab".

    Raises:
        WalkError: A page says that the sign-in failed, or the pages do not end.
        requests.RequestException: A page could not be fetched.
    """
    person = _Person(username, password, consent)
    with requests.Session() as session:
        session.trust_env = False
        response = session.get(url, timeout=TIMEOUT_S)
        for _ in range(MOST_PAGES):
            forms = forms_of(response.text)
            if not forms:
                return _last_page(response)
            form, data = person.fill_in(forms)
            target = urljoin(response.url, form.action)
            response = session.post(target, data=data, timeout=TIMEOUT_S)
    raise WalkError("The sign-in pages do not end.")


def _last_page(response: requests.Response) -> str:
    if response.status_code >= requests.codes.bad_request:
        raise WalkError(f"{response.status_code} at {response.url.partition('?')[0]}")
    return response.text


def enter_device_code(url: str, user_code: str, *, username: str, consent: bool = True) -> str:
    """Type a device code at its page and sign in; the last page's text is returned.

    Raises:
        WalkError: The code is not known or the sign-in failed.
        requests.RequestException: A page could not be fetched.
    """
    target = f"{url}?{urlencode({'user_code': user_code})}"
    return walk(target, username=username, consent=consent)


def main(arguments: Sequence[str] | None = None) -> int:
    """Walk through the sign-in pages at an address.

    Like a real browser it comes back at once and goes on by itself: the program that started
    it may not listen for the answer before then. With ``--wait`` it comes back at the end,
    with 1 if the pages led nowhere.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m {MODULE}", description="Sign in at the simulator as a person would."
    )
    parser.add_argument("url")
    parser.add_argument("--username", default=os.environ.get(USERNAME_VARIABLE, DEFAULT_USERNAME))
    parser.add_argument("--cancel", action="store_true", help="press Cancel at the consent page")
    parser.add_argument("--wait", action="store_true", help="come back when the walk is over")
    options = parser.parse_args(arguments)
    if not options.wait:
        _go_on_alone(options)
        return 0
    try:
        walk(options.url, username=options.username, consent=not options.cancel)
    except (WalkError, requests.RequestException) as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    return 0


def _go_on_alone(options: argparse.Namespace) -> None:
    command = [sys.executable, "-m", MODULE, "--wait", "--username", options.username]
    if options.cancel:
        command.append("--cancel")
    command += ["--", options.url]
    subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603 (this very module)


if __name__ == "__main__":
    raise SystemExit(main())
