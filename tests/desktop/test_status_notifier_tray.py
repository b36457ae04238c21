"""The tray icon over a real bus: to a stand-in for a watcher, and to a reader of its menu."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from dbus_fast.aio import MessageBus
from dbus_fast.constants import MessageFlag, MessageType
from dbus_fast.message import Message
from dbus_fast.signature import Variant

from mailtray.adapters.desktop_loop import DesktopLoop
from mailtray.adapters.status_notifier_tray import StatusNotifierTray
from mailtray.core.errors import TrayError
from mailtray.core.model import IconKind, MenuItem, TrayView
from tests.desktop.rig import wait_until
from tests.desktop.services import Watcher

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.desktop.rig import DesktopSession

pytestmark = pytest.mark.desktop

LINE = MenuItem(is_separator=True)
CHECK = MenuItem("Check now", "check_now", is_default=True)
QUIT = MenuItem("Quit", "quit")


def view(
    *menu: MenuItem, icon: IconKind = IconKind.NORMAL, count: int = 0, tooltip: str = "mailtray"
) -> TrayView:
    return TrayView(icon, count, tooltip, menu)


class Host:
    """A panel that asks as hosts do, through a connection of its own."""

    def __init__(self, address: str, loop: DesktopLoop) -> None:
        self._loop = loop
        self.signals: list[tuple[str, list[Any]]] = []
        self.item = ""
        self._bus = loop.call(self._connect(address), 5)

    async def _connect(self, address: str) -> MessageBus:
        bus = await MessageBus(address).connect()
        bus.add_message_handler(self._on_message)
        await bus.call(
            Message(
                destination="org.freedesktop.DBus",
                path="/org/freedesktop/DBus",
                interface="org.freedesktop.DBus",
                member="AddMatch",
                signature="s",
                body=["type='signal'"],
            )
        )
        return bus

    def _on_message(self, message: Message) -> None:
        if message.message_type is MessageType.SIGNAL:
            self.signals.append((str(message.member), message.body))

    def call(
        self, path: str, interface: str, member: str, signature: str = "", *body: object
    ) -> Message:
        message = Message(
            destination=self.item,
            path=path,
            interface=interface,
            member=member,
            signature=signature,
            body=list(body),
        )
        reply = self._loop.call(self._bus.call(message), 5)
        assert reply is not None
        return reply

    def tell(self, path: str, interface: str, member: str, signature: str, *body: object) -> None:
        """Call without wanting an answer."""
        message = Message(
            destination=self.item,
            path=path,
            interface=interface,
            member=member,
            signature=signature,
            body=list(body),
            flags=MessageFlag.NO_REPLY_EXPECTED,
        )
        self._loop.post(lambda: self._bus.send(message))

    def properties(self) -> dict[str, Any]:
        reply = self.call(
            "/StatusNotifierItem",
            "org.freedesktop.DBus.Properties",
            "GetAll",
            "s",
            "org.kde.StatusNotifierItem",
        )
        return {name: found.value for name, found in reply.body[0].items()}

    def menu(self, member: str, signature: str = "", *body: object) -> list[Any]:
        reply = self.call("/MenuBar", "com.canonical.dbusmenu", member, signature, *body)
        assert reply.message_type is MessageType.METHOD_RETURN, reply.body
        return list(reply.body)

    def items(self) -> list[tuple[int, dict[str, Any]]]:
        """Return ids and properties of the menu's items."""
        _, (_, _, children) = self.menu("GetLayout", "iias", 0, -1, [])
        return [(child.value[0], plain(child.value[1])) for child in children]

    def close(self) -> None:
        self._loop.post(self._bus.disconnect)
        wait_until(lambda: not self._bus.connected)


def plain(properties: dict[str, Variant]) -> dict[str, Any]:
    return {name: found.value for name, found in properties.items()}


class Commands(list[tuple[str, str]]):
    def take(self, command: str, argument: str) -> None:
        self.append((command, argument))


@pytest.fixture
def watcher(bare_bus: DesktopSession) -> Iterator[Watcher]:
    with Watcher(bare_bus.env["DBUS_SESSION_BUS_ADDRESS"]) as watcher:
        yield watcher


