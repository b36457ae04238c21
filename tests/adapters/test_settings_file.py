from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from mailtray.adapters.settings_file import (
    SOCKET_PATH_MAX_BYTES,
    Home,
    load_settings,
    read_layers,
)
from mailtray.adapters.toml_files import SETTINGS_MAX_BYTES
from mailtray.core.errors import ConfigError

GUIDS = [f"{n}" * 8 + "-0000-4000-8000-000000000000" for n in "123456"]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.at(tmp_path / "home")
    home.prepare()
    return home


def _with_machine_settings(home: Home, path: Path) -> Home:
    return Home(
        config_dir=home.config_dir,
        state_dir=home.state_dir,
        runtime_dir=home.runtime_dir,
        machine_settings_path=path,
        socket_address=home.socket_address,
        vault_service=home.vault_service,
    )


# -- layers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("places", "winner"),
    [
        pytest.param({"option", "variable", "person", "machine"}, GUIDS[0], id="the option"),
        pytest.param({"variable", "person", "machine"}, GUIDS[1], id="then the variable"),
        pytest.param({"person", "machine"}, GUIDS[2], id="then the person's file"),
        pytest.param({"machine"}, GUIDS[3], id="then the machine's"),
        pytest.param(set(), "", id="else none"),
    ],
)
def test_where_a_client_id_comes_from(
    home: Home, tmp_path: Path, places: set[str], winner: str
) -> None:
    home = _with_machine_settings(home, tmp_path / "machine.toml")
    if "person" in places:
        home.settings_path.write_text(f'client_id = "{GUIDS[2]}"', encoding="utf-8")
    if "machine" in places:
        (tmp_path / "machine.toml").write_text(f'client_id = "{GUIDS[3]}"', encoding="utf-8")
    settings = load_settings(
        home,
        {"client_id": GUIDS[0] if "option" in places else None},
        {"MAILTRAY_CLIENT_ID": GUIDS[1]} if "variable" in places else {},
    )
    assert settings.client_id == winner


def test_the_defaults_are_those_of_a_program_nobody_configured(home: Home) -> None:
    assert load_settings(home, {}, {}).interval_s == 60


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({"MAILTRAY_INTERVAL_S": ""}, id="empty"),
        pytest.param({"MAILTRAY_HOME": "/x", "MAILTRAY_SIM_USERNAME": "x"}, id="no settings"),
        pytest.param({"INTERVAL_S": "5", "mailtray_interval_s": "5"}, id="other names"),
    ],
)
def test_variables_that_say_nothing(home: Home, environment: dict[str, str]) -> None:
    assert load_settings(home, {}, environment).interval_s == 60


