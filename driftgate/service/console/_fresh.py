"""How fresh the telemetry is that looks read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from driftgate.service.console._page import Console

_KEPT = 20.0
"""Seconds for which the folder is not asked again."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Freshness:
    """When telemetry last came."""

    wanted: bool
    """Whether any monitor looks at traffic or at answers."""
    newest: datetime | None
    """Of what was received: when it was last written, or the newest call of the newest day at rest; None: nothing."""


def freshness(console: Console) -> Freshness:
    """When telemetry last came; asked of the folder at most three times a minute."""
    files = console.workspace.files
    monitors = files.config.monitors.values()
    wanted = any(one.traffic is not None or one.evaluate is not None for one in monitors)
    newest = console.memo.get("freshness", _KEPT, lambda: max(_moments(files.telemetry), default=None))
    return Freshness(wanted, newest)


def _moments(folder: Path) -> Iterator[datetime]:
    for path in (folder / "spool").glob("*.spool"):
        try:
            found = path.stat()
        except OSError:  # it was turned into Parquet in this moment
            continue
        if found.st_size > 64:  # more than its first line
            yield datetime.fromtimestamp(found.st_mtime, UTC)
    days = sorted(one for one in folder.iterdir() if _DAY.fullmatch(one.name)) if folder.is_dir() else []
    for part in days[-1].glob("*.parquet") if days else ():
        yield from _of_part(part)


def _of_part(part: Path) -> Iterator[datetime]:
    """The newest call of a file, by what the file says of itself."""
    import pyarrow.parquet as pq

    try:
        about = pq.read_metadata(part)
    except (OSError, ValueError):  # it was merged into another one meanwhile
        return
    place = about.schema.to_arrow_schema().get_field_index("time")
    for group in range(about.num_row_groups if place >= 0 else 0):
        told = about.row_group(group).column(place).statistics
        if told is not None and told.has_min_max:
            yield told.max if told.max.tzinfo else told.max.replace(tzinfo=UTC)
