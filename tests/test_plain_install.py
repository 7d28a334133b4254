"""``pip install driftgate`` without an extra runs flows, benchmarks, the gate, the ledger and reports.

No network is needed to try it: a folder is laid out that holds only what ``pyproject.toml`` asks for without extras,
with all that these distributions ask for themselves, as links into this environment; and Python is run without its
own site-packages.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path
from shutil import copyfile, copytree, ignore_patterns
from typing import Any

import pytest
import yaml
from chat_endpoint import Answer, ChatEndpoint
from packaging.requirements import Requirement

import driftgate

ROOT = Path(driftgate.__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def closure(requirements: list[str]) -> dict[str, Distribution]:
    """The distributions that are installed for these requirements here."""
    found: dict[str, Distribution] = {}
    waiting = [(Requirement(one), "") for one in requirements]
    while waiting:
        wanted, asked_for = waiting.pop()
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": asked_for}):
            continue
        name = wanted.name.lower().replace("_", "-")
        one = found.setdefault(name, distribution(name))
        for extra in ("", *wanted.extras):
            waiting += [(Requirement(text), extra) for text in one.requires or []]
    return found


def link(found: Distribution, site: Path) -> None:
    """Link a distribution's top-level modules and folders into a folder."""
    for top in {file.parts[0] for file in found.files or [] if file.parts[0] not in ("..", "__pycache__")}:
        target, here = Path(str(found.locate_file(top))), site / top
        if not here.exists() and target.exists():
            here.symlink_to(target)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site-packages folder of the plain distribution."""
    folder = tmp_path_factory.mktemp("site")
    for found in closure(PROJECT["dependencies"]).values():
        link(found, folder)
    (folder / "driftgate").symlink_to(ROOT / "driftgate")
    # What ships is looked for beside the package, and its version in installed metadata.
    for name in ("flows", "benchmarks", "monitor", "finetune"):
        copytree(ROOT / name, folder / name, ignore=ignore_patterns("perf", "__pycache__"))
    copyfile(ROOT / "driftgate.yaml", folder / "driftgate.yaml")
    metadata = folder / f"driftgate-{PROJECT['version']}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Name: driftgate\nVersion: {PROJECT['version']}\n", encoding="utf-8")
    return folder


class Plain:
    """A workspace, and commands that are run with the plain distribution only."""

    def __init__(self, site: Path, folder: Path, endpoint: ChatEndpoint) -> None:
        self.site, self.folder = site, folder
        model = {"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "gpt-test"}
        self.config: dict[str, Any] = {
            "version": 1,
            "models": {"one": model, "two": {**model, "model": "gpt-other"}},
            "datasets": {"sample": {"kind": "sample"}, "news": {"kind": "news"}, "handbook": {"kind": "handbook"}},
            "retrievers": {"docs": {"kind": "bm25"}, "own": {"folder": "docs"}},
            "suites": {
                "letters": {
                    "models": ["one", "two"],
                    "datasets": ["sample"],
                    "variants": ["terse", "few_shot"],
                    "limit": 12,
                },
                "news": {"models": ["one"], "datasets": ["news"], "flow": "summarize", "limit": 3},
                "rag": {
                    "models": ["one"],
                    "datasets": ["handbook"],
                    "flow": "rag_qa",
                    "retriever": "docs",
                    "limit": 3,
                },
            },
            "gates": {"letters": {"suite": "letters", "rules": [{"metric": "share.failed", "max": 0.9}]}},
            "champions": {"assistant": "one"},
            "monitors": {
                "assistant": {"champion": "assistant", "canaries": {"dataset": "sample"}, "cron": "0 4 * * *"}
            },
            "nightly": {"suites": ["letters"], "gates": ["letters"]},
        }
        self.write()

    def write(self) -> None:
        documents = self.folder / "docs"
        documents.mkdir(exist_ok=True)
        (documents / "leave.md").write_text("# 연차\n\n연차는 15일이다.\n", encoding="utf-8")
        (self.folder / "driftgate.yaml").write_text(yaml.safe_dump(self.config, allow_unicode=True), encoding="utf-8")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        return subprocess.run(
            [sys.executable, "-S", "-m", "driftgate", *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env={**environment, "PYTHONPATH": str(self.site)},
        )

    def done(self, *arguments: str) -> str:
        ended = self.run(*arguments)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def refused(self, *arguments: str) -> str:
        ended = self.run(*arguments)
        assert ended.returncode == 2, ended.stdout + ended.stderr
        assert "Traceback" not in ended.stderr and "defect" not in ended.stderr, ended.stderr
        return ended.stdout + ended.stderr


@pytest.fixture
def plain(site: Path, tmp_path: Path) -> Iterator[Plain]:
    endpoint = ChatEndpoint()
    endpoint.default = lambda prompt: Answer("B")
    endpoint.start()
    yield Plain(site, tmp_path, endpoint)
    endpoint.stop()


def test_no_package_of_an_extra_is_among_them() -> None:
    plain = closure(PROJECT["dependencies"])
    assert len(plain) <= 70
    heavy = {"promptflow", "openai", "azure-core", "evidently", "statsmodels", "pyarrow", "duckdb", "fastapi", "torch"}
    assert not heavy & set(plain)


def test_all_holds_what_is_given_and_every_extra_but_training() -> None:
    extras = PROJECT["optional-dependencies"]
    (everything,) = (Requirement(one) for one in extras["all"])
    assert everything.extras == set(extras) - {"all", "dev", "train"}
    named = [text for extra in everything.extras for text in extras[extra]] + PROJECT["dependencies"]
    given = {"promptflow", "azure-ai-evaluation", "azure-monitor-opentelemetry", "opentelemetry-sdk"}
    given |= {"azure-ai-ml", "pandas", "scipy", "evidently"}
    assert given <= {Requirement(text).name for text in named}


def test_a_suite_is_run_judged_reported_and_compared(plain: Plain) -> None:
    assert "everything is in order" in plain.done("doctor")
    assert "answered 12" in plain.done("bench", "letters")
    assert "gate letters" in plain.done("gate", "--json", "gate.json", "--junit", "gate.xml")
    assert "report: " in plain.done("report")
    assert "page: " in plain.done("compare", "--models", "one,two", "--html", "page.html")
    assert "letters" in plain.done("runs", "list")
    assert "gate letters" in plain.done("nightly")
    for suite in ("news", "rag"):
        assert "answered 3" in plain.done("bench", suite)


def test_a_workspace_is_made(plain: Plain) -> None:
    plain.done("init", "new")
    assert (plain.folder / "new/driftgate.yaml").is_file()


TOOL = (
    "from driftgate.flows.line import ask\n@tool\nasync def a(text: str) -> str:\n    return (await ask(text)).text\n"
)
DAG = (
    "inputs: {question: {type: string}}\noutputs: {answer: {type: string, reference: '${a.output}'}}\n"
    "nodes:\n- {name: a, type: python, source: {type: code, path: a.py}, inputs: {text: '${inputs.question}'}}\n"
)
EVALUATORS = (
    "primary: a.same.match\nnodes:\n  a:\n"
    "    same: {evaluator: exact_match, inputs: {response: '${nodes.a.output}', ground_truth: '${data.answer}'}}\n"
)
FLUENCY = "{evaluator: fluency, settings: {judge: two}, inputs: {response: '${nodes.a.output}'}}\n"


@pytest.mark.parametrize(
    ("change", "command", "extra"),
    [
        ({"models": {"one": {"provider": "local"}}}, ["bench", "letters"], "local"),
        (
            {"models": {"one": {"provider": "azure_openai", "endpoint": "http://127.0.0.1:9", "deployment": "d"}}},
            ["bench", "letters"],
            "azure",
        ),
        ({"ledger": "postgresql://127.0.0.1/none"}, ["runs", "list"], "postgres"),
        ({"datasets": {"sample": {"kind": "click"}}}, ["bench", "letters"], "hub"),
        ({}, ["serve"], "monitor"),
        ({}, ["ledger", "archive", "--older-than", "0"], "parquet"),
        ({"suites": {"letters": {"engine": "promptflow"}}}, ["bench", "letters"], "promptflow"),
        ({"suites": {"letters": {"flow": "mine"}}}, ["bench", "letters"], "promptflow"),
        ({"suites": {"letters": {"flow": "judged"}}}, ["bench", "letters"], "judges"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_needs_an_extra_says_which(
    plain: Plain, change: dict[str, Any], command: list[str], extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRIFTGATE_TOKEN", "a-token-of-sixteen-letters")
    for key, value in change.items():
        if isinstance(value, dict):
            for name, inner in value.items():
                whole = key == "suites"
                plain.config[key][name] = {**(plain.config[key][name] if whole else {}), **inner}
        else:
            plain.config[key] = value
    plain.config["suites"]["letters"] |= {"models": ["one"], "variants": []}
    for name, importing in (
        ("mine", "from promptflow.core import tool\n"),
        ("judged", "from driftgate.flows.tool import tool\n"),
    ):
        folder = plain.folder / "flows" / name
        folder.mkdir(parents=True)
        (folder / "flow.dag.yaml").write_text(DAG, encoding="utf-8")
        (folder / "a.py").write_text(importing + TOOL, encoding="utf-8")
        fluency = (
            "\n    fluency: {evaluator: fluency, settings: {judge: two}, inputs: {response: '${nodes.a.output}'}}\n"
        )
        bound = EVALUATORS + (fluency if name == "judged" else "\n")
        (folder / "evaluators.yaml").write_text(bound, encoding="utf-8")
    plain.write()
    said = plain.refused(*command)
    assert f"needs the extra '{extra}'" in said
    assert f"pip install 'driftgate[{extra}]'" in said
