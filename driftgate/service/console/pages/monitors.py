"""Every monitor, and how it stands."""

from __future__ import annotations

from typing import Any, get_args

from driftgate.monitor.blindness import Blindness
from driftgate.service.console._page import Asked, Console, Content, Page
from driftgate.service.console._render import to_plain
from driftgate.service.console._table import Column, Table, in_memory
from driftgate.service.console._watch import Standing, watched

COLUMNS = (
    Column("monitor", link="/monitors/{monitor}"),
    Column("of", filter=True),
    Column("standing", "status", filter=True),
    Column("why", "long", sort=False),
    Column("blindness", "word", filter=True),
    Column("since", "time"),
    Column("at", "time"),
    Column("conclusive", "time"),
    Column("next", "time"),
)
ALERTS = (
    Column("when", "time"),
    Column("monitor", link="/monitors/{monitor}", filter=True),
    Column("signal", filter=True),
    Column("summary", "long", link="/findings/{key}", sort=False),
    Column("cause", filter=True),
)
SHOWN_ALERTS = 500
OF = ("canaries", "traffic", "prompts", "answers")
"""What a monitor may look at."""


def monitors_table(console: Console) -> Table:
    """Monitors with what each looks at."""
    rows = [vars(one) for one in watched(console)]
    known = {"standing": get_args(Standing), "of": OF, "blindness": get_args(Blindness)}
    return Table("monitors", COLUMNS, in_memory(rows), known=known)


def alerts_table(console: Console, monitor: str | None = None) -> Table:
    """What monitors found, the newest first."""
    from driftgate.monitor.looks import alerts_of

    def rows() -> list[dict[str, Any]]:
        return [
            {
                "when": row.at,
                "monitor": row.monitor,
                "signal": row.alert.signal,
                "summary": row.alert.summary,
                "cause": row.alert.cause,
                "key": row.alert.key,
                "effect": row.alert.effect,
                "effect_unit": row.alert.effect_unit,
                "slices": to_plain(row.alert.slices),
            }
            for row in alerts_of(console.workspace.ledger, monitor, SHOWN_ALERTS)
        ]

    kept = console.memo.get(("alerts", monitor), 2.0, rows)
    monitors = console.workspace.files.config.monitors
    return Table("alerts", ALERTS, in_memory(kept), sort="-when", known={"monitor": monitors})


def _load(console: Console, asked: Asked) -> Content:
    return Content(tables=(monitors_table(console), alerts_table(console)))


PAGE = Page("/monitors", "monitors", _load, menu=30)
