"""The flows that ship do the same under either engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from driftgate.benchmarks.datasets import load_dataset, parse_config
from driftgate.flows.definition import load_flow
from driftgate.flows.engines import ENGINES, LineResult
from driftgate.flows.line import Line
from driftgate.flows.models import Message, Reply, Usage
from driftgate.flows.retrieval import open_retriever
from driftgate.flows.retrieval import parse_config as parse_retriever

FLOWS = {
    "rag_qa": ("handbook", ["base", "rag", "rag,instruct", "rag,letters"]),
    "summarize": ("news", ["instruct", "document"]),
    "chat": ("dialogues", ["turns", "transcript"]),
    "maths": ("sample", ["zero_shot", "few_shot", "terse"]),
}


@dataclass
class _Echo:
    """A model that says the end of its prompt."""

    name: str = "echo"
    identity: Mapping[str, Any] = field(default_factory=dict)

    async def complete(self, messages: Sequence[Message]) -> Reply:
        return Reply(messages[-1].content[-60:], "stop", Usage(), 0.0, first_token={"B": -0.1, "A": -2.0})

    async def aclose(self) -> None:
        """Nothing is held open."""


async def _run(engine: str, flow: str, variant: str, folder: Path) -> list[LineResult]:
    kind, _ = FLOWS[flow]
    definition = load_flow(flow, folder).with_variant(variant)
    retriever = open_retriever("r", parse_retriever({"kind": "bm25"}), folder)
    opened = ENGINES.get(engine)(definition)
    results = []
    for sample in load_dataset("d", parse_config({"kind": kind}), folder).samples[:4]:
        inputs = {name: value for name, value in sample.data.items() if name in definition.inputs}
        results.append(await opened.run_line(inputs, Line({"": _Echo()}, sample.id, retriever)))
    await opened.aclose()
    return results


@pytest.mark.parametrize(("flow", "variant"), [(flow, v) for flow, (_, variants) in FLOWS.items() for v in variants])
async def test_both_engines_agree_on_outputs_and_on_every_node(flow: str, variant: str, tmp_path: Path) -> None:
    native, promptflow = [await _run(engine, flow, variant, tmp_path) for engine in ("native", "promptflow")]
    for one, other in zip(native, promptflow, strict=True):
        assert one.error == other.error == ""
        assert one.output == other.output
        assert {name: node.output for name, node in one.nodes.items()} == {
            name: node.output for name, node in other.nodes.items()
        }
