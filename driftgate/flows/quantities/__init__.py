"""Quantities in replies and right answers: read exactly, in Korean, English and LaTeX, with their units.

An own reader: no library of this field reads Korean numerals and units, and an exact canonical form of the numbers that
answers are made of needs no computer algebra.
"""

from driftgate.flows.quantities._answer import Found, found_quantity, reader_id
from driftgate.flows.quantities._quantity import Quantity, read_quantity, same_quantity

__all__ = ["Found", "Quantity", "found_quantity", "read_quantity", "reader_id", "same_quantity"]
