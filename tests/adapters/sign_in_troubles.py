# ruff: noqa: E501 - prose for a page
"""Writes ``docs/sign-in-troubles.md`` from the table of Microsoft's refusals.

python -m tests.adapters.sign_in_troubles
"""

from __future__ import annotations

from pathlib import Path

from mailtray.adapters.msal_errors import MEANINGS, Meaning
from mailtray.core.model import AuthAction

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sign-in-troubles.md"

_HEAD = """# When the sign-in does not work

<!-- Written by `python -m tests.adapters.sign_in_troubles`; a test holds it equal to the table in the code. -->

mailtray says what is wrong on its icon, once in a notification, and in `mailtray status`, which adds what
support asks for: Microsoft's number (AADSTS…) and a correlation id. A click on the line in the menu, or
`mailtray open trouble`, opens a page about it: since when, what it means, the one button that mends it, and the
numbers to copy. So does a click on the notification, but where all that is needed is to sign in: it does that.

Nothing here is retried behind your back: until you act, Microsoft is not asked again, and no browser opens by
itself. Afterwards mail goes on where it stopped; what arrived meanwhile is told once.

Trouble of Microsoft's own (and numbers 90033, 90012 and 50196, which stand for it) is not in this list:
mailtray waits and tries again by itself. 70000 is tried once more after a minute before you are asked.
"""
_SECTIONS: dict[AuthAction, tuple[str, str]] = {
    AuthAction.SIGN_IN: (
        "Sign in again",
        "The saved sign-in is over, or wants something that only you can give. “Sign in again” in the menu, a "
        "click on the notification or `mailtray signin` opens the page for the right account.",
    ),
    AuthAction.ASK_ADMINISTRATOR: (
        "Ask your administrator to approve mailtray",
        "In your organisation people may not give this permission themselves. `mailtray status`, `signin` and "
        "`check` print a link on a line of its own (`link` with `--json`); in the menu it is “Open the page for "
        "your administrator”, and the page about the trouble has a mail to copy with it. Send it to them. The page ends by going to `http://localhost`, where nothing of "
        "mailtray's runs on an administrator's computer: **the browser shows an error (“this site can't be "
        "reached”) although the approval was given**, if its address says `admin_consent=True`. Then sign in.",
    ),
    AuthAction.NONE: (
        "A rule of your organisation, or the account itself",
        "Signing in again does not help, so it is not offered. Once it is mended, choose “Check now”.",
    ),
    AuthAction.CORRECT_CLIENT_ID: (
        "Correct the settings or the registration",
        "The client id or the registration behind it is not right; README says how it is to be. The page opens the "
        "settings there; what you change counts at once.",
    ),
    AuthAction.CORRECT_TENANT: (
        "Correct the organisation's name",
        "Microsoft finds no organisation of the name in the setting `tenant`. The page opens the settings there; what "
        "you change counts at once.",
    ),
    AuthAction.OTHER_ACCOUNT: (
        "Choose another account",
        "The account does not belong where it was used. “Add account…” lets you choose one.",
    ),
    AuthAction.REPORT: (
        "Report it",
        "This is mailtray's own fault. The page has the numbers to copy.",
    ),
}
_TAIL = """
## Without a number of Microsoft's

| mailtray says | what it means | what to do |
| --- | --- | --- |
| Sign-in failed (AADSTS…) | A number that mailtray does not know. | Sign in again; if that does not help, give your administrator the number and the correlation id. |
| The clock of this computer is wrong | Microsoft's time is more than five minutes off yours, and it refuses what seems too old or too new. | Set the date, the time and the time zone; mailtray goes on by itself. |
| The sign-in was not finished in time | Nothing came back from the browser in five minutes. A page that wants an approval never sends anything back. | Try again; if the page asked for approval, send your administrator the link. |
| The saved sign-in is damaged | What the keyring kept cannot be read. | Sign in again. |
| Microsoft 365 refused the sign-in | Mail was refused with a new token as well. | Sign in again. |
| Previews need a permission | `preview = true`, and reading the text of mail was not approved. Mail is told all the same, without its beginning. | “Give permission…” in the menu, or `preview = false`. |
| Another sign-in is still open | A page of an earlier “Sign in” waits in the browser. | Finish it, or “Cancel sign-in”. |
| The browser's answer cannot be received | No port of this computer can be listened on. | Allow mailtray to listen on 127.0.0.1, or `mailtray signin --device-code`. |
"""


def page() -> str:
    """Return the whole page."""
    parts = [_HEAD]
    for action, (title, means) in _SECTIONS.items():
        parts.append(f"\n## {title}\n\n{means}\n\n| mailtray says | what to do | AADSTS |\n")
        parts.append("| --- | --- | --- |\n")
        parts += [
            f"| {title} | {hint} | {', '.join(map(str, codes))} |\n"
            for (title, hint), codes in _rows(action).items()
        ]
    return "".join([*parts, _TAIL])


def _rows(action: AuthAction) -> dict[tuple[str, str], list[int]]:
    """Return the words of an action, each with its numbers."""
    rows: dict[tuple[str, str], list[int]] = {}
    for code, meaning in sorted(MEANINGS.items()):
        if meaning.action is action:
            rows.setdefault(_words(meaning), []).append(code)
    return rows


def _words(meaning: Meaning) -> tuple[str, str]:
    return (
        meaning.title.english.replace("|", "\\|"),
        meaning.hint.english.replace("|", "\\|"),
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
