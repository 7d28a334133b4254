"""``driftgate baseline``: a run is carried to another ledger in a file, and compared with there as it was at home."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli, Make
from sqlalchemy import func, select

import driftgate
from driftgate.benchmarks.gate import RuleVerdict
from driftgate.ledger import check_ledger, samples_frame
from driftgate.ledger._schema import asked, outcomes, runs, samples

RULES = [
    {"margin": 0.1},
    {"margin": 0.3, "slices": "category"},
    {"metric": "share.failed", "margin": 0.05},
    {"metric": "cost", "margin": 0.2},
    {"metric": "extract.choice.correct", "margin": 0.1},
    {"metric": "output_tokens", "margin": 0.2},
]


def against(opponent: str) -> Callable[[dict[str, Any]], None]:
    def edit(config: dict[str, Any]) -> None:
        config["models"]["tested"]["prices"] = {"input": 1.0, "output": 4.0}
        config["gates"]["small"]["rules"] = [{**rule, "no_worse_than": opponent} for rule in RULES]

    return edit


def edit_workspace(folder: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    path = folder / "driftgate.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    edit(config)
    path.write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False), encoding="utf-8")


@pytest.fixture
def first(cli: Cli, make: Make) -> Path:
    """A workspace with one run of forty questions."""
    folder = make(40, against("previous"))
    assert cli("bench", "-w", folder).code == 0
    return folder


@pytest.fixture
def file(cli: Cli, first: Path, tmp_path: Path) -> Path:
    """The run as a baseline."""
    path = tmp_path / "main.json"
    done = cli("baseline", "export", "latest", path, "-w", first)
    assert done.code == 0, done.err
    return path


@pytest.fixture
def elsewhere(first: Path, tmp_path: Path) -> Path:
    """The same workspace on another machine: without a ledger."""
    folder = tmp_path / "elsewhere"
    shutil.copytree(first, folder, ignore=shutil.ignore_patterns(".driftgate", "reports"))
    edit_workspace(folder, against("baseline:main"))
    return folder


def said(folder: Path) -> list[RuleVerdict]:
    with driftgate.open(folder) as ws:
        (verdict,) = ws.gate()
        return list(verdict.rules)


def test_a_comparison_is_the_same_at_home_and_elsewhere(
    cli: Cli, first: Path, file: Path, elsewhere: Path, endpoint: ChatEndpoint
) -> None:
    assert cli("baseline", "import", file, "-w", elsewhere).code == 0
    good = endpoint.default
    assert callable(good)
    endpoint.default = lambda prompt: Answer("A") if hash_of(prompt) % 5 == 0 else good(prompt)
    for folder in (first, elsewhere):
        assert cli("bench", "-w", folder).code == 0
    at_home, there = said(first), said(elsewhere)
    assert len(at_home) == len(RULES)
    known = ("verdict", "value", "low", "high", "n", "p_pass", "p_fail", "p_fail_corrected", "detectable", "needed")
    for mine, theirs in zip(at_home, there, strict=True):
        assert [getattr(mine, name) for name in known] == [getattr(theirs, name) for name in known], mine.rule
        statistics = [one.reason.split("; compared with")[0] for one in (mine, theirs)]
        assert statistics[0] == statistics[1]
    assert len({one.verdict for one in there}) > 1
    assert "unpaired" not in there[0].reason
    assert "compared with tested of baseline 'main', exported from run " in there[0].reason


def hash_of(prompt: str) -> int:
    return sum(prompt.encode())


def test_the_file_holds_no_text_unless_it_is_asked_for(cli: Cli, first: Path, file: Path, tmp_path: Path) -> None:
    held = file.read_text(encoding="utf-8")
    assert "문제 3번은" not in held and "가3" not in held
    full = tmp_path / "full.json"
    assert cli("baseline", "export", "latest", full, "--with-text", "-w", first).code == 0
    assert "문제 3번은" in full.read_text(encoding="utf-8")


def test_no_key_is_in_the_file(cli: Cli, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_KEY", "s3cret-of-the-model")
    folder, path = make(4, lambda config: config["models"]["tested"].update(api_key="${env:MODEL_KEY}")), tmp_path / "b"
    assert cli("bench", "-w", folder).code == 0
    assert cli("baseline", "export", "latest", path, "--with-text", "-w", folder).code == 0
    assert "s3cret" not in path.read_text("utf-8") and "${env:MODEL_KEY}" in path.read_text("utf-8")


def test_the_same_run_gives_the_same_file(cli: Cli, first: Path, file: Path) -> None:
    before = file.read_bytes()
    assert cli("baseline", "export", "latest", file, "-w", first).code == 0
    assert file.read_bytes() == before


def test_an_import_is_idempotent_and_a_name_moves_with_what_is_imported(
    cli: Cli, first: Path, file: Path, elsewhere: Path, tmp_path: Path
) -> None:
    def held() -> list[int]:
        with driftgate.open(elsewhere) as ws, ws.ledger.read() as connection:
            return [
                connection.execute(select(func.count()).select_from(one)).scalar_one()
                for one in (runs, samples, asked, outcomes)
            ]

    assert cli("baseline", "import", file, "-w", elsewhere).code == 0
    once = held()
    assert once == [1, 40, 40, 40]
    laid_out = tmp_path / "other" / "main.json"
    laid_out.parent.mkdir()
    laid_out.write_text(json.dumps(json.loads(file.read_text("utf-8")), indent=4), "utf-8")
    for path in (file, laid_out):
        assert cli("baseline", "import", path, "-w", elsewhere).code == 0
    assert held() == once
    assert cli("bench", "-w", first).code == 0
    newer = tmp_path / "newer.json"
    assert cli("baseline", "export", "latest", newer, "-w", first).code == 0
    assert cli("bench", "-w", elsewhere).code == 0
    ids = []
    for path in (file, newer, file):  # a file that was put back means again what it did
        assert cli("baseline", "import", path, "--name", "main", "-w", elsewhere).code == 0
        ids.append(said(elsewhere)[0].baseline)
    assert ids[0] == ids[2] != ids[1]


def test_a_baseline_is_never_taken_for_a_run_that_was_made_here(
    cli: Cli, file: Path, elsewhere: Path, tmp_path: Path
) -> None:
    assert cli("baseline", "import", file, "-w", elsewhere).code == 0
    refused = cli("gate", "-w", elsewhere)
    assert refused.code == 2 and "no benchmark" in refused.err
    with driftgate.open(elsewhere) as ws:
        (imported,) = ws.runs()
    assert (imported.kind, imported.status) == ("baseline", "complete")
    for name in (imported.id, "baseline-"):
        refused = cli("gate", name, "--gate", "small", "-w", elsewhere)
        assert refused.code == 2 and "is an imported baseline" in refused.err
    assert cli("bench", "--resume", "--run", imported.id, "-w", elsewhere).code == 2
    assert cli("compare", "--models", "tested", "-w", elsewhere).code == 2
    assert cli("baseline", "export", imported.id, tmp_path / "again.json", "-w", elsewhere).code == 2
    edit_workspace(elsewhere, against("previous"))
    assert cli("bench", "-w", elsewhere).code == 0
    assert {one.verdict for one in said(elsewhere)} == {"inconclusive"}  # it is previous to no run
    with driftgate.open(elsewhere) as ws:
        assert ws.run("latest").kind == "benchmark"


def test_the_samples_of_the_ledger_are_its_own(cli: Cli, file: Path, elsewhere: Path) -> None:
    assert cli("baseline", "import", file, "-w", elsewhere).code == 0
    assert cli("bench", "-w", elsewhere).code == 0
    with driftgate.open(elsewhere) as ws:
        run = ws.run()
        assert set(run.samples()["question"]) == {f"문제 {n}번은?" for n in range(40)}
        (cell,) = run.cells
        assert samples_frame(ws.ledger, cell.id, [int(run.samples()["sample_id"].iloc[3])])[0]["data"]["question"]
        assert check_ledger(ws.ledger).faults == ()


@pytest.mark.parametrize("command", ["report", "runs show", "runs samples", "compare"])
def test_a_baseline_can_be_looked_at(cli: Cli, file: Path, elsewhere: Path, command: str) -> None:
    assert cli("baseline", "import", file, "-w", elsewhere).code == 0
    assert cli("bench", "-w", elsewhere).code == 0
    more = ["latest"] if command == "compare" else []
    done = cli(*command.split(), "baseline-", *more, "-w", elsewhere)
    assert done.code == 0, done.err


def test_corrected_answers_are_told_and_reworded_questions_are_not_paired(
    cli: Cli, file: Path, elsewhere: Path
) -> None:
    rows = (elsewhere / "data/own.csv").read_text(encoding="utf-8").split("\n")
    rows[1] = rows[1].replace(",A,범주", ",B,범주")
    rows[2] = rows[2].replace("문제 1번은?", "문제 1번은 무엇인가?")
    (elsewhere / "data/own.csv").write_text("\n".join(rows), encoding="utf-8")
    assert cli("baseline", "import", file, "-w", elsewhere).code == 0
    assert cli("bench", "-w", elsewhere).code == 0
    reason = said(elsewhere)[0].reason
    assert "39 of 40 samples are shared" in reason
    assert "asking something else under the same id, so not paired: 1 (q1)" in reason
    assert "shared with another right answer, which may be what they differ by: 1 (q0)" in reason


def test_a_baseline_of_another_model_is_compared_with_where_it_is_the_only_one(
    cli: Cli, file: Path, elsewhere: Path
) -> None:
    def renamed(config: dict[str, Any]) -> None:
        config["models"] = {"next": config["models"]["tested"]}
        config["suites"]["small"]["models"] = ["next"]

    edit_workspace(elsewhere, renamed)
    assert cli("baseline", "import", file, "-w", elsewhere).code == 0
    assert cli("bench", "-w", elsewhere).code == 0
    assert "compared with tested of baseline 'main'" in said(elsewhere)[0].reason


def test_a_baseline_that_was_not_imported(cli: Cli, file: Path, elsewhere: Path) -> None:
    assert cli("bench", "-w", elsewhere).code == 0
    done = cli("gate", "-w", elsewhere)
    assert done.code == 3
    assert "nothing was compared: the ledger has no baseline 'main'; import it with: driftgate baseline" in done.out
    assert cli("baseline", "import", file, "--name", "mian", "-w", elsewhere).code == 0
    done = cli("gate", "-w", elsewhere)
    assert done.code == 2 and "'baseline:main', which was not imported; did you mean 'mian'?" in done.err.replace(
        "\n  ", "; "
    )
    edit_workspace(elsewhere, lambda config: config["gates"]["small"].update(first_run="pass"))
    assert cli("gate", "-w", elsewhere).code == 2  # a misspelt name is no first run


def test_a_cell_that_a_baseline_lacks_follows_first_run(cli: Cli, file: Path, elsewhere: Path) -> None:
    edit_workspace(elsewhere, lambda config: config["suites"]["small"].update(variants=["zero_shot"]))
    assert cli("baseline", "import", file, "-w", elsewhere).code == 0
    assert cli("bench", "-w", elsewhere).code == 0
    assert all("the baseline 'main' has no cell of tested on own" in one.reason for one in said(elsewhere))
    assert cli("gate", "-w", elsewhere).code == 3


def damaged(document: dict[str, Any]) -> None:
    document["content"]["cells"][0]["outcomes"][0]["correct"] = 0.0


def dropped(document: dict[str, Any]) -> None:
    document["content"]["cells"][0]["outcomes"].pop()


def newer(document: dict[str, Any]) -> None:
    document["format"] = 2


def foreign(document: dict[str, Any]) -> None:
    document["kind"] = "something else"


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (damaged, "is damaged: what it holds does not give the hash that it names"),
        (dropped, "is damaged"),
        (newer, "has format 2, this driftgate knows 1"),
        (foreign, "is no baseline of driftgate"),
        (lambda document: document.update(format="1"), "its format is '1'"),
        (lambda document: document.pop("hash"), "is damaged"),
        (lambda document: document.clear(), "is no baseline of driftgate"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_refused_by_name(
    cli: Cli, file: Path, elsewhere: Path, edit: Callable[[dict[str, Any]], Any], words: str
) -> None:
    document = json.loads(file.read_text("utf-8"))
    edit(document)
    file.write_text(json.dumps(document), "utf-8")
    refused = cli("baseline", "import", file, "-w", elsewhere)
    assert refused.code == 2
    assert "main.json" in refused.err and words in refused.err
    with driftgate.open(elsewhere) as ws:
        assert ws.runs() == ()


@pytest.mark.parametrize("text", ["", "[", "[1]", "null", '{"a": 1', "\x00", "[" * 100_000])
def test_a_file_of_something_else(cli: Cli, elsewhere: Path, tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd.json"
    path.write_text(text, "utf-8")
    refused = cli("baseline", "import", path, "-w", elsewhere)
    assert refused.code == 2 and "odd.json is no baseline" in refused.err


def test_content_that_cannot_be_is_refused_though_its_hash_is_right(
    cli: Cli, first: Path, file: Path, elsewhere: Path
) -> None:
    from driftgate.api.baseline import _hash

    whole = json.loads(file.read_text("utf-8"))
    edits: list[Callable[[dict[str, Any]], Any]] = [
        lambda content: content["cells"][0]["asked"].append(0),
        lambda content: content["cells"][0]["asked"].append(99),
        lambda content: content["cells"][0]["outcomes"].append(content["cells"][0]["outcomes"][0]),
        lambda content: content["cells"][0]["outcomes"][0].update(outcome="excellent"),
        lambda content: content["cells"][0]["outcomes"][0].update(sample=-1),
        lambda content: content["samples"][1].update(key=content["samples"][0]["key"]),
        lambda content: content["run"].update(created_at="2026-11-25T03:00:00"),
        lambda content: content.update(cells=[]),
        lambda content: content.update(more=1),
    ]
    for edit in edits:
        content = json.loads(json.dumps(whole["content"]))
        edit(content)
        file.write_text(json.dumps({**whole, "content": content, "hash": _hash(content)}), "utf-8")
        refused = cli("baseline", "import", file, "-w", elsewhere)
        assert refused.code == 2 and "main.json is no baseline" in refused.err, refused.out


def test_what_cannot_be_exported(cli: Cli, first: Path, make: Make, endpoint: ChatEndpoint, tmp_path: Path) -> None:
    own = tmp_path / "precious.json"
    own.write_text("{}", "utf-8")
    refused = cli("baseline", "export", "latest", own, "-w", first)
    assert refused.code == 2 and own.read_text("utf-8") == "{}"
    assert cli("baseline", "export", "latest", tmp_path / "a.json", "--nam", "x", "-w", first).code == 2
    with driftgate.open(first) as ws, ws.ledger.write() as connection:
        connection.execute(runs.update().values(status="stopped"))
    refused = cli("baseline", "export", "2", tmp_path / "b.json", "-w", first)
    assert refused.code == 2 and "is stopped" in refused.err and not (tmp_path / "b.json").exists()


def test_a_name_that_no_rule_could_have(cli: Cli, file: Path, elsewhere: Path) -> None:
    refused = cli("baseline", "import", file, "--name", "main branch", "-w", elsewhere)
    assert refused.code == 2 and "cannot be called 'main branch'" in refused.err
