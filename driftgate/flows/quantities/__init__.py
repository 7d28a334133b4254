"""Quantities in replies and right answers: read exactly, in Korean, English and LaTeX, with their units.

An own reader: no library of this field reads Korean numerals and units, and an exact canonical form of the numbers that
answers are made of needs no computer algebra.
"""

from typing import TYPE_CHECKING

from driftgate.lazy import lazily

if TYPE_CHECKING:
    from driftgate.flows.quantities._answer import Found, found_quantity, reader_id
    from driftgate.flows.quantities._corrected import after_correction
    from driftgate.flows.quantities._quantity import Quantity, read_quantity, same_quantity
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = ["Found", "Quantity", "after_correction", "found_quantity", "read_quantity", "reader_id", "same_quantity"]
