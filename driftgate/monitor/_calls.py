"""The calls of a look at traffic, and what is known of the telemetry beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftgate.monitor._ceased import in_words
from driftgate.monitor._told import Layout
from driftgate.monitor._volume import Lost
from driftgate.monitor.alert import Period
from driftgate.monitor.signals import SIGNALS

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Beside:
    """What is known of the telemetry beside the calls of a look."""

    later: int = 0
    """How many calls are dated after the look."""
    unread: str = ""
    """What was received since the current window began and is in no dialect that is known, in words."""
    refused: int = 0
    """How many spans of that time could not be taken."""
    shares: tuple[float, float] = (1.0, 1.0)
    """Of the calls of the reference and of the current window that were read."""
    removed: str = ""
    """Which days of the windows are past their retention, in words."""
    unnamed: tuple[float, float] = (0.0, 0.0)
    """Calls of the reference and of the current window that name no model, where those of one model are looked at."""


@dataclass(frozen=True)
class Calls:
    """The calls of a look at traffic."""

    before: pd.DataFrame
    """Of the reference window, each as good as any other."""
    now: pd.DataFrame
    """Of the current window."""
    lost: Lost | None = None
    """Which calls are missing from the current window, in words."""
    beside: Beside = Beside()
    rows: tuple[int, int] | None = None
    """How many rows the two windows had before those of unequal weight were made alike."""
    compared: int = 0
    """How many calls of the reference window are of the weekdays that are compared; 0: all."""
    anchor: Period | None = None
    """The reference that does not slide; None where there is none yet that is older than the sliding one."""
    anchored: int = 0
    """How many calls it has."""
    layout: Layout = Layout()  # noqa: RUF009 - a frozen value
    """Where the texts of the calls are told."""
    silent: str = ""
    """Which part of the traffic fell silent, in words."""
    fewer: str = ""
    """That there are fewer calls than in any earlier window, in words."""
    answering: str = ""
    """Which model answers that answered none of the reference, in words."""
    missed: Sequence[tuple[str, float, float]] = ()
    """Fields that calls ceased to tell, with the share that told them before, and the share that does."""

    @property
    def left_out(self) -> tuple[int, int]:
        """How many rows were left out of each window, so that all stand for as many calls."""
        kept = len(self.before), len(self.now)
        first, second = self.rows or kept
        return first - kept[0], second - kept[1]

    @property
    def told(self) -> str:
        """What else a reader of the result has to know."""
        count = self.beside.later
        later = f"{count:,} calls are dated after the look and were not compared" if count else ""
        gone, rows = sum(self.left_out), sum(self.rows or ())
        left_out = f"rows of unequal weight: {gone:,} of {rows:,} were left out" if gone else ""
        unread = f"received and not kept: {self.beside.unread}" if self.beside.unread else ""
        read = {column for name in SIGNALS.names() for column in SIGNALS.get(name).columns}
        missed = [in_words(*one) for one in self.missed if one[0] not in read]  # of the others signals say it
        fewer = "" if self.lost else self.fewer
        of_calls = (self.silent, fewer, self.answering, self.layout.told, *missed)
        told = (*of_calls, later, left_out, self._drawn, unread, self.beside.removed)
        return "; ".join(filter(None, told))

    @property
    def _drawn(self) -> str:
        """Of which window a sample was compared."""
        windows = zip(("reference", "current window"), self.rows or (0, 0), self.beside.shares, strict=True)
        of = [
            f"{rows:,} of about {round(rows / share):,} calls of the {name}"
            for name, rows, share in windows
            if share < 1.0
        ]
        return f"compared were {' and '.join(of)}, whole traces drawn at random" if of else ""
