"""One monitor: its signals over time, its looks, slices and findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from driftgate.monitor.blindness import Blindness
from driftgate.monitor.looks import Result
from driftgate.monitor.suspects import in_words
from driftgate.service.console._chart import Series
from driftgate.service.console._page import Asked, Console, Content, Missing, Page
from driftgate.service.console._table import Column, Table, in_memory
from driftgate.service.console._watch import Watched, recent_looks, series_of, watched
from driftgate.service.console.pages.monitors import OF, alerts_table

LOOKS = (
    Column("when", "time"),
    Column("of", filter=True),
    Column("result", "status", filter=True),
    Column("blindness", "word", filter=True),
    Column("why", "long", sort=False),
    Column("compared", "long", sort=False),
    Column("run", link="/runs/{run}", sort=False),
)
SLICES = (
    Column("signal", filter=True),
    Column("slice", filter=True),
    Column("told", "long", sort=False),
    Column("effect", "number"),
    Column("n_current", "number"),
    Column("moved", "status", filter=True),
    Column("when", "time"),
)


@dataclass(frozen=True)
class Drawn:
    """The signals of one thing that is looked at."""

    of: str
    series: Sequence[Series]


@dataclass(frozen=True)
class MonitorFacts:
    """What a monitor's page says beside its tables."""

    monitor: str
    champion: str
    cron: str
    timezone: str
    standing: Sequence[Watched]
    signals: Sequence[Drawn]


def _load(console: Console, asked: Asked) -> Content:
    name = asked.path["monitor"]
    monitors = console.workspace.files.config.monitors
    if name not in monitors:
        raise Missing(f"the workspace has no monitor '{name[:80]}'", f"it has: {', '.join(monitors) or 'none'}")
    config = monitors[name]
    looks = recent_looks(console, name)
    standing = [one for one in watched(console) if one.monitor == name]
    facts = MonitorFacts(
        name,
        config.champion,
        config.cron,
        config.timezone,
        standing,
        [Drawn(one.of, found) for one in standing if (found := series_of(looks, one.of))],
    )
    tables = (
        Table(
            "looks",
            LOOKS,
            in_memory([_look(one) for one in looks]),
            sort="-when",
            known={"result": get_args(Result), "of": OF, "blindness": get_args(Blindness)},
        ),
        alerts_table(console, name),
        Table("slices", SLICES, in_memory(_slices(looks)), sort="-when", known={"moved": ("moved", "quiet")}),
    )
    return Content(facts, tables, name)


def _look(look: Any) -> dict[str, Any]:
    compared = [in_words(finding) for finding in look.findings if "everywhere" in finding]
    return {
        "when": look.at,
        "of": look.of,
        "result": look.conclusion.result if look.conclusion is not None else "",
        "blindness": look.conclusion.blindness if look.conclusion is not None else None,
        "why": look.conclusion.why if look.conclusion is not None else "",
        "compared": "; ".join(compared[:6]),
        "run": look.run_id if look.of == "canaries" and not look.run_id.startswith("none-") else "",
        "number": look.number,
    }


def _slices(looks: Sequence[Any]) -> list[Mapping[str, Any]]:
    """The slices that the newest look at each thing compared."""
    rows: list[Mapping[str, Any]] = []
    seen: set[str] = set()
    for look in looks:
        if look.of in seen:
            continue
        compared = [finding for finding in look.findings if finding.get("slices")]
        if compared:
            seen.add(look.of)
        for finding in compared:
            for name, told in finding["slices"].items():
                rows.append(
                    {
                        "signal": finding["signal"],
                        "slice": name,
                        "told": in_words({**finding, "everywhere": told}),
                        "effect": told.get("effect"),
                        "n_current": told.get("n_current"),
                        "moved": "moved" if name in finding.get("moved", ()) else "quiet",
                        "when": look.at,
                        "windows": f"{finding.get('looks', 1)}/{finding.get('periods', 1)}",
                    }
                )
    return rows


PAGE = Page("/monitors/{monitor}", "monitor", _load, section="monitors")
