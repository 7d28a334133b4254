"""The conformance flows three times: as ``bench`` runs them with either engine, and with prompt flow alone.

The first two go through a suite, the runner and the ledger, from which they are read; the third is prompt flow's own
executor in a process without driftgate. ``python tests/flows/conformance/three.py`` prints the table.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "support")]

import yaml  # noqa: E402
from _flows import ConformanceFlow, load  # noqa: E402
from chat_endpoint import Answer, ChatEndpoint  # noqa: E402

ENGINES = ("native", "promptflow")
UNSUPPORTED = "not supported, and refused with a sentence"
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True)
class Column:
    """What one way to run a flow made of it."""

    refused: str = ""
    lines: tuple[Any, ...] = ()
    """Of each line the answer or the error, and by node its output."""
    metrics: Mapping[str, Any] = field(default_factory=dict)

    def told(self, *, nodes: bool) -> tuple[Any, ...]:
        """What is compared; of a refusal that it is one, as each says it in words of its own."""
        lines = [{name: part for name, part in line.items() if nodes or name != "nodes"} for line in self.lines]
        return bool(self.refused), lines, dict(self.metrics)

    def __str__(self) -> str:
        if self.refused:
            return "refused"
        failed = sum(bool(line["error"]) for line in self.lines)
        parts = [f"{len(self.lines) - failed} completed", *([f"{failed} failed"] if failed else [])]
        return ", ".join([*parts, *([f"{len(self.metrics)} metrics"] if self.metrics else [])])


@dataclass(frozen=True)
class Row:
    """One flow, or one variant of it."""

    flow: ConformanceFlow
    variant: str
    native: Column
    promptflow: Column
    pure: Column

    @property
    def name(self) -> str:
        """As the table has it."""
        return f"{self.flow.name} ({self.variant})" if self.variant else self.flow.name

    @property
    def differs(self) -> bool:
        """Whether the native engine and prompt flow alone differ."""
        nodes = "flow.dag.yaml" in self.flow.files  # prompt flow has none in the other kinds
        return self.native.told(nodes=nodes) != self.pure.told(nodes=nodes)

    @property
    def reason(self) -> str:
        """Why they do, as the suite says it."""
        if self.flow.pure:
            return self.flow.pure
        return "" if self.flow.supported else UNSUPPORTED


def parts_of(flow: ConformanceFlow) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """The cases of a flow by variant; one without cases is loaded all the same."""
    variants = dict.fromkeys(str(case.get("variant", "")) for case in flow.cases) or {"": None}
    for variant in variants:
        yield variant, [case for case in flow.cases if str(case.get("variant", "")) == variant]


def compare(root: Path, endpoint: ChatEndpoint, flows: Sequence[ConformanceFlow]) -> list[Row]:
    """Run flows in the three ways."""
    os.environ |= {"CHAT_URL": endpoint.url, "CHAT_BASE": f"{endpoint.url}/v1", "CHAT_KEY": "k-123"}
    rows = []
    with _alone(root) as alone:
        for flow in flows:
            endpoint.forget()
            for part, text in flow.replies.items():
                endpoint.script(part, Answer(text))
            for variant, cases in parts_of(flow):
                ours = [_benched(_written(root, flow, "ours"), flow, variant, cases, e, endpoint) for e in ENGINES]
                pure = _asked(alone, _written(root, flow, "theirs") / "flows" / flow.name, flow, variant, cases)
                rows.append(Row(flow, variant, *ours, pure))
    return rows


def _written(root: Path, flow: ConformanceFlow, side: str) -> Path:
    for path, text in flow.files.items():
        file = root / flow.name / side / "flows" / flow.name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return root / flow.name / side


def _rows(cases: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows whose columns have no meaning of their own for a dataset."""
    return [
        {"case": place, **{f"in_{name}": value for name, value in case["inputs"].items()}}
        for place, case in enumerate(cases)
    ]


