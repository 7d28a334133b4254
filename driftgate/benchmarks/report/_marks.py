"""How a cell and an outcome are told apart: colour, shape and shade together, so that none of them is needed alone.

Colours are names, ``@cell-0`` …; ``report.css`` gives each its value for light, dark and print.
"""

from __future__ import annotations

from dataclasses import dataclass

# Plotly's name of each shape, and the same as an SVG path in a box of 16 x 16.
_SHAPES = (
    ("circle", "M8 2a6 6 0 1 0 .01 0z"),
    ("diamond", "M8 1l7 7-7 7-7-7z"),
    ("square", "M2.5 2.5h11v11h-11z"),
    ("triangle-up", "M8 1.5l7 12.5H1z"),
    ("triangle-down", "M8 14.5l7-12.5H1z"),
    ("pentagon", "M8 1.2l6.8 5-2.6 8H3.8l-2.6-8z"),
    ("hexagon", "M4.3 1.6h7.4L15.4 8l-3.7 6.4H4.3L.6 8z"),
)
_COLOURS = 6


@dataclass(frozen=True)
class Mark:
    """The mark of one cell, the same in every plot and table."""

    colour: str
    symbol: str
    path: str


def mark(ordinal: int) -> Mark:
    """The mark of the cell at a place in the run; with 42 marks, no two of a readable plot are alike.

    Examples
    --------
    >>> mark(0).symbol, mark(7).colour
    ('circle', 'cell-1')
    """
    symbol, path = _SHAPES[ordinal % len(_SHAPES)]
    return Mark(f"cell-{ordinal % _COLOURS}", symbol, path)


@dataclass(frozen=True)
class Part:
    """A part of the outcomes of a cell."""

    name: str
    colour: str
    pattern: str
    """Plotly's name of the hatching."""


PARTS = (
    Part("right", "right", ""),
    Part("wrong", "wrong", ""),
    Part("unmeasured", "unmeasured", "."),
    Part("unparsed", "unparsed", "/"),
    Part("truncated", "truncated", "\\"),
    Part("filtered", "filtered", "x"),
    Part("failed", "failed", "+"),
    Part("missing", "missing", "-"),
)
"""``answered`` in its three kinds, then every other outcome."""
