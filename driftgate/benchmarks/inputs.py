"""What the inputs of a flow are given, and the refusal of a flow that would run on what nobody gave it.

A flow that runs on its own defaults for every sample measures something else than what was meant, and its score looks
like any other. So every input that a flow declares must be supplied: by a mapping, by a column of its own name on every
sample, or by a default that the suite names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, field_validator

from driftgate.flows import mapping
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.text import as_name

if TYPE_CHECKING:
    from driftgate.benchmarks.datasets import Sample
    from driftgate.flows.definition import FlowDefinition

SCORING_INPUT = "scoring"
"""A flow input of this name is given the model's scoring mode."""
EXAMPLES_INPUT = "examples"
"""A flow input of this name is given the few-shot examples."""
_ROOTS = frozenset({"data"})
_SCALARS = frozenset({"string", "int", "double", "bool"})
_LISTED = 20


class InputsConfig(BaseModel):
    """Where the inputs of a flow come from."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    inputs: dict[str, Any] = {}
    """What the flow's inputs are given, in prompt flow's mapping grammar: ``${data.link}`` is the sample's column
    ``link``, anything else a literal. An input that is not named here is given the column of its own name."""
    defaults: Literal["allowed"] | list[str] = []
    """Inputs that may stay on the flow's own default: their names, or ``allowed`` for all of them. Without it, an input
    that nobody gives stops the run before anything is asked."""

    @field_validator("inputs")
    @classmethod
    def _readable(cls, value: dict[str, Any]) -> dict[str, Any]:
        try:
            parse_inputs(value)
        except DriftgateError as problem:
            raise ValueError(str(problem)) from problem
        return value

    def may_default(self, flow: FlowDefinition, name: str) -> bool:
        """Whether an input may run on the flow's default.

        The defaults of the flows that ship, and of what was copied from them, are part of what they do. The entry of a
        flex flow may itself know a default that cannot be read from its source.
        """
        known = name in flow.input_defaults or flow.kind == "flex"
        return known and (flow.declares_as_shipped or self.defaults == "allowed" or name in self.defaults)


def parse_inputs(given: Mapping[str, Any]) -> dict[str, mapping.Reference | Any]:
    """Read a suite's mapping.

    Raises
    ------
    DriftgateError
        A reference does not begin with ``data``, or stands inside other text.

    Examples
    --------
    >>> parse_inputs({"url": "${data.link}", "k": 3})
    {'url': Reference(root='data', path=('link',)), 'k': 3}
    """
    parsed = {name: mapping.parse(value, _ROOTS) for name, value in given.items()}
    for name, value in parsed.items():
        if not isinstance(value, mapping.Reference) and any("${" in text for text in _texts(value)):
            raise DriftgateError(
                f"the input '{name}' is given {value!r}, which holds a reference inside something else",
                "write one whole reference, such as ${data.link}, or a literal",
            )
    return parsed


def check_inputs(
    flow: FlowDefinition, config: InputsConfig, dataset: str, samples: Sequence[Sample], *, shots: int = 0
) -> None:
    """Refuse a flow an input of which nobody supplies on some sample.

    Parameters
    ----------
    shots : int
        Few-shot examples that are given; where there are none, a flow with examples of its own would run on these.

    Raises
    ------
    DriftgateError
        It has one; the message names the input, the dataset's columns and the ways to supply it.
    """
    given = parse_inputs(config.inputs)
    for name in sorted(flow.inputs):
        if (known := as_name(name)) in given:
            if not isinstance(entry := given[known], mapping.Reference):
                continue
            absent = [s for s in samples if is_absent(flow, name, entry.resolve({"data": s.row}))]
        elif name == SCORING_INPUT or (name == EXAMPLES_INPUT and (shots or not flow.input_defaults.get(name))):
            continue
        else:
            absent = [s for s in samples if is_absent(flow, name, s.row.get(known, mapping.MISSING))]
        if absent and not config.may_default(flow, name):
            raise _not_supplied(flow, config, name, dataset, samples, absent)


def is_absent(flow: FlowDefinition, name: str, value: Any) -> bool:
    """Whether a value is none: not there, or null where a text, a number or a truth value is declared.

    Prompt flow would make the text ``None`` of a null.
    """
    if value is None:
        declared = (flow.dag.get("inputs") or {}).get(name)
        return isinstance(declared, dict) and declared.get("type") in _SCALARS
    return value is mapping.MISSING


def check_names(flow: FlowDefinition, config: InputsConfig) -> None:
    """Refuse a mapping, or a default, of an input that the flow does not declare.

    Raises
    ------
    DriftgateError
        There is one.
    """
    for name in (*config.inputs, *(config.defaults if isinstance(config.defaults, list) else ())):
        if name not in {as_name(declared) for declared in flow.inputs}:
            raise DriftgateError(
                f"the suite speaks of the input '{name}', which the flow '{flow.name}' does not declare",
                nearest(name, flow.inputs),
            )


def _not_supplied(
    flow: FlowDefinition,
    config: InputsConfig,
    name: str,
    dataset: str,
    samples: Sequence[Sample],
    absent: Sequence[Sample],
) -> DriftgateError:
    columns = sorted({column for sample in samples for column in sample.row})
    shown = ", ".join(columns[:_LISTED]) + (" and more" if len(columns) > _LISTED else "")
    wanted = str(config.inputs[name]) if name in config.inputs else name
    column = wanted.removeprefix("${data.").removesuffix("}").partition(".")[0]
    if len(absent) == len(samples):
        found = f"dataset '{dataset}' has no column '{column}' (it has {shown})"
    else:
        found = (
            f"{len(absent):,} of {len(samples):,} samples of dataset '{dataset}' have no value for it, "
            f"the first is '{absent[0].id}' (columns: {shown})"
        )
    mapped = f", given {wanted}" if name in config.inputs else ""
    close = nearest(column, columns) if column not in columns else ""  # it is there, and blank in some rows
    remedies = [
        *([close.rstrip("?")] if close.startswith("did you mean") else []),
        f"give it in the suite: inputs: {{{name}: '${{data.COLUMN}}'}}, or a literal in place of the reference",
    ]
    if name in flow.input_defaults:
        remedies.append(f"or say that the flow's default {flow.input_defaults[name]!r} is meant: defaults: [{name}]")
    if name == "choices" and "answer" in columns:
        remedies.append("or use a flow that takes no choices, such as 'maths' where answers are numbers")
    return DriftgateError(
        f"nobody supplies the input '{name}' of the flow '{flow.name}'{mapped}: {found}", "; ".join(remedies)
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(item)
