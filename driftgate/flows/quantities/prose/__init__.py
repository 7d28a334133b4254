"""Quantities as prose states them: every one of a text with its place, its unit, ranges, dates and times of day.

The reader of answers to problems beside it settles on one quantity or abstains; this one covers every digit of a text,
so that two texts can be compared: what is no quantity (a version, a telephone number) is read as a name.
"""

from driftgate.flows.quantities.prose._read import stated_in
from driftgate.flows.quantities.prose._stated import Kind, Stated

__all__ = ["Kind", "Stated", "stated_in"]
