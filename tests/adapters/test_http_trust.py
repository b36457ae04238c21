"""Certificates, against a TLS server on the loopback with a root nobody knows."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import requests.adapters
import trustme

from mailtray.adapters import http_trust
from mailtray.adapters.http import Http
from mailtray.core.errors import UntrustedCertificate
from tests.adapters.https_server import https_server
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def company() -> trustme.CA:
    return trustme.CA(organization_name="Contoso inspection")


@pytest.fixture(scope="module")
def server(company: trustme.CA) -> Iterator[str]:
    """The address of a server with a certificate of the company's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    company.issue_cert("127.0.0.1").configure_cert(context)
    with https_server(context) as port:
        yield f"https://127.0.0.1:{port}"


@pytest.fixture
def bundle(company: trustme.CA, tmp_path: Path) -> Path:
    """A PEM file with the company's root."""
    file = tmp_path / "company.pem"
    company.cert_pem.write_to_path(file)
    return file


@pytest.fixture(autouse=True)
def _no_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


def new_http(root: str, ca_bundle: object = "") -> Http:
    return Http(login_root=root, graph_root=root, clock=FakeClock(), ca_bundle=str(ca_bundle))


def ask(http: Http, url: str) -> dict[str, str]:
    """Send one request; returns the headers that came to the server."""
    try:
        headers: dict[str, str] = json.loads(http.request("GET", f"{url}/", headers={}).body)
    finally:
        http.close()
    return headers


def test_a_root_nobody_knows_is_told_apart_from_no_network(server: str) -> None:
    with pytest.raises(UntrustedCertificate) as caught:
        ask(new_http(server), server)
    assert caught.value.title == "The server's certificate is not trusted"
    assert "trust store" in caught.value.hint
    assert "ca_bundle" in caught.value.hint


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_root_from_the_environment_is_believed(
    server: str, bundle: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, str(bundle))
    assert ask(new_http(server), server)


def test_a_root_from_the_setting_is_believed(server: str, bundle: Path) -> None:
    assert ask(new_http(server, bundle), server)


def test_the_setting_may_begin_at_home(
    server: str, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(bundle.parent))
    assert ask(new_http(server, "~/company.pem"), server)


def hashed(bundle: Path, folder: Path) -> Path:
    """Put a certificate into a folder as OpenSSL and the distributions do."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("missing: openssl")
    found = subprocess.run(
        [openssl, "x509", "-noout", "-subject_hash", "-in", str(bundle)],
        capture_output=True,
        text=True,
        check=True,
    )
    folder.mkdir()
    shutil.copy(bundle, folder / f"{found.stdout.strip()}.0")
    return folder


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="their stores are no folders")
def test_a_root_in_the_systems_store_is_believed(
    server: str, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # SSL_CERT_DIR moves OpenSSL's own store; nothing in mailtray reads that variable.
    monkeypatch.setenv("SSL_CERT_DIR", str(hashed(bundle, tmp_path / "certs")))
    assert ask(new_http(server), server)


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="their stores are no folders")
def test_a_list_counts_besides_the_systems_store(
    server: str, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    monkeypatch.setenv("SSL_CERT_DIR", str(hashed(bundle, tmp_path / "certs")))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
    assert ask(new_http(server), server)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    monkeypatch.delenv("SSL_CERT_DIR")
    assert ask(new_http(server, other), server)


def test_a_variable_may_name_a_folder(
    server: str, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(hashed(bundle, tmp_path / "certs")))
    assert ask(new_http(server), server)


def binary(file: Path) -> None:
    pem = trustme.CA().cert_pem.bytes().decode()
    file.write_bytes(ssl.PEM_cert_to_DER_cert(pem))


@pytest.mark.parametrize("origin", ["ca_bundle", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
@pytest.mark.parametrize(
    ("make", "problem"),
    [
        pytest.param(lambda _: None, "is not there", id="missing"),
        pytest.param(lambda file: file.write_text(""), "holds no certificate", id="empty"),
        pytest.param(lambda file: file.write_text("hello"), "holds no certificate", id="text"),
        pytest.param(binary, "holds no certificate", id="DER"),
    ],
)
def test_a_list_that_cannot_be_read_is_told(
    server: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    origin: str,
    make: object,
    problem: str,
) -> None:
    file = tmp_path / "list.pem"
    assert callable(make)
    make(file)
    if origin != "ca_bundle":
        monkeypatch.setenv(origin, str(file))
    with pytest.raises(UntrustedCertificate) as caught:
        ask(new_http(server, file if origin == "ca_bundle" else ""), server)
    for word in (origin, str(file), problem, "PEM", "BEGIN CERTIFICATE"):
        assert word in caught.value.hint
    assert len(caught.value.title) <= 60


def test_another_persons_list_is_told(
    server: str, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(http_trust, "_load", load)
    with pytest.raises(UntrustedCertificate, match=r"company\.pem cannot be read"):
        ask(new_http(server, bundle), server)


def test_a_mended_list_is_read_without_a_new_start(
    server: str, company: trustme.CA, tmp_path: Path
) -> None:
    file = tmp_path / "company.pem"
    http = new_http(server, file)
    with pytest.raises(UntrustedCertificate, match="is not there"):
        ask(http, server)
    trustme.CA().cert_pem.write_to_path(file)
    with pytest.raises(UntrustedCertificate, match="certificate is not trusted"):
        ask(http, server)
    company.cert_pem.write_to_path(file)
    assert ask(http, server)


def test_a_certificate_for_another_name_is_not_trusted(company: trustme.CA, bundle: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    company.issue_cert("contoso.example").configure_cert(context)
    with https_server(context) as port:
        root = f"https://127.0.0.1:{port}"
        with pytest.raises(UntrustedCertificate):
            ask(new_http(root, bundle), root)


def test_the_list_that_requests_brings_along_does_not_count(
    server: str, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(bundle))
    with pytest.raises(UntrustedCertificate):
        ask(new_http(server), server)


def test_no_variable_switches_the_check_off(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("PYTHONHTTPSVERIFY", "0")
    with pytest.raises(UntrustedCertificate):
        ask(new_http(server), server)


def test_netrc_adds_no_password(
    server: str, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login x password y\ndefault login x password y\n")
    monkeypatch.setenv("NETRC", str(netrc))
    assert "authorization" not in ask(new_http(server, bundle), server)
