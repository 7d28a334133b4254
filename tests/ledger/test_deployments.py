"""What is known of deployments, on either database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from driftgate.ledger import DeploymentRow, Ledger, add_deployment, deployment_of, deployments_by_model

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
KNOWN = {"wire": "chat", "refused": {"temperature": "안 됩니다"}, "taken": [], "efforts": ["low"]}


def row(target: str, model: str, days: int = 0, **more: object) -> DeploymentRow:
    values = {"capabilities": KNOWN, "served": "gpt-test", "ends": None, **more}
    return DeploymentRow(target, model, at=AT + timedelta(days=days), **values)  # type: ignore[arg-type]


def test_the_newest_counts_by_target_and_by_name(ledger: Ledger) -> None:
    assert deployment_of(ledger, "t1") is None and deployments_by_model(ledger) == {}
    rows = [
        row("t1", "one", ends=date(2031, 2, 6)),
        row("t1", "two", 1, served="gpt-next"),
        row("t2", "one", 2, capabilities=None),
    ]
    for one in rows:
        add_deployment(ledger, one)
    assert deployment_of(ledger, "t1") == rows[1] and deployment_of(ledger, "t1", "one") == rows[0]
    assert deployments_by_model(ledger) == {"one": rows[2], "two": rows[1]}


def test_a_nul_in_a_service_s_words_is_no_fault(ledger: Ledger) -> None:
    add_deployment(ledger, row("t1", "one", capabilities={"refused": {"a": "x\x00y"}}))
    found = deployment_of(ledger, "t1")
    assert found is not None and found.capabilities == {"refused": {"a": "x\ufffdy"}}
