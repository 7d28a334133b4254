"""What the parameters of instructions may be."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

Count = Annotated[int, Field(ge=0)]
Text = Annotated[str, Field(min_length=1, pattern=r"\S")]
Texts = Annotated[list[Text], Field(min_length=1)]
Relation = Literal["less than", "at least", "미만", "이상"]


def holds(count: int, relation: Relation, wanted: int) -> bool:
    """Whether a count is as wanted.

    Examples
    --------
    >>> holds(3, "at least", 3), holds(3, "미만", 3)
    (True, False)
    """
    return count >= wanted if relation in ("at least", "이상") else count < wanted
