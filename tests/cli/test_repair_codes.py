"""What ``driftgate remediation run`` ends with, and which remediations ``list`` shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from chat_endpoint import ChatEndpoint
from repairs import change, ledger_of, make_workspace, newest, opened, right, state, wrong

from driftgate.finetune.remediation import open_remediation
from driftgate.finetune.remediation._store import close


@pytest.fixture
def folder(tmp_path: Path, endpoint: ChatEndpoint, candidate: ChatEndpoint, plugin: str) -> Path:
    """A workspace whose champion answers wrong, and what is trained right."""
    endpoint.default, candidate.default = wrong, right
    return make_workspace(tmp_path / "workspace", endpoint, candidate, plugin)


def run(cli, folder: Path) -> int:
    return cli("remediation", "run", "-w", folder).code


def test_nothing_open_is_no_failure(cli, folder) -> None:
    done = cli("remediation", "run", "-w", folder)
    assert (done.code, "no remediation is open" in done.out) == (0, True)


def test_a_promotion_is_a_success_and_what_waits_before_is_not(cli, folder) -> None:
    change(folder, ("recipes", "mend", "approval"), True)
    name = opened(folder)
    assert run(cli, folder) == 3
    assert run(cli, folder) == 3, "it waits for a person"
    assert cli("remediation", "approve", name, "-w", folder).code == 0
    assert run(cli, folder) == 0
    assert state(folder)[1] == "promoted"


def test_a_rejection_is_told(cli, folder, candidate) -> None:
    candidate.default = wrong
    opened(folder)
    assert run(cli, folder) == 1
    assert state(folder)[1] == "rejected"


def test_of_several_attempts_the_last_counts(cli, folder, candidate) -> None:
    candidate.default = lambda prompt: (wrong if len(candidate.requests) <= 120 else right)(prompt)
    change(folder, ("recipes", "mend", "further_attempts"), [{"seed": 7}])
    opened(folder)
    assert run(cli, folder) == 0
    assert state(folder)[1] == "promoted"


def test_repairs_that_are_stopped_are_no_success(cli, folder) -> None:
    opened(folder)
    assert cli("remediation", "stop", "--reason", "a test", "-w", folder).code == 0
    assert run(cli, folder) == 4
    assert cli("remediation", "resume", "-w", folder).code == 0
    change(folder, ("repairs",), False)
    assert run(cli, folder) == 4


def test_a_budget_that_ends_it_is_no_success(cli, folder) -> None:
    change(folder, ("recipes", "mend", "budget"), {"days": 0.000001})
    opened(folder)
    assert run(cli, folder) == 4
    assert state(folder)[1] == "abandoned"


def test_a_list_of_just_those_that_are_meant(cli, folder) -> None:
    name = opened(folder)
    with ledger_of(folder) as ledger:
        other, _ = open_remediation(ledger, "search", "recipe find", "live", {"recipe": "find"})
        close(ledger, other.id, "rejected")
        bare, _ = open_remediation(ledger, "none", "no recipe", "live", {})
    assert newest(folder) == bare.id

    def listed(*options: str) -> set[str]:
        done = cli("remediation", "list", *options, "-w", folder)
        assert done.code == 0, done.err
        return {one for one in (name, other.id, bare.id) if one in done.out}

    assert listed() == {name, other.id, bare.id}
    assert listed("--state", "open") == {name, bare.id}
    assert listed("--champion", "search") == {other.id}
    assert listed("--recipe", "mend") == {name}
    assert listed("--recipe", "find", "--state", "open") == set()
    assert listed("--limit", "1") == {bare.id}
    assert "no such remediation" in cli("remediation", "list", "--champion", "nobody", "-w", folder).out
    unknown = cli("remediation", "list", "--state", "openn", "-w", folder)
    assert unknown.code == 2 and "there is no state 'openn'" in unknown.err and "open" in unknown.err
