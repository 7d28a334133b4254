"""Every block of settings in README.md and docs/ can be copied: ``driftgate doctor`` finds nothing to mend in it.

What a block is, and to what it is added, its own first line says; nothing else is put beside it but what the page calls
the reader's: data, documents, flows, services and secrets.
"""

from __future__ import annotations

import doctest
import json
import re
import shutil
import tomllib
from pathlib import Path

import pytest
import yaml
from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli
from pages import PAGES, ROOT, Block, blocks
from readers_files import MINE, supply

import driftgate
from driftgate.benchmarks.datasets import load_dataset, parse_config
from driftgate.benchmarks.gate import GateConfig

FILE = "# driftgate.yaml"
SCAFFOLD = f"{FILE}, below what driftgate init wrote"
ABOVE = f"{FILE}, below the block above"
FIRST = f"{FILE}, below the first block of "
RUN_ELSEWHERE = {"docs/own.md": "tests/cli/test_own_page.py", "docs/workspace.md": "tests/cli/test_workspace_page.py"}
"""Pages whose blocks are one workspace together, and the test that runs it."""
PYTHON_ELSEWHERE = {
    "docs/azure.md": "tests/monitor/test_instrumentation.py",
    "docs/notebook.md": "tests/cli/test_notebook.py",
    "docs/parity.md": "tests/support/docs_world.py",
}
ALL = [block for page in PAGES for block in blocks(page)]
YAML = [block for block in ALL if block.language == "yaml" and block.page not in RUN_ELSEWHERE]
KINDS = {"", "indented", "bash", "yaml", "csv", "jinja2", "json", "python", "toml", "sql"}
"""What blocks are said to be; commands are in the first three, and SQL is run by nobody here."""
SERVICES = (
    "http://127.0.0.1:8000",
    "https://RESOURCE.services.ai.azure.com/api/projects/PROJECT/openai",
    "https://NAME.search.windows.net",
    "https://RESOURCE.openai.azure.com/openai",
)
ANCHOR = "20261101T021500-nightly-9f2c"
ENVIRONMENT = {
    "DRIFTGATE_CLIENT_SECRET": "a-secret-of-enough-letters",
    "DRIFTGATE_TOKEN": "a-token-of-enough-letters",
    "PHI_KEY": "a-key-of-enough-letters",
    "AOAI_KEY": "a-key-of-enough-letters",
    "AZURE_OPENAI_API_KEY": "a-key-of-enough-letters",
    "AZURE_SEARCH_KEY": "a-key-of-enough-letters",
    "PROXY_PASSWORD": "a-word-of-enough-letters",
    "AZURE_SUBSCRIPTION_ID": "00000000-0000-0000-0000-000000000000",
    "LOG_ANALYTICS_WORKSPACE": "00000000-0000-0000-0000-000000000000",
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=00000000-0000-0000-0000-000000000000",
    "DRIFTGATE_LEDGER": ".driftgate/ledger.db",
    "IDENTITY_HEADER": "a-header",
    "OPS_MAIL_URL": "mailto://user:a-word-of-enough-letters@smtp.example.com?to=ops@example.com",
    "OPS_TEAMS_URL": "workflows://example.com:443/0123456789abcdef/a-signature-of-enough-letters",
    "OPS_HOOK_SECRET": "a-secret-of-enough-letters-0123456789",
}
"""The reader's environment: every variable that a block refers to."""


def first_line(block: Block) -> str:
    """What a block says it is."""
    return block.text.partition("\n")[0]


def whole(block: Block) -> str:
    """What a reader's ``driftgate.yaml`` holds once the block is copied; of the scaffold's file what is below it."""
    said = first_line(block)
    if said in (FILE, SCAFFOLD):
        return block.text
    earlier = [other for other in ALL if other.page == block.page and other.line < block.line]
    if said == ABOVE:
        return whole(next(other for other in reversed(earlier) if other.language == "yaml")) + block.text
    assert said.startswith(FIRST), f"{block.place}: the first line does not say what the block is: {said}"
    page = said.removeprefix(FIRST)
    return whole(next(other for other in ALL if other.page == page and other.language == "yaml")) + block.text


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, endpoint: ChatEndpoint) -> None:
    """The services and secrets of the reader."""
    endpoint.default = Answer("A")
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", endpoint.url)
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{endpoint.url}/msi/token")


