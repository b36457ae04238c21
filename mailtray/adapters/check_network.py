"""Looks at the way to Microsoft's services for the doctor, through the program's own HTTP."""

from __future__ import annotations

import json
import os
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mailtray.adapters import graph_failures
from mailtray.adapters.certificate_met import Met, NotMet, met
from mailtray.adapters.http_transport import is_about_proxy, proxy_for
from mailtray.core.doctor import Check, Part, attention, fails, good, unknown
from mailtray.core.errors import MailSourceError, UntrustedCertificate
from mailtray.core.language import _, ngettext

if TYPE_CHECKING:
    from datetime import datetime

    from mailtray.adapters.http import Http
    from mailtray.adapters.http_answer import Answer
    from mailtray.core.settings import Settings
    from mailtray.ports import Clock

CLOCK_CLOSE_S = 60.0
CLOCK_TOLERANCE_S = 300.0
"""Microsoft takes a clock that is further off for a forgery.

Source: learn.microsoft.com/entra/identity-platform, "Access tokens": clock skew.
"""
USUAL_ISSUERS = frozenset({"Microsoft Corporation", "DigiCert Inc", "DigiCert, Inc."})
"""Who issues the certificates of Microsoft's services.

Source: learn.microsoft.com/azure/security/fundamentals, "Azure certificate authority details".
"""
PROXY_VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
"""The variables that name a proxy, the one first that counts first.

Source: docs.python.org, ``urllib.request.getproxies``.
"""


class NetworkChecks:
    """Checks of the way to Microsoft.

    Args:
        http: The program's own way; see ``service_url``.
        clock: This computer's.
        settings: As far as they can be understood.
        service_url: The simulator in Microsoft's place, or ``None``.
    """

    def __init__(
        self, http: Http, clock: Clock, settings: Settings, service_url: str | None
    ) -> None:
        self._http = http
        self._clock = clock
        self._settings = settings
        self._service_url = service_url

    def login(self) -> list[Check]:
        """Ask the sign-in for what everybody may know: whether it is reached, and its clock."""
        here, tenant = self._settings.endpoints, self._settings.tenant
        url = f"{here.login_root}/{tenant}/v2.0/.well-known/openid-configuration"
        try:
            answer = self._http.request("GET", url, headers={"Accept": "application/json"})
        except MailSourceError as error:
            return [
                *self._unreached(Part.LOGIN, error),
                unknown(Part.CLOCK, _("there is no server to compare it with")),
            ]
        return [
            self._proxy(None),
            _login_check(answer, tenant),
            _clock_check(answer.server_time, self._clock.now()),
        ]

    def graph(self) -> Check:
        """Ask Graph without a token; that it wants one is what it says where all is well."""
        url = f"{self._settings.endpoints.graph_root}/v1.0/me"
        try:
            answer = self._http.request("GET", url, headers={"Accept": "application/json"})
        except MailSourceError as error:
            return self._unreached(Part.GRAPH, error)[-1]
        if answer.status == HTTPStatus.UNAUTHORIZED:
            return good(Part.GRAPH, _("answers"))
        refusal = graph_failures.failure(answer, self._clock.now(), graph_failures.About.READING)
        return (attention if refusal.transient else fails)(Part.GRAPH, refusal.title, refusal.hint)

    def certificate(self) -> Check:
        """Say who vouches for Microsoft's servers on the way there."""
        if self._service_url is not None:
            return good(Part.CERTIFICATE, _("none is needed on this computer"))
        here, wished = self._settings.endpoints, self._settings
        found: list[Met] = []
        try:
            for root in (here.login_root, here.graph_root):
                found.append(met(root, proxy_for(root, wished.proxy), wished.ca_bundle))  # noqa: PERF401 - what was met counts
        except UntrustedCertificate as error:
            return fails(Part.CERTIFICATE, error.title, error.hint)
        except (NotMet, MailSourceError):
            if not found:
                return unknown(Part.CERTIFICATE, _("none was met: there is no connection"))
        return _certificate_check(found)

    def _unreached(self, part: Part, error: MailSourceError) -> list[Check]:
        """Return the proxy's check and the service's, whichever is to blame."""
        if is_about_proxy(error):
            return [self._proxy(error), unknown(part, _("the proxy is in the way"))]
        return [self._proxy(None), fails(part, error.title, error.hint)]

    def _proxy(self, error: MailSourceError | None) -> Check:
        root = self._settings.endpoints.login_root
        if self._service_url is not None:
            return good(Part.PROXY, _("none is needed on this computer"))
        try:
            proxy = proxy_for(root, self._settings.proxy)
        except MailSourceError as unusable:
            return fails(Part.PROXY, unusable.title, unusable.hint)
        if not proxy:
            return good(Part.PROXY, _("there is none"))
        found = _("{address}, {origin}").format(
            address=_without_login(proxy), origin=self._origin()
        )
        if error is None:
            return good(Part.PROXY, found)
        return fails(Part.PROXY, f"{found}. {error.title}", error.hint)

    def _origin(self) -> str:
        if self._settings.proxy:
            return _("by the setting proxy")
        names = [name for name in PROXY_VARIABLES if os.environ.get(name)]
        return _("by {variable}").format(variable=names[0]) if names else _("by the system")


def _without_login(proxy: str) -> str:
    parts = urlsplit(proxy)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _login_check(answer: Answer, tenant: str) -> Check:
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return attention(
            Part.LOGIN, _("Microsoft's sign-in is in trouble"), _("Wait; nothing here is wrong.")
        )
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        error = graph_failures.made(graph_failures.NOT_GRAPH)
        return fails(Part.LOGIN, error.title, error.hint)
    if isinstance(found, dict) and "token_endpoint" in found:
        return good(Part.LOGIN, _("answers"))
    return fails(
        Part.LOGIN,
        _("does not know the directory {tenant}").format(tenant=tenant),
        _("Correct the setting tenant."),
    )


def _clock_check(server: datetime | None, now: datetime) -> Check:
    if server is None:
        return unknown(Part.CLOCK, _("the server does not tell the time"))
    off_s = (now - server).total_seconds()
    if abs(off_s) <= CLOCK_CLOSE_S:
        return good(Part.CLOCK, _("agrees with Microsoft's"))
    minutes = max(1, round(abs(off_s) / 60))
    ahead = ngettext("{minutes} minute ahead", "{minutes} minutes ahead", minutes)
    behind = ngettext("{minutes} minute behind", "{minutes} minutes behind", minutes)
    found = (ahead if off_s > 0 else behind).format(minutes=minutes)
    is_far = abs(off_s) > CLOCK_TOLERANCE_S
    action = _("Set the date, the time and the time zone.")
    return (fails if is_far else attention)(Part.CLOCK, found, action)


def _certificate_check(found: list[Met]) -> Check:
    distrusted = [one.issuer for one in found if not one.is_trusted]
    if distrusted:
        issuer = distrusted[0] or _("nobody known")
        return fails(
            Part.CERTIFICATE,
            _("issued by {issuer}, which this computer does not trust").format(issuer=issuer),
            _(
                "If that is your company, add its root certificate to the system's trust store or "
                "set ca_bundle to a PEM file with it; if not, do not sign in here."
            ),
        )
    odd = [one.issuer for one in found if one.issuer not in USUAL_ISSUERS]
    if odd:
        return attention(
            Part.CERTIFICATE,
            _("issued by {issuer}, not by Microsoft's own").format(issuer=odd[0]),
            _("Ask your administrator whether this network is meant to read along."),
        )
    return good(Part.CERTIFICATE, _("issued by {issuer}").format(issuer=found[0].issuer))
