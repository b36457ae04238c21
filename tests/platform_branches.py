"""Where the package asks which system it is on, found in its syntax.

A *branch* is a function (or a module's own level) in which that is asked; a system's *lines* are
the questions that it comes to, and what an answer leads to that Linux never gives.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SYSTEMS = ("win32", "darwin")
MODULES_OF_ONE_SYSTEM = {"winreg", "winsound", "msvcrt", "termios", "fcntl", "PyObjCTools"}
ASKED_FOR_PARTS = {"ctypes", "os", "signal", "socket", "subprocess"}
"""Standard modules that have other names on other systems; ``getattr`` of one is a question too."""


class Place(NamedTuple):
    """A branch: a file below the package, and a function of it by its whole name."""

    file: str
    function: str


@dataclass
class Branch:
    """What a branch runs on each other system, and not on Linux.

    Attributes:
        lines: By system, numbers of lines.
    """

    lines: dict[str, set[int]] = field(default_factory=lambda: {name: set() for name in SYSTEMS})


def branches(package: Path) -> dict[Place, Branch]:
    """Return all branches of a package."""
    found: dict[Place, Branch] = {}
    for path in sorted(package.rglob("*.py")):
        finder = _Finder(path.relative_to(package).as_posix())
        finder.visit(ast.parse(path.read_text(encoding="utf-8")))
        found |= finder.found
    return found


class _Finder(ast.NodeVisitor):
    def __init__(self, file: str) -> None:
        self.found: dict[Place, Branch] = {}
        self._file = file
        self._names: list[str] = []
        self._statement = 0
        self._systems: tuple[str, ...] = SYSTEMS

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.stmt):
            self._statement = node.lineno
        match node:
            case ast.Expr(ast.Constant()) | ast.If(ast.Name("TYPE_CHECKING")):
                return
            case ast.Attribute(ast.Name("platform"), _):
                return  # the module of this name
            case ast.ClassDef(name) | ast.FunctionDef(name):
                # What stands at a function's head belongs to the function, too.
                self._names.append(name)
                self.generic_visit(node)
                self._names.pop()
            case _:
                self._look_at(node)

    def _look_at(self, node: ast.AST) -> None:
        match node:
            case ast.If(test, body, orelse) if _asks(test):
                self._add(test.lineno)
                answers = {each: _answer(test, each) for each in (*SYSTEMS, "linux")}
                self._follow(body, answers)
                self._follow(orelse, {each: _not(answer) for each, answer in answers.items()})
            case ast.Match(subject, cases) if _asks(subject):
                self._add(node.lineno)
                for case in cases:
                    self._follow(case.body, _matching(case.pattern))
            case _:
                if _is_question(node):
                    self._add(self._statement)
                self.generic_visit(node)

    def _add(self, *lines: int) -> None:
        place = Place(self._file, ".".join(self._names) or "(module)")
        branch = self.found.setdefault(place, Branch())
        for system in self._systems:
            branch.lines[system].update(lines)

    def _follow(self, statements: list[ast.stmt], answers: dict[str, bool | None]) -> None:
        """Look at an arm as those systems do that come to it; what is not Linux's is all wanted."""
        before = self._systems
        self._systems = tuple(each for each in before if answers[each] is not False)
        if answers["linux"] is False:
            self._add(*_lines_of(statements))
        for statement in statements:
            self.visit(statement)
        self._systems = before


def _not(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


def _matching(pattern: ast.pattern) -> dict[str, bool | None]:
    match pattern:
        case ast.MatchValue(ast.Constant(value)):
            return {each: each == value for each in (*SYSTEMS, "linux")}
        case _:
            return dict.fromkeys((*SYSTEMS, "linux"))


def _is_question(node: ast.AST) -> bool:
    """Say whether it asks, or names what one system alone has."""
    match node:
        case ast.Attribute(ast.Name("os"), "name"):
            return True
        case ast.Call(ast.Attribute(ast.Name("platform"), "system")):
            return True
        case ast.Call(ast.Name("getattr" | "hasattr"), [ast.Name(module), *_]):
            return module in ASKED_FOR_PARTS
        case ast.Constant(str(value)):
            return value in MODULES_OF_ONE_SYSTEM
        case ast.Import([ast.alias(module)]) | ast.ImportFrom(module):
            return module in MODULES_OF_ONE_SYSTEM
        case _:
            return _stands_for_platform(node)


def _asks(node: ast.expr) -> bool:
    return any(_stands_for_platform(each) for each in ast.walk(node))


def _stands_for_platform(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(ast.Name("sys"), "platform") | ast.Attribute(_, "_platform"):
            return True
        case ast.Name("platform") | ast.Attribute(_, "_is_windows"):
            return True
        case _:
            return False


def _answer(test: ast.expr, system: str) -> bool | None:
    """Return what a condition comes to on a system, or ``None`` where that is not all it asks."""
    match test:
        case ast.BoolOp(operator, values):
            answers = [_answer(value, system) for value in values]
            decisive = isinstance(operator, ast.Or)
            if decisive in answers:
                return decisive
            return None if None in answers else not decisive
        case ast.Attribute(_, "_is_windows"):
            return system == "win32"
        case ast.Compare(left, [operator], [right]) if _stands_for_platform(left):
            wanted = ast.literal_eval(right)
            is_named = system in wanted if isinstance(wanted, set) else system == wanted
            return is_named == isinstance(operator, ast.Eq | ast.In)
        case _:
            return None


def _lines_of(statements: list[ast.stmt]) -> Iterator[int]:
    """Yield the first lines of statements; the arms of a further question are not among them."""
    for statement in statements:
        match statement:
            case ast.Expr(ast.Constant()):
                continue
            case ast.If(test) if _asks(test):
                yield test.lineno
                continue
        yield statement.lineno
        for name in ("body", "orelse", "finalbody"):
            yield from _lines_of(getattr(statement, name, []))
        for handler in getattr(statement, "handlers", []):
            yield handler.lineno
            yield from _lines_of(handler.body)