def addressed(text: str, endpoint: ChatEndpoint) -> str:
    """Settings with the test's endpoint for every service that they name."""
    for address in SERVICES:
        text = text.replace(address, endpoint.url)
    return text


@pytest.mark.parametrize("block", [b for b in YAML if first_line(b).startswith(FILE)], ids=lambda block: block.place)
def test_doctor_finds_nothing_to_mend(block: Block, tmp_path: Path, cli: Cli, endpoint: ChatEndpoint) -> None:
    folder = tmp_path / "space"
    text = addressed(whole(block), endpoint)
    if first_line(block) == SCAFFOLD:
        assert cli("init", folder).code == 0
        written = (folder / "driftgate.yaml").read_text("utf-8")
        # The shipped model is real and takes seconds to load; that it answers is tested elsewhere.
        service = f'provider: openai\n    endpoint: "{endpoint.url}/v1"\n    model: gemma3-270m\n'
        text = written.replace("provider: local\n    model: gemma3-270m\n", service) + text
        assert service in text
    folder.mkdir(exist_ok=True)
    (folder / "driftgate.yaml").write_text(text, "utf-8")
    supply(folder, yaml.safe_load(text), [other for other in ALL if other.page == block.page])
    if ANCHOR in text:
        (folder / "driftgate.yaml").write_text(text.partition("gates:")[0], "utf-8")
        assert cli("bench", "nightly", "-w", folder).code == 0
        with driftgate.open(folder) as ws:
            (folder / "driftgate.yaml").write_text(text.replace(ANCHOR, ws.run("latest").id), "utf-8")
    done = cli("doctor", "-w", folder)
    assert done.code == 0, f"{block.place}\n{done.out}{done.err}"
    assert "mend  " not in done.out


def test_every_block_says_what_it_is() -> None:
    kinds = re.compile(rf"{FILE}(?:, below (?:what driftgate init wrote|the block above|the first block of \S+))?$")
    others = re.compile(
        r"# (?:flows/\S+\.yaml|evaluators of the node \w+)(?:, in a copy of flows/\w+)?$|# rules of a gate$"
    )
    unsaid = [b.place for b in YAML if not kinds.match(first_line(b)) and not others.match(first_line(b))]
    assert not unsaid, f"say in the first line of {', '.join(unsaid)} what it is, and to what it is added"
    unknown = [block.place for block in ALL if block.language not in KINDS]
    assert not unknown, f"no test here reads what {', '.join(unknown)} are said to be"
    assert {block.page for block in ALL if block.language in ("csv", "jinja2")} <= set(RUN_ELSEWHERE)
    for page, test in (RUN_ELSEWHERE | PYTHON_ELSEWHERE).items():
        assert page in (ROOT / test).read_text("utf-8"), f"{test} runs {page} no more"


