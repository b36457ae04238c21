from __future__ import annotations

import traceback
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from mailtray.core.clouds import CLOUDS
from mailtray.core.errors import ConfigError
from mailtray.core.peace import QuietHours
from mailtray.core.settings import (
    FORMS,
    INTERVAL_MIN_S,
    KEYS,
    Layer,
    Place,
    Settings,
    parse_settings,
    weigh,
)
from mailtray.core.wish_forms import AccountWishes

if TYPE_CHECKING:
    from collections.abc import Mapping

GUID = "0a1b2c3d-0000-4000-8000-00000000abcd"


def _said(origin: str, wishes: Mapping[str, object], place: Place = Place.FILE) -> Layer:
    return Layer(place, origin, wishes)


def _parse(key: str, value: object) -> object:
    return getattr(parse_settings([_said("somewhere", {key: value})]), key)


@pytest.mark.parametrize(
    ("key", "value", "understood"),
    [
        pytest.param("client_id", f" {GUID.upper()} ", GUID, id="a GUID in capitals, with blanks"),
        pytest.param("tenant", "Consumers", "consumers", id="a shared tenant in capitals"),
        pytest.param("tenant", GUID, GUID, id="a directory by its GUID"),
        pytest.param("tenant", "contoso.onmicrosoft.com", "contoso.onmicrosoft.com", id="a domain"),
        pytest.param("cloud", "usgov", "usgov", id="a cloud"),
        pytest.param("interval_s", 10, 10.0, id="the shortest interval"),
        pytest.param("interval_s", "90.5", 90.5, id="a number in words, as variables have it"),
        pytest.param("interval_s", 3_600, 3_600.0, id="the longest interval"),
        pytest.param("preview", True, True, id="true"),
        pytest.param("preview", "0", False, id="0 is off"),
        pytest.param("preview", "No", False, id="no is off"),
        pytest.param("preview", "on", True, id="on"),
        pytest.param("notifier", "console", "console", id="a notifier"),
        pytest.param("tray", "none", "none", id="no tray"),
        pytest.param("max_single_notifications", "0", 0, id="always a summary"),
        pytest.param("quiet_hours", [], (), id="never quiet"),
        pytest.param(
            "quiet_hours",
            ["Mon-Fri 22:00-7:00", "sat, sun 00:00 - 24:00"],
            (
                QuietHours(frozenset(range(5)), 1320, 420),
                QuietHours(frozenset({5, 6}), 0, 1440),
            ),
            id="nights and weekends",
        ),
        pytest.param(
            "quiet_hours",
            "fri-mon 9:30-09:45; wed 0:00-0:00",
            (
                QuietHours(frozenset({4, 5, 6, 0}), 570, 585),
                QuietHours(frozenset({2}), 0, 0),
            ),
            id="days around the weekend, in words",
        ),
        pytest.param("quiet_when_locked", False, False, id="told while locked"),
        pytest.param("log_level", "DEBUG", "debug", id="a level in capitals"),
        pytest.param("ca_bundle", "/etc/company.pem", "/etc/company.pem", id="a whole path"),
        pytest.param("ca_bundle", r"C:\ca\co.pem", r"C:\ca\co.pem", id="a whole path of Windows"),
        pytest.param("ca_bundle", "~/co pany.pem", "~/co pany.pem", id="a path from home"),
        pytest.param("proxy", " http://proxy:8080/ ", "http://proxy:8080/", id="a proxy"),
        pytest.param("proxy", "https://[::1]:8080", "https://[::1]:8080", id="one behind TLS"),
        pytest.param("proxy", "http://a:p%40s@b:1", "http://a:p%40s@b:1", id="with a password"),
        pytest.param("proxy", "", "", id="no proxy"),
        pytest.param("hook", [], (), id="no hook"),
        pytest.param("hook", ["/a b", "$HOME", ""], ("/a b", "$HOME", ""), id="a hook"),
        pytest.param("hook", ["~/bin/told"], ("~/bin/told",), id="a hook at home"),
        pytest.param("hook", ["notify-all"], ("notify-all",), id="a hook by its bare name"),
        pytest.param("hook", [r"C:\a.exe"], (r"C:\a.exe",), id="a hook on Windows"),
        pytest.param("hook", ' ["/a", "b"]', ("/a", "b"), id="a list, as variables have it"),
        pytest.param("folders", [" Inbox", "A/B"], ("Inbox", "A/B"), id="folders"),
        pytest.param("folders", "inbox; A, B", ("inbox", "A, B"), id="folders in words"),
        pytest.param("folders", '["a;b"]', ("a;b",), id="folders as JSON"),
        pytest.param(
            "folders",
            [f"{'A' * 64}J", f"{'A' * 64}j"],
            (f"{'A' * 64}J", f"{'A' * 64}j"),
            id="ids that differ in capitals",
        ),
        pytest.param(
            "folders", ["T@x.test", "t2@x.test/A"], ("T@x.test", "t2@x.test/A"), id="shared folders"
        ),
        pytest.param("vip", ["Ann@X.test", "@Y.test"], ("ann@x.test", "@y.test"), id="senders"),
        pytest.param("vip", "ann@x.test;ANN@x.test", ("ann@x.test",), id="a sender twice"),
        pytest.param("muted", [], (), id="nobody"),
        pytest.param("focused_only", "yes", True, id="focused"),
        pytest.param("own_mail", "Notify", "notify", id="own mail"),
        pytest.param("icon_count", "new", "new", id="what is new"),
        pytest.param("buttons", [], (), id="no buttons"),
        pytest.param("buttons", "[]", (), id="no buttons, in words"),
        pytest.param("buttons", "delete", ("delete",), id="one button, in words"),
        pytest.param("buttons", ["archive", "delete"], ("archive", "delete"), id="two buttons"),
        pytest.param("open_in", "mail_program", "mail_program", id="the mail program"),
        pytest.param("group_conversations", False, False, id="each by itself"),
        pytest.param("sound", "None", "none", id="no sound"),
        pytest.param("sound", "/s/a b.oga", "/s/a b.oga", id="a sound file"),
        pytest.param("sound", r"C:\s\a.wav", r"C:\s\a.wav", id="a sound file of Windows"),
        pytest.param("privacy", "sender", "sender", id="the sender alone"),
        pytest.param("privacy_when_locked", "subject", "subject", id="all while locked"),
        pytest.param("language", "", "", id="the system's language"),
        pytest.param("language", "PT", "pt", id="a language"),
        pytest.param("accounts", {}, {}, id="no accounts"),
        pytest.param(
            "accounts",
            {
                "Ann@x.test": {
                    "name": " Work ",
                    "folders": ["inbox"],
                    "addresses": ["A@x.test"],
                    "sound": "none",
                },
                "ben@x.test": {},
            },
            {
                "ann@x.test": AccountWishes("Work", ("inbox",), ("a@x.test",), "none"),
                "ben@x.test": AccountWishes(),
            },
            id="accounts",
        ),
    ],
)
def test_understands(key: str, value: object, understood: object) -> None:
    found = _parse(key, value)
    assert found == understood
    assert type(found) is type(understood)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        pytest.param("client_id", "ada@contoso.com", ["mail address", "Application"], id="address"),
        pytest.param("client_id", "abc", ["Application (client) ID", "8-4-4-4-12"], id="no GUID"),
        pytest.param("client_id", 5, ["text"], id="a number for a GUID"),
        pytest.param("tenant", "ada@contoso.com", ["follows the @"], id="address for a tenant"),
        pytest.param("tenant", "contoso", ["common", "domain"], id="no tenant"),
        pytest.param("tenant", "https://contoso.com/x", ["domain"], id="an address of a page"),
        pytest.param("cloud", "usgob", ['"usgov"', "global"], id="a mistyped cloud"),
        pytest.param("interval_s", 9.9, ["10", "3600", "seconds"], id="too often"),
        pytest.param("interval_s", 3_601, ["10", "3600"], id="too seldom"),
        pytest.param("interval_s", "nan", ["10"], id="not a number"),
        pytest.param("interval_s", "1e999", ["10"], id="infinite"),
        pytest.param("interval_s", 10**400, ["10"], id="more than a float holds"),
        pytest.param("interval_s", True, ["number"], id="true is no number"),
        pytest.param("interval_s", [60], ["number"], id="a list is no number"),
        pytest.param("preview", "maybe", ["true or false"], id="maybe"),
        pytest.param("preview", 1, ["true or false"], id="1 is no word"),
        pytest.param("notifier", "consol", ['"console"'], id="a mistyped notifier"),
        pytest.param("tray", False, ["text"], id="false for a tray"),
        pytest.param("max_single_notifications", 2.5, ["whole"], id="half a message"),
        pytest.param("max_single_notifications", -1, ["0", "20"], id="fewer than none"),
        pytest.param("quiet_hours", 5, ["list", "mon-fri 22:00-07:00"], id="no list of hours"),
        pytest.param("quiet_hours", [5], ["text"], id="a number for hours"),
        pytest.param("quiet_hours", ["nights"], ["“nights”", "sat,sun"], id="no hours"),
        pytest.param("quiet_hours", ["22:00-07:00"], ["“”", "mon", "sun"], id="hours of no day"),
        pytest.param("quiet_hours", ["mon 25:00-07:00"], ["mon-fri"], id="an hour too late"),
        pytest.param("quiet_hours", ["mon 24:00-07:00"], ["mon-fri"], id="a day that is over"),
        pytest.param("quiet_hours", ["mon-fr 22:00-07:00"], ["“fr”", "tue"], id="a mistyped day"),
        pytest.param("quiet_in_do_not_disturb", "perhaps", ["true or false"], id="perhaps"),
        pytest.param("log_level", "loud", ["warning"], id="no level"),
        pytest.param("ca_bundle", "company.pem", ["whole path", "PEM"], id="a path from nowhere"),
        pytest.param("ca_bundle", "C:company.pem", ["whole path"], id="a drive without a root"),
        pytest.param("ca_bundle", "/a\n/b", ["PEM", "one line"], id="two paths"),
        pytest.param("ca_bundle", False, ["text"], id="trust cannot be switched off"),
        pytest.param("hook", "/bin/told me", ["list", "no shell"], id="a command line"),
        pytest.param("hook", '["/bin/told"', ["list"], id="half a list"),
        pytest.param("hook", "[" * 100_000, ["list"], id="a list far too deep"),
        pytest.param("hook", ["/bin/told", 5], ["list"], id="a number for an argument"),
        pytest.param("hook", {"program": "told"}, ["list"], id="a table for a list"),
        pytest.param("hook", ["", "told"], ["list"], id="no program"),
        pytest.param("hook", ["/bin/told\0"], ["list"], id="what no system can start"),
        pytest.param("hook", ["bin/told"], ["whole path", "bare name"], id="from nowhere"),
        pytest.param("hook", ["C:told"], ["whole path"], id="a drive's own folder"),
        pytest.param("intervall_s", 60, ['"interval_s"'], id="a mistyped key"),
        pytest.param("client-id", GUID, ['"client_id"'], id="a hyphen"),
        pytest.param("Preview", True, ['"preview"'], id="a capital"),
        pytest.param("zzz", {}, ["client_id", "log_level"], id="nothing like it"),
        pytest.param("locked", ["tenant"], ["administrator"], id="a lock of one's own"),
        pytest.param("folders", [], ["at least"], id="no folder at all"),
        pytest.param("folders", 5, ["list of folders", "Projects/Alpha"], id="no list of folders"),
        pytest.param("folders", ["a:b"], ["“a:b”", "Projects/Alpha"], id="no folder's name"),
        pytest.param("folders", ["inbox", "INBOX"], ["“inbox” twice"], id="a folder twice"),
        pytest.param("folders", ["T@x.test", "t@x.test/inbox"], ["twice"], id="a shared one twice"),
        pytest.param("folders", [f"f{n}" for n in range(51)], ["50"], id="too many folders"),
        pytest.param("vip", ["ann"], ["“ann”", "anna@contoso.com", "@contoso"], id="no address"),
        pytest.param("vip", ["@localhost"], ["“@localhost”"], id="no domain"),
        pytest.param("muted", True, ["list of addresses"], id="no list of senders"),
        pytest.param("own_mail", "silence", ['"silent"', "notify"], id="a mistyped manner"),
        pytest.param("icon_count", "all", ["unread or new"], id="no number"),
        pytest.param("buttons", ["archive", "delete", "mark_read"], ["two"], id="three buttons"),
        pytest.param("buttons", ["delete", "delete"], ["two"], id="a button twice"),
        pytest.param("buttons", ["reply"], ['"mark_read"', "[]"], id="no button"),
        pytest.param("open_in", "outlook", ["webmail or mail_program"], id="no place to open"),
        pytest.param("sound", "ding.wav", ["whole path", "none"], id="a sound from nowhere"),
        pytest.param("sound", "", ["desktop"], id="a sound without a name"),
        pytest.param("sound", "/a\nb", ["whole path"], id="two sounds"),
        pytest.param("privacy", "all", ["subject, sender or hidden"], id="no privacy"),
        pytest.param("privacy_when_locked", False, ["text"], id="false for a privacy"),
        pytest.param("language", "es-mx", ["es, pt or ja"], id="no language"),
        pytest.param("accounts", "ann@x.test", ["[accounts."], id="accounts in words"),
        pytest.param("accounts", [{}], ["[accounts."], id="a list of accounts"),
    ],
)
def test_says_what_is_wrong_and_what_is_right(key: str, value: object, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        _parse(key, value)
    assert (caught.value.origin, caught.value.key) == ("somewhere", key)
    for word in words:
        assert word in caught.value.problem
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("wishes", "key", "words"),
    [
        pytest.param({"ann": {}}, "accounts.ann", ["[accounts."], id="no address"),
        pytest.param({"ann@x.test": 5}, 'accounts."ann@x.test"', ["table"], id="no table"),
        pytest.param(
            {"ann@x.test": {}, "ANN@x.test": {}},
            'accounts."ANN@x.test"',
            ["twice"],
            id="an account twice",
        ),
        pytest.param(
            {"ann@x.test": {"folder": ["inbox"]}},
            'accounts."ann@x.test".folder',
            ['"folders"'],
            id="a mistyped key",
        ),
        pytest.param(
            {"ann@x.test": {"zzz": 1}},
            'accounts."ann@x.test".zzz',
            ["name, folders, addresses, sound"],
            id="no key",
        ),
        pytest.param(
            {"ann@x.test": {"folders": "a:b"}},
            'accounts."ann@x.test".folders',
            ["“a:b”"],
            id="no folder",
        ),
        pytest.param(
            {"ann@x.test": {"addresses": ["@x.test"]}},
            'accounts."ann@x.test".addresses',
            ["list of mail addresses"],
            id="a domain of one's own",
        ),
        pytest.param(
            {"ann@x.test": {"name": "a\nb"}},
            'accounts."ann@x.test".name',
            ["one line"],
            id="a name on two lines",
        ),
        pytest.param(
            {"ann@x.test": {"sound": 5}},
            'accounts."ann@x.test".sound',
            ["text"],
            id="a number for a sound",
        ),
    ],
)
def test_says_which_account_is_wrong(
    wishes: Mapping[str, object], key: str, words: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        _parse("accounts", wishes)
    assert caught.value.key == key
    for word in words:
        assert word in caught.value.problem


@pytest.mark.parametrize("pasted", ["ada@contoso.com", "Abc8Q~secretsecretsecret"])
def test_never_repeats_what_was_pasted_as_client_id(pasted: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _parse("client_id", pasted)
    assert pasted not in str(caught.value)


@pytest.mark.parametrize(
    "wish",
    [
        pytest.param("ada:hunter2@proxy:8080", id="no scheme"),
        pytest.param("socks5://ada:hunter2@proxy:1080", id="another kind"),
        pytest.param("http://ada:hunter2@", id="no host"),
        pytest.param("http://ada:hunter2@proxy:port", id="no port"),
        pytest.param("http://ada:hunter2@proxy:99999", id="a port that cannot be"),
        pytest.param("http://ada:hunter2#1@proxy:8080", id="a password with a mark of addresses"),
        pytest.param("http://ada:hunter2/1@proxy:8080", id="a password with a slash"),
        pytest.param("http://ada:hunter2@proxy:8080/wpad.dat", id="a script"),
        pytest.param("http://ada:hunter2 1@proxy:8080", id="a blank"),
        pytest.param("http://ada:hunter2@pro\nxy:8080", id="two lines"),
        pytest.param("http://[hunter2", id="half an address"),
    ],
)
def test_a_wrong_proxy_is_told_its_form_and_never_repeated(wish: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _parse("proxy", wish)
    assert "http://host:port" in caught.value.problem
    assert "%40" in caught.value.problem
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_the_settings_do_not_show_the_proxys_password() -> None:
    assert "hunter2" not in repr(Settings(proxy="http://ada:hunter2@proxy:8080"))


LOW: Mapping[str, object] = {"interval_s": 120, "tenant": "consumers"}


def test_the_first_place_that_has_a_key_wins() -> None:
    settings = parse_settings([_said("a", {}), _said("b", {"interval_s": 30}), _said("c", LOW)])
    assert (settings.interval_s, settings.tenant) == (30.0, "consumers")


def test_a_mistake_is_told_even_where_another_place_wins() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_settings([_said("a", {"interval_s": 30}), _said("b", {"interval_s": 5})])
    assert caught.value.origin == "b"


def test_without_wishes_the_defaults_stand() -> None:
    assert parse_settings([]) == Settings()


def test_every_default_is_a_right_value() -> None:
    defaults = {f.name: getattr(Settings(), f.name) for f in fields(Settings) if f.default != ""}
    assert parse_settings([_said("defaults", defaults)]) == Settings()
    assert list(FORMS) == [*KEYS] == [f.name for f in fields(Settings)]


def test_a_simulator_may_be_polled_faster() -> None:
    settings = parse_settings([_said("a", {"interval_s": 0.05})], interval_min_s=0.001)
    assert settings.interval_s == 0.05 < INTERVAL_MIN_S


ANN = "Ann@X.test"
SHARED: Mapping[str, object] = {"folders": ["inbox", "team@x.test"]}
AT_ANNS: Mapping[str, object] = {"accounts": {"ann@x.test": SHARED}}


@pytest.mark.parametrize(
    ("wishes", "asked", "least", "to_change"),
    [
        pytest.param({}, "Mail.ReadBasic", "", "Mail.ReadWrite", id="least permission"),
        pytest.param(
            {"preview": True}, "Mail.Read", "Mail.ReadBasic", "Mail.ReadWrite", id="previews"
        ),
        pytest.param(
            {"preview": True, "privacy": "sender"},
            "Mail.ReadBasic",
            "",
            "Mail.ReadWrite",
            id="previews that nobody sees",
        ),
        pytest.param(
            {"preview": True, "privacy": "hidden", "privacy_when_locked": "subject"},
            "Mail.ReadBasic",
            "",
            "Mail.ReadWrite",
            id="nor while locked",
        ),
        pytest.param(
            SHARED,
            "Mail.ReadBasic Mail.ReadBasic.Shared",
            "Mail.ReadBasic",
            "Mail.ReadWrite Mail.ReadWrite.Shared",
            id="a shared mailbox",
        ),
        pytest.param(
            {**AT_ANNS, "preview": True},
            "Mail.Read Mail.Read.Shared",
            "Mail.ReadBasic",
            "Mail.ReadWrite Mail.ReadWrite.Shared",
            id="a shared mailbox of one account, with previews",
        ),
        pytest.param(
            {"accounts": {"ann@x.test": {"folders": ["inbox"]}}, **SHARED},
            "Mail.ReadBasic",
            "",
            "Mail.ReadWrite",
            id="a shared mailbox of the others",
        ),
        pytest.param(
            {"cloud": "usgov", **SHARED},
            "https://graph.microsoft.us/Mail.ReadBasic "
            "https://graph.microsoft.us/Mail.ReadBasic.Shared",
            "https://graph.microsoft.us/Mail.ReadBasic",
            "https://graph.microsoft.us/Mail.ReadWrite "
            "https://graph.microsoft.us/Mail.ReadWrite.Shared",
            id="another cloud's Graph has to be named",
        ),
    ],
)
def test_scopes(wishes: Mapping[str, object], asked: str, least: str, to_change: str) -> None:
    settings = parse_settings([_said("a", wishes)])
    assert settings.scopes_for(ANN) == tuple(asked.split())
    assert settings.least_scopes_for(ANN) == tuple(least.split())
    assert settings.change_scopes_for(ANN) == tuple(f"{asked} {to_change}".split())
    assert settings.scopes == settings.scopes_for(ANN)[:1]


def test_an_accounts_own_wishes_go_before_the_general_ones() -> None:
    wishes = {"folders": ["inbox", "A"], "sound": "/a.oga"}
    own = {"ann@x.test": {"folders": ["B"], "sound": "none"}, "ben@x.test": {"name": "Ben"}}
    settings = parse_settings([_said("a", {**wishes, "accounts": own})])
    assert [wish.folder for wish in settings.folders_for(ANN)] == ["B"]
    assert [wish.folder for wish in settings.folders_for("ben@x.test")] == ["inbox", "A"]
    assert settings.sound_for(ANN) == "none"
    assert settings.sound_for("ben@x.test") == settings.sound_for("who@x.test") == "/a.oga"
    assert settings.account("ben@x.test").name == "Ben"


# -- whose word counts ---------------------------------------------------------------------------


def _layers(**wishes: Mapping[str, object]) -> list[Layer]:
    return [_said(place, wishes.get(place, {}), Place(place)) for place in Place]


def test_tells_where_each_setting_comes_from() -> None:
    found = weigh(
        _layers(
            option={"tenant": "consumers"},
            variable={"preview": "yes", "tenant": "common"},
            file={"folders": ["A"], "preview": False},
            administrator={"cloud": "usgov"},
            release={"client_id": GUID},
        )
    )
    assert [*found] == [*KEYS]
    assert {key: one.place.value for key, one in found.items() if one.origin} == {
        "tenant": "option",
        "preview": "variable",
        "folders": "file",
        "cloud": "administrator",
        "client_id": "release",
    }
    assert found["sound"].place is Place.DEFAULT
    assert (found["folders"].shown, found["preview"].shown) == (["A"], True)
    assert found["quiet_hours"].shown == []
    assert not any(one.is_locked or one.overruled for one in found.values())


def test_a_locked_setting_is_the_administrators() -> None:
    found = weigh(
        _layers(
            option={"tenant": "contoso.com"},
            variable={"hook": '["/bin/x"]'},
            file={"tenant": "consumers", "interval_s": 20},
            administrator={
                "locked": ["tenant", "hook", "interval_s"],
                "tenant": "contoso.com",
                "interval_s": 20,
            },
        )
    )
    assert (found["tenant"].value, found["tenant"].place) == ("contoso.com", Place.ADMINISTRATOR)
    assert found["tenant"].overruled == ("file",)
    assert (found["hook"].value, found["hook"].place) == ((), Place.DEFAULT)
    assert found["hook"].overruled == ("variable",)
    assert found["interval_s"].overruled == ()
    assert {key for key, one in found.items() if one.is_locked} == {"tenant", "hook", "interval_s"}


@pytest.mark.parametrize(
    ("locked", "words"),
    [
        pytest.param(["tennant"], ['"tenant"', "“tennant”"], id="a mistyped key"),
        pytest.param(["zzz"], ["“zzz”", "client_id"], id="no key"),
        pytest.param(True, ["list of settings"], id="no list"),
        pytest.param([5], ["text"], id="a number"),
    ],
)
def test_a_wrong_lock_is_the_administrators_mistake(locked: object, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        weigh(_layers(administrator={"locked": locked}))
    assert (caught.value.origin, caught.value.key) == ("administrator", "locked")
    for word in words:
        assert word in caught.value.problem


def test_a_proxys_password_is_not_shown() -> None:
    found = weigh([_said("a", {"proxy": "http://ada:hunter2@proxy:8080"})])
    assert found["proxy"].shown == "http://ada:…@proxy:8080"
    assert weigh([_said("a", {"proxy": "http://proxy:1"})])["proxy"].shown == "http://proxy:1"


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_cloud_is_https_and_its_mailbox_on_its_own_hosts(cloud: str) -> None:
    here = Settings(cloud=cloud).endpoints
    for root in (here.login_root, here.graph_root):
        assert root.startswith("https://")
        assert not root.endswith("/")
    assert here.mailbox.split("/")[2] in here.webmail_hosts
