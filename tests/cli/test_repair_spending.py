"""What a repair's requests cost is kept as it is spent, whatever becomes of the process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from driftgate.api.repair._spending import SYNTHESIS, BudgetSpent, Meter
from driftgate.finetune.remediation import BudgetConfig, open_remediation
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