def _benched(
    folder: Path,
    flow: ConformanceFlow,
    variant: str,
    cases: Sequence[Mapping[str, Any]],
    engine: str,
    endpoint: ChatEndpoint,
) -> Column:
    """Through a suite, the runner and the ledger."""
    from bench import Watcher

    from driftgate.api import session
    from driftgate.api._waiting import wait_for
    from driftgate.api.workspace import open_workspace
    from driftgate.flows.definition import load_flow
    from driftgate.flows.errors import DriftgateError
    from driftgate.ledger import cells_of, find_run, open_ledger

    path = str(Path(flow.name) / flow.file)
    with suppress(DriftgateError):
        given = {name for case in cases for name in case["inputs"]}
        known = load_flow(path, folder).inputs
        mapping = {name: f"${{data.in_{name}}}" for name in sorted(given & known)}
    suite = {"models": ["tested"], "datasets": ["rows"], "flow": path, "engine": engine, "defaults": "allowed"}
    config = {
        "version": 1,
        "models": {"tested": {"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "gpt-test"}},
        "connections": dict(flow.connections),
        "datasets": {"rows": {"kind": "jsonl", "path": "rows.jsonl"}},
        "suites": {"it": {**suite, "inputs": locals().get("mapping", {}), "variants": [variant] if variant else []}},
    }
    (folder / "driftgate.yaml").write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False), "utf-8")
    rows = _rows(cases) or [{"case": 0}]
    (folder / "rows.jsonl").write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), "utf-8")
    workspace = open_workspace(folder)
    ledger = open_ledger(workspace.ledger, folder, workspace.archive)
    try:
        planned = session.plan_suite(workspace, ledger, "it", workspace.suite("it"), asks=False)
        models = session.open_models(workspace, ledger, planned.suite.models, check=False)
        run = session.begin(ledger, planned)
        wait_for(session.work(ledger, run, planned, models, Watcher()))
        (cell,) = cells_of(ledger, find_run(ledger, run.id).id)
        return _of_cell(ledger, cell)
    except DriftgateError as problem:
        return Column(refused=str(problem))
    finally:
        ledger.close()


def _of_cell(ledger: Any, cell: Any) -> Column:
    from driftgate.ledger import aggregations_of, node_results, outcome_frame

    frame, nodes = outcome_frame(ledger, cell.id), node_results(ledger, cell.id)
    lines = [
        _line(
            None if row.outcome == "failed" else (row.answer or ""),
            str(row.error or ""),
            {name: [one.status, one.output] for name, one in nodes.get(int(row.sample_id), {}).items()},
        )
        for row in frame.itertuples()
    ]
    metrics = {name: value for one in aggregations_of(ledger, cell.id) for name, value in one.metrics.items()}
    return Column("", tuple(lines), metrics)


@contextmanager
def _alone(root: Path) -> Iterator[subprocess.Popen[str]]:
    """Prompt flow's own executor, in a process that knows nothing of driftgate."""
    home = root / "home"
    home.mkdir()
    (home / "pf.yaml").write_text("telemetry:\n  enabled: false\ntrace:\n  destination: none\n", encoding="utf-8")
    quiet = {"PF_HOME_DIRECTORY": str(home), "PF_LOGGING_LEVEL": "CRITICAL", "PF_DISABLE_TRACING": "true"}
    command = [sys.executable, str(HERE / "_pure.py")]
    pipe = subprocess.PIPE
    with (
        (root / "stderr").open("w", encoding="utf-8") as errors,
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=errors, text=True, env=os.environ | quiet) as process,
    ):
        yield process
        assert process.stdin is not None
        process.stdin.close()


