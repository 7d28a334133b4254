"""A repair keeps its budget of calls, money and hours before it is spent."""

from __future__ import annotations

import pytest
from repairs import (
    MEASURED,
    book,
    change,
    ledger_of,
    messages,
    opened,
    script,
    state,
)

from driftgate.finetune.remediation import Spent, set_spent, spent


@pytest.mark.core
def test_a_budget_of_calls_is_kept_before_they_are_made(cli, folder, candidate, endpoint) -> None:
    change(folder, ("recipes", "mend", "budget"), {"calls": 4 * MEASURED})
    with ledger_of(folder) as ledger:
        set_spent(ledger, opened(folder), "training", Spent(1))
    assert cli("remediation", "run", "-w", folder).code == 4
    assert state(folder)[1] == "abandoned"
    assert f"the proof takes {4 * MEASURED} calls, and {4 * MEASURED - 1} are left" in state(folder)[2]
    assert not any("submitting training job" in told for told in messages(folder))
    assert (candidate.requests, endpoint.requests) == ([], [])


def test_a_budget_that_no_proof_fits_in_begins_nothing(cli, folder, candidate, endpoint) -> None:
    change(folder, ("recipes", "mend", "budget"), {"calls": 4 * MEASURED - 1})
    opened(folder)
    done = cli("remediation", "run", "-w", folder)
    assert done.code == 2 and f"its proof takes {4 * MEASURED} calls" in done.out
    assert not any("submitting training job" in told for told in messages(folder))
    assert (candidate.requests, endpoint.requests) == ([], [])


def test_a_budget_of_money_is_not_kept_by_a_model_without_a_price(cli, folder, candidate) -> None:
    change(folder, ("recipes", "mend", "budget"), {"money": 5})
    opened(folder)
    done = cli("remediation", "run", "-w", folder)
    assert done.code == 2 and "cannot be kept" in done.err
    assert candidate.requests == []


@pytest.mark.core
def test_a_budget_of_money_ends_a_proof_that_costs_more(cli, folder, candidate) -> None:
    change(folder, ("models", "live", "prices"), {"input": 1000, "output": 1000})
    change(folder, ("recipes", "mend", "trainer", "prices"), {"input": 1000, "output": 1000})
    change(folder, ("recipes", "mend", "budget"), {"money": 0.5})
    opened(folder)
    assert cli("remediation", "run", "-w", folder).code == 4
    assert state(folder)[1] == "abandoned"
    assert "the limit of 0.5 on cost is reached" in state(folder)[2]
    assert len(candidate.requests) < 2 * MEASURED


def test_a_budget_of_hours_cancels_the_job(cli, folder) -> None:
    change(folder, ("recipes", "mend", "trainer", "instance_count"), 3600)  # an hour a second
    change(folder, ("recipes", "mend", "budget"), {"gpu_hours": 0.5})
    script(folder, "running")
    name = opened(folder)
    assert cli("remediation", "run", "-w", folder).code == 4
    assert state(folder)[1] == "abandoned"
    assert any("the budget of 0.5 hours of training is used up" in told for told in messages(folder))
    assert book(folder) == {"asked": 1, "paid": 1, "cancelled": 1}
    with ledger_of(folder) as ledger:
        assert spent(ledger, name).hours > 0.5
