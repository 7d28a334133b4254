"""What a workspace allows of its training data."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from driftgate.flows.path_settings import READ


class PrivacyLimits(BaseModel):
    """Limits of the privacy figures of a training set; a figure without a limit is not asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    personal_data: float | None = Field(0.0, ge=0, le=1)
    """Share of the items in which personal data is found, at most."""
    longest_run: int | None = Field(100, ge=20)
    """Characters, white space left out, that an item may have in a row from a source. A passage that is shown with the
    item is not counted."""
    canaries: int | None = Field(0, ge=0)
    """Planted strings found in the items, at most. Without planted strings this cannot be measured; write null where
    none are planted."""
    closer_share: float | None = Field(0.6, ge=0.5, le=1)
    """Share of the items that are nearer to a source than to a held-out record, at most; 0.5 where nothing is
    copied. Some 300 items are needed for an answer."""
    membership_advantage: float | None = Field(0.2, ge=0, le=1)
    """By how much the nearness of the items tells a source from a held-out record, at most: true minus false positive
    rate."""
    held_out: Annotated[str, READ] = ""
    """A file or folder of real records of the same kind as the sources that nothing was made from: texts, or JSON
    Lines."""
    canary_file: Annotated[str, READ] = ""
    """A file of the strings that were planted in the sources, one a line."""
