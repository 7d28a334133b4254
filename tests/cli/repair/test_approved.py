"""A person agrees to what was shown and proved, and to nothing else."""

from __future__ import annotations

import json

import pytest
from repairs import (
    MEASURED,
    ledger_of,
    state,
)

from driftgate.ledger import audit_of


@pytest.mark.core
def test_what_is_shown_is_what_is_approved(cli, folder, needs_approval) -> None:
    shown = cli("remediation", "show", needs_approval, "-w", folder).out
    assert f"it would make assistant-{needs_approval} champion of assistant" in shown
    assert "gate promotion on run" in shown and "better than" in shown and "reports/" in shown
    assert "trained on 38 items" in shown and "가까운 것은?" in shown
    assert f"{2 * 2 * MEASURED} calls" in shown


@pytest.mark.core
def test_after_a_change_of_the_data_there_is_nothing_to_approve(cli, folder, needs_approval) -> None:
    (items,) = (folder / ".driftgate" / "remediations" / needs_approval).glob("items-*.jsonl")
    whole = items.read_bytes()
    items.write_bytes(whole.replace(b'"target": "A"', b'"target": "B"', 1))
    refused = cli("remediation", "approve", needs_approval, "-w", folder)
    assert refused.code == 2 and "have changed since they were made" in refused.err
    items.write_bytes(whole)
    assert cli("remediation", "approve", needs_approval, "-w", folder).code == 0
    items.write_bytes(whole + whole)  # what was agreed to is not what is there
    cli("remediation", "run", "-w", folder)
    assert state(folder)[:2] == ("live", "open")
    items.write_bytes(whole)
    cli("remediation", "run", "-w", folder)
    assert state(folder)[1] == "promoted"


@pytest.mark.parametrize(
    ("change_of", "told"),
    [
        (lambda rows: [rows[0] | {"answer": "D"}, *rows[1:]], "dataset 'hold_out': rows 1 changed (hold_out-100)"),
        (lambda rows: rows[1:], "dataset 'hold_out': rows 1 removed (hold_out-100)"),
        (lambda rows: [*rows, rows[0] | {"id": "new", "question": "?"}], "dataset 'hold_out': rows 1 added (new)"),
    ],
)
def test_a_proof_of_other_rows_is_no_proof_of_these(cli, folder, needs_approval, change_of, told) -> None:
    file = folder / "hold_out.jsonl"
    whole = file.read_text(encoding="utf-8")
    changed = change_of([json.loads(line) for line in whole.splitlines()])
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in changed), encoding="utf-8")
    refused = cli("remediation", "approve", needs_approval, "-w", folder)
    assert refused.code == 2 and told in refused.err
    shown = cli("remediation", "show", needs_approval, "-w", folder)
    assert "there is nothing to approve now" in shown.out and told in shown.out
    file.write_text(whole, encoding="utf-8")
    assert cli("remediation", "approve", needs_approval, "-w", folder).code == 0
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in changed), encoding="utf-8")
    assert cli("remediation", "run", "-w", folder).code == 3
    assert state(folder)[:2] == ("live", "open"), "nor is it promoted on an approval of before"
    assert told in state(folder)[2]


def test_a_proof_that_cannot_be_read_any_more_allows_nothing(cli, folder, needs_approval) -> None:
    (folder / "hold_out.jsonl").unlink()
    refused = cli("remediation", "approve", needs_approval, "-w", folder)
    assert refused.code == 2 and "cannot be made any more" in refused.err


@pytest.mark.core
def test_without_clean_lineage_nothing_is_promoted(cli, folder, needs_approval) -> None:
    from sqlalchemy import delete

    from driftgate.finetune import _tables

    assert cli("remediation", "approve", needs_approval, "-w", folder).code == 0
    with ledger_of(folder) as ledger, ledger.write() as connection:
        connection.execute(delete(_tables.synthetic_items).where(_tables.synthetic_items.c.position == 7))
    cli("remediation", "run", "-w", folder)
    assert state(folder)[:2] == ("live", "open")
    assert "it is not known what item" in state(folder)[2]


def test_rejected_by_a_person_it_ends(cli, folder, needs_approval) -> None:
    assert cli("remediation", "reject", needs_approval, "--reason", " ", "-w", folder).code == 2
    done = cli("remediation", "reject", needs_approval, "--reason", "too terse", "-w", folder)
    assert (done.code, state(folder)[:2]) == (0, ("live", "rejected"))
    assert "too terse" in cli("remediation", "show", needs_approval, "-w", folder).out
    assert cli("remediation", "approve", needs_approval, "-w", folder).code == 2
    assert cli("remediation", "abandon", needs_approval, "--reason", "again", "-w", folder).code == 2
    with ledger_of(folder) as ledger:
        assert [row.action for row in audit_of(ledger, action="remediation")] == ["remediation.reject"]
