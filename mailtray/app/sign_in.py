"""One sign-in at a time, on a thread of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailtray.app.barrier import attempt
from mailtray.app.commands import SignInEnded, SignInPage

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailtray.app.commands import Command
    from mailtray.app.workers import Workers
    from mailtray.core.model import SignedIn
    from mailtray.ports import IdentityProvider


class SignInFlow:
    """Runs the identity provider's interactive sign-in; used by the poller only.

    Attributes:
        is_running: Whether a sign-in waits for the person.
        is_cancelled: Whether it was told to end and has not yet.
        by_device_code: Whether it goes on on another device.
        page: The sign-in page once it is known, while the flow runs.
    """

    def __init__(
        self, identity: IdentityProvider, post: Callable[[Command], None], workers: Workers
    ) -> None:
        self._identity = identity
        self._post = post
        self._workers = workers
        self.is_running = False
        self.is_cancelled = False
        self.by_device_code = False
        self.page: SignInPage | None = None

    def start(
        self,
        scopes: tuple[str, ...],
        *,
        login_hint: str | None,
        claims: str | None,
        deadline_s: float,
        by_device_code: bool = False,
    ) -> None:
        """Start the flow; posts ``SignInPage`` and, at its end, ``SignInEnded``."""

        def in_browser() -> SignedIn:
            return self._identity.sign_in(
                scopes,
                login_hint=login_hint,
                claims=claims,
                deadline_s=deadline_s,
                on_url=lambda url: self._post(SignInPage(url)),
            )

        def on_other_device() -> SignedIn:
            return self._identity.sign_in_by_device_code(
                scopes,
                claims=claims,
                deadline_s=deadline_s,
                on_code=lambda url, code: self._post(SignInPage(url, code)),
            )

        def run() -> None:
            outcome = attempt(on_other_device if by_device_code else in_browser)
            self._post(SignInEnded(outcome))

        self.is_running, self.is_cancelled = True, False
        self.by_device_code = by_device_code
        self._workers.start("mailtray-sign-in", run)

    def cancel(self) -> None:
        """Make a running flow end soon; whatever it ends with does not count."""
        self.page = None
        if self.is_running:
            self.is_cancelled = True
            self._identity.cancel_sign_in()

    def opened(self, page: SignInPage) -> bool:
        """Note the sign-in page, and say whether it counts: not that of a cancelled flow."""
        if self.is_cancelled:
            # It may have been cancelled before it had begun.
            self._identity.cancel_sign_in()
            return False
        self.page = page
        return True

    def ended(self) -> None:
        """Note that ``SignInEnded`` has arrived."""
        self.is_running, self.is_cancelled, self.page = False, False, None
