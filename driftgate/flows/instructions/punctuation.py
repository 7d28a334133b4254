"""Marks that are not to stand in a reply."""

from __future__ import annotations


def no_comma(reply: str) -> bool:
    """No comma, the full-width and the ideographic one included."""
    return not any(comma in reply for comma in ",，、")


CHECKS = {"no_comma": no_comma}
