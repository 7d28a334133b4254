"""What a machine elsewhere is told of the run it works on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from driftgate.benchmarks.shards import Wanted
from driftgate.ledger import DeploymentRow, RunRow


@dataclass(frozen=True)
class ToldRun:
    """A run, as whoever asks a share of it elsewhere needs it."""

    run: RunRow
    shards: int
    space: str
    """The workspace's folder, relative to where this is written."""
    wanted: Wanted | None
    """None: everything."""
    known: Sequence[DeploymentRow]
    """What was learnt of the deployments that are asked."""
    needs: Sequence[str]
    """Variables of the environment that must be set."""

    def as_json(self) -> str:
        """As it is written; :meth:`from_json` reads it."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, default=_plain)

    @classmethod
    def from_json(cls, text: str) -> ToldRun:
        """Read what :meth:`as_json` wrote."""
        given: dict[str, Any] = json.loads(text)
        times = {name: _time(given["run"][name]) for name in ("created_at", "finished_at")}
        wanted = given["wanted"]
        return cls(
            RunRow(**{**given["run"], **times}),
            given["shards"],
            given["space"],
            None if wanted is None else {int(cell): keys for cell, keys in wanted.items()},
            [_deployment(row) for row in given["known"]],
            given["needs"],
        )

    @classmethod
    def read(cls, file: Path) -> ToldRun:
        """Read it from its file."""
        return cls.from_json(file.read_text(encoding="utf-8"))


def _deployment(row: Mapping[str, Any]) -> DeploymentRow:
    made = DeploymentRow(**{**row, "ends": None, "at": datetime.fromisoformat(row["at"])})
    return replace(made, ends=date.fromisoformat(row["ends"])) if row["ends"] else made


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else dict(value)
