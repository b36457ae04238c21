"""The mail that asks an administrator for approval."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from mailtray.core.approval import letter

LINK = (
    "https://login.microsoftonline.com/organizations/v2.0/adminconsent"
    "?client_id=11111111-2222-3333-4444-555555555555"
    "&scope=https%3A%2F%2Fgraph.microsoft.com%2FMail.ReadBasic%20https%3A%2F%2Fgraph.microsoft.com%2FMail.ReadWrite"
    "&redirect_uri=http%3A%2F%2Flocalhost&state=mailtray"
)


def test_it_says_what_is_asked_for_and_where() -> None:
    body = letter(LINK).body
    assert f"\n{LINK}\n" in body
    assert "Mail.ReadBasic, Mail.ReadWrite" in body
    assert "11111111-2222-3333-4444-555555555555" in body


def test_a_mail_program_gets_it_whole() -> None:
    mail = letter(LINK)
    parts = urlsplit(mail.mailto)
    assert (parts.scheme, parts.path) == ("mailto", "")
    # RFC 6068 knows no plus sign for a space.
    assert "+" not in parts.query
    assert parse_qs(parts.query) == {"subject": [mail.subject], "body": [mail.body]}


def test_a_page_that_asks_for_nothing_known_makes_a_letter_all_the_same() -> None:
    assert "https://example.test/approve" in letter("https://example.test/approve").body