@pytest.fixture
def commands() -> Commands:
    return Commands()


@pytest.fixture
def hosted() -> list[bool]:
    return []


@pytest.fixture
def tray(loop: DesktopLoop, commands: Commands, hosted: list[bool]) -> Iterator[StatusNotifierTray]:
    tray = StatusNotifierTray(loop, commands.take, on_hosted=hosted.append)
    yield tray
    tray.stop()


@pytest.fixture
def host(bare_bus: DesktopSession, watcher: Watcher, tray: StatusNotifierTray) -> Iterator[Host]:
    assert tray.start()
    own_loop = DesktopLoop()
    host = Host(bare_bus.env["DBUS_SESSION_BUS_ADDRESS"], own_loop)
    host.item = watcher.registrations[0]
    yield host
    host.close()
    own_loop.close()


class TestRegistering:
    def test_once_and_listed(
        self, watcher: Watcher, tray: StatusNotifierTray, hosted: list[bool]
    ) -> None:
        assert tray.start()
        assert tray.start()
        assert tray.is_hosted
        assert len(watcher.registrations) == 1
        assert hosted == [True]

    def test_no_bus(self, no_bus: None, tray: StatusNotifierTray) -> None:
        del no_bus
        with pytest.raises(TrayError):
            tray.start()
        assert not tray.is_hosted
        tray.render(view(CHECK))

    def test_a_watcher_that_comes_later(
        self, bare_bus: DesktopSession, tray: StatusNotifierTray, hosted: list[bool]
    ) -> None:
        assert not tray.start()
        assert hosted == []
        with Watcher(bare_bus.env["DBUS_SESSION_BUS_ADDRESS"]) as watcher:
            wait_until(lambda: tray.is_hosted)
            assert len(watcher.registrations) == 1
            assert hosted == [True]
        wait_until(lambda: not tray.is_hosted)
        assert hosted == [True, False]

    def test_each_new_watcher_gets_it_once(
        self, watcher: Watcher, tray: StatusNotifierTray, hosted: list[bool]
    ) -> None:
        tray.start()
        for _ in range(5):
            watcher.vanish()
            wait_until(lambda: not tray.is_hosted)
            watcher.appear()
            wait_until(lambda: tray.is_hosted)
            assert len(watcher.registrations) == 1
        assert hosted == [True, *[False, True] * 5]

    def test_an_icon_that_the_watcher_does_not_list_is_not_claimed(
        self, watcher: Watcher, tray: StatusNotifierTray
    ) -> None:
        watcher.lists = False
        assert not tray.start()

    def test_a_watcher_without_a_panel_shows_nothing(
        self, watcher: Watcher, tray: StatusNotifierTray
    ) -> None:
        watcher.has_host = False
        assert not tray.start()

    def test_a_watcher_that_drops_it(
        self, watcher: Watcher, tray: StatusNotifierTray, hosted: list[bool]
    ) -> None:
        tray.start()
        watcher.unlist()
        wait_until(lambda: hosted == [True, False])

    def test_stopping_leaves_the_bus(
        self, bare_bus: DesktopSession, watcher: Watcher, tray: StatusNotifierTray
    ) -> None:
        tray.start()
        name = watcher.registrations[0]
        assert bare_bus.owner_of(name)
        tray.stop()
        tray.stop()
        tray.render(view(CHECK))
        assert not bare_bus.owner_of(name)

    def test_run_waits_for_quit(self, tray: StatusNotifierTray) -> None:
        asked = threading.Event()
        tray.run(asked.set)
        assert asked.is_set()