@pytest.mark.parametrize(
    "block", [b for b in YAML if ", in a copy of " in first_line(b)], ids=lambda block: block.place
)
def test_the_evaluators_are_those_of_the_flow_they_name(
    block: Block, tmp_path: Path, cli: Cli, endpoint: ChatEndpoint
) -> None:
    found = re.match(
        r"# (?:flows/mine/evaluators\.yaml|evaluators of the node (\w+)), in a copy of (\S+)$", first_line(block)
    )
    assert found is not None
    endpoint.default = Answer("5")  # of the judge, who is asked for one grade
    shutil.copytree(ROOT / found[2], tmp_path / "flows/mine")
    whole = yaml.safe_load((tmp_path / "flows/mine/evaluators.yaml").read_text("utf-8"))
    if found[1]:
        whole["nodes"][found[1]] |= yaml.safe_load(block.text)
        label = {"response": "네, 17일입니다.", "query": "연차는 며칠인가?", "grade": 5}
        (tmp_path / "labels.jsonl").write_text(json.dumps(label) + "\n", "utf-8")
    text = yaml.safe_dump(whole, allow_unicode=True) if found[1] else block.text
    (tmp_path / "flows/mine/evaluators.yaml").write_text(text, "utf-8")
    questions = {"kind": "handbook"}
    if own := re.findall(r"\$\{data\.(expected|tools)\}", block.text):
        lines = load_dataset("handbook", parse_config(questions), tmp_path).samples[:4]
        rows = [{**sample.data, **{name: [] for name in own}} for sample in lines]
        text = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
        (tmp_path / "questions.jsonl").write_text(text, "utf-8")
        questions = {"kind": "jsonl", "path": "questions.jsonl"}
    model = {"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "gpt"}
    suite = {"models": ["gpt"], "datasets": ["handbook"], "flow": "mine", "variants": ["rag"], "retriever": "handbook"}
    config = {
        "version": 1,
        "models": {"gpt": model},
        "datasets": {"handbook": questions},
        "retrievers": {"handbook": {"kind": "bm25"}},
        "suites": {"mine": suite},
    }
    (tmp_path / "driftgate.yaml").write_text(yaml.safe_dump(config), "utf-8")
    done = cli("doctor", "-w", tmp_path)
    assert done.code == 0, done.out + done.err


@pytest.mark.parametrize(
    "block", [b for b in YAML if first_line(b) == "# rules of a gate"], ids=lambda block: block.place
)
def test_rules_are_a_gate_s(block: Block) -> None:
    assert GateConfig.model_validate(yaml.safe_load(block.text)).rules


def test_the_flex_flow_runs(tmp_path: Path, cli: Cli, endpoint: ChatEndpoint) -> None:
    (block,) = [b for b in YAML if first_line(b) == "# flows/mine/flow.flex.yaml"]
    (tmp_path / "flows/mine").mkdir(parents=True)
    (tmp_path / "flows/mine/flow.flex.yaml").write_text(block.text, "utf-8")
    (tmp_path / "flows/mine/main.py").write_text(MINE, "utf-8")
    evaluators = {
        "flow": {
            "right": {
                "evaluator": "exact_match",
                "inputs": {"response": "${nodes.flow.output.answer}", "ground_truth": "A!"},
            }
        }
    }
    config = {
        "version": 1,
        "models": {"gpt": {"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "gpt"}},
        "datasets": {"sample": {"kind": "sample"}},
        "suites": {
            "mine": {
                "models": ["gpt"],
                "datasets": ["sample"],
                "flow": "mine",
                "limit": 4,
                "evaluators": evaluators,
                "primary": "flow.right.match",
            }
        },
    }
    (tmp_path / "driftgate.yaml").write_text(yaml.safe_dump(config), "utf-8")
    done = cli("bench", "-w", tmp_path)
    assert done.code == 0 and "answered 4" in done.out + done.err, done.out + done.err


def test_lines_of_data_are_read_by_what_reads_them(tmp_path: Path) -> None:
    lines = [b for b in ALL if b.language == "json"]
    assert {b.page for b in lines} == {"docs/rag.md"}, "a line of JSON that no reader is tried on: add it"
    for block in lines:
        (tmp_path / "ours.jsonl").write_text(block.text, "utf-8")
        (sample,) = load_dataset("ours", parse_config({"kind": "jsonl", "path": "ours.jsonl"}), tmp_path).samples
        written = json.loads(block.text)
        assert all(sample.data[name] == written[name] for name in ("question", "relevant", "spans"))


def test_python_that_is_shown_gives_what_is_shown() -> None:
    seen = [b for b in ALL if b.language == "python" and b.page not in RUN_ELSEWHERE | PYTHON_ELSEWHERE]
    assert {b.page for b in seen} == {"docs/extractor.md", "docs/incidents.md", "docs/promptflow.md"}
    for block in seen:
        if ">>> " in block.text:
            test = doctest.DocTestParser().get_doctest(block.text, {}, block.place, block.page, block.line)
            runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
            assert runner.run(test).failed == 0, block.place
        else:
            exec(compile(block.text, block.place, "exec"), {"__name__": "shown"})


def test_entry_points_that_are_shown_are_of_groups_that_are_read() -> None:
    source = "".join(path.read_text("utf-8") for path in (ROOT / "driftgate").rglob("*.py"))
    read = set(re.findall(r"Registry\(\s*\"[^\"]*\",\s*\"([^\"]*)\"", source))
    projects = [tomllib.loads(block.text)["project"] for block in ALL if block.language == "toml"]
    shown = {group for project in projects for group in project["entry-points"]}
    assert shown and shown <= read, f"no such group: {shown - read}"
