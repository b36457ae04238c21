"""The menu that a panel draws for the tray icon, as com.canonical.dbusmenu tells it.

Source: libdbusmenu, ``libdbusmenu-glib/dbus-menu.xml``, version 3.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Protocol

from mailtray.adapters.session_bus import answer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Sequence

    from dbus_fast.message import Message

    from mailtray.core.model import MenuItem

MENU = "com.canonical.dbusmenu"
MENU_PATH = "/MenuBar"
ROOT = 0
NOTHING_NEW = False
KEPT_IDS = 256
"""How many items that a panel was ever told of are remembered, for clicks that come late."""

INTROSPECTION = """\
<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
<node>
  <interface name="com.canonical.dbusmenu">
    <property name="Version" type="u" access="read"/>
    <property name="TextDirection" type="s" access="read"/>
    <property name="Status" type="s" access="read"/>
    <property name="IconThemePath" type="as" access="read"/>
    <method name="GetLayout">
      <arg type="i" direction="in"/><arg type="i" direction="in"/><arg type="as" direction="in"/>
      <arg type="u" direction="out"/><arg type="(ia{sv}av)" direction="out"/>
    </method>
    <method name="GetGroupProperties">
      <arg type="ai" direction="in"/><arg type="as" direction="in"/>
      <arg type="a(ia{sv})" direction="out"/>
    </method>
    <method name="GetProperty">
      <arg type="i" direction="in"/><arg type="s" direction="in"/><arg type="v" direction="out"/>
    </method>
    <method name="Event">
      <arg type="i" direction="in"/><arg type="s" direction="in"/>
      <arg type="v" direction="in"/><arg type="u" direction="in"/>
    </method>
    <method name="EventGroup">
      <arg type="a(isvu)" direction="in"/><arg type="ai" direction="out"/>
    </method>
    <method name="AboutToShow">
      <arg type="i" direction="in"/><arg type="b" direction="out"/>
    </method>
    <method name="AboutToShowGroup">
      <arg type="ai" direction="in"/><arg type="ai" direction="out"/>
      <arg type="ai" direction="out"/>
    </method>
    <signal name="ItemsPropertiesUpdated"><arg type="a(ia{sv})"/><arg type="a(ias)"/></signal>
    <signal name="LayoutUpdated"><arg type="u"/><arg type="i"/></signal>
    <signal name="ItemActivationRequested"><arg type="i"/><arg type="u"/></signal>
  </interface>
