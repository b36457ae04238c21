"""The real program in a company's network: through its proxy, and past its inspection of TLS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import trustme

from tests.e2e.company_network import (
    MICROSOFT,
    ForwardProxy,
    OfficeProgram,
    TlsFront,
    server_context,
)
from tests.e2e.program import bare_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mailtray.simulator import Simulator

PASSWORD = "s3cr:t@office"
LOGIN = f"ada:{PASSWORD}"
WRITTEN = "ada:s3cr%3At%40office"
NOT_TRUSTED = "The server's certificate is not trusted"


@pytest.fixture(scope="module")
def company() -> trustme.CA:
    return trustme.CA(organization_name="Contoso inspection")


@pytest.fixture
def front(company: trustme.CA, simulator: Simulator) -> Iterator[TlsFront]:
    with TlsFront(server_context(company), int(simulator.url.rpartition(":")[2])) as running:
        yield running


@pytest.fixture
def proxy(front: TlsFront) -> Iterator[ForwardProxy]:
    with ForwardProxy(dict.fromkeys(MICROSOFT, front.port), LOGIN) as running:
        yield running


@pytest.fixture
def bundle(company: trustme.CA, tmp_path: Path) -> Path:
    file = tmp_path / "company.pem"
    company.cert_pem.write_to_path(file)
    return file


@pytest.fixture
def env(proxy: ForwardProxy, tmp_path: Path) -> dict[str, str]:
    """The environment of an employee's session, without the company's root."""
    there = f"http://{WRITTEN}@127.0.0.1:{proxy.port}"
    return bare_environment(tmp_path) | {"HTTPS_PROXY": there, "MAILTRAY_LOG_LEVEL": "debug"}


def poll(program: OfficeProgram) -> None:
    """Have the mail looked for now rather than after the interval."""
    program.run("check")


def has_no_secret(program: OfficeProgram) -> bool:
    said = program.said()
    return not any(secret in said for secret in (PASSWORD, WRITTEN.partition(":")[2]))


@pytest.mark.parametrize("way", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "MAILTRAY_CA_BUNDLE"])
def test_mail_is_told_through_proxy_and_inspection(
    env: dict[str, str],
    way: str,
    bundle: Path,
    simulator: Simulator,
    proxy: ForwardProxy,
    tmp_path: Path,
) -> None:
    with OfficeProgram(tmp_path / "home", env | {way: str(bundle)}, "--verbose") as program:
        program.sign_in()
        ids = simulator.cloud.deliver(sender_name="Grace", subject="Lunch?")
        poll(program)
        program.wait_told(ids)
        assert program.told() == dict.fromkeys(ids, 1)
        assert set(proxy.asked) == set(MICROSOFT)
        assert proxy.turned_away == 0
        assert has_no_secret(program)


def test_both_settings_in_the_file_do_the_same(
    env: dict[str, str], bundle: Path, simulator: Simulator, proxy: ForwardProxy, tmp_path: Path
) -> None:
    there = env.pop("HTTPS_PROXY")
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "settings.toml").write_text(f"proxy = '{there}'\nca_bundle = '{bundle}'\n")
    with OfficeProgram(home, env) as program:
        program.sign_in()
        ids = simulator.cloud.deliver()
        poll(program)
        program.wait_told(ids)
        assert set(proxy.asked) == set(MICROSOFT)
        assert has_no_secret(program)


def test_signing_in_past_an_unknown_inspection_is_told_as_such(
    env: dict[str, str], tmp_path: Path
) -> None:
    with OfficeProgram(tmp_path / "home", env) as program:
        done = program.run("signin")
        assert done.returncode != 0
        assert NOT_TRUSTED in done.stderr
        assert "ca_bundle" in done.stderr
        status = program.wait(event="status", state="attention", error=NOT_TRUSTED)
        assert NOT_TRUSTED in status["tooltip"]


def test_an_unknown_inspection_is_no_outage_and_passes_by_itself(
    env: dict[str, str],
    bundle: Path,
    front: TlsFront,
    company: trustme.CA,
    simulator: Simulator,
    tmp_path: Path,
) -> None:
    env["REQUESTS_CA_BUNDLE"] = str(bundle)
    with OfficeProgram(tmp_path / "home", env) as program:
        program.sign_in()
        mark = program.mark()
        front.show(server_context(trustme.CA()))
        poll(program)
        status = program.wait(mark, event="status", state="attention")
        assert status["error"] == NOT_TRUSTED
        assert NOT_TRUSTED in status["tooltip"]
        assert "ca_bundle" in program.run("status").stdout
        ids = simulator.cloud.deliver()
        front.show(server_context(company))
        program.wait(mark, event="status", state="ok")
        program.wait_told(ids)


def test_a_list_that_is_mended_is_read_by_the_running_program(
    env: dict[str, str], company: trustme.CA, tmp_path: Path
) -> None:
    later = tmp_path / "later.pem"
    env["MAILTRAY_CA_BUNDLE"] = str(later)
    with OfficeProgram(tmp_path / "home", env) as program:
        done = program.run("signin")
        assert "The list of trusted certificates cannot be read" in done.stderr
        assert f"ca_bundle: {later} is not there" in done.stderr
        company.cert_pem.write_to_path(later)
        program.sign_in()


def wrong_password(env: dict[str, str]) -> None:
    env["HTTPS_PROXY"] = env["HTTPS_PROXY"].replace("ada", "bob")


def elsewhere(env: dict[str, str]) -> None:
    with ForwardProxy({}) as gone:
        env["HTTPS_PROXY"] = f"http://{WRITTEN}@127.0.0.1:{gone.port}"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        pytest.param(
            wrong_password, "The proxy server wants a valid name and password", id="password"
        ),
        pytest.param(elsewhere, "The proxy server does not answer", id="down"),
    ],
)
def test_trouble_with_the_proxy_is_told_as_such(
    env: dict[str, str],
    bundle: Path,
    tmp_path: Path,
    spoil: Callable[[dict[str, str]], None],
    words: str,
) -> None:
    spoil(env)
    with OfficeProgram(
        tmp_path / "home", env | {"SSL_CERT_FILE": str(bundle)}, "--verbose"
    ) as program:
        done = program.run("signin")
        assert words in done.stderr
        assert PASSWORD not in done.stderr
        status = program.wait(event="status", state="attention", error=words)
        assert words in status["tooltip"]
        assert has_no_secret(program)


def test_a_proxy_that_went_down_is_named_until_it_comes_back(
    env: dict[str, str],
    bundle: Path,
    front: TlsFront,
    proxy: ForwardProxy,
    simulator: Simulator,
    tmp_path: Path,
) -> None:
    env["REQUESTS_CA_BUNDLE"] = str(bundle)
    with OfficeProgram(tmp_path / "home", env) as program:
        program.sign_in()
        mark = program.mark()
        proxy.close()
        poll(program)
        status = program.wait(mark, event="status", state="offline")
        assert "The proxy server does not answer" in status["tooltip"]
        ids = simulator.cloud.deliver()
        with ForwardProxy(dict.fromkeys(MICROSOFT, front.port), LOGIN, proxy.port):
            poll(program)
            program.wait(mark, event="status", state="ok")
            program.wait_told(ids)
        assert has_no_secret(program)


def test_a_mistyped_proxy_ends_the_start_without_its_password(
    env: dict[str, str], tmp_path: Path
) -> None:
    env["MAILTRAY_PROXY"] = f"socks5://{WRITTEN}@127.0.0.1:1080"
    done = OfficeProgram(tmp_path / "home", env).run("check")
    assert done.returncode == 2
    assert "MAILTRAY_PROXY: proxy" in done.stderr
    assert "http://host:port" in done.stderr
    assert WRITTEN.partition(":")[2] not in done.stderr


def test_the_simulator_is_never_asked_through_a_proxy(
    env: dict[str, str], simulator: Simulator, tmp_path: Path, proxy: ForwardProxy
) -> None:
    env["MAILTRAY_PROXY"] = env["ALL_PROXY"] = env["HTTP_PROXY"] = env["HTTPS_PROXY"]
    with OfficeProgram(tmp_path / "home", env, service_url=simulator.url) as program:
        program.sign_in()
        assert not proxy.asked
        assert proxy.turned_away == 0


# -- what the doctor says of it


def examine(env: dict[str, str], home: Path) -> dict[str, dict[str, str]]:
    done = OfficeProgram(home, env).run("doctor", "--json")
    assert PASSWORD not in done.stdout
    assert WRITTEN not in done.stdout
    return {one["name"]: one for one in json.loads(done.stdout)["checks"]}


def test_the_doctor_knows_who_inspects(
    env: dict[str, str], bundle: Path, proxy: ForwardProxy, tmp_path: Path
) -> None:
    found = examine(env | {"SSL_CERT_FILE": str(bundle)}, tmp_path)
    assert found["certificate"]["status"] == "attention"
    assert "Contoso inspection" in found["certificate"]["found"]
    there = f"http://127.0.0.1:{proxy.port}, by HTTPS_PROXY"
    assert (found["proxy"]["status"], found["proxy"]["found"]) == ("ok", there)
    assert found["sign_in_service"]["status"] == found["mail_service"]["status"] == "ok"


def test_the_doctor_names_an_inspection_that_is_not_trusted(
    env: dict[str, str], tmp_path: Path
) -> None:
    found = examine(env, tmp_path)
    assert found["certificate"]["status"] == "fail"
    assert "issued by Contoso inspection" in found["certificate"]["found"]
    assert "ca_bundle" in found["certificate"]["action"]


@pytest.mark.parametrize("spoil", [wrong_password, elsewhere])
def test_the_doctor_puts_the_blame_on_the_proxy(
    env: dict[str, str], bundle: Path, tmp_path: Path, spoil: Callable[[dict[str, str]], None]
) -> None:
    spoil(env)
    found = examine(env | {"SSL_CERT_FILE": str(bundle)}, tmp_path)
    assert found["proxy"]["status"] == "fail"
    assert found["proxy"]["action"]
    behind = ("sign_in_service", "mail_service", "certificate", "clock")
    assert {found[name]["status"] for name in behind} == {"unknown"}
