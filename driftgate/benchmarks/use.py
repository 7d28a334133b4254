"""How a flow is used: where its inputs come from, which of its outputs is the answer, which nodes ask the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from pydantic import field_validator

from driftgate.benchmarks.inputs import InputsConfig
from driftgate.flows.answer import parse_answer
from driftgate.flows.errors import DriftgateError

if TYPE_CHECKING:
    from driftgate.flows.definition import FlowDefinition


class UseConfig(InputsConfig):
    """How a flow is used."""

    answer: str | None = None
    """The output that is judged, ``${outputs.category}`` or a part of it. Without it, what the flow's evaluators.yaml
    names, else the output ``answer``, else the flow's only output, else all of them together."""
    tested: list[str] = []
    """Nodes that ask the suite's models though they name a connection or a model of their own; the other nodes ask
    whom they name."""
    init: dict[str, Any] = {}
    """What the class of a flex flow is made with, by parameter; without it the defaults that the flow declares."""

    @field_validator("answer")
    @classmethod
    def _names_an_output(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                parse_answer(value)
            except DriftgateError as problem:
                raise ValueError(str(problem)) from problem
        return value

    @property
    def used(self) -> dict[str, Any]:
        """The settings that say how the flow is used, for a configuration that uses it alike."""
        return {name: getattr(self, name) for name in UseConfig.model_fields}

    @classmethod
    def of(cls, other: UseConfig) -> Self:
        """Nothing but how the flow is used."""
        return cls(**other.used)

    def applied(self, flow: FlowDefinition) -> FlowDefinition:
        """The flow as it is used.

        Raises
        ------
        DriftgateError
            ``answer``, ``tested`` or ``init`` names what the flow does not have.
        """
        made = flow.with_init(self.init) if self.init else flow
        return made.with_tested(self.tested) if self.tested else made
