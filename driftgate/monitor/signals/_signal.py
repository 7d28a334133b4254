"""What a drift signal is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from driftgate.flows.errors import DriftgateError
from driftgate.flows.finish import finish_reason
from driftgate.flows.registry import Registry

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["paired_binary", "proportion", "continuous", "histogram", "text"]
Direction = Literal["lower", "higher", "either"]


@dataclass(frozen=True)
class Signal:
    """One quantity that is watched.

    Examples
    --------
    >>> import pandas as pd
    >>> signal = SIGNALS.get("error_rate")
    >>> signal.read(pd.DataFrame({"error": ["", "timeout", ""]})).tolist()
    [0.0, 1.0, 0.0]
    """

    name: str
    """Its name in the registry and in the workspace file."""
    title: str
    """Its name in a sentence, such as ``refusal share``."""
    unit: str
    """Of a row's value: ``share`` for 0/1 values, ``s``, ``tokens``, ``n-grams``."""
    bad: Direction
    """The direction in which a change is bad news."""
    kind: Kind
    """What the values are: 0/1 paired by canary, 0/1, a positive number, a vector of counts, or a text's n-grams."""
    floor: float
    """The smallest effect worth a person's time, by default. A difference of shares for 0/1 values (two points are
    0.02), a relative change for numbers (a quarter is 0.25), a population stability index for counts, a share of the
    traffic for texts."""
    columns: tuple[str, ...]
    """Columns that ``values`` needs."""
    values: Callable[[pd.DataFrame], pd.Series[Any]]
    """The value of every row, NaN or None where a row has none."""
    resolution: float = 0.0
    """Of numbers: the smallest difference that means anything, in the unit; added before logarithms are taken."""
    detector: str = ""
    """The detector that compares two windows; empty for the usual one of the kind."""
    gross: float = 0.0
    """Of shares that only a fault of the service raises: the rise that is an incident on whatever day, without days to
    compare with; 0 where there is none."""

    @property
    def of_canaries(self) -> bool:
        """Whether the signal is read from canary answers rather than from telemetry."""
        return self.kind == "paired_binary"

    def read(self, frame: pd.DataFrame) -> pd.Series[Any]:
        """The values of the rows that have one, with the frame's index.

        Raises
        ------
        DriftgateError
            The frame lacks a column that the signal needs.
        """
        missing = [column for column in self.columns if column not in frame.columns]
        if missing:
            raise DriftgateError(
                f"signal '{self.name}' reads the columns {', '.join(self.columns)} and the frame has no "
                f"{', '.join(missing)}",
                f"pass the frame of {'canary answers' if self.of_canaries else 'telemetry'}",
            )
        return self.values(frame).dropna()


def failed(frame: pd.DataFrame) -> pd.Series[Any]:
    """Whether each call failed, 0 or 1; NaN where that is not known."""
    return (frame["error"] != "").astype(float).where(frame["error"].notna())


def stopped_by(reason: str) -> Callable[[pd.DataFrame], pd.Series[Any]]:
    """The values of a signal about why replies ended: 0 or 1; NaN of failed calls and where no reason is told."""

    def values(frame: pd.DataFrame) -> pd.Series[Any]:
        reasons = frame["finish_reason"].fillna("")
        return (reasons.map(finish_reason) == reason).astype(float).where((reasons != "") & (failed(frame) != 1))

    return values


SIGNALS: Registry[Signal] = Registry("drift signal", "driftgate.monitor.signals", "SIGNAL")


def told_of_text(column: str, judge: Callable[[str], bool]) -> Callable[[pd.DataFrame], pd.Series[Any]]:
    """The values of a signal about what replies say: a column that ingest fills where it sees content.

    Where it did not and the text was kept, ``judge`` decides.
    """

    def values(frame: pd.DataFrame) -> pd.Series[Any]:
        told = frame[column].astype(float)
        if "output_text" not in frame.columns:
            return told
        texts = frame.loc[told.isna(), "output_text"].dropna()
        return told.fillna(texts.map(judge).astype(float))

    return values
