"""Run flows with prompt flow alone: its own executor, inputs mapping and aggregation, and nothing of driftgate.

A program that is told a flow in each line, and answers with one. Each flow is run in a process of its own, as prompt
flow leaves a flow's folder on ``sys.path``.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

from promptflow._utils import logger_utils
from promptflow._utils.execution_utils import apply_default_value_for_input, get_aggregation_inputs_properties
from promptflow._utils.inputs_mapping_utils import apply_inputs_mapping
from promptflow._utils.utils import AttrDict, transpose
from promptflow.executor import FlowExecutor
from promptflow.executor._result import LineResult
from promptflow.executor.flow_validator import FlowValidator


def run(spec: dict[str, Any]) -> dict[str, Any]:
    """One flow over its rows."""
    folder = Path(spec["folder"])
    os.chdir(folder)
    try:
        executor = FlowExecutor.create(
            folder / spec["file"], spec["connections"], working_dir=folder, raise_ex=False, node_override=None
        )
    except Exception as problem:
        return {"refused": f"{type(problem).__name__}: {problem}"}
    lines, results, inputs = [], [], []
    for index, row in enumerate(spec["rows"]):
        try:
            mapping = {name: value for name, value in spec["mapping"].items() if value[7:-1] in row}
            given = apply_inputs_mapping({"data": row}, mapping)
            if executor._flow is not None and hasattr(executor._flow, "nodes"):
                given = apply_default_value_for_input(executor._flow.inputs, given)
            result = executor.exec_line(given, index=index)
        except Exception as problem:
            lines.append({"error": str(problem), "nodes": {}})
            continue
        lines.append(line_of(result))
        if result.run_info.status.value == "Completed":
            results.append(result)
            inputs.append(given)
    return {"lines": lines, "metrics": metrics_of(executor, inputs, results) if results else {}}


def line_of(result: LineResult) -> dict[str, Any]:
    nodes = {name: [info.status.value, info.output] for name, info in result.node_run_infos.items()}
    if result.run_info.status.value == "Completed":
        output = result.run_info.output
        return {"output": {k: v for k, v in output.items() if k != "line_number"}, "nodes": nodes, "error": ""}
    error = result.run_info.error or {}
    inner = (error.get("additionalInfo") or [{}])[0].get("info") or {}
    return {"error": str(inner.get("message", error.get("message", ""))), "nodes": nodes}


def metrics_of(executor: Any, inputs: list[dict[str, Any]], results: list[LineResult]) -> dict[str, Any]:
    """What prompt flow's batch engine makes of the lines that completed."""
    logged: dict[str, Any] = {}
    from promptflow._core.metric_logger import add_metric_logger

    add_metric_logger(lambda key, value: logged.update({key: value}))
    if not executor.has_aggregation_node:
        return {}
    if not hasattr(executor, "_aggr_func"):
        flow = executor._flow
        typed = [FlowValidator.ensure_flow_inputs_type(flow=flow, inputs=one) for one in inputs]
        taken = transpose([one.aggregation_inputs for one in results], keys=get_aggregation_inputs_properties(flow))
        executor.exec_aggregation(transpose(typed, keys=list(flow.inputs)), taken)
    else:
        given = [AttrDict(one.output) if isinstance(one.output, dict) else one.output for one in results]
        executor.exec_aggregation(None, given)
    return logged


def main() -> None:
    """Read a flow from each line of the standard input, and answer with a line."""
    for logger in (logger_utils.logger, logger_utils.flow_logger, logger_utils.bulk_logger):
        logger.setLevel(logging.CRITICAL)
    said = sys.stdout
    sys.stdout = sys.stderr  # where what the tools print goes
    for line in sys.stdin:
        read, write = os.pipe()
        child = os.fork()
        if not child:
            os.close(read)
            _answer(json.loads(line), write)
        os.close(write)
        with os.fdopen(read, encoding="utf-8") as answer:
            found = answer.read()
        os.waitpid(child, 0)
        print(found or json.dumps({"refused": "it ended its process"}), file=said, flush=True)


def _answer(spec: dict[str, Any], write: int) -> None:
    """Run a flow in this process, which ends with it."""
    try:
        try:
            found = run(spec)
        except Exception as problem:
            found = {"refused": f"{type(problem).__name__}: {problem}"}
        with os.fdopen(write, "w", encoding="utf-8") as answer:
            answer.write(json.dumps(found, ensure_ascii=False, default=repr))
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
