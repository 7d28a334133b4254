"""The table of a repair's options, in words: what is not known is said, and never a number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from driftgate.finetune.choice import Figure, Measured, Option

UNKNOWN = "not known"


@dataclass(frozen=True)
class OptionRow:
    """An option on a dataset, as people read it."""

    option: str
    dataset: str
    quality: str
    """In per cent, with its 95% interval."""
    difference: str
    """From the base, in points."""
    cost: str
    """Of 1,000 answers, with its currency."""
    latency: str
    """Median and 95th percentile, seconds."""
    unanswered: str
    gate: str
    """What the gate says; of what is proposed ``pass, proposed``."""


def option_rows(options: Sequence[Option], proposed: str = "") -> list[OptionRow]:
    """A row for each option on each dataset.

    Parameters
    ----------
    proposed : str
        Name of the option that is proposed.

    Examples
    --------
    >>> found = Measured(dataset="own", n=60, quality=Figure(value=0.9, low=0.8, high=0.95), unanswered={"failed": 2},
    ...                  latency_p50=Figure(value=0.31))
    >>> row, = option_rows([Option(kind="prompt", name="prompt terse", model="m", verdict="pass", measured=[found])])
    >>> row.quality, row.difference, row.cost, row.latency, row.unanswered
    ('90.0% (80.0 to 95.0)', '', 'not known', '0.31 s, p95 not known', '2 of 60: 2 failed')
    """
    return list(_rows(options, proposed))


def _rows(options: Sequence[Option], proposed: str) -> Iterator[OptionRow]:
    for one in options:
        verdict = ", ".join(filter(None, (one.verdict, "proposed" if one.name == proposed else "")))
        for found in one.measured or [Measured(dataset="", n=0)]:
            yield OptionRow(
                one.name,
                found.dataset,
                _shown(found.quality, 100.0, "%", ".1f"),
                "" if found.difference.value is None else _shown(found.difference, 100.0, " points", "+.1f"),
                _cost(one, found),
                f"{_seconds(found.latency_p50)}, p95 {_seconds(found.latency_p95)}",
                _unanswered(found),
                verdict,
            )


def _shown(figure: Figure, factor: float, unit: str, form: str) -> str:
    if figure.value is None:
        return UNKNOWN
    limits = ""
    if figure.low is not None and figure.high is not None:
        limits = f" ({figure.low * factor:{form}} to {figure.high * factor:{form}})"
    return f"{figure.value * factor:{form}}{unit}{limits}"


def _cost(option: Option, found: Measured) -> str:
    at_most = "at most " if option.at_most and found.cost.value is not None else ""
    return at_most + _shown(found.cost, 1.0, f" {option.currency}", ".4g")


def _seconds(figure: Figure) -> str:
    return UNKNOWN if figure.value is None else f"{figure.value:.2f} s"


def _unanswered(found: Measured) -> str:
    if not found.n:
        return "not asked"
    if not found.unanswered:
        return f"0 of {found.n}"
    told = ", ".join(f"{count} {name}" for name, count in found.unanswered.items())
    return f"{sum(found.unanswered.values())} of {found.n}: {told}"
