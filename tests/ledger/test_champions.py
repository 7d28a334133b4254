"""Whom a rollback leads back to, on either database."""

from __future__ import annotations

import pytest
from promoted import put_in_place

from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, champion_of, install_champion, reversal, rollback, traffic_of


def roll_back(ledger: Ledger) -> str:
    return rollback(ledger, "place", reason="complaints", who="minsu")


def test_one_after_the_other_is_undone(ledger: Ledger) -> None:
    install_champion(ledger, "place", "first", "minsu")
    for model in ("second", "third"):
        put_in_place(ledger, "place", model, reason="better")
    assert [roll_back(ledger), roll_back(ledger)] == ["second", "first"]
    with pytest.raises(DriftgateError, match="no champion to go back to"):
        roll_back(ledger)
    assert champion_of(ledger, "place") == "first"


def test_nobody_is_led_back_to_what_was_rolled_back(ledger: Ledger) -> None:
    install_champion(ledger, "place", "first", "minsu")
    put_in_place(ledger, "place", "bad", reason="better")
    roll_back(ledger)
    put_in_place(ledger, "place", "third", reason="better")
    assert roll_back(ledger) == "first"


def test_a_model_that_came_back_gives_way_to_the_one_before_it(ledger: Ledger) -> None:
    install_champion(ledger, "place", "first", "minsu")
    put_in_place(ledger, "place", "second", reason="better")
    put_in_place(ledger, "place", "first", reason="better after all")
    assert [roll_back(ledger), roll_back(ledger)] == ["second", "first"]


def test_only_the_promotion_that_was_meant_is_undone(ledger: Ledger) -> None:
    install_champion(ledger, "place", "first", "minsu")
    put_in_place(ledger, "place", "second", reason="better")
    meant = reversal(ledger, "place").undone
    assert traffic_of(ledger, meant) is None
    put_in_place(ledger, "place", "third", reason="better")
    with pytest.raises(DriftgateError, match="is third by now, and second was to be rolled back"):
        rollback(ledger, "place", reason="complaints", who="minsu", undoing=meant)
    assert champion_of(ledger, "place") == "third"
