"""A score's signature: everything beside the model that the number depends on, in one line.

As sacrebleu's (Post, A Call for Clarity in Reporting BLEU Scores, WMT 2018): two numbers can be compared if their
signatures agree.
"""

from __future__ import annotations

from collections.abc import Mapping

VERSION = "v1"


def format_signature(parts: Mapping[str, object]) -> str:
    """One line of the parts.

    Examples
    --------
    >>> format_signature({"dataset": "click:e9a3b6", "n": 1995, "denominator": "asked"})
    'v1|dataset:click:e9a3b6|n:1995|denominator:asked'
    """
    return "|".join([VERSION, *(f"{name}:{value}" for name, value in parts.items())])


_UNSAID = {"engine": "native"}
"""What a part that earlier versions left out was."""


def differing(one: str, other: str) -> list[str]:
    """The parts in which two signatures differ, sorted.

    Examples
    --------
    >>> differing("v1|n:10|effort:low", "v1|n:10|effort:high|cap:5")
    ['cap', 'effort']
    >>> differing("v1|n:10", "v1|engine:native|n:10")
    []
    """
    ours, theirs = signature_parts(one), signature_parts(other)
    return sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))


def signature_parts(text: str) -> dict[str, str]:
    """The parts of a signature, with those that earlier versions left out.

    Examples
    --------
    >>> signature_parts("v1|n:10")
    {'engine': 'native', 'n': '10'}
    """
    return {**_UNSAID, **parse_signature(text)}


def parse_signature(text: str) -> dict[str, str]:
    """The parts of a signature, in its order.

    Examples
    --------
    >>> parse_signature("v1|dataset:click:e9a3b6|n:1995")
    {'dataset': 'click:e9a3b6', 'n': '1995'}
    """
    pieces = (piece.partition(":") for piece in text.split("|"))
    return {name: value for name, colon, value in pieces if colon}
