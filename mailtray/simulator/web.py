"""What all pages of the simulator share: one frame, one style sheet, one strict policy."""

import secrets

from flask import Response, current_app, make_response, render_template

from mailtray.simulator.cloud import Cloud

KEY = "mailtray.simulator.cloud"
"""Where the Flask application keeps its `Cloud`."""


def cloud() -> Cloud:
    """Return the cloud behind the request at hand."""
    kept = current_app.extensions[KEY]
    assert isinstance(kept, Cloud)  # noqa: S101 (narrows the type of Flask's untyped store)
    return kept


def page(template: str, status: int = 200, **values: object) -> Response:
    """Render a page.

    No page loads anything from elsewhere or runs a script but its own, and forms go to the
    simulator or to a program listening on this machine.

    Args:
        template: File in ``templates/``.
        status: HTTP status.
        values: What the template shows; all text is escaped there.
    """
    nonce = secrets.token_urlsafe(16)
    text = render_template(template, nonce=nonce, **values)
    # Mail may hold lone surrogates, which no encoding can carry to a browser.
    response = make_response(text.encode("utf-8", "replace"), status)
    response.headers["Content-Type"] = "text/html; charset=utf-8"
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'self'; img-src 'self'; script-src 'nonce-{nonce}'; "
        "base-uri 'none'; frame-ancestors 'none'; "
        "form-action 'self' http://localhost:* http://127.0.0.1:*"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    return response
