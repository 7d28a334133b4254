"""What a repair's requests cost is kept as it is spent, whatever becomes of the process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from pydantic import ValidationError

from driftgate.api.repair._spending import SYNTHESIS, BudgetSpent, Meter, Metered
from driftgate.finetune.remediation import BudgetConfig, open_remediation
from driftgate.flows.models import Message, Prices, Reply, Reserving, Usage
from driftgate.ledger import Ledger, open_ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger("ledger.db", tmp_path)
    yield opened
    opened.close()


def test_a_killed_process_gives_no_money_back(ledger: Ledger) -> None:
    repair = open_remediation(ledger, "assistant", "recipe x", "live", {"recipe": "x"})[0].id
    killed = Meter(ledger, repair, BudgetConfig(money=1.0), SYNTHESIS)
    for _ in range(3):
        killed.begin()
        killed.add(0.4)  # and it never ends
    with pytest.raises(BudgetSpent, match=r"1\.2 are spent"):
        killed.begin()
    with pytest.raises(BudgetSpent, match=r"1\.2 are spent"):
        Meter(ledger, repair, BudgetConfig(money=1.0), SYNTHESIS).begin()


def test_a_cost_that_nobody_knows_ends_what_money_limits(ledger: Ledger) -> None:
    repair = open_remediation(ledger, "assistant", "recipe x", "live", {"recipe": "x"})[0].id
    killed = Meter(ledger, repair, BudgetConfig(money=1.0), SYNTHESIS)
    killed.begin()
    killed.add(None)
    with pytest.raises(BudgetSpent, match="what a call cost is not known"):
        Meter(ledger, repair, BudgetConfig(money=1.0), SYNTHESIS).begin()


class Slow:
    """A model that answers in a moment, for 0.0002."""

    name = "live"
    identity: Mapping[str, str] = {}
    asked = 0

    async def complete(self, messages: Sequence[Message]) -> Reply:
        self.asked += 1
        await asyncio.sleep(0.01)
        return Reply("A", "stop", Usage(100, 50), 0.01)

    async def aclose(self) -> None:
        pass


@pytest.mark.parametrize(("money", "asked"), [(0.0001, 1), (0.0003, 2), (0.0011, 6)])
def test_requests_under_way_pass_the_budget_by_one_at_most(ledger: Ledger, money: float, asked: int) -> None:
    repair = open_remediation(ledger, "assistant", "recipe x", "live", {"recipe": "x"})[0].id
    meter, live, prices = Meter(ledger, repair, BudgetConfig(money=money), SYNTHESIS), Slow(), Prices(input=1, output=2)
    model = Reserving(Metered(live, prices, meter), prices, meter.purse)

    async def ask() -> list[Reply | BaseException]:
        return await asyncio.gather(
            *(model.complete([Message("user", "?")]) for _ in range(16)), return_exceptions=True
        )

    found = asyncio.run(ask())
    assert live.asked == asked
    assert sum(isinstance(one, BudgetSpent) for one in found) == 16 - asked


@pytest.mark.parametrize("limit", ["money", "calls", "gpu_hours", "days", "failing_nights"])
@pytest.mark.parametrize("value", [float("inf"), float("nan"), True])
def test_what_is_no_finite_number_is_no_budget(limit: str, value: object) -> None:
    with pytest.raises(ValidationError):
        BudgetConfig.model_validate({limit: value})
