"""``driftgate init --ci``: the files are written once, are what their systems read, and their commands really run."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli, Make
from pipeline_runs import MAIN, Agent, Ran
from wheels import build_wheel

import driftgate

FILES = {"github": ".github/workflows/driftgate.yml", "azure": "azure-pipelines.yml"}
KEY = "s3cret-of-the-model"


def secret(config: dict[str, Any]) -> None:
    config["models"]["tested"]["api_key"] = "${env:MODEL_KEY}"
    config["gates"]["small"]["rules"] = [{"no_worse_than": "previous", "margin": 0.2}]
    config["reports"] = "our pages"


@pytest.fixture
def repository(make: Make) -> Path:
    """A repository whose workspace asks a service with a key."""
    folder = make(40, secret)
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("wheel")).parent


@pytest.fixture
def agent(repository: Path, wheels: Path, tmp_path: Path) -> Agent:
    kept = tmp_path / "agent" / "kept"
    kept.mkdir(parents=True)
    return Agent(repository, tmp_path / "site", wheels, {"MODEL_KEY": KEY}, kept)


@pytest.mark.acceptance
@pytest.mark.parametrize("system", FILES)
def test_every_command_runs_and_the_ledger_goes_from_run_to_run(
    cli: Cli, agent: Agent, endpoint: ChatEndpoint, system: str
) -> None:
    assert cli("init", agent.repository, "--ci", system).code == 0
    endpoint.key = KEY
    good = endpoint.default

    def build(ref: str, reply: Any) -> Ran:
        endpoint.default = reply
        run: Callable[[str, str], Ran] = getattr(agent, system)
        return run(FILES[system], ref)

    def kept() -> list[str]:
        return sorted(path.name for path in agent.kept.iterdir())

    first = build(MAIN, good)
    assert first.failed == ["Judge"], first.log
    assert "nothing was compared" in first.log and kept() == ["1"]
    assert {"gate.xml", "gate.md", "bench.json"} <= set(first.published)
    proposed = build("refs/pull/7/merge", good)
    assert proposed.failed == [], proposed.log
    assert "Keep the ledger" in proposed.skipped and kept() == ["1"]
    worse = build("refs/pull/8/merge", Answer("A"))
    assert worse.failed == ["Judge"] and "gate small: fail" in worse.log
    for _ in range(2):  # what failed is not what its own repetition is compared with
        worse = build(MAIN, Answer("A"))
        assert worse.failed == ["Judge"] and "gate small: fail" in worse.log
    assert kept() == ["1"]
    later = build(MAIN, good)
    assert later.failed == [], later.log
    assert kept() == ["1", "6"]
    with_key = [name for name, own in later.environments.items() if KEY in own.values()]
    assert with_key == ["Run the suite"]
    left = [path for path in agent.kept.parent.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert left == []


@pytest.mark.acceptance
def test_a_run_that_cannot_be_made_fails_the_build_and_keeps_nothing(
    cli: Cli, agent: Agent, endpoint: ChatEndpoint
) -> None:
    endpoint.key = "another"
    for system, file in FILES.items():
        assert cli("init", agent.repository, "--ci", system).code == 0
        ran = getattr(agent, system)(file, MAIN)
        assert ran.failed[0] == "Run the suite"
        assert list(agent.kept.iterdir()) == []


@pytest.mark.parametrize("system", FILES)
def test_nothing_is_written_over(cli: Cli, repository: Path, tmp_path: Path, system: str) -> None:
    before = (repository / "driftgate.yaml").read_bytes()
    assert cli("init", repository, "--ci", system).code == 0
    path = repository / FILES[system]
    assert (repository / "driftgate.yaml").read_bytes() == before
    path.write_text("mine", encoding="utf-8")
    refused = cli("init", repository, "--ci", system)
    assert refused.code == 2 and f"{path} is already there" in refused.err
    assert path.read_text(encoding="utf-8") == "mine"
    empty = tmp_path / "empty"
    (empty / FILES[system]).parent.mkdir(parents=True)
    (empty / FILES[system]).write_text("mine", encoding="utf-8")
    assert cli("init", empty, "--ci", system).code == 2
    assert not (empty / "driftgate.yaml").exists()


@pytest.mark.parametrize("system", FILES)
def test_a_new_workspace_gets_its_pipeline_with_it(cli: Cli, tmp_path: Path, system: str) -> None:
    assert cli("init", tmp_path / "new", "--ci", system).code == 0
    assert (tmp_path / "new/driftgate.yaml").is_file()
    text = (tmp_path / "new" / FILES[system]).read_text(encoding="utf-8")
    assert 'pip install "driftgate[local]==' in text and "nightly" in text


def test_what_github_reads(cli: Cli, repository: Path) -> None:
    assert cli("init", repository, "--ci", "github").code == 0
    text = (repository / FILES["github"]).read_text(encoding="utf-8")
    workflow = yaml.load(text, Loader=yaml.BaseLoader)  # so that 'on' stays a text
    assert set(workflow) == {"name", "on", "permissions", "concurrency", "jobs"}
    assert workflow["permissions"] == {"contents": "read"}
    assert set(workflow["on"]) == {"push", "pull_request", "workflow_dispatch"}
    (job,) = workflow["jobs"].values()
    pinned = [step["uses"] for step in job["steps"] if "uses" in step]
    assert all(re.fullmatch(r"actions/[a-z/-]+@v\d+", one) for one in pinned)
    scripts = [step["run"] for step in job["steps"] if "run" in step]
    assert not any("${{" in script for script in scripts)  # nothing of a pull request gets into a command
    named = [step["id"] for step in job["steps"] if "id" in step]
    assert set(re.findall(r"steps\.(\w+)\.", text)) <= set(named)
    restore, save = (step["with"] for step in job["steps"] if "cache/" in step.get("uses", ""))
    assert (restore["path"], restore["key"]) == (save["path"], save["key"])
    assert save["key"].startswith(restore["restore-keys"])


@pytest.mark.parametrize("system", FILES)
def test_a_database_is_named_by_a_secret_and_nothing_is_carried(cli: Cli, make: Make, system: str) -> None:
    def shared(config: dict[str, Any]) -> None:
        secret(config)
        config["ledger"] = "${env:DRIFTGATE_LEDGER}"

    folder = make(4, shared)
    assert cli("init", folder, "--ci", system).code == 0
    text = (folder / FILES[system]).read_text(encoding="utf-8")
    assert "driftgate[postgres]==" in text
    assert not re.search("cache|DownloadPipelineArtifact|ledger.db", text)
    given = "${{ secrets.DRIFTGATE_LEDGER }}" if system == "github" else "$(DRIFTGATE_LEDGER)"
    assert text.count(f"DRIFTGATE_LEDGER: {given}") == 2
    assert text.count("MODEL_KEY: ") == 1


@pytest.mark.parametrize("system", FILES)
def test_a_workspace_below_the_top_of_a_repository_with_another_branch(
    cli: Cli, make: Make, tmp_path: Path, system: str
) -> None:
    def edit(config: dict[str, Any]) -> None:
        config["reports"] = "out/our pages"
        config["gates"]["other-2"] = {"suite": "2", "rules": [{"min": 0.5}]}
        config["suites"]["2"] = config["suites"]["small"]

    folder = make(4, edit)
    head = tmp_path / ".git/refs/remotes/origin/HEAD"
    head.parent.mkdir(parents=True)
    head.write_text("ref: refs/remotes/origin/release/next\n", encoding="utf-8")
    assert cli("init", folder, "--ci", system).code == 0
    text = (tmp_path / FILES[system]).read_text(encoding="utf-8")
    assert (
        '"refs/heads/release/next"' in text
        and "space/.driftgate" in text
        and "space/out/our pages" in text
        and "'out/our pages'/gate.xml" in text
    )
    (job,) = yaml.safe_load(text)["jobs"] if system == "azure" else yaml.safe_load(text)["jobs"].values()
    matrix = job["strategy"]["matrix"]
    assert (matrix["suite"] if system == "github" else [one["SUITE"] for one in matrix.values()]) == ["small", "2"]


def test_what_cannot_be_made(cli: Cli, make: Make) -> None:
    refused = cli("init", make(4), "--ci", "gitub")
    assert refused.code == 2 and "did you mean 'github'?" in refused.err
    folder = make(4, lambda config: config.update(gates={}, nightly={}))
    refused = cli("init", folder, "--ci", "github")
    assert refused.code == 2 and "no gate of the workspace judges a suite" in refused.err
    folder = make(4, lambda config: config.update(ledger="/var/ledger.db", allowed_roots=["/var"]))
    refused = cli("init", folder, "--ci", "azure")
    assert refused.code == 2 and "which a pipeline cannot keep" in refused.err
    assert not (folder / FILES["azure"]).exists()


def test_a_trial_is_compared_with_benchmarks_and_nothing_with_it(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    folder = make(40, lambda config: config["gates"]["small"].update(rules=[{"no_worse_than": "previous"}]))
    for more in ([], ["--trial"], ["--trial"], []):
        assert cli("bench", "-w", folder, *more).code == 0
    with driftgate.open(folder) as ws:
        last, second, first, oldest = ws.runs()
        assert [run.kind for run in (last, second, first, oldest)] == ["benchmark", "trial", "trial", "benchmark"]
        assert {run.gate()[0].rules[0].baseline for run in (last, second, first)} == {oldest.id}
        assert ws.run("latest").id == last.id
    assert cli("bench", "-w", folder, "--resume", "--run", second.id).code == 0