class TestItem:
    def test_says_what_it_is(self, host: Host, tray: StatusNotifierTray) -> None:
        tray.render(
            view(icon=IconKind.UNREAD, count=3, tooltip="3 unread\nR&D <Team>\nChecked 10:04")
        )
        wait_until(lambda: host.properties()["Title"] == "3 unread")
        found = host.properties()
        assert found["Id"] == "mailtray"
        assert found["Category"] == "Communications"
        assert found["Status"] == "Active"
        assert found["ItemIsMenu"] is False
        assert found["Menu"] == "/MenuBar"
        # The description is markup by the specification; Xfce shows none that is broken.
        assert list(found["ToolTip"]) == ["", [], "3 unread", "R&amp;D &lt;Team&gt;\nChecked 10:04"]

    def test_offers_pictures_of_several_sizes(self, host: Host) -> None:
        pictures = host.properties()["IconPixmap"]
        assert {size for size, _, _ in pictures} >= {16, 22, 24, 32, 48}
        for width, height, pixels in pictures:
            assert width == height
            assert len(pixels) == 4 * width * height

    def test_the_pictures_are_argb_in_network_order(self, host: Host) -> None:
        width, _, pixels = host.properties()["IconPixmap"][0]
        middle_of_the_top_row = pixels[4 * (width // 2) :][:4]
        assert middle_of_the_top_row == bytes([255, 13, 45, 54])

    def test_attention_is_a_status(self, host: Host, tray: StatusNotifierTray) -> None:
        tray.render(view(icon=IconKind.ATTENTION))
        wait_until(lambda: host.properties()["Status"] == "NeedsAttention")
        found = host.properties()
        assert found["AttentionIconPixmap"] == found["IconPixmap"]
        tray.render(view())
        wait_until(lambda: host.properties()["Status"] == "Active")

    def test_only_what_changed_is_told(self, host: Host, tray: StatusNotifierTray) -> None:
        def told(shown: TrayView) -> set[str]:
            host.signals.clear()
            tray.render(shown)
            host.properties()
            return {name for name, _ in host.signals}

        assert told(view(CHECK, tooltip="One")) == {"NewTitle", "NewToolTip", "LayoutUpdated"}
        assert told(view(CHECK, tooltip="One")) == set()
        assert told(view(CHECK, tooltip="One\ntwo")) == {"NewToolTip"}
        unread = view(CHECK, tooltip="One\ntwo", icon=IconKind.UNREAD, count=100)
        assert told(unread) == {"NewIcon", "NewAttentionIcon"}
        # Both are shown as 99+.
        assert told(view(CHECK, tooltip="One\ntwo", icon=IconKind.UNREAD, count=5000)) == set()

    def test_left_click_is_the_default_item(
        self, host: Host, tray: StatusNotifierTray, commands: Commands
    ) -> None:
        tray.render(view(QUIT, CHECK))
        for member, signature, arguments in (
            ("SecondaryActivate", "ii", (0, 0)),
            ("ContextMenu", "ii", (0, 0)),
            ("Scroll", "is", (3, "vertical")),
            ("Activate", "ii", (0, 0)),
        ):
            reply = host.call(
                "/StatusNotifierItem", "org.kde.StatusNotifierItem", member, signature, *arguments
            )
            assert reply.message_type is MessageType.METHOD_RETURN
        assert commands == [("check_now", "")]

    def test_a_call_that_wants_no_answer_gets_none(
        self, host: Host, tray: StatusNotifierTray, commands: Commands
    ) -> None:
        tray.render(view(CHECK))
        host.tell("/StatusNotifierItem", "org.kde.StatusNotifierItem", "Activate", "ii", 0, 0)
        wait_until(lambda: commands == [("check_now", "")])

    @pytest.mark.parametrize(
        ("path", "interface", "member", "signature", "body"),
        [
            pytest.param(
                "/StatusNotifierItem",
                "org.freedesktop.DBus.Properties",
                "Get",
                "ss",
                ["org.kde.StatusNotifierItem", "Nonsense"],
                id="unknown property of the item",
            ),
            pytest.param(
                "/MenuBar",
                "org.freedesktop.DBus.Properties",
                "Get",
                "ss",
                ["com.canonical.dbusmenu", "Nonsense"],
                id="unknown property of the menu",
            ),
            pytest.param(
                "/MenuBar", "com.canonical.dbusmenu", "Nonsense", "", [], id="unknown method"
            ),
            pytest.param(
                "/StatusNotifierItem", "org.kde.StatusNotifierItem", "Nonsense", "", [], id="same"
            ),
            pytest.param(
                "/StatusNotifierItem",
                "org.freedesktop.DBus.Properties",
                "Set",
                "ssv",
                ["org.kde.StatusNotifierItem", "Id", Variant("s", "other")],
                id="a property cannot be set",
            ),
            pytest.param("/Other", "org.example.Other", "Nonsense", "", [], id="unknown object"),
            pytest.param(
                "/MenuBar", "com.canonical.dbusmenu", "GetProperty", "is", [77, "label"], id="item"
            ),
            pytest.param(
                "/MenuBar", "com.canonical.dbusmenu", "GetLayout", "iias", [77, -1, []], id="layout"
            ),
        ],
    )
    def test_nonsense_is_an_error(
        self, host: Host, path: str, interface: str, member: str, signature: str, body: list[Any]
    ) -> None:
        reply = host.call(path, interface, member, signature, *body)
        assert reply.message_type is MessageType.ERROR

    @pytest.mark.parametrize("path", ["/StatusNotifierItem", "/MenuBar"])
    def test_can_be_introspected(self, host: Host, path: str) -> None:
        host._loop.call(host._bus.introspect(host.item, path), 5)

    def test_single_properties(self, host: Host) -> None:
        get = ("org.freedesktop.DBus.Properties", "Get", "ss")
        item = host.call("/StatusNotifierItem", *get, "org.kde.StatusNotifierItem", "Id")
        assert item.body[0].value == "mailtray"
        menu = host.call("/MenuBar", *get, "com.canonical.dbusmenu", "Version")
        assert menu.body[0].value == 3
        everything = host.call(
            "/MenuBar",
            "org.freedesktop.DBus.Properties",
            "GetAll",
            "s",
            "com.canonical.dbusmenu",
        )
        assert plain(everything.body[0])["Status"] == "normal"


class TestMenu:
    def test_layout(self, host: Host, tray: StatusNotifierTray) -> None:
        tray.render(view(MenuItem("ann_b@example.test"), LINE, CHECK))
        assert [properties for _, properties in host.items()] == [
            # A single underscore would be taken for the mark of an access key.
            {"label": "ann__b@example.test", "enabled": False},
            {"type": "separator"},
            {"label": "Check now", "enabled": True},
        ]

    def test_layout_of_the_root_alone_and_by_property(
        self, host: Host, tray: StatusNotifierTray
    ) -> None:
        tray.render(view(CHECK))
        _, (number, properties, children) = host.menu("GetLayout", "iias", 0, 0, [])
        assert (number, plain(properties), children) == (0, {"children-display": "submenu"}, [])
        _, (_, _, (child,)) = host.menu("GetLayout", "iias", 0, 1, ["label"])
        assert plain(child.value[1]) == {"label": "Check now"}
        _, (number, properties, _) = host.menu("GetLayout", "iias", child.value[0], 1, [])
        assert plain(properties)["label"] == "Check now"

    def test_a_submenu(self, host: Host, tray: StatusNotifierTray, commands: Commands) -> None:
        hour, tomorrow = MenuItem("1 hour", "pause", "1h"), MenuItem("Tomorrow", "pause", "1d")
        tray.render(view(CHECK, MenuItem("Pause", children=(hour, tomorrow)), QUIT))
        (_, _), (pause, properties), (quit_id, _) = host.items()
        assert properties == {"label": "Pause", "enabled": True, "children-display": "submenu"}
        _, (_, _, children) = host.menu("GetLayout", "iias", 0, -1, ["label"])
        assert [len(child.value[2]) for child in children] == [0, 2, 0]
        _, (_, _, children) = host.menu("GetLayout", "iias", 0, 1, [])
        assert [child.value[2] for child in children] == [[], [], []]
        _, (number, _, children) = host.menu("GetLayout", "iias", pause, 1, ["label"])
        labels = [plain(child.value[1])["label"] for child in children]
        assert (number, labels) == (pause, ["1 hour", "Tomorrow"])
        assert host.menu("AboutToShow", "i", pause) == [False]
        for clicked in (pause, children[0].value[0]):
            host.menu("Event", "isvu", clicked, "clicked", Variant("i", 0), 0)
        assert commands == [("pause", "1h")]
        host.signals.clear()
        tray.render(view(CHECK, MenuItem("Pause", children=(hour,)), QUIT))
        assert host.items()[2][0] == quit_id
        assert [name for name, _ in host.signals] == ["LayoutUpdated"]

    def test_properties_of_some_and_of_all(self, host: Host, tray: StatusNotifierTray) -> None:
        tray.render(view(CHECK, QUIT))
        (_, _), (quit_id, _) = host.items()
        (some,) = host.menu("GetGroupProperties", "aias", [quit_id, 77], ["label"])
        assert [(number, plain(found)) for number, found in some] == [(quit_id, {"label": "Quit"})]
        (everything,) = host.menu("GetGroupProperties", "aias", [], [])
        assert len(everything) == 2
        (label,) = host.menu("GetProperty", "is", quit_id, "label")
        assert label.value == "Quit"

    def test_a_click_sends_command_and_argument(
        self, host: Host, tray: StatusNotifierTray, commands: Commands
    ) -> None:
        tray.render(view(CHECK, MenuItem("Ann: Hello", "open", "id-1"), MenuItem("3 unread")))
        check, ann, told = (number for number, _ in host.items())
        nothing = Variant("i", 0)
        assert host.menu("AboutToShow", "i", 0) == [False]
        assert host.menu("AboutToShowGroup", "ai", [0, check, 77]) == [[], [77]]
        host.menu("Event", "isvu", ann, "opened", nothing, 0)
        host.menu("Event", "isvu", ann, "hovered", nothing, 0)
        host.menu("Event", "isvu", told, "clicked", nothing, 0)
        assert commands == []
        host.menu("Event", "isvu", ann, "clicked", nothing, 0)
        events = [[check, "clicked", nothing, 0], [77, "clicked", nothing, 0]]
        assert host.menu("EventGroup", "a(isvu)", events) == [[77]]
        assert commands == [("open", "id-1"), ("check_now", "")]

    def test_opening_the_menu_is_a_look(
        self, host: Host, tray: StatusNotifierTray, commands: Commands
    ) -> None:
        tray.render(view(CHECK))
        host.menu("Event", "isvu", 0, "opened", Variant("i", 0), 0)
        assert commands == [("looked", "")]

    def test_a_click_on_a_menu_drawn_before_does_what_it_said(
        self, host: Host, tray: StatusNotifierTray, commands: Commands
    ) -> None:
        tray.render(view(MenuItem("Ann", "open", "ann"), QUIT))
        (ann, _), _ = host.items()
        tray.render(view(MenuItem("Ben", "open", "ben"), QUIT))
        host.items()
        host.menu("Event", "isvu", ann, "clicked", Variant("i", 0), 0)
        assert commands == [("open", "ann")]

    def test_a_new_label_is_told_without_a_new_layout(
        self, host: Host, tray: StatusNotifierTray
    ) -> None:
        tray.render(view(MenuItem("Checked 10:04"), CHECK))
        before = host.items()
        host.signals.clear()
        tray.render(view(MenuItem("Checked 10:05"), CHECK))
        after = host.items()
        assert [number for number, _ in after] == [number for number, _ in before]
        ((name, (updated, removed)),) = host.signals
        assert name == "ItemsPropertiesUpdated"
        assert plain(updated[0][1])["label"] == "Checked 10:05"
        assert removed == []


def test_the_bus_that_broke_is_found_again(
    bare_bus: DesktopSession,
    watcher: Watcher,
    tray: StatusNotifierTray,
    loop: DesktopLoop,
) -> None:
    del bare_bus
    tray.start()

    async def break_connection() -> None:
        vendor = tray._bus._bus
        assert vendor is not None
        vendor.disconnect()
        await asyncio.sleep(0)

    loop.call(break_connection(), 5)
    wait_until(lambda: not tray.is_hosted)
    wait_until(lambda: tray.is_hosted)
    assert len(watcher.registrations) == 2