@pytest.mark.parametrize(
    ("name", "words"),
    [
        pytest.param("MAILTRAY_INTERVAL_S", "seconds", id="a wrong value"),
        pytest.param("MAILTRAY_INTERVAL", '"interval_s"', id="a mistyped name"),
        pytest.param("MAILTRAY_CLIENTID", '"client_id"', id="another mistyped name"),
    ],
)
def test_a_wrong_variable_is_named(home: Home, name: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(home, {}, {name: "often"})
    assert caught.value.origin == name
    assert words in caught.value.problem


@pytest.mark.parametrize(
    ("raw", "key", "words"),
    [
        pytest.param(b"interval_s = = 5", "line 1", ["TOML"], id="no TOML"),
        pytest.param(b"\n\nx = [1,\n", "last line", ["TOML"], id="unfinished"),
        pytest.param(b"ok = 1\nname = '\xe9'", "line 2", ["UTF-8"], id="Latin-1"),
        pytest.param("interval_s = 60".encode("utf-16"), "line 1", ["UTF-8"], id="UTF-16"),
        pytest.param(b"a = " + b"[" * 5_000, "", ["nested"], id="nested without end"),
        pytest.param(b"#" * (SETTINGS_MAX_BYTES + 1), "", ["long"], id="far too long"),
        pytest.param(b"intervall_s = 60", "intervall_s", ['"interval_s"'], id="a mistyped key"),
        pytest.param(b"interval_s = 60\ninterval_s = 61\n", "line 2", ["TOML"], id="twice"),
        pytest.param(b"preview = 'perhaps'", "preview", ["true or false"], id="a wrong type"),
        pytest.param(b"interval_s = 5", "interval_s", ["10 to 3600"], id="out of range"),
        pytest.param(b"[notify]\nx = 1", "notify", ['"notifier"'], id="an unknown section"),
        pytest.param(b"[x.y]\nz = 1", "x", ["there are client_id"], id="nothing like a section"),
        pytest.param(b"folders = ['a:b']", "folders", ["“a:b”", "Projects/Alpha"], id="no folder"),
        pytest.param(
            b"[accounts.anna]\nname = 'A'",
            "accounts.anna",
            ['[accounts."anna@contoso.com"]'],
            id="no account",
        ),
        pytest.param(
            b"[accounts.'a@x.test']\nfolder = 'A'",
            'accounts."a@x.test".folder',
            ['"folders"'],
            id="a mistyped key of an account",
        ),
        pytest.param(
            b"[[rules]]\nfrom = '@x.test'\n[[rules]]\nfrom = 'ann@'",
            "rules[2].from",
            ["“ann@”", "@contoso.com"],
            id="a rule for nobody",
        ),
        pytest.param(b"[[rules]]\nform = 'x'", "rules[1].form", ['"from"'], id="no condition"),
        pytest.param(b"[rules]\nfrom = 'x'", "rules", ["[[rules]]"], id="a rule that is no list"),
        pytest.param(b"locked = ['tenant']", "locked", ["administrator"], id="a lock"),
    ],
)
def test_a_file_that_cannot_be_understood(
    home: Home, raw: bytes, key: str, words: list[str]
) -> None:
    home.settings_path.write_bytes(raw)
    with pytest.raises(ConfigError) as caught:
        load_settings(home, {}, {})
    assert caught.value.origin == str(home.settings_path)
    assert caught.value.key == key
    for word in words:
        assert word in caught.value.problem


def test_a_byte_order_mark_is_no_mistake(home: Home) -> None:
    home.settings_path.write_bytes(b"\xef\xbb\xbfinterval_s = 30\r\n")
    assert load_settings(home, {}, {}).interval_s == 30


def test_a_machines_locks_hold_against_everything(home: Home, tmp_path: Path) -> None:
    home = _with_machine_settings(home, tmp_path / "machine.toml")
    (tmp_path / "machine.toml").write_text(
        'locked = ["tenant", "hook"]\ntenant = "contoso.com"\n', encoding="utf-8"
    )
    home.settings_path.write_text('hook = ["/bin/x"]\ninterval_s = 30\n', encoding="utf-8")
    settings = load_settings(
        home, {"tenant": "consumers"}, {"MAILTRAY_TENANT": "common", "MAILTRAY_PREVIEW": "yes"}
    )
    assert (settings.tenant, settings.hook) == ("contoso.com", ())
    assert (settings.interval_s, settings.preview) == (30.0, True)


def test_a_wrong_lock_names_the_machines_file(home: Home, tmp_path: Path) -> None:
    home = _with_machine_settings(home, tmp_path / "machine.toml")
    (tmp_path / "machine.toml").write_text('locked = ["tennant"]', encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_settings(home, {}, {})
    assert (caught.value.origin, caught.value.key) == (str(tmp_path / "machine.toml"), "locked")
    assert '"tenant"' in caught.value.problem


@pytest.mark.parametrize(
    ("name", "value", "key", "understood"),
    [
        pytest.param("FOLDERS", "inbox;A/B", "folders", ("inbox", "A/B"), id="folders"),
        pytest.param("VIP", "@x.test", "vip", ("@x.test",), id="a sender"),
        pytest.param("BUTTONS", "[]", "buttons", (), id="no buttons"),
        pytest.param("FOCUSED_ONLY", "1", "focused_only", True, id="yes"),
        pytest.param("PRIVACY", "hidden", "privacy", "hidden", id="a word"),
    ],
)
def test_flat_settings_may_be_variables(
    home: Home, name: str, value: str, key: str, understood: object
) -> None:
    assert getattr(load_settings(home, {}, {f"MAILTRAY_{name}": value}), key) == understood


def test_a_file_that_cannot_be_opened(home: Home) -> None:
    home.settings_path.mkdir()
    with pytest.raises(ConfigError) as caught:
        read_layers(home, {}, {})
    assert "cannot be read" in caught.value.problem


# -- homes ---------------------------------------------------------------------------------------


def test_everything_is_under_a_given_home(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "h")
    places = [
        home.settings_path,
        home.state_path,
        home.lock_path,
        home.log_path,
        home.authkey_path,
        Path(home.socket_address),
    ]
    if sys.platform != "win32":
        assert all(place.is_relative_to(tmp_path / "h") for place in places)
    assert len(set(places)) == len(places)
    assert home.machine_settings_path is None


def test_two_homes_share_nothing(tmp_path: Path) -> None:
    one, other = Home.at(tmp_path / "1"), Home.at(tmp_path / "2")
    assert one.vault_service != other.vault_service
    assert one.socket_address != other.socket_address


def test_a_home_is_the_same_by_a_relative_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Home.at(Path("h")) == Home.at(tmp_path / "x" / ".." / "h")


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe has no path")
@pytest.mark.parametrize("runtime_length", [0, 20, 200])
def test_a_deep_home_still_has_a_socket_that_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime_length: int
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", f"/run/{'r' * runtime_length}")
    deep = [Home.at(tmp_path / ("ä" * 60) / name) for name in ("1", "2")]
    for home in deep:
        assert len(os.fsencode(home.socket_address)) <= SOCKET_PATH_MAX_BYTES
    assert deep[0].socket_address != deep[1].socket_address


@pytest.mark.skipif(sys.platform == "win32", reason="file modes are a Unix matter")
def test_new_folders_are_for_their_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        home = Home.at(tmp_path / "h")
        home.prepare()
        home.prepare()
    finally:
        os.umask(before)
    for folder in (home.config_dir, home.state_dir, home.runtime_dir):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_file_in_the_way_of_a_home_is_told(tmp_path: Path) -> None:
    (tmp_path / "h").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        Home.at(tmp_path / "h").prepare()
    assert caught.value.origin == str(tmp_path / "h")


@pytest.mark.skipif(sys.platform != "linux", reason="the XDG folders")
def test_the_default_home_follows_the_desktop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CONFIG_HOME", "STATE_HOME", "RUNTIME_DIR"):
        monkeypatch.setenv(f"XDG_{name}", str(tmp_path / name))
    monkeypatch.setenv("XDG_CONFIG_DIRS", f"{tmp_path}/etc")
    home = Home.default()
    assert home.settings_path == tmp_path / "CONFIG_HOME" / "mailtray" / "settings.toml"
    assert home.state_path == tmp_path / "STATE_HOME" / "mailtray" / "state.db"
    assert home.machine_settings_path == tmp_path / "etc" / "mailtray" / "settings.toml"
    assert home.vault_service == "mailtray"
    assert len(os.fsencode(home.socket_address)) <= SOCKET_PATH_MAX_BYTES


@pytest.mark.skipif(sys.platform != "linux", reason="the XDG folders")
def test_another_persons_state_has_another_socket_in_the_same_runtime_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    addresses = set()
    for name in ("1", "2"):
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / name))
        addresses.add(Home.default().socket_address)
    assert len(addresses) == 2


def test_a_missing_runtime_folder_is_no_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    assert Home.default().socket_address