def _asked(
    alone: subprocess.Popen[str],
    folder: Path,
    flow: ConformanceFlow,
    variant: str,
    cases: Sequence[Mapping[str, Any]],
) -> Column:
    """What prompt flow makes of a flow."""
    from driftgate.flows.answer import answer_of
    from driftgate.flows.connections import ConnectionConfig, for_promptflow
    from driftgate.flows.engines._aggregate import numbers
    from driftgate.flows.errors import DriftgateError

    connections: dict[str, Any] = {}
    with suppress(DriftgateError):  # a variable that is not set
        config = {name: ConnectionConfig.model_validate(one) for name, one in flow.connections.items()}
        connections = for_promptflow(config)
    file = flow.file or next(name for name in ("flow.dag.yaml", "flow.flex.yaml") if (folder / name).is_file())
    spec = {
        "folder": str(folder),
        "file": _with_variant(folder, file, variant),
        "connections": connections,
        "rows": _rows(cases),
        "mapping": {name: f"${{data.in_{name}}}" for case in cases for name in case["inputs"]},
    }
    assert alone.stdin is not None and alone.stdout is not None
    print(json.dumps(spec, ensure_ascii=False), file=alone.stdin, flush=True)
    told = json.loads(alone.stdout.readline())
    if "refused" in told:
        return Column(refused=told["refused"])
    lines = [
        _line(None if line["error"] else (answer_of(line["output"]) or ""), line["error"], line["nodes"])
        for line in told["lines"]
    ]
    return Column("", tuple(lines), numbers(told["metrics"]))


def _with_variant(folder: Path, file: str, variant: str) -> str:
    """A copy of the DAG with the variant as its default: prompt flow's executor takes none."""
    if not variant:
        return file
    dag = yaml.safe_load((folder / file).read_text(encoding="utf-8"))
    for part in variant.split(","):
        node, _, wanted = part.strip().rpartition(".")
        for name, entry in dag["node_variants"].items():
            if wanted in entry["variants"] and node in ("", name):
                entry["default_variant_id"] = wanted
    copy = f"variant_{re.sub('[^a-z0-9]', '_', variant.lower())}.dag.yaml"
    (folder / copy).write_text(yaml.safe_dump(dag, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return copy


def _line(answer: str | None, error: str, nodes: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: (str(status).lower(), _plain(output)) for name, (status, output) in nodes.items()}
    return {
        "answer": answer,
        "error": _SPACES.sub(" ", error).strip()[:300],
        "nodes": {name: one for name, one in kept.items() if one[0] in ("completed", "bypassed")},
    }


def _plain(value: Any) -> Any:
    """As JSON has it, and no generator's address in it."""
    told = json.loads(json.dumps(value, default=repr))  # keys that are no texts, too
    return re.sub(r"0x[0-9a-f]+", "0x", json.dumps(told, ensure_ascii=False, sort_keys=True))


def table(rows: Sequence[Row]) -> str:
    """In Markdown, every row; where native and prompt flow alone differ, why."""
    lines = ["| flow | native | engine promptflow | prompt flow alone | native and prompt flow alone |"]
    lines.append("|---|---|---|---|---|")
    for row in rows:
        said = f"differ: {row.reason or 'UNNAMED'}" if row.differs else "equal"
        lines.append(f"| `{row.name}` | {row.native} | {row.promptflow} | {row.pure} | {said} |")
    differing = sum(row.differs for row in rows)
    return "\n".join([*lines, "", f"{len(rows)} rows: {len(rows) - differing} equal, {differing} differ."])


def differences(flows: Sequence[ConformanceFlow]) -> str:
    """In Markdown, the flows that prompt flow alone does not treat as driftgate does, by reason."""
    by_reason: dict[str, list[str]] = {}
    for flow in flows:
        reason = flow.pure or ("" if flow.supported else UNSUPPORTED)
        if reason:
            by_reason.setdefault(reason, []).append(f"`{flow.name}`")
    lines = [f"| {', '.join(names)} | {reason} |" for reason, names in by_reason.items()]
    return "\n".join(["| flows | why they differ |", "|---|---|", *lines])


def main() -> None:
    """Print the table of all flows, or of those that are named."""
    wanted = sys.argv[1:]
    flows = [flow for flow in load() if not wanted or flow.name in wanted]
    endpoint = ChatEndpoint()
    endpoint.start()
    try:
        with TemporaryDirectory() as folder:
            rows = compare(Path(folder), endpoint, flows)
            print(table(rows))
            for row in rows if wanted else ():
                for column in (row.native, row.promptflow, row.pure):
                    print(f"\n{row.name}: {column.refused or json.dumps(column.lines, ensure_ascii=False)}")
    finally:
        endpoint.stop()


if __name__ == "__main__":
    main()
