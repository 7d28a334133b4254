"""From an alarm to a promotion or a rejection, with trainers that come as plugins, as anyone's would."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from chat_endpoint import Answer, ChatEndpoint, Status
from promoted import right_answer
from repairs import MATERIAL, MEASURED, WORDS, change, make_workspace, questions, right, state, wrong

import driftgate
from driftgate.finetune.remediation import events_of, remediations
from driftgate.flows.definition import load_flow
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import cells_of, champion_history, open_ledger, outcome_frame, record


@pytest.fixture
def folder(tmp_path: Path, endpoint: ChatEndpoint, candidate: ChatEndpoint, plugin: str) -> Path:
    """A workspace with a watched champion and a recipe that asks for no approval."""
    return make_workspace(tmp_path / "workspace", endpoint, candidate, plugin)


def fall(cli, folder: Path, endpoint: ChatEndpoint) -> None:
    """Two reference looks at a good champion, which then gets bad."""
    endpoint.default = right
    for _ in range(2):
        assert cli("nightly", "-w", folder).code == 0
    endpoint.default = wrong


def test_a_better_candidate_is_promoted_and_then_watched(cli, folder, endpoint, candidate) -> None:
    fall(cli, folder, endpoint)
    candidate.default = right
    done = cli("nightly", "-w", folder)
    assert done.code == 1, done.out + done.err
    model, ended, _ = state(folder)
    assert ended == "promoted"
    assert model.startswith("assistant-")
    for _ in range(3):
        assert cli("nightly", "-w", folder).code == 0
    assert state(folder)[0] == model


def test_what_it_trained_on_is_a_frame(cli, folder, endpoint, candidate) -> None:
    fall(cli, folder, endpoint)
    candidate.default = right
    cli("nightly", "-w", folder)
    with driftgate.open(folder) as ws:
        items = ws.training_items(remediations(ws.ledger)[0].id)
        with pytest.raises(DriftgateError, match="0 remediations fit 'none'"):
            ws.training_items("none")
    written = next((folder / ".driftgate" / "remediations").glob("*/synthesis/items.jsonl")).read_text("utf-8")
    assert list(items["content_hash"]) == [json.loads(line)["id"] for line in written.splitlines()]
    assert set(items["generator"]) == {"ready"} and set(items["slice"]) == {"material"}
    assert all(filters["firewall"] for filters in items["filters"])


def test_one_that_made_no_items_says_so(cli, folder, endpoint) -> None:
    fall(cli, folder, endpoint)
    (folder / "material.jsonl").unlink()
    cli("nightly", "-w", folder)
    with driftgate.open(folder) as ws, pytest.raises(DriftgateError, match="has made no training items yet"):
        ws.training_items(remediations(ws.ledger)[0].id)


def test_the_model_that_writes_is_asked_for_its_schema_and_the_judge_is_not(cli, folder, endpoint) -> None:
    tickets = [{"text": f"{word} 문의", "label": "gh"[n % 2]} for n, word in enumerate(WORDS)]
    (folder / "tickets.jsonl").write_text("\n".join(json.dumps(ticket) for ticket in tickets), encoding="utf-8")
    source = {"kind": "examples", "path": "tickets.jsonl", "generator": "model"}
    change(folder, ("recipes", "mend", "synthesis"), {"sources": [source], "model": "live", "judge": "live"})
    change(folder, ("models", "live", "parameters"), {"max_tokens": 4})

    def reply(prompt: str) -> Answer:
        if "JSON으로만" not in prompt:
            return Answer("A") if "기호만" in prompt else wrong(prompt)
        label, text = (re.findall(f"{name}: (.*)", prompt)[0] for name in ("분류", "예문"))
        return Answer(json.dumps({"question": f"{text} 어디에 할까요", "answer": label, "wrong": []}))

    fall(cli, folder, endpoint)
    endpoint.default = reply
    cli("nightly", "-w", folder)
    written = [request.body for request in endpoint.requests if "JSON으로만" in request.prompt]
    judged = [request.body for request in endpoint.requests if "기호만" in request.prompt]
    assert written and judged
    assert {body["response_format"]["json_schema"]["name"] for body in written} == {"written_item"}
    assert {body["max_tokens"] for body in written} == {512} and {body["max_tokens"] for body in judged} == {4}
    assert not any("response_format" in body for body in judged)


def test_a_trainer_that_makes_it_worse_is_rejected(cli, folder, endpoint, candidate) -> None:
    fall(cli, folder, endpoint)
    candidate.default = wrong
    cli("nightly", "-w", folder)
    model, ended, message = state(folder)
    assert (model, ended) == ("live", "rejected")
    assert "better than" in message


@pytest.mark.core
def test_material_that_repeats_the_hold_out_is_refused(cli, folder, endpoint, candidate) -> None:
    leaked = "\n".join(json.dumps(row, ensure_ascii=False) for row in questions("material", 100, MATERIAL))
    (folder / "material.jsonl").write_text(leaked, encoding="utf-8")
    fall(cli, folder, endpoint)
    candidate.default = right
    cli("nightly", "-w", folder)
    model, ended, message = state(folder)
    assert (model, ended) == ("live", "rejected")
    assert f"firewall {MATERIAL}" in message


def test_it_waits_for_the_approval_that_the_workspace_asks_for(cli, folder, endpoint, candidate) -> None:
    change(folder, ("recipes", "mend", "approval"), True)
    fall(cli, folder, endpoint)
    candidate.default = right
    cli("nightly", "-w", folder)
    model, ended, message = state(folder)
    assert (model, ended) == ("live", "open")
    name = message.split()[-1]
    asked = len(candidate.requests)
    assert cli("remediation", "approve", name, "-w", folder).code == 0
    assert cli("remediation", "run", "-w", folder).code == 0
    model, ended, _ = state(folder)
    assert ended == "promoted"
    assert len(candidate.requests) == asked  # nothing was asked again
    assert "approved by" in cli("remediation", "show", name, "-w", folder).out


@pytest.fixture
def waiting(cli, folder, endpoint, candidate) -> str:
    """A remediation whose candidate is proved and waits for a person; its id."""
    change(folder, ("recipes", "mend", "approval"), True)
    fall(cli, folder, endpoint)
    candidate.default = right
    cli("nightly", "-w", folder)
    _, ended, message = state(folder)
    assert ended == "open"
    return message.split()[-1]


def approvals(folder: Path, name: str) -> list[str]:
    """Who approved, in order."""
    ledger = open_ledger(".driftgate/ledger.db", folder)
    found = [event.detail["who"] for event in events_of(ledger, name) if "approved by" in event.message]
    ledger.close()
    return found


def proof_of(folder: Path, name: str) -> str:
    """The run in which the candidate was proved."""
    ledger = open_ledger(".driftgate/ledger.db", folder)
    run = next(e.detail["run"] for e in events_of(ledger, name) if (e.step, e.status) == ("evaluate", "finished"))
    ledger.close()
    return str(run)


@pytest.mark.core
def test_an_approval_before_there_is_anything_to_approve_is_refused(cli, folder, endpoint, candidate) -> None:
    change(folder, ("recipes", "mend", "approval"), True)
    fall(cli, folder, endpoint)
    candidate.default = Status(401, {"error": {"message": "no"}})
    cli("nightly", "-w", folder)
    ledger = open_ledger(".driftgate/ledger.db", folder)
    name = remediations(ledger)[0].id
    ledger.close()
    refused = cli("remediation", "approve", name, "-w", folder)
    assert refused.code == 2
    assert "does not wait for an approval: its step 'evaluate' is failed" in refused.err
    candidate.default = right
    cli("remediation", "run", "-w", folder)
    model, ended, message = state(folder)
    assert (model, ended) == ("live", "open")
    assert f"waits for: driftgate remediation approve {name}" in message
    assert approvals(folder, name) == []


def test_an_approval_after_the_end_is_refused(cli, folder, endpoint, candidate) -> None:
    fall(cli, folder, endpoint)
    candidate.default = wrong
    cli("nightly", "-w", folder)
    ledger = open_ledger(".driftgate/ledger.db", folder)
    name = remediations(ledger)[0].id
    ledger.close()
    refused = cli("remediation", "approve", name, "-w", folder)
    assert refused.code == 2
    assert "it is rejected" in refused.err
    assert approvals(folder, name) == []
    unknown = cli("remediation", "approve", "nothing", "-w", folder)
    assert unknown.code == 2
    assert "0 remediations fit 'nothing'" in unknown.err


def test_the_first_approval_stands(cli, folder, waiting, monkeypatch) -> None:
    monkeypatch.setenv("LOGNAME", "minsu")
    done = cli("remediation", "approve", waiting, "-w", folder)
    assert done.code == 0 and "(minsu, " in done.out
    monkeypatch.setenv("LOGNAME", "jiwoo")
    again = cli("remediation", "approve", waiting, "-w", folder)
    assert again.code == 2 and "does not wait for an approval: minsu gave it at " in again.err
    assert "to agree:" not in cli("remediation", "show", waiting, "-w", folder).out
    assert approvals(folder, waiting) == ["minsu"]
    cli("remediation", "run", "-w", folder)
    assert state(folder)[1] == "promoted"
    ledger = open_ledger(".driftgate/ledger.db", folder)
    assert champion_history(ledger, "assistant")[0].reason == f"remediation {waiting}: the gate passed, minsu approved"
    ledger.close()
    assert cli("remediation", "approve", waiting, "-w", folder).code == 2


def test_a_verdict_that_was_judged_anew_is_approved_anew(cli, folder, waiting) -> None:
    run = proof_of(folder, waiting)
    assert cli("remediation", "approve", waiting, "-w", folder).code == 0
    assert cli("gate", run, "--gate", "promotion", "-w", folder).code == 0  # to the same end: the approval holds
    change(folder, ("gates", "promotion", "rules"), [{"metric": "accuracy", "min": 0.5, "dataset": "hold_out"}])
    cli("remediation", "run", "-w", folder)
    model, ended, message = state(folder)
    assert (model, ended) == ("live", "open")
    assert "the rules of gate 'promotion' have changed since it passed" in message
    assert cli("remediation", "approve", waiting, "-w", folder).code == 2  # nothing to agree to yet
    cli("gate", run, "--gate", "promotion", "-w", folder)
    cli("remediation", "run", "-w", folder)
    model, ended, message = state(folder)
    assert (model, ended) == ("live", "rejected"), "the champion is in this run too, and fails"
    assert "judged run" in message


def test_an_approval_does_not_outlive_the_verdict_it_was_of(cli, folder, waiting) -> None:
    run = proof_of(folder, waiting)
    assert cli("remediation", "approve", waiting, "-w", folder).code == 0
    file = yaml.safe_load((folder / "driftgate.yaml").read_text())
    change(folder, ("gates", "promotion", "rules"), file["gates"]["promotion"]["rules"][:1])
    assert cli("gate", run, "--gate", "promotion", "-w", folder).code == 0
    late = cli("remediation", "approve", waiting, "-w", folder)  # nobody was shown this verdict
    assert late.code == 2
    assert "the verdict has changed since" in late.err
    cli("remediation", "run", "-w", folder)
    model, ended, message = state(folder)
    assert (model, ended) == ("live", "open")
    assert "the verdict has changed since" in message
    assert cli("remediation", "approve", waiting, "-w", folder).code == 0
    cli("remediation", "run", "-w", folder)
    assert state(folder)[1] == "promoted"
    assert len(approvals(folder, waiting)) == 2


def test_a_run_that_went_on_after_its_approval_is_not_promoted(cli, folder, waiting) -> None:
    run = proof_of(folder, waiting)
    assert cli("remediation", "approve", waiting, "-w", folder).code == 0
    ledger = open_ledger(".driftgate/ledger.db", folder)
    cell = cells_of(ledger, run)[0].id
    record(ledger, [right_answer(cell, int(outcome_frame(ledger, cell)["sample_id"][0]), round=1)])
    ledger.close()
    cli("remediation", "run", "-w", folder)
    model, ended, message = state(folder)
    assert (model, ended) == ("live", "open")
    assert f"run {run} has changed since gate 'promotion' passed it" in message


def test_a_gate_that_fails_the_champion_begins_its_repair(cli, folder, endpoint, candidate) -> None:
    change(folder, ("suites",), {"release": {"models": ["live"], "datasets": ["canaries"]}})
    gate = {"suite": "release", "recipe": "mend", "rules": [{"metric": "accuracy", "min": 0.5}]}
    change(folder, ("gates", "release"), gate)
    change(folder, ("nightly",), {"suites": ["release"], "gates": ["release"]})
    endpoint.default, candidate.default = right, right
    assert cli("nightly", "-w", folder).code == 0
    assert cli("remediation", "list", "-w", folder).out.strip() == "no remediation"
    endpoint.default = wrong
    assert cli("nightly", "-w", folder).code == 1
    model, ended, _ = state(folder)
    assert ended == "promoted"
    assert model.startswith("assistant-")
    # The suite still measures the model it names, which is champion no more: its failure calls for nothing.
    assert cli("nightly", "-w", folder).code == 1
    assert state(folder)[:2] == (model, "promoted")


def test_a_gate_names_a_recipe_that_is_there(cli, folder) -> None:
    gate = {"recipe": "mendd", "rules": [{"metric": "accuracy", "min": 0.5}]}
    change(folder, ("gates", "release"), gate)
    done = cli("remediation", "list", "-w", folder)
    assert done.code == 2
    assert "there is no recipe 'mendd'" in done.err
    assert "did you mean 'mend'?" in done.err


def test_a_recipe_s_flow_is_supplied_like_a_suite_s(cli, folder, endpoint, candidate) -> None:
    mine = folder / "flows/mine"
    shutil.copytree(load_flow("multiple_choice", folder).folder, mine)
    file, declared = mine / "flow.dag.yaml", '  passage: {type: string, default: ""}'
    dag = file.read_text(encoding="utf-8").replace(declared, f"{declared}\n  hint: {{type: string, default: 없음}}")
    file.write_text(dag.replace("passage: ${inputs.passage}", "passage: ${inputs.hint}"), encoding="utf-8")
    recipe = ("recipes", "mend")
    change(folder, (*recipe, "flow"), "mine")
    change(folder, (*recipe, "defaults"), ["passage"])
    endpoint.default = right
    done = cli("nightly", "-w", folder)
    assert done.code == 2  # long before anything calls for the repair
    assert "nobody supplies the input 'hint' of the flow 'mine'" in " ".join((done.out + done.err).split())
    change(folder, (*recipe, "inputs"), {"hint": "${data.question}"})
    fall(cli, folder, endpoint)
    candidate.default = right
    endpoint.forget()
    assert cli("nightly", "-w", folder).code in (0, 1)
    assert state(folder)[1] == "promoted"
    assert candidate.times_asked("지문: [") == 2 * MEASURED and candidate.times_asked("없음") == 0
