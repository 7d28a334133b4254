"""What the steps of a remediation find, each a value of its own, kept as JSON in the history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from driftgate.finetune.choice import Option
from driftgate.finetune.remediation._store import Event
from driftgate.flows.errors import DriftgateError


class StepResult(BaseModel):
    """What a step found."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class Choice(StepResult):
    """What may be done instead of training, as it was measured."""

    run: str = ""
    """The run in which all options were asked."""
    options: Sequence[Option] = ()
    """The champion as it is, and each alternative."""
    model: str = ""
    """The other model that is to be champion, for which nothing is trained; empty where none is."""
    proposal: str = ""
    """Name of the option that is proposed instead of training; empty where none passed the gate."""
    settings: str = ""
    """Hash of how the recipe asks: what was proposed to a person is not measured again while it stays."""

    @property
    def told(self) -> str:
        """In one sentence."""
        if not self.run:
            return "there is no alternative that can be asked: a model is trained"
        if not self.proposal:
            return f"none of {len(self.options) - 1} alternatives passes the gate: a model is trained"
        return f"{self.proposal} passes the gate: {', '.join(LEFT_OUT)} are left out"


class Material(StepResult):
    """The training items."""

    items: str
    """Their file, relative to the workspace; its name holds what is in it."""
    sha256: str
    """Of that file, in hexadecimal: what is trained on, shown and approved is just this."""
    count: int
    """Items."""
    dropped: Mapping[str, int] = {}
    """Candidates that each filter dropped."""
    lineage: str = ""
    """Id of the set in the ledger, by which the lineage of every item is found."""


class Trained(StepResult):
    """The candidate."""

    model: str
    """Its name."""
    artefact: str = ""
    """What was trained, as its trainer calls it: a file, relative to the workspace, or a service's id."""
    metrics: Mapping[str, float | str | None] = {}
    """What was measured while training."""


class Proved(StepResult):
    """Champion and candidate were asked the same."""

    run: str
    """The run in which they were."""
    options: Sequence[Option] = ()
    """What was trained, as the table of options has it; empty where the recipe names no choice."""


class Judgement(StepResult):
    """What the gate said."""

    verdict: Mapping[str, Any] = {}
    """Its verdict as JSON."""


class Agreement(StepResult):
    """A person agreed, or nobody had to."""

    who: str = ""
    """Who agreed; ``not asked for`` where the recipe asks nobody."""
    what: str = ""
    """Hash of what was agreed to."""


class RolledOut(StepResult):
    """The candidate is where it is asked."""

    phase: str = ""
    """How the rollout ended."""
    traffic: Mapping[str, Any] | None = None
    """What it did to an endpoint's traffic or a deployment's model, as JSON: see
    :func:`driftgate.finetune.deploy.read_move`."""


class Promoted(StepResult):
    """The candidate is champion."""

    model: str
    """The candidate."""
    run: str
    """The run that it was promoted for."""


STEPS: Mapping[str, type[StepResult]] = {
    "choose": Choice,
    "synthesise": Material,
    "train": Trained,
    "evaluate": Proved,
    "judge": Judgement,
    "approve": Agreement,
    "roll_out": RolledOut,
    "promote": Promoted,
}
"""The way from a regression to a promotion, and what each step finds."""
LEFT_OUT = ("synthesise", "train", "evaluate")
"""Steps of what is trained, which are left out where another model was chosen."""
_Result = TypeVar("_Result", bound=StepResult)


@dataclass(frozen=True)
class Found:
    """What the steps that are finished found."""

    remediation: str
    """Its id."""
    details: Mapping[str, Mapping[str, Any]]
    """By step, as it is kept."""

    @classmethod
    def of(cls, remediation: str, events: Sequence[Event]) -> Found:
        """What stands in a history."""
        kept = [event for event in events if event.status in ("finished", "proposed")]
        return cls(remediation, {event.step: event.detail for event in kept})

    @property
    def chosen(self) -> str:
        """The other model that is to be champion without training; empty where one is trained."""
        return self.get(Choice).model if self.has(Choice) else ""

    @property
    def candidate(self) -> str:
        """The model that is to be champion.

        Raises
        ------
        DriftgateError
            There is none yet.
        """
        return self.chosen or self.get(Trained).model

    @property
    def proof(self) -> str:
        """The run in which champion and candidate were asked the same.

        Raises
        ------
        DriftgateError
            They were not yet.
        """
        return self.get(Choice).run if self.chosen else self.get(Proved).run

    def has(self, kind: type[StepResult]) -> bool:
        """Whether the step that finds this is finished."""
        return _step(kind) in self.details

    def get(self, kind: type[_Result]) -> _Result:
        """What the step found.

        Raises
        ------
        DriftgateError
            It is not finished, or an older driftgate finished it and kept too little.

        Examples
        --------
        >>> Found("a1", {"evaluate": {"run": "r7"}}).get(Proved).run
        'r7'
        >>> Found("a1", {}).has(Proved)
        False
        """
        step = _step(kind)
        show = f"driftgate remediation show {self.remediation}"
        if step not in self.details:
            raise DriftgateError(f"remediation {self.remediation} has not finished its step '{step}'", show)
        try:
            return kind.model_validate(self.details[step])
        except ValidationError as problem:
            lacks = ", ".join(str(error["loc"][0]) for error in problem.errors() if error["loc"])
            raise DriftgateError(
                f"what remediation {self.remediation} kept of its step '{step}' cannot be used: {lacks}",
                f"look at it ({show}), abandon it, and let another be opened",
            ) from problem


def _step(kind: type[StepResult]) -> str:
    return next(name for name, found in STEPS.items() if found is kind)
