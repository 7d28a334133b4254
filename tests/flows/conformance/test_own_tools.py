"""A flow whose tools are marked with driftgate's own ``@tool`` does the same, whether prompt flow reads it or not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from _flows import ConformanceFlow, load
from chat_endpoint import Answer, ChatEndpoint
from test_conformance import ENGINE_NAMES, _assert_case, _comparable, _run

from driftgate.flows.connections import ConnectionConfig
from driftgate.flows.definition import FlowDefinition, load_flow
from driftgate.flows.engines import ENGINES
from driftgate.flows.engines._direct import Unfit, read_directly
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import Model

TRUTH = re.compile(r"\byes\b")
IMPORT = re.compile(r"^from promptflow(\.core)? import tool$", re.MULTILINE)


def with_own_tools(flow: ConformanceFlow) -> ConformanceFlow:
    """The flow with driftgate's mark where it uses prompt flow's without options.

    And without names that YAML 1.1 takes for a truth value, as such a flow is left to prompt flow.
    """
    files = {
        path: TRUTH.sub("sure", text if "@tool(" in text else IMPORT.sub("from driftgate.flows.tool import tool", text))
        for path, text in flow.files.items()
    }
    return replace(flow, files=files, cases=tuple(json.loads(TRUTH.sub("sure", json.dumps(flow.cases)))))


FLOWS = [with_own_tools(flow) for flow in load() if "flow.dag.yaml" in flow.files and not flow.file]
Open = Callable[[Mapping[str, Any]], Model]


def defined(flow: ConformanceFlow, folder: Path) -> FlowDefinition:
    for path, text in flow.files.items():
        file = folder / "flows" / flow.name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    connections = {name: ConnectionConfig.model_validate(value) for name, value in flow.connections.items()}
    return load_flow(flow.name, folder, connections)


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
async def test_own_tools_do_what_prompt_flow_s_do(
    flow: ConformanceFlow,
    tmp_path: Path,
    endpoint: ChatEndpoint,
    model_config: Callable[..., dict[str, Any]],
    open_model: Open,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for part, text in flow.replies.items():
        endpoint.script(part, Answer(text))
    for name, value in (("CHAT_URL", endpoint.url), ("CHAT_BASE", f"{endpoint.url}/v1"), ("CHAT_KEY", "k-123")):
        monkeypatch.setenv(name, value)
    definition = defined(flow, tmp_path)
    if flow.refused:
        with pytest.raises(DriftgateError, match=flow.refused):
            ENGINES.get("native")(definition)
        return
    model = open_model(model_config("openai"))
    for case in flow.cases:
        found = [await _run(definition, name, case, model) for name in ENGINE_NAMES]
        _assert_case(case, found[0])
        assert _comparable(found[0]) == _comparable(found[1])
    await model.aclose()


def test_most_flows_of_templates_and_tools_are_read_directly(tmp_path: Path) -> None:
    read, left = [], {}
    for flow in FLOWS:
        try:
            read_directly(defined(flow, tmp_path)).scope.close()
            read.append(flow.name)
        except (Unfit, DriftgateError) as problem:
            left[flow.name] = str(problem)
    assert not [flow.name for flow in FLOWS if flow.refused and flow.name in read]
    assert len(read) >= 50, left


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("  default: no", "quote it"),
        ("  default: 0777", "quote it"),
        ("  default: 1e3", "quote it"),
        ("  type: image", "type image"),
        ("  default: a\n  default: b", "'default' stands twice"),
    ],
)
def test_what_may_mean_another_thing_to_prompt_flow_is_left_to_it(line: str, says: str, tmp_path: Path) -> None:
    kind = "" if "type:" in line else "  type: string\n"
    text = (
        f"inputs:\n x:\n{kind}{line}\n"
        'outputs: {y: {type: string, reference: "${a.output}"}}\n'
        'nodes:\n- {name: a, type: python, source: {type: code, path: a.py}, inputs: {x: "${inputs.x}"}}\n'
    )
    tool = "from driftgate.flows.tool import tool\n@tool\ndef a(x: str) -> str:\n    return x\n"
    made = ConformanceFlow("odd", "", {"flow.dag.yaml": text, "a.py": tool})
    with pytest.raises(Unfit, match=says):
        read_directly(defined(made, tmp_path))
