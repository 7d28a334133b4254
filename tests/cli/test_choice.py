"""Before anything is trained, cheaper repairs are tried on the same questions, and the recipe's gate decides."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from chat_endpoint import Answer, ChatEndpoint, Status
from repairs import MEASURED, change, earlier, ledger_of, make_workspace, messages, opened, right, state, wrong
from rollouts import ROLLOUT

import driftgate
from driftgate.api.repair import NotOpened
from driftgate.finetune.remediation import _hold, events_of, remediations, spent
from driftgate.ledger import cells_of, latest_runs

PROOF = 2 * MEASURED
"""Questions of the proof."""
RAG = {"flow": "rag_qa", "retriever": "ours", "variant": "compose.letters"}
TERSE = re.compile(r"^\[\d+\]")
"""How the prompt of the variant ``terse`` begins, which has no words of its own."""


@pytest.fixture
def folder(
    tmp_path: Path, endpoint: ChatEndpoint, candidate: ChatEndpoint, judge_endpoint: ChatEndpoint, plugin: str
) -> Path:
    """The champion is bad, what is trained is good; ``other`` and ``large`` are further models, both bad at first."""
    endpoint.default, candidate.default, judge_endpoint.default = wrong, right, wrong
    folder = make_workspace(tmp_path / "workspace", endpoint, candidate, plugin)
    for name, price in (("other", 1.0), ("large", 8.0)):
        model = {"provider": "openai", "endpoint": f"{judge_endpoint.url}/v1", "model": name, "attempts": 1}
        change(folder, ("models", name), model | {"prices": {"input": price, "output": price}})
    change(folder, ("recipes", "mend", "choice"), {"models": ["large", "other"]})
    return folder


def choose(folder: Path, **named: object) -> None:
    change(folder, ("recipes", "mend", "choice"), named)


def document(folder: Path) -> None:
    """A retriever with one document."""
    (folder / "docs").mkdir()
    (folder / "docs" / "one.md").write_text("# 안내\n\n산과 강과 바다의 안내문입니다.\n", encoding="utf-8")
    change(folder, ("retrievers",), {"ours": {"folder": "docs"}})


def trained(folder: Path) -> bool:
    return (folder / "service.txt").exists()


def steps(folder: Path) -> list[str]:
    """The steps that the newest remediation finished."""
    with ledger_of(folder) as ledger:
        return [e.step for e in events_of(ledger, remediations(ledger)[0].id) if e.status == "finished"]


def test_another_model_that_passes_is_promoted_and_nothing_is_trained(cli, folder, judge_endpoint) -> None:
    judge_endpoint.default = right
    name = opened(folder)
    done = cli("remediation", "run", "-w", folder)
    assert done.code == 0, done.err
    assert state(folder)[:2] == ("other", "promoted")  # both pass, and this one is the cheaper
    assert not trained(folder)
    assert steps(folder) == ["choose", "judge", "approve", "roll_out", "promote"]
    assert any(
        "model other passes the gate: synthesise, train, evaluate are left out" in told for told in messages(folder)
    )
    with ledger_of(folder) as ledger:
        assert spent(ledger, name).calls == 3 * PROOF
    shown = cli("remediation", "show", name, "-w", folder).out
    assert "model other on hold_out: quality 100.0%" in shown and "gate: pass, proposed" in shown
    assert "base on hold_out: quality 0.0%" in shown and "cost not known" in shown  # the champion has no price
    assert "model large on canaries" in shown and "+100.0 points" in shown and "cost 0.021 USD" in shown


@pytest.mark.acceptance
def test_where_none_passes_a_model_is_trained_and_stands_in_the_same_table(cli, folder) -> None:
    document(folder)
    choose(folder, models=["other"], variants=["terse"], flows=[RAG])
    name = opened(folder)
    assert cli("remediation", "run", "-w", folder).code == 0
    model, ended, _ = state(folder)
    assert (model, ended) == (f"assistant-{name}", "promoted")
    with driftgate.open(folder) as ws:
        view = ws.remediation(name)
    named = {option.name: option for option in view.options}
    rag = "flow rag_qa compose.letters with ours"
    assert list(named) == ["base", "prompt terse", "model other", rag, "tuned", f"tuned, {rag}"]
    assert [option.verdict for option in view.options] == ["", *["inconclusive"] * 3, "pass", ""]
    assert named["tuned"].quality == 1.0 and named[f"tuned, {rag}"].quality == 1.0 and named["base"].quality == 0.0
    assert named[rag].retriever == "ours" and named[rag].flow == "rag_qa"
    assert view.proposed_option == ""
    assert {len(option.measured) for option in view.options} == {2}


@pytest.mark.core
def test_a_prompt_that_passes_is_proposed_to_a_person(cli, folder, endpoint) -> None:
    choose(folder, variants=["terse"])
    endpoint.default = lambda prompt: (right if TERSE.match(prompt) else wrong)(prompt)
    name = opened(folder)
    assert cli("remediation", "run", "-w", folder).code == 3
    model, ended, message = state(folder)
    assert (model, ended) == ("live", "proposed")
    assert "prompt terse passes the gate" in message and "for a person" in message
    assert not trained(folder)
    shown = cli("remediation", "show", name, "-w", folder).out
    assert "prompt terse on hold_out: quality 100.0%" in shown and "pass, proposed" in shown
    with ledger_of(folder) as ledger:
        earlier(ledger, 3)
    told = cli("incidents", "-w", folder).out
    assert "prompt terse passes the gate" in " ".join(told.split())
    with pytest.raises(NotOpened, match="proposed prompt terse, which nobody has put in place"):
        opened(folder)
    change(folder, ("recipes", "mend", "variant"), "terse")
    assert "prompt terse passes" not in " ".join(cli("incidents", "-w", folder).out.split())
    assert opened(folder) != name


@pytest.mark.acceptance
def test_documents_that_help_are_proposed_to_a_person(cli, folder, endpoint) -> None:
    document(folder)
    choose(folder, flows=[RAG])
    endpoint.default = lambda prompt: (right if "안내문" in prompt else wrong)(prompt)
    opened(folder)
    cli("remediation", "run", "-w", folder)
    model, ended, message = state(folder)
    assert (model, ended) == ("live", "proposed")
    assert "let the application ask through the flow 'rag_qa'" in message


@pytest.mark.acceptance
def test_a_model_whose_traffic_a_rollout_would_move_is_proposed_to_a_person(cli, folder, judge_endpoint) -> None:
    judge_endpoint.default = right
    image = "mcr.microsoft.com/azureml/base:20260901.v1"
    trainer = {"trainer": "azure_ml", "workspace": ROLLOUT["workspace"], "compute": "cpu", "image": image}
    change(folder, ("recipes", "mend", "trainer"), trainer)
    change(folder, ("recipes", "mend", "rollout"), ROLLOUT)
    change(folder, ("models", "small"), {"provider": "local", "model": "gemma3-270m"})
    change(folder, ("recipes", "mend", "base_model"), "small")
    opened(folder)
    cli("remediation", "run", "-w", folder)
    model, ended, message = state(folder)
    assert (model, ended) == ("live", "proposed"), message
    assert "make 'other' champion; its traffic is not moved by the recipe's rollout" in message


@pytest.mark.acceptance
@pytest.mark.parametrize(("own", "named"), [("terse", "terse"), ("", "zero_shot"), ("", "render.zero_shot")])
def test_the_champion_and_its_own_prompt_are_no_alternatives(cli, folder, own: str, named: str) -> None:
    choose(folder, models=["live"], variants=[named])
    change(folder, ("recipes", "mend", "variant"), own)
    name = opened(folder)
    cli("remediation", "run", "-w", folder)
    assert state(folder)[0] == f"assistant-{name}"
    with ledger_of(folder) as ledger:
        assert [run.suite for run in latest_runs(ledger, 9)] == ["proof-assistant"]


def test_an_alternative_that_cannot_be_asked_does_not_keep_the_champion_from_its_repair(
    cli, folder, judge_endpoint
) -> None:
    judge_endpoint.default = Status(401, {"error": {"message": "no"}})
    name = opened(folder)
    cli("remediation", "run", "-w", folder)
    assert state(folder)[1] == "open" and not trained(folder)
    assert cli("remediation", "run", "-w", folder).code == 0
    assert state(folder)[0] == f"assistant-{name}"
    with driftgate.open(folder) as ws:
        view = ws.remediation(name)
    models = {option.name: option for option in view.options if option.kind == "model"}
    assert list(models) == ["model large", "model other"]  # also the one whose second cell was never begun
    assert {option.verdict for option in models.values()} == {"unmeasurable"}
    assert {option.quality for option in models.values()} == {None}
    assert [found.dataset for option in models.values() for found in option.measured] == ["hold_out"] * 2
    shown = cli("remediation", "show", name, "-w", folder).out
    assert "did not come to its end" in shown and "model large on hold_out: quality not known" in shown


@pytest.mark.acceptance
def test_nothing_is_trained_for_a_champion_that_cannot_be_asked_itself(cli, folder, endpoint, judge_endpoint) -> None:
    endpoint.default, judge_endpoint.default = Status(401, {"error": {"message": "no"}}), right
    name = opened(folder)
    for _ in range(2):
        assert cli("remediation", "run", "-w", folder).code == 2
    assert state(folder)[:2] == ("live", "open") and not trained(folder)
    assert "the champion 'live' itself cannot be asked" in state(folder)[2]
    with driftgate.open(folder) as ws:
        assert not ws.remediation(name).options


@pytest.mark.acceptance
def test_a_gate_that_says_nothing_of_an_alternative_passes_none(cli, folder, judge_endpoint) -> None:
    judge_endpoint.default = right
    change(folder, ("gates", "promotion", "rules"), [{"metric": "accuracy", "max": 0.5, "model": "live"}])
    name = opened(folder)
    cli("remediation", "run", "-w", folder)
    with driftgate.open(folder) as ws:
        options = ws.remediation(name).options
    assert {option.verdict for option in options if option.kind == "model"} == {"unmeasurable"}
    assert state(folder)[0] == "live"


@pytest.mark.acceptance
def test_a_choice_that_changed_after_it_was_begun_is_made_anew(cli, folder, judge_endpoint) -> None:
    judge_endpoint.default = Status(401, {"error": {"message": "no"}})
    opened(folder)
    cli("remediation", "run", "-w", folder)
    judge_endpoint.default = right
    choose(folder, models=["other"], variants=["terse"])
    assert cli("remediation", "run", "-w", folder).code == 0
    assert state(folder)[:2] == ("other", "promoted")
    with ledger_of(folder) as ledger:
        assert len(latest_runs(ledger, 9)) == 2 and latest_runs(ledger, 1)[0].status == "complete"


@pytest.mark.acceptance
def test_one_unanswered_question_takes_the_place_of_the_cheapest(cli, folder, judge_endpoint) -> None:
    lost = []

    def answer(body: dict[str, object]) -> Status | None:
        if body["model"] == "other" and not lost:
            lost.append(body)
            return Status(400, {"error": {"message": "this one not"}})
        return None

    judge_endpoint.default, judge_endpoint.refuses = right, answer
    name = opened(folder)
    cli("remediation", "run", "-w", folder)
    assert lost and state(folder)[0] == "large"
    with driftgate.open(folder) as ws:
        named = {option.name: option for option in ws.remediation(name).options}
    assert named["model other"].verdict == "pass" and named["model other"].cost is None


def test_a_person_agrees_to_a_chosen_model_as_the_file_has_it(cli, folder, judge_endpoint) -> None:
    judge_endpoint.default = right
    judge_endpoint.refuses = lambda body: wrong(str(body["messages"])) if body["model"] == "large" else None
    change(folder, ("recipes", "mend", "approval"), True)
    name = opened(folder)
    cli("remediation", "run", "-w", folder)
    shown = cli("remediation", "show", name, "-w", folder).out
    assert "would make other champion" in shown and "nothing was trained for it" in shown
    with driftgate.open(folder) as ws:
        before = ws.remediation(name).proposal
        run = ws.remediation(name).options[0].run
        assert before is not None and (before.candidate, before.items, before.artefact) == ("other", 0, "")
    change(folder, ("models", "other", "prices"), {"input": 90.0, "output": 90.0})
    refused = cli("remediation", "approve", name, "-w", folder)
    assert refused.code == 2 and "the candidate has changed" in refused.err
    # Judged by hand, the run's other options are judged too, and fail: that says nothing of this one.
    judged = cli("gate", run, "--gate", "promotion", "-w", folder)
    assert judged.code == 3, judged.out + judged.err
    cli("remediation", "run", "-w", folder)
    assert cli("remediation", "approve", name, "-w", folder).code == 0
    by_hand = cli("champion", "promote", "assistant", "other", "--run", run, "-w", folder)
    assert by_hand.code == 2 and f"other is the candidate of remediation {name}" in by_hand.err
    cli("remediation", "run", "-w", folder)
    assert state(folder)[:2] == ("other", "promoted")


@pytest.mark.acceptance
def test_a_further_attempt_measures_no_alternative_again(cli, folder, candidate, judge_endpoint) -> None:
    candidate.default = lambda prompt: (wrong if len(candidate.requests) <= PROOF else right)(prompt)
    change(folder, ("recipes", "mend", "further_attempts"), [{"seed": 7}])
    opened(folder)
    assert cli("remediation", "run", "-w", folder).code == 0
    assert len(judge_endpoint.requests) == 2 * PROOF
    with driftgate.open(folder) as ws:
        first, second = (ws.remediation(one.id) for one in remediations(ws.ledger)[::-1])
    assert [option.name for option in second.options] == ["base", "model large", "model other", "tuned"]
    assert (first.options[-1].verdict, second.options[-1].verdict) == ("not passed", "pass")


def test_where_money_is_limited_what_has_no_price_is_not_asked(cli, folder, judge_endpoint) -> None:
    judge_endpoint.default = right
    change(folder, ("models", "live", "prices"), {"input": 1.0, "output": 1.0})
    change(folder, ("models", "other", "prices"), {})
    change(folder, ("recipes", "mend", "budget"), {"money": 100.0})
    name = opened(folder)
    assert cli("remediation", "run", "-w", folder).code == 0
    assert state(folder)[:2] == ("large", "promoted")
    assert len(judge_endpoint.requests) == PROOF
    shown = cli("remediation", "show", name, "-w", folder).out
    assert "model other: quality not known; cost not known" in shown and "; not asked; gate: unmeasurable" in shown
    assert "model other: the limit of 100 on cost cannot be kept" in shown


def test_it_counts_in_the_budget(cli, folder, judge_endpoint) -> None:
    change(folder, ("recipes", "mend", "budget"), {"calls": 3 * PROOF - 1})
    opened(folder)
    cli("remediation", "run", "-w", folder)
    _, ended, message = state(folder)
    assert ended == "abandoned" and f"the choice takes {3 * PROOF} calls" in message
    assert not judge_endpoint.requests


@pytest.mark.acceptance
def test_what_an_older_driftgate_took_further_goes_on_without_it(cli, folder, judge_endpoint) -> None:
    choice = yaml.safe_load((folder / "driftgate.yaml").read_text())["recipes"]["mend"].pop("choice")
    change(folder, ("recipes", "mend", "choice"), None)
    change(folder, ("recipes", "mend", "approval"), True)
    name = opened(folder)
    cli("remediation", "run", "-w", folder)
    assert "choose" not in steps(folder) and "waits for" in state(folder)[2]
    change(folder, ("recipes", "mend", "choice"), choice)
    assert cli("remediation", "approve", name, "-w", folder).code == 0
    cli("remediation", "run", "-w", folder)
    assert state(folder)[0] == f"assistant-{name}"
    assert not judge_endpoint.requests


@pytest.mark.acceptance
def test_killed_while_it_chooses_it_asks_nothing_twice(cli, folder, judge_endpoint, monkeypatch) -> None:
    monkeypatch.setattr(_hold, "SECONDS", 0.6)
    running: list[subprocess.Popen[bytes]] = []

    def deadly(prompt: str) -> Answer:
        if len(judge_endpoint.requests) == MEASURED:
            running[0].kill()
        return right(prompt)

    judge_endpoint.default = deadly
    opened(folder)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(Path.cwd())])}
    command = [sys.executable, "-m", "driftgate", "remediation", "run", "-w", str(folder)]
    running.append(subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE))
    assert running[0].wait(120) == -signal.SIGKILL
    judge_endpoint.default = right
    assert cli("remediation", "run", "-w", folder).code == 0
    assert state(folder)[:2] == ("other", "promoted")
    with ledger_of(folder) as ledger:
        runs = latest_runs(ledger, 9)
        assert [run.suite for run in runs] == ["choice-assistant"]
        assert len(cells_of(ledger, runs[0].id)) == 3 * 2
    assert len(judge_endpoint.requests) <= 2 * PROOF + 32  # those under way at the kill


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ({"models": ["othr"]}, "there is no model 'othr'"),
        ({"variants": ["tersse"]}, "tersse"),
        ({"flows": [{"flow": "rag_qa", "retriever": "docs"}]}, "there is no retriever 'docs'"),
        ({"flows": [{"flow": "rag"}]}, "rag"),
        ({}, "choice names nothing to choose from"),
        ({"models": ["other", "other"]}, "twice"),
        ({"model": ["other"]}, "model"),
    ],
)
def test_a_choice_that_could_not_be_made_is_named_by_doctor(
    cli, folder, endpoint, judge_endpoint, choice, told
) -> None:
    endpoint.default = judge_endpoint.default = Answer()  # doctor asks each model once
    change(folder, ("recipes", "mend", "choice"), choice)
    done = cli("doctor", "-w", folder)
    assert done.code == 2
    said = " ".join((done.out + done.err).split())
    assert told in said


def test_a_variant_that_is_not_there_is_named_before_a_repair_pays(cli, folder, endpoint, judge_endpoint) -> None:
    choose(folder, variants=["tersse"])
    opened(folder)
    cli("remediation", "run", "-w", folder)
    _, ended, message = state(folder)
    assert ended == "open" and "tersse" in message
    assert not endpoint.requests and not judge_endpoint.requests
    choose(folder, models=["other"])  # mended, it chooses: what failed before it began is no step that went further
    judge_endpoint.default = right
    assert cli("remediation", "run", "-w", folder).code == 0
    assert state(folder)[:2] == ("other", "promoted")
