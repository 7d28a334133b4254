"""A candidate that the gate rejects leads to the recipe's next attempt, within its budget, and to no more."""

from __future__ import annotations

from pathlib import Path

import pytest
from chat_endpoint import ChatEndpoint
from pydantic import ValidationError
from repairs import MEASURED, change, ledger_of, make_workspace, opened, right, state, wrong

from driftgate.finetune.config import RecipeConfig
from driftgate.finetune.remediation import Remediation, remediations

PROOF = 2 * MEASURED
"""Questions that a candidate is asked."""


@pytest.fixture
def folder(tmp_path: Path, endpoint: ChatEndpoint, candidate: ChatEndpoint, plugin: str) -> Path:
    """A workspace with a recipe of two attempts; the champion is bad, and so is the first candidate."""
    endpoint.default = wrong
    candidate.default = lambda prompt: (wrong if len(candidate.requests) <= PROOF else right)(prompt)
    folder = make_workspace(tmp_path / "workspace", endpoint, candidate, plugin)
    change(folder, ("recipes", "mend", "further_attempts"), [{"seed": 7}])
    return folder


def history(folder: Path) -> list[Remediation]:
    with ledger_of(folder) as ledger:
        return remediations(ledger)[::-1]


def test_what_is_rejected_is_tried_otherwise_and_then_promoted(cli, folder) -> None:
    opened(folder)
    done = cli("remediation", "run", "-w", folder)
    assert done.code == 0, done.err
    first, second = history(folder)
    assert (first.state, second.state) == ("rejected", "promoted")
    assert second.evidence["attempt"] == 2 and second.evidence["after"] == first.id
    assert state(folder)[0] == f"assistant-{second.id}"


def test_there_are_no_more_attempts_than_the_recipe_has(cli, folder, candidate) -> None:
    candidate.default = wrong
    opened(folder)
    for _ in range(2):
        cli("remediation", "run", "-w", folder)
    assert [one.state for one in history(folder)] == ["rejected", "rejected"]
    assert len(candidate.requests) == 2 * PROOF


def test_what_was_cut_off_before_the_next_attempt_is_caught_up(cli, folder) -> None:
    """Rejected, and nothing opened: as a kill at that moment leaves it."""
    change(folder, ("recipes", "mend", "further_attempts"), [])
    opened(folder)
    cli("remediation", "run", "-w", folder)
    assert [one.state for one in history(folder)] == ["rejected"]
    change(folder, ("recipes", "mend", "further_attempts"), [{"seed": 7}])
    done = cli("remediation", "run", "-w", folder)
    assert [one.state for one in history(folder)] == ["rejected", "promoted"], done.out + done.err


def test_a_person_who_rejects_is_not_asked_again(cli, folder, candidate) -> None:
    candidate.default = right
    change(folder, ("recipes", "mend", "approval"), True)
    name = opened(folder)
    cli("remediation", "run", "-w", folder)
    assert cli("remediation", "reject", name, "--reason", "not this one", "-w", folder).code == 0
    cli("remediation", "run", "-w", folder)
    assert [one.state for one in history(folder)] == ["rejected"]


def test_all_attempts_together_keep_to_the_budget(cli, folder, candidate) -> None:
    change(folder, ("recipes", "mend", "budget"), {"calls": 3 * PROOF})  # one proof asks champion and candidate
    opened(folder)
    cli("remediation", "run", "-w", folder)
    assert [one.state for one in history(folder)] == ["rejected"]
    change(folder, ("recipes", "mend", "budget"), {"calls": 4 * PROOF})
    cli("remediation", "run", "-w", folder)
    assert [one.state for one in history(folder)] == ["rejected", "promoted"]


def _recipe(**more: object) -> RecipeConfig:
    sources = [{"kind": "questions", "path": "known.jsonl"}, {"kind": "questions", "path": "new.jsonl"}]
    values = {
        "champion": "c",
        "synthesis": {"sources": sources, "count": 100},
        "base_model": "m",
        "trainer": {"trainer": "local", "recipe": {"steps": 60, "rank": 8}},
        "proof": ["own"],
        "gate": "g",
        "seed": 3,
    }
    return RecipeConfig.model_validate(values | more)


def test_an_attempt_changes_what_it_names_and_nothing_else() -> None:
    further = [{"shares": [3, 1], "recipe": {"learning_rate": 2e-4}}, {"count": 40, "seed": 9}]
    recipe = _recipe(further_attempts=further)
    assert recipe.attempt(1) == recipe
    second, third = recipe.attempt(2), recipe.attempt(3)
    assert [source.share for source in second.synthesis.sources] == [3, 1]
    changed = second.trainer.recipe
    assert (changed.learning_rate, changed.steps, changed.rank) == (2e-4, 60, 8)
    assert (second.seed, second.synthesis.count) == (4, 100)
    assert third.trainer == recipe.trainer and third.seed == 9 and third.synthesis.count == 40
    assert [source.share for source in third.synthesis.sources] == [1, 1]


@pytest.mark.parametrize(
    "broken", [{"shares": [1]}, {"shares": [1, 0]}, {"recipe": {"stepps": 3}}, {"recipe": {"steps": 0}}, {"rank": 3}]
)
def test_an_attempt_that_could_not_be_made_is_refused_when_the_file_is_read(broken: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        _recipe(further_attempts=[broken])
