"""Whose certificates are believed: the system's trust store, and whoever a PEM file names besides.

Nothing here can switch the check off. ``truststore`` is loaded with the first context.
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from mailtray.core.errors import UntrustedCertificate
from mailtray.core.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator

BUNDLE_VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
"""Variables that name more certificates; each a PEM file or a folder as OpenSSL hashes it."""


def new_context(ca_bundle: str = "") -> ssl.SSLContext:
    """Return how servers are to be checked, with the lists as they are now.

    A list that was named counts besides the system's store, never in its place. One that cannot
    be read is an error even where the store alone would do: who named it relies on it.

    Args:
        ca_bundle: The setting of that name, or an empty string.

    Raises:
        UntrustedCertificate: A list cannot be read; the hint names it and says its form.
    """
    import truststore

    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for origin, named in _bundles(ca_bundle):
        try:
            _load(context, Path(named).expanduser())
        except (OSError, RuntimeError, ValueError) as exc:
            raise UntrustedCertificate(
                _("The list of trusted certificates cannot be read"),
                _(
                    "Correct {origin}: {path} {problem}; it has to be a PEM file, "
                    "with -----BEGIN CERTIFICATE----- in it."
                ).format(origin=origin, path=named, problem=_problem(exc)),
            ) from exc
    return context


def _bundles(ca_bundle: str) -> Iterator[tuple[str, str]]:
    """Yield each list's path under the name of the wish for it."""
    if ca_bundle:
        yield "ca_bundle", ca_bundle
    for name in BUNDLE_VARIABLES:
        if path := os.environ.get(name, "").strip():
            yield name, path


def _load(context: ssl.SSLContext, bundle: Path) -> None:
    if bundle.is_dir():
        context.load_verify_locations(capath=bundle)
    else:
        context.load_verify_locations(cafile=bundle)


def _problem(error: Exception) -> str:
    """Say in half a sentence why a list cannot be read."""
    match error:
        case FileNotFoundError():
            return _("is not there")
        case ssl.SSLError():
            return _("holds no certificate")
        case _:
            return _("cannot be read")
