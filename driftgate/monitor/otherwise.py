"""The questions of a cell in other forms, each form a cell of its own, so that a run asks, prices and keeps them all.

Of every form the ledger keeps which question each of its samples is, and which letter a choice had there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from driftgate.benchmarks.cell import Cell
from driftgate.benchmarks.datasets import Sample
from driftgate.benchmarks.inputs import EXAMPLES_INPUT
from driftgate.flows.sample import asked_hash, told_apart
from driftgate.monitor.perturbations import PERTURBATIONS, Example, Prompt

AS_BEFORE = "before"
"""The form of the same questions in the prompt as it was before."""
PARAPHRASE = "paraphrase"
"""The form of the questions in the words of a model."""
FORM = "form"
"""Of a cell's description: the form of its questions, and of each sample what it is of."""


@dataclass(frozen=True)
class OtherForm(Cell):
    """A cell whose samples are those of another one in another form."""

    form: str = ""
    of: Mapping[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)
    """By a sample's key: the key of the question as it stands, and by letter here the letter there."""
    shown: Mapping[str, Sequence[Example]] = field(default_factory=dict)
    """By a sample's key: its few-shot examples, where the form changes them."""

    def line_inputs(self, sample: Sample) -> dict[str, Any]:
        """As of any cell, with the form's own examples."""
        inputs = super().line_inputs(sample)
        if self.shots and sample.key in self.shown:
            inputs[EXAMPLES_INPUT] = list(self.shown[sample.key])
        return inputs

    def describe(self) -> dict[str, Any]:
        """As of any cell, with what the form is of."""
        of = {key: [question, dict(letters)] for key, (question, letters) in self.of.items()}
        return {**super().describe(), FORM: {"name": self.form, "of": of}}


def as_before(cell: Cell) -> OtherForm:
    """A cell that asks the same questions in another version of the prompt."""
    of: dict[str, tuple[str, Mapping[str, str]]] = {sample.key: (sample.key, {}) for sample in cell.samples}
    return _form_of(cell, AS_BEFORE, cell.samples, of, {}, repeats=cell.repeats)


def other_forms(cell: Cell, names: Sequence[str], *, times: int, seed: int) -> list[OtherForm]:
    """The cell's questions in every form that applies to any of them, each ``times`` times, changed anew each time.

    A change that the flow does not get to see is none.

    Parameters
    ----------
    names : sequence of str
        Of `driftgate.monitor.perturbations`.

    Raises
    ------
    DriftgateError
        There is no perturbation of a name.
    """
    pool = [shot.data for shot in cell.dataset.shots] if cell.shots else []
    found = []
    for name in names:
        perturbation = PERTURBATIONS.get(name)
        for time in range(times):
            changed = {}
            for sample in cell.samples:
                prompt = Prompt(sample.data, tuple(cell.dataset.examples(sample, cell.shots) if cell.shots else ()))
                other = perturbation.apply(prompt, pool, key=sample.key, seed=seed + time)
                if other is not None:
                    changed[sample.key] = other
            found += _changed(cell, name, time, changed)
    return found


def paraphrased(cell: Cell, questions: Mapping[str, str], *, times: int) -> list[OtherForm]:
    """The cell's questions in other words, by key."""
    by_key = {sample.key: sample for sample in cell.samples}
    changed = {key: Prompt({**by_key[key].data, "question": text}) for key, text in questions.items()}
    return [form for time in range(times) for form in _changed(cell, PARAPHRASE, time, changed)]


def _changed(cell: Cell, name: str, time: int, changed: Mapping[str, Prompt]) -> list[OtherForm]:
    pairs = []
    for sample in cell.samples:
        if (prompt := changed.get(sample.key)) is not None:
            other = _sample(sample, prompt.data)
            sees = cell.line_inputs(other) != cell.line_inputs(sample)
            if sees or (cell.shots and prompt.examples != tuple(cell.dataset.examples(sample, cell.shots))):
                pairs.append((sample, other, prompt))
    if not pairs:
        return []
    others = told_apart([other for _, other, _ in pairs])
    of = {other.key: (sample.key, prompt.letters) for other, (sample, _, prompt) in zip(others, pairs, strict=True)}
    shown = {other.key: prompt.examples for other, (_, _, prompt) in zip(others, pairs, strict=True) if prompt.examples}
    return [_form_of(cell, name, others, of, shown, time)]


def _sample(sample: Sample, data: Mapping[str, Any]) -> Sample:
    if data == sample.data:
        return sample
    content = hashlib.sha256(f"{sample.content}\n{sorted(data.items(), key=str)}".encode(errors="replace")).hexdigest()
    return replace(sample, data=dict(data), asked=asked_hash(data, sample.position), content=content[:12], nth=1)


def _form_of(
    cell: Cell,
    name: str,
    samples: Sequence[Sample],
    of: Mapping[str, tuple[str, Mapping[str, str]]],
    shown: Mapping[str, Sequence[Example]],
    time: int = 0,
    repeats: int = 1,
) -> OtherForm:
    called = f"{name} {time + 1}" if time else name
    dataset = replace(cell.dataset, name=f"{cell.dataset.name} ({called})", samples=samples)
    given = {one.name: getattr(cell, one.name) for one in fields(Cell)}
    return OtherForm(
        **{**given, "dataset": dataset, "samples": samples, "repeats": repeats}, form=name, of=of, shown=shown
    )
