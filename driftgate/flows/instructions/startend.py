"""How a reply begins and ends."""

from __future__ import annotations

from driftgate.flows.instructions._parameters import Text
from driftgate.flows.text import composed


def end_checker(reply: str, *, end_phrase: Text) -> bool:
    """It ends with a phrase, and nothing follows."""
    return composed(reply).strip().strip('"').strip().casefold().endswith(composed(end_phrase).strip().casefold())


def quotation(reply: str) -> bool:
    """The whole of it stands in double quotation marks, straight or curly."""
    text = reply.strip()
    return len(text) > 2 and text[0] in '"“' and text[-1] in '"”'


CHECKS = {"end_checker": end_checker, "quotation": quotation}
