"""Who vouches for a server: the certificate that is met on the way there, trusted or not."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from http.client import HTTPException, HTTPSConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mailtray.adapters.http_transport import proxy_login
from mailtray.adapters.http_trust import new_context

if TYPE_CHECKING:
    from collections.abc import Iterator

HANDSHAKE_S = 5.0
HTTPS_PORT = 443
PROXY_PORT = 80
_VERSION = 0xA0
_LONG_LENGTH = 0x80
_ORGANISATION, _COMMON_NAME = b"\x55\x04\x0a", b"\x55\x04\x03"
_WIDE_STRING = 0x1E


class NotMet(Exception):
    """No certificate was met: there is no connection, or the proxy's own is encrypted."""


@dataclass(frozen=True, slots=True)
class Met:
    """A certificate that was met.

    Attributes:
        issuer: Who issued it: the organisation, else the common name, else empty.
        is_trusted: Whether this computer believes it.
    """

    issuer: str
    is_trusted: bool


def met(root: str, proxy: str, ca_bundle: str) -> Met:
    """Shake hands with a server and hang up.

    One that is not trusted is met a second time without a check, only to read who issued it:
    nothing is sent to whoever that is.

    Args:
        root: The server, ``https://host``.
        proxy: The proxy to go through, with its password, or empty.
        ca_bundle: The setting of that name.

    Raises:
        NotMet: There is none to look at.
        UntrustedCertificate: A list of trusted certificates cannot be read.
    """
    host = urlsplit(root).hostname or ""
    try:
        return Met(issuer_of(_shake_hands(host, proxy, new_context(ca_bundle))), is_trusted=True)
    except ssl.SSLCertVerificationError:
        blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        blind.check_hostname = False
        blind.verify_mode = ssl.CERT_NONE
        return Met(issuer_of(_shake_hands(host, proxy, blind)), is_trusted=False)


def _shake_hands(host: str, proxy: str, context: ssl.SSLContext) -> bytes:
    """Return the server's certificate (DER)."""
    parts = urlsplit(proxy)
    if parts.scheme == "https":
        raise NotMet
    if proxy:
        port = parts.port or PROXY_PORT
        connection = HTTPSConnection(
            parts.hostname or "", port, timeout=HANDSHAKE_S, context=context
        )
        connection.set_tunnel(host, HTTPS_PORT, proxy_login(proxy))
    else:
        connection = HTTPSConnection(host, timeout=HANDSHAKE_S, context=context)
    try:
        connection.connect()
        return connection.sock.getpeercert(binary_form=True) or b""
    except ssl.SSLCertVerificationError:
        raise
    except (OSError, HTTPException) as exc:
        raise NotMet from exc
    finally:
        connection.close()


# -- the little of X.509 that is needed -----------------------------------------------------------


def issuer_of(certificate: bytes) -> str:
    """Return a certificate's issuer: the organisation, else the common name, else empty.

    ``ssl`` decodes only what it has checked, and on Windows and macOS the system checks.

    Source: RFC 5280, 4.1 "Basic Certificate Fields"; ITU-T X.690, 8.1 "General rules".
    """
    try:
        names = dict(_names(certificate))
    except (IndexError, ValueError):
        return ""
    return names.get(_ORGANISATION) or names.get(_COMMON_NAME, "")


def _names(certificate: bytes) -> Iterator[tuple[bytes, str]]:
    (_tag, whole), *_rest = _parts(certificate)
    (_tag, signed), *_rest = _parts(whole)
    fields = [content for tag, content in _parts(signed) if tag != _VERSION]
    _serial, _algorithm, issuer, *_rest_of_it = fields
    for _tag, relative in _parts(issuer):
        for _tag, pair in _parts(relative):
            (_tag, kind), (form, value), *_ = _parts(pair)
            yield kind, value.decode("utf-16-be" if form == _WIDE_STRING else "utf-8", "replace")


def _parts(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the tag and the content of each element."""
    at = 0
    while at < len(content):
        tag, length, at = content[at], content[at + 1], at + 2
        if length >= _LONG_LENGTH:
            octets = length - _LONG_LENGTH
            length, at = int.from_bytes(content[at : at + octets], "big"), at + octets
        if at + length > len(content):
            raise ValueError("cut off")
        yield tag, content[at : at + length]
        at += length
