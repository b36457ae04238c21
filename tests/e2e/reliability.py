"""Turns what the fault tests saw into a page: ``python -m tests.e2e.reliability``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.e2e.faults import KINDS, LEFT_OUT

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[2]
KEPT = ROOT / ".test-output" / "reliability.json"
PAGE = ROOT / "docs" / "reliability.md"


@dataclass(frozen=True)
class Outcome:
    """What one cell of the table looked like.

    Attributes:
        state: State and words on the icon.
        tries: Polls that failed.
        requests: Requests from the first that was spoiled to the last, others between them too.
        lost: Messages the person was never told of.
        repeated: Tellings too many.
        way_back: What brought the mail back.
    """

    fault: str
    place: str
    state: str
    tries: int
    requests: int
    lost: int
    repeated: int
    way_back: str


def keep(outcomes: Iterable[Outcome]) -> None:
    """Write the outcomes of a whole run down."""
    KEPT.parent.mkdir(exist_ok=True)
    found: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),  # noqa: TID251 - the date of a real run
        "outcomes": [asdict(one) for one in outcomes],
    }
    KEPT.write_text(json.dumps(found, indent=1), encoding="utf-8")


COLUMNS = ("Fault", "Where", "State: words", "Polls", "Requests", "Lost", "Repeated", "Mail again")
_BEFORE = """\
# Reliability

<!-- Written by tests/e2e/reliability.py from a run of tests/e2e/test_faults.py. -->

What mailtray did on {date} when a fault struck one of its requests. The real program ran as a
process of its own against the simulator, over real HTTP. Around each fault one message was
delivered before it, three while it lasted and one after it; each had to be told exactly once.

**{cells} cells: {lost} messages lost, {repeated} repeated.** In every cell the program went on
running, kept its tokens and its place in the mailbox, asked for a new sign-in only where the last
column says so, and read mail again with the first poll after the fault.

* *Polls* failed of the fault. Between them lay the wait that the server asked for, or else the
  program's own, which grows while a service is in trouble; both were read in the simulator's log.
* *Requests* reached the simulator, from the first that was spoiled to the last.
* *Token endpoint* and *discovery* are Microsoft's sign-in, the *pages* are one round of changes.
* For {hindered} the program ran with a resolver that fails on demand and with
  half a second of patience in place of thirty; the simulator has no name to look up.

Long runs, with their figures: [soak.md](soak.md). To write this page anew:

```
python -m pytest tests/e2e/test_faults.py
python -m tests.e2e.reliability
```

"""


def rows(outcomes: Iterable[Outcome]) -> list[str]:
    """Return the lines of the page's table."""
    lines = [_row(COLUMNS), _row(["---"] * len(COLUMNS))]
    for one in outcomes:
        figures = (one.tries, one.requests, one.lost, one.repeated)
        lines.append(_row([one.fault, one.place, one.state, *map(str, figures), one.way_back]))
    return lines


def _row(fields: Iterable[str]) -> str:
    return f"| {' | '.join(fields)} |"


def page(date: str, outcomes: list[Outcome]) -> str:
    """Return the whole page."""
    hindered = [name for name, kind in KINDS.items() if kind.is_hindered]
    before = _BEFORE.format(
        date=date,
        cells=len(outcomes),
        lost=sum(one.lost for one in outcomes),
        repeated=sum(one.repeated for one in outcomes),
        hindered=" and ".join(f"“{name}”" for name in hindered),
    )
    left_out = [
        f"* {why}: {', '.join(sorted({fault for fault, _ in cells}))} "
        f"({', '.join(sorted({place for _, place in cells}))})."
        for why, cells in _by_reason().items()
    ]
    after = ["", "## Left out", "", *left_out, ""]
    return before + "\n".join(rows(outcomes) + after)


def _by_reason() -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for cell, why in LEFT_OUT.items():
        found.setdefault(why, []).append(cell)
    return found


def main() -> int:
    """Write the page from the last whole run of the tests."""
    if not KEPT.exists():
        sys.stderr.write("Run the tests first: python -m pytest tests/e2e/test_faults.py\n")
        return 1
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    outcomes = [Outcome(**one) for one in kept["outcomes"]]
    PAGE.write_text(page(kept["date"], outcomes), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