</node>
"""


class Emit(Protocol):
    """Sends a signal: object path, ``interface.Member``, signature and arguments."""

    def __call__(
        self, path: str, signal: str, signature: str = "", body: Sequence[Any] = ()
    ) -> None:
        """Send it, or do nothing while there is no bus."""
        ...


class StatusNotifierMenu:
    """Answers what panels ask about the menu, and tells them what changed of it.

    An id once given to an item never comes to stand for another: a click on a menu that was
    drawn before the last change does what the person read.
    """

    def __init__(self, on_command: Callable[[str, str], None], emit: Emit) -> None:
        self._on_command = on_command
        self._emit = emit
        self._ids = itertools.count(1)
        self._items: dict[int, MenuItem] = {}
        self._children: dict[int, list[int]] = {ROOT: []}
        self._known: OrderedDict[int, MenuItem] = OrderedDict()
        self._revision = 1
        self._answers: dict[str, Callable[[Message], Message | bool]] = {
            "GetLayout": self._get_layout,
            "GetGroupProperties": self._get_group_properties,
            "GetProperty": self._get_property,
            "Event": self._event,
            "EventGroup": self._event_group,
            "AboutToShow": lambda call: answer(call, "b", NOTHING_NEW),
            "AboutToShowGroup": self._about_to_show_group,
            "Introspect": lambda call: answer(call, "s", INTROSPECTION),
            "Get": self._get,
            "GetAll": lambda call: answer(call, "a{sv}", _menu_properties()),
        }

    def replace(self, menu: Iterable[MenuItem]) -> None:
        """Show another menu, and tell of it only what changed."""
        old, old_children = self._items, self._children
        self._items, self._children = self._numbered(menu)
        self._known.update(self._items)
        while len(self._known) > max(KEPT_IDS, len(self._items)):
            self._known.popitem(last=False)
        if old_children != self._children:
            self._revision += 1
            self._emit(MENU_PATH, f"{MENU}.LayoutUpdated", "ui", [self._revision, ROOT])
            return
        changed = [
            [number, properties(item)]
            for number, item in self._items.items()
            if properties(item) != properties(old[number])
        ]
        if changed:
            self._emit(
                MENU_PATH, f"{MENU}.ItemsPropertiesUpdated", "a(ia{sv})a(ias)", [changed, []]
            )

    def on_call(self, call: Message) -> Message | bool | None:
        """Answer a method call to the menu's object, or ``None`` if there is no such method."""
        known = self._answers.get(call.member or "")
        return None if known is None else known(call)

    def _numbered(
        self, menu: Iterable[MenuItem]
    ) -> tuple[dict[int, MenuItem], dict[int, list[int]]]:
        """Give each item the id of the shown item that does the same, or a fresh one.

        Returns:
            The items of all menus, and the ids that stand in each menu.
        """
        free: dict[Hashable, list[int]] = {}
        for number, item in self._items.items():
            free.setdefault(_doing(item), []).append(number)
        numbered: dict[int, MenuItem] = {}
        children: dict[int, list[int]] = {}
        waiting = [(ROOT, tuple(menu))]
        for parent, items in waiting:
            children[parent] = []
            for item in items:
                same = free.get(_doing(item))
                number = same.pop(0) if same else next(self._ids)
                numbered[number] = item
                children[parent].append(number)
                if item.children:
                    waiting.append((number, item.children))
        return numbered, children

    def _get_layout(self, call: Message) -> Message | bool:
        parent, depth, names = call.body
        return answer(call, "u(ia{sv}av)", self._revision, self._layout(parent, depth, names))

    def _layout(self, parent: int, depth: int, names: Collection[str]) -> list[Any]:
        from dbus_fast.signature import Variant

        if parent == ROOT:
            found = {"children-display": Variant("s", "submenu")}
        else:
            found = properties(self._find(parent))
        # A depth of -1 is all the way down.
        children = [] if depth == 0 else self._children.get(parent, [])
        layouts = [self._layout(child, depth - 1, names) for child in children]
        return [parent, _chosen(found, names), [Variant("(ia{sv}av)", one) for one in layouts]]

    def _find(self, number: int) -> MenuItem:
        from dbus_fast.errors import DBusError

        item = self._items.get(number)
        if item is None:
            raise DBusError("org.freedesktop.DBus.Error.InvalidArgs", f"no item {number}")
        return item

    def _get_group_properties(self, call: Message) -> Message | bool:
        numbers, names = call.body
        wanted = [n for n in numbers if n in self._items] if numbers else list(self._items)
        found = [[n, _chosen(properties(self._items[n]), names)] for n in wanted]
        return answer(call, "a(ia{sv})", found)

    def _get_property(self, call: Message) -> Message | bool:
        from dbus_fast.errors import DBusError

        number, name = call.body
        found = properties(self._find(number))
        if name not in found:
            raise DBusError("org.freedesktop.DBus.Error.InvalidArgs", f"no property {name}")
        return answer(call, "v", found[name])

    def _event(self, call: Message) -> Message | bool:
        number, event, _, _ = call.body
        self._on_event(number, event)
        return answer(call)

    def _event_group(self, call: Message) -> Message | bool:
        (events,) = call.body
        unknown = [number for number, event, _, _ in events if not self._on_event(number, event)]
        return answer(call, "ai", unknown)

    def _on_event(self, number: int, event: str) -> bool:
        """Take an event; returns False where it is about no item that was ever shown."""
        if number == ROOT and event == "opened":
            # Panels ask "AboutToShow" also when nobody opens anything.
            self._on_command("looked", "")
        item = self._known.get(number)
        if item is not None and event == "clicked" and item.command:
            self._on_command(item.command, item.argument)
        return item is not None or number == ROOT

    def _about_to_show_group(self, call: Message) -> Message | bool:
        (numbers,) = call.body
        unknown = [n for n in numbers if n != ROOT and n not in self._items]
        return answer(call, "aiai", [], unknown)

    def _get(self, call: Message) -> Message | bool:
        from dbus_fast.errors import DBusError

        _, name = call.body
        found = _menu_properties()
        if name not in found:
            raise DBusError("org.freedesktop.DBus.Error.UnknownProperty", str(name))
        return answer(call, "v", found[name])


def properties(item: MenuItem) -> dict[str, Any]:
    """Return an item's properties as variants."""
    from dbus_fast.signature import Variant

    if item.is_separator:
        return {"type": Variant("s", "separator")}
    found = {
        "label": Variant("s", item.marked("_")),
        "enabled": Variant("b", bool(item.command or item.children)),
    }
    if item.is_checked is not None:
        found["toggle-type"] = Variant("s", "checkmark")
        found["toggle-state"] = Variant("i", int(item.is_checked))
    if item.children:
        found["children-display"] = Variant("s", "submenu")
    return found


def _doing(item: MenuItem) -> Hashable:
    # A submenu is known by what is in it, for panels keep the menus they were once told of.
    return item.command, item.argument, item.is_separator, tuple(map(_doing, item.children))


def _chosen(found: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if not names or name in names}


def _menu_properties() -> dict[str, Any]:
    from dbus_fast.signature import Variant

    return {
        "Version": Variant("u", 3),
        "TextDirection": Variant("s", "ltr"),
        "Status": Variant("s", "normal"),
        "IconThemePath": Variant("as", []),
    }
