"""What a repair may be instead of training: cheaper options on the same questions, and which of them is proposed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from driftgate.benchmarks.suite import Names
from driftgate.benchmarks.use import UseConfig

OptionKind = Literal["base", "prompt", "model", "flow", "tuned", "tuned_flow"]
"""``base`` is the champion as it is; ``tuned_flow`` the trained candidate through another flow."""
ALTERNATIVES: tuple[OptionKind, ...] = ("prompt", "model", "flow")
"""What may be proposed instead of training."""


class OtherFlow(UseConfig):
    """Another flow for the champion: one that searches documents where the recipe's own does not, or the reverse."""

    flow: str
    """A flow that driftgate ships, or a folder or file of the workspace."""
    retriever: str | None = None
    """Name of a retriever of the workspace, for flows that search documents."""
    variant: str = ""
    """The flow's variant; empty for its default."""


class ChoiceConfig(BaseModel):
    """What is tried before anything is trained, on the recipe's proof and by its gate."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    models: Names = []
    """Other models of the workspace, in the champion's place: another deployment, or the same one at another effort
    (a model of its own)."""
    variants: Names = []
    """Other variants of the recipe's flow, for the champion: its prompt written otherwise."""
    flows: list[OtherFlow] = []
    """Other flows for the champion: with documents or without (RAG). The trained candidate is asked through them too,
    to be seen beside the others; the gate does not judge that."""

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not (self.models or self.variants or self.flows):
            raise ValueError("choice names nothing to choose from; give models, variants or flows, or leave it out")
        return self


class Figure(BaseModel):
    """A number with its 95% interval; what is not known is None, and never 0."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    value: float | None = None
    low: float | None = None
    high: float | None = None


class Measured(BaseModel):
    """What was measured of an option on one dataset."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    dataset: str
    n: int
    """Samples asked for."""
    unanswered: Mapping[str, int] = {}
    """Outcomes other than ``answered``, those that there were."""
    quality: Figure = Figure()
    """Share answered correctly; what was not answered counts as wrong."""
    difference: Figure = Figure()
    """Quality less that of the base, paired where samples are shared; None for the base itself."""
    cost: Figure = Figure()
    """Of 1,000 samples that were replied to."""
    latency_p50: Figure = Figure()
    """Seconds."""
    latency_p95: Figure = Figure()
    """Seconds."""


class Option(BaseModel):
    """A repair that was measured, or the champion as it is."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    kind: OptionKind
    name: str
    """As people read it: ``prompt terse``."""
    model: str
    flow: str = ""
    variant: str = ""
    retriever: str = ""
    run: str = ""
    measured: Sequence[Measured] = ()
    quality: float | None = None
    """Share of all samples answered correctly; None where it was not measured."""
    cost: float | None = None
    """Of 1,000 samples over all datasets; None unless every sample was replied to and every price is known."""
    currency: str = "USD"
    at_most: bool = False
    """The cost is an upper bound."""
    verdict: str = ""
    """What the recipe's gate says of it beside the champion; empty where it was not asked."""
    why: str = ""
    """The gate's reasons, or why there is no verdict."""


def proposed(options: Sequence[Option]) -> Option | None:
    """The option that is proposed instead of training: of those that the gate passes the cheapest, then the best.

    An unknown cost is never the cheapest. Where costs are in several currencies none is taken to be known. Worse
    evidence about an option (a lost verdict, an unknown or higher cost, a lower quality) never makes it the one.

    Examples
    --------
    >>> dear = Option(kind="model", name="model large", model="large", verdict="pass", cost=4.0, quality=0.9)
    >>> cheap = Option(kind="model", name="model small", model="small", verdict="pass", cost=0.5, quality=0.8)
    >>> unpriced = Option(kind="prompt", name="prompt terse", model="live", verdict="pass", quality=0.95)
    >>> proposed([dear, unpriced, cheap]).name
    'model small'
    >>> proposed([dear, unpriced, cheap.model_copy(update={"verdict": "inconclusive"})]).name
    'model large'
    >>> proposed([unpriced.model_copy(update={"verdict": "unmeasurable"})]) is None
    True
    """
    passing = [one for one in options if one.kind in ALTERNATIVES and one.verdict == "pass"]
    comparable = len({one.currency for one in passing if one.cost is not None}) == 1

    def rank(one: Option) -> tuple[bool, float, float, str]:
        cost = one.cost if comparable else None
        return cost is None, cost or 0.0, -(one.quality or 0.0), one.name

    return min(passing, key=rank, default=None)
