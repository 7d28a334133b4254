"""``driftgate synth``: coverage, personas, making a set, looking at it, judging it, handing it over."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import teacher
import yaml
from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli
from pdf_files import pdf

from driftgate.finetune.train import TrainingItem
from driftgate.flows.definition import load_flow
from driftgate.flows.errors import DriftgateError
from driftgate.flows.prompts import TARGET_FILE, target_of

IN_FLIGHT = 4


def space(folder: Path, endpoint: ChatEndpoint, **synthesis: Any) -> Path:
    """A workspace with rules as documents, and a teacher behind the endpoint."""
    rows = [json.dumps({"text": text}, ensure_ascii=False) for text in teacher.documents(180)]
    folder.mkdir(exist_ok=True)
    (folder / "rules.jsonl").write_text("\n".join(rows), encoding="utf-8")
    model = {
        "provider": "openai",
        "endpoint": f"{endpoint.url}/v1",
        "model": "t",
        "attempts": 1,
        "timeout": 10.0,
        "in_flight": IN_FLIGHT,
        "prices": {"input": 1, "output": 2, "currency": "KRW"},
    }
    given = {
        "sources": [{"kind": "documents", "path": "rules.jsonl", "generator": "model"}],
        "model": "t",
        "count": 40,
        "surplus": 1,
        **synthesis,
    }
    exam = {"id": "1", "question": "서울은 어느 나라의 수도인가?", "choices": ["한국", "일본"], "answer": "A"}
    (folder / "exam.jsonl").write_text(json.dumps(exam, ensure_ascii=False), encoding="utf-8")
    datasets = {"exam": {"kind": "jsonl", "path": "exam.jsonl"}}
    config = {"version": 1, "models": {"t": model}, "datasets": datasets, "synthesis": {"rules": given}}
    (folder / "driftgate.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    endpoint.default = teacher.competent
    return folder


def change(folder: Path, path: tuple[str, ...], value: Any) -> None:
    file = folder / "driftgate.yaml"
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    inner = config
    for name in path[:-1]:
        inner = inner.setdefault(name, {})
    inner[path[-1]] = value
    file.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")


def lines(path: Path) -> list[Mapping[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8-sig").splitlines()]


@pytest.mark.core
def test_from_documents_to_a_file_for_a_trainer(cli: Cli, tmp_path: Path, endpoint: ChatEndpoint) -> None:
    folder = space(tmp_path / "w", endpoint, form="text", coverage={"clusters": 4})
    made = cli("synth", "make", "-w", folder)
    assert made.code == 0, made.err
    assert "40 requests, 0 of them answered before; cost 0.0080 KRW" in made.out
    checked = cli("synth", "check", "rules", "-w", folder, "--json", tmp_path / "check.json")
    assert checked.code == 0, checked.out
    told = json.loads((tmp_path / "check.json").read_text(encoding="utf-8"))
    assert told["verdict"] == "pass" and told["diversity"]["written"]["facts"] >= 30
    assert {rule["name"] for rule in told["rules"]} == {
        *("items", "distinct", "similarity", "yield", "covered", "leak", "privacy")
    }
    for command in ("report", "show", "show --rejects", "coverage", "persona"):
        assert cli("synth", *command.split(), "-w", folder).code == 0
    out = tmp_path / "out"
    done = cli(
        "synth", "export", out, "-w", folder, "--flow", "rag_qa", "--variant", "base,instruct", "--form", "pairs"
    )
    assert done.code == 0, done.err
    train, held = lines(out / "train.jsonl"), lines(out / "validation.jsonl")
    assert len(train) + len(held) == 40 and 0 < len(held) <= 4
    assert train[0].keys() == {"prompt", "chosen", "rejected"}
    assert train[0]["chosen"][0]["content"][:1].isdigit() and train[0]["prompt"][-1]["role"] == "user"
    assert "clusters" not in (out / "card.md").read_text(encoding="utf-8")
    assert "| c1 |" in (out / "card.md").read_text(encoding="utf-8")


def test_where_nothing_is_named_that_is_measured_with_nobody_knows_of_leaks(
    cli: Cli, tmp_path: Path, endpoint: ChatEndpoint
) -> None:
    sources = [{"kind": "documents", "path": "rules.jsonl", "generator": "extractive"}]
    folder = space(tmp_path / "w", endpoint, sources=sources)
    assert cli("synth", "make", "-w", folder).code == 0
    assert cli("synth", "check", "-w", folder).code == 0
    change(folder, ("datasets",), {})
    done = cli("synth", "check", "-w", folder)
    assert done.code == 4 and "unmeasurable  leak: the workspace names no datasets" in done.out


@pytest.mark.parametrize("form", ["openai", "azure_ml", "preference"])
def test_letters_are_handed_over_in_the_forms_of_the_services(
    cli: Cli, tmp_path: Path, endpoint: ChatEndpoint, form: str
) -> None:
    folder = space(tmp_path / "w", endpoint)
    assert cli("synth", "make", "-w", folder).code == 0
    assert cli("synth", "export", tmp_path / "o", "-w", folder, "--form", form, "--validation", "0.2").code == 0
    content = (tmp_path / "o" / "train.jsonl").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf") == (form != "azure_ml")
    row = lines(tmp_path / "o" / "train.jsonl")[0]
    if form == "preference":
        assert row.keys() == {"input", "preferred_output", "non_preferred_output"}
        assert row["preferred_output"] != row["non_preferred_output"]
    else:
        assert row.keys() == {"messages"}
        assert row["messages"][-1]["role"] == "assistant" and row["messages"][-1]["content"] in "ABCD"


def test_a_set_that_fails_or_is_none_is_not_handed_over(cli: Cli, tmp_path: Path, endpoint: ChatEndpoint) -> None:
    folder = space(tmp_path / "w", endpoint)
    assert cli("synth", "check", "-w", folder).code == 4
    assert cli("synth", "check", "nothing", "-w", folder).code == 2
    endpoint.default = teacher.REFUSAL
    assert cli("synth", "make", "-w", folder).code == 1
    assert cli("synth", "check", "-w", folder, "--json", tmp_path / "check.json").code == 1
    rules = json.loads((tmp_path / "check.json").read_text(encoding="utf-8"))["rules"]
    said = {rule["name"]: rule["said"] for rule in rules}
    assert (said["leak"], said["privacy"]) == ("unmeasurable", "unmeasurable"), "nothing was looked at"
    assert "pass" not in said.values()
    refused = cli("synth", "export", tmp_path / "o", "-w", folder)
    assert refused.code == 2 and "its check says fail" in refused.err
    assert not (tmp_path / "o").exists()
    assert "refusal" in cli("synth", "show", "--kind", "refusal", "-w", folder).out


def test_too_little_and_another_configuration_have_codes_of_their_own(
    cli: Cli, tmp_path: Path, endpoint: ChatEndpoint
) -> None:
    folder = space(tmp_path / "w", endpoint, limits={"calls": 12})
    assert cli("synth", "make", "-w", folder).code == 3
    assert len(endpoint.requests) == 12
    assert cli("synth", "check", "-w", folder).code == 3
    change(folder, ("synthesis", "rules", "limits"), {"calls": 40})
    assert cli("synth", "make", "-w", folder).code == 0
    assert len(endpoint.requests) == 40
    assert cli("synth", "check", "-w", folder).code == 0
    change(folder, ("synthesis", "rules", "form"), "text")
    assert cli("synth", "check", "-w", folder).code == 4
    items = folder / ".driftgate" / "synthesis" / "rules" / "items.jsonl"
    items.write_text(items.read_text(encoding="utf-8") + "{}\n", encoding="utf-8")
    changed = cli("synth", "check", "-w", folder)
    assert changed.code == 4 and "was changed since" in changed.out


def test_what_is_measured_since_fails_the_check(cli: Cli, tmp_path: Path, endpoint: ChatEndpoint) -> None:
    folder = space(tmp_path / "w", endpoint)
    assert cli("synth", "make", "-w", folder).code == 0
    item = lines(folder / ".driftgate" / "synthesis" / "rules" / "items.jsonl")[3]
    row = {name: item[name] for name in ("question", "choices", "answer")}
    (folder / "held.jsonl").write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    change(folder, ("datasets",), {"held": {"kind": "jsonl", "path": "held.jsonl"}})
    checked = cli("synth", "check", "-w", folder)
    assert checked.code == 1 and "fail  leak" in checked.out and "0 of" not in checked.out.split("leak")[1][:8]


def test_a_limit_on_cost_without_a_price_is_refused_before_anything_is_asked(
    cli: Cli, tmp_path: Path, endpoint: ChatEndpoint
) -> None:
    folder = space(tmp_path / "w", endpoint, limits={"cost": 1.0})
    change(folder, ("models", "t", "prices"), {})
    made = cli("synth", "make", "-w", folder)
    assert made.code == 2 and "nobody states the price" in made.err
    assert not endpoint.requests
    assert "limit on cost" in cli("doctor", "-w", folder).out


def test_coverage_reads_what_teams_have_and_follows_what_fails(
    cli: Cli, tmp_path: Path, endpoint: ChatEndpoint
) -> None:
    folder = space(tmp_path / "w", endpoint)
    docs = folder / "docs"
    docs.mkdir()
    leave = "연차 휴가는 입사일을 기준으로 15일이 주어지며 반차 휴가는 4시간으로 센다. "
    (docs / "휴가.md").write_bytes(("# 휴가\n\n" + leave * 3).encode("cp949"))
    (docs / "휴가2.txt").write_text(
        "\ufeff병가 휴가는 12일이며 연차 휴가와 따로 센다. 휴가 신청은 하루 전에 한다.", "utf-8"
    )
    (docs / "출장.csv").write_text("항목,한도\n출장 숙박비,120000원\n출장 식비,30000원\n출장 교통비,50000원\n", "utf-8")
    (docs / "travel.pdf").write_bytes(pdf(["Business travel: hotels up to 120 EUR, taxis up to 30 EUR a day."]))
    (docs / "scan.png").write_bytes(b"\x89PNG")
    (folder / "bad.jsonl").write_text(json.dumps({"text": "반차 휴가는 몇 시간인가요?"}), "utf-8")
    change(folder, ("synthesis", "rules", "sources"), [{"kind": "documents", "path": "docs"}])
    change(folder, ("synthesis", "rules", "coverage"), {"clusters": 3, "failing": "bad.jsonl", "weight": 0.7})
    found = cli("synth", "coverage", "-w", folder, "--json", tmp_path / "c.json")
    assert found.code == 0, found.err
    assert "not read: scan.png" in found.out and not endpoint.requests
    told = json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))
    shares = {cluster["name"]: cluster["share"] for cluster in told["clusters"]}
    assert sum(shares.values()) == pytest.approx(1, abs=1e-4)
    assert told["material"]["1/휴가.md"] == told["material"]["1/휴가2.txt"] != told["material"]["1/출장.csv:2"]
    assert shares[told["material"]["1/휴가.md"]] == max(shares.values()) == pytest.approx(0.8, abs=0.01)
    assert "1/travel.pdf" in told["material"]


def test_a_run_s_wrong_samples_say_where_items_are_wanted(cli: Cli, tmp_path: Path, endpoint: ChatEndpoint) -> None:
    folder = space(tmp_path / "w", endpoint, coverage={"clusters": 4, "failing": "latest"})
    texts = teacher.documents(180)
    rows = [
        {"question": f"{text.split(':')[0]}의 한도는?", "choices": ["1원", "2원"], "answer": "A"} for text in texts[:16]
    ]
    (folder / "q.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    change(folder, ("datasets",), {"q": {"kind": "jsonl", "path": "q.jsonl"}})
    change(folder, ("suites",), {"s": {"models": ["t"], "datasets": ["q"], "variants": ["terse"]}})
    assert cli("synth", "coverage", "-w", folder).code == 2
    endpoint.default = lambda prompt: Answer("B" if "연차" in prompt else "A")
    assert cli("bench", "s", "-w", folder).code == 0
    found = cli("synth", "coverage", "-w", folder, "--json", tmp_path / "c.json")
    assert found.code == 0, found.err
    told = json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))
    assert sum(cluster["failing"] for cluster in told["clusters"]) == 1


def test_personas_of_a_schema_are_written_out_by_the_model(cli: Cli, tmp_path: Path, endpoint: ChatEndpoint) -> None:
    schema = {"dimensions": {"나이": ["20대", "60대"], "말투": ["정중", "급함", "짧게"]}, "count": 6}
    folder = space(tmp_path / "w", endpoint, persona_schema=schema)

    def reply(prompt: str) -> Answer:
        who = prompt.splitlines()[-1]
        same = "60대" in who and "짧게" not in who
        words = "나이 지긋한 손님이 천천히 쓴다." if same else f"{who} 쓰는 사람"
        return Answer(json.dumps({"describe": words, "opening": "저기요", "closing": "부탁해요"}, ensure_ascii=False))

    endpoint.default = reply
    shown = cli("synth", "persona", "-w", folder, "--write", "--to", tmp_path / "p.yaml")
    assert shown.code == 0, shown.err
    assert "left out: persona" in shown.out and "5 personas" in shown.out
    written = yaml.safe_load((tmp_path / "p.yaml").read_text(encoding="utf-8"))
    change(folder, ("synthesis", "rules", "persona_schema"), None)
    change(folder, ("synthesis", "rules", "personas"), written)
    assert "5 personas" in cli("synth", "persona", "-w", folder).out
    assert len(endpoint.requests) == 6


def test_where_no_prompt_could_be_made_the_command_fails_and_writes_nothing(
    cli: Cli, tmp_path: Path, endpoint: ChatEndpoint
) -> None:
    folder = space(tmp_path / "w", endpoint)
    endpoint.default = lambda prompt: Answer("죄송하지만 도와드릴 수 없습니다.")
    (folder / "seeds.jsonl").write_text('{"prompt": "연차는 며칠인가요?"}\n', encoding="utf-8")
    (folder / "more.jsonl").write_text("as before", encoding="utf-8")
    done = cli("synth", "evolve", folder / "seeds.jsonl", folder / "more.jsonl", "-w", folder)
    assert done.code == 2 and "made no prompt of 1 seeds that can be used (refusal 1)" in " ".join(done.err.split())
    assert (folder / "more.jsonl").read_text(encoding="utf-8") == "as before"


def test_evolved_prompts_are_a_source(cli: Cli, tmp_path: Path, endpoint: ChatEndpoint) -> None:
    folder = space(tmp_path / "w", endpoint)
    seeds = [{"prompt": f"{subject} 규정을 알려 주세요."} for subject in teacher.SUBJECTS[:8]]
    (folder / "seeds.jsonl").write_text("\n".join(map(json.dumps, seeds)), encoding="utf-8")

    def reply(prompt: str) -> Answer:
        if "다시 쓰시오" not in prompt:
            return Answer(f"{prompt.splitlines()[-1][:3]}의 한도는 {len(prompt)}만 원이며, 하루 전에 신청하면 됩니다.")
        asked = prompt.splitlines()[-1]
        words = random.Random(asked).sample(teacher.KOREAN, 4)
        more = f"{words[0]} {words[1]}까지 따지면 어떻게 되고, {words[2]} {words[3]} 기한은 며칠입니까?"
        return Answer(asked if "연차" in asked else f"{asked} {more}")

    endpoint.default = reply
    done = cli("synth", "evolve", folder / "seeds.jsonl", folder / "more.jsonl", "-w", folder, "--rounds", "2")
    assert done.code == 0, done.err
    assert "14 prompts of 8 seeds" in done.out and "near_duplicate 2" in done.out
    assert {row["round"] for row in lines(folder / "more.jsonl")} == {1, 2}
    change(folder, ("synthesis", "rules", "sources"), [{"kind": "prompts", "path": "more.jsonl"}])
    change(folder, ("synthesis", "rules", "form"), "text")
    made = cli("synth", "make", "-w", folder)
    assert made.code == 1 and "14 items of 14" in made.out, made.out


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
@pytest.mark.parametrize(
    ("count", "kills"), [(120, (50,)), pytest.param(1000, (150, 426), marks=pytest.mark.acceptance)]
)
def test_what_was_killed_is_gone_on_with_and_paid_once(
    cli: Cli, tmp_path: Path, endpoint: ChatEndpoint, count: int, kills: tuple[int, ...]
) -> None:
    folder = space(tmp_path / "w", endpoint, count=count, per_source=100, near_duplicate=1.0)
    endpoint.default = lambda prompt: replace(teacher.competent(prompt), seconds=0.002)
    for after in kills:
        command = [sys.executable, "-m", "driftgate", "synth", "make", "-w", str(folder)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 120
        while len(endpoint.requests) < after:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    before = len(endpoint.requests)
    made = cli("synth", "make", "-w", folder)
    assert made.code == 0, made.err
    assert before < count
    most = count + len(kills) * IN_FLIGHT  # those under way at a kill have no reply yet
    assert count <= len(endpoint.requests) <= most
    assert f"{count:,} requests" in made.out
    assert cli("synth", "make", "-w", folder).code == 0
    assert len(endpoint.requests) <= most


def test_a_flow_renders_its_target(tmp_path: Path) -> None:
    data = {"question": "연차는?", "choices": ["17일", "12일"], "answer": "A"}
    flow = load_flow("rag_qa", tmp_path)
    own = replace(flow, folder=tmp_path)
    (tmp_path / TARGET_FILE).write_text(
        '{"answer": {{ words | tojson }}, "letter": "{{ answer }}"}\n', encoding="utf-8"
    )
    assert json.loads(target_of(own, data, "")) == {"answer": "17일", "letter": "A"}
    (tmp_path / TARGET_FILE).write_text("{{ nothing }}", encoding="utf-8")
    with pytest.raises(DriftgateError, match="renders no target"):
        target_of(own, data, "")
    assert TrainingItem("# user:\n연차는?", target_of(flow, data, "연차는?")).target == "17일"
