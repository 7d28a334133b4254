"""A champion whose deployment ends is replaced in time, by the same table and a gate of its own."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from chat_endpoint import ChatEndpoint
from repairs import change, earlier, ledger_of, make_workspace, messages, right, state, wrong

import driftgate
from driftgate.api.deployments import ending
from driftgate.api.repair import due_replacements
from driftgate.api.session import is_same_plan, plan_suite
from driftgate.api.workspace import open_workspace
from driftgate.finetune.remediation import remediations
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import latest_runs


def day(left: int) -> str:
    """So many days from now."""
    return (datetime.now(UTC).date() + timedelta(days=left)).isoformat()


@pytest.fixture
def folder(
    tmp_path: Path, endpoint: ChatEndpoint, candidate: ChatEndpoint, judge_endpoint: ChatEndpoint, plugin: str
) -> Path:
    """A good champion that ends in 70 days, a model as good, and a recipe that replaces."""
    endpoint.default = candidate.default = judge_endpoint.default = right
    folder = make_workspace(tmp_path / "workspace", endpoint, candidate, plugin)
    model = {"provider": "openai", "endpoint": f"{judge_endpoint.url}/v1", "model": "other", "attempts": 1}
    change(folder, ("models", "other"), model)
    change(folder, ("models", "live", "retires"), day(70))
    change(folder, ("recipes", "mend", "choice"), {"models": ["other"], "variants": ["terse"]})
    rules = [{"metric": "accuracy", "no_worse_than": "champion", "margin": 0.1}]
    change(folder, ("gates", "succession"), {"rules": rules})
    change(folder, ("recipes", "mend", "replacement"), {"gate": "succession"})
    return folder


def due(folder: Path) -> list[str]:
    with ledger_of(folder) as ledger:
        return [one.model for one in due_replacements(open_workspace(folder), ledger)]


def test_a_successor_that_is_as_good_takes_the_place_long_before_the_end(cli, folder) -> None:
    assert cli("nightly", "-w", folder).code == 0
    assert state(folder)[:2] == ("other", "promoted")
    assert not (folder / "service.txt").exists()  # nothing was trained
    with driftgate.open(folder) as ws:
        one = remediations(ws.ledger)[0]
        assert one.cause == f"replacement of live: this deployment ends on {day(70)}"
        assert [option.name for option in ws.remediation(one.id).options] == ["base", "model other"]  # no own prompt
    assert due(folder) == []


@pytest.mark.acceptance
def test_what_cannot_be_replaced_is_tried_again_after_two_weeks_and_not_each_night(
    cli, folder, judge_endpoint, candidate
) -> None:
    judge_endpoint.default = candidate.default = wrong
    cli("nightly", "-w", folder)
    assert state(folder)[:2] == ("live", "rejected")
    assert due(folder) == []
    with ledger_of(folder) as ledger:
        earlier(ledger, 13)
    assert due(folder) == []
    with ledger_of(folder) as ledger:
        earlier(ledger, 2)
    assert due(folder) == ["live"]


@pytest.mark.parametrize(
    "written", ["20270301", "2027-02-30", "soon", "2027-03-01T23:30:00+09:00", "1796000000", "yes"]
)
def test_what_is_no_day_is_refused_with_how_one_is_written(folder: Path, written: str) -> None:
    file = folder / "driftgate.yaml"
    file.write_text(file.read_text("utf-8").replace(f"retires: '{day(70)}'", f"retires: {written}"), "utf-8")
    with pytest.raises(DriftgateError, match=r"retires: .*is no day; write it as 2027-03-01|is no timestamp"):
        open_workspace(folder)


@pytest.mark.parametrize(("left", "opens"), [(91, False), (90, True), (1, True), (-3, True)])
def test_it_is_due_from_so_many_days_before(folder: Path, left: int, opens: bool) -> None:
    change(folder, ("models", "live", "retires"), day(left))
    assert due(folder) == (["live"] if opens else [])


@pytest.mark.acceptance
def test_a_successor_that_ends_no_later_is_none(cli, folder, candidate) -> None:
    change(folder, ("models", "other", "retires"), day(70))
    candidate.default = wrong
    cli("nightly", "-w", folder)
    assert state(folder)[:2] == ("live", "rejected")
    assert any("none of 1 alternatives passes" in told for told in messages(folder))
    with driftgate.open(folder) as ws:
        options = ws.remediation(remediations(ws.ledger)[0].id).options
    assert (options[1].verdict, options[1].why) == ("fail", f"its own deployment ends on {day(70)}")


def test_without_a_replacement_in_the_recipe_nothing_is_opened(folder: Path) -> None:
    change(folder, ("recipes", "mend", "replacement"), None)
    assert due(folder) == []


def test_doctor_says_the_day_and_that_it_is_not_known(cli, folder) -> None:
    said = " ".join(cli("doctor", "-w", folder).out.split())
    assert f"this deployment ends on {day(70)}, in 70 days" in said and "opens its replacement" in said
    change(folder, ("models", "live", "retires"), None)
    said = " ".join(cli("doctor", "-w", folder).out.split())
    assert "the deployment of its champion 'live' ends is not known" in said
    change(folder, ("recipes", "mend", "replacement"), {"days": 59})
    refused = cli("doctor", "-w", folder)
    assert refused.code == 2 and "60" in refused.out + refused.err
    change(folder, ("recipes", "mend", "replacement"), {"gate": "sucession"})
    assert "did you mean 'succession'" in " ".join((cli("doctor", "-w", folder).out).split())


def test_the_day_changes_nothing_of_what_a_run_asks(cli, folder) -> None:
    change(folder, ("suites",), {"small": {"models": ["live"], "datasets": ["canaries"]}})
    assert cli("bench", "small", "-w", folder).code == 0
    change(folder, ("models", "live", "retires"), day(300))
    workspace = open_workspace(folder)
    with ledger_of(folder) as ledger:
        planned = plan_suite(workspace, ledger, "small", workspace.suite("small"))
        assert is_same_plan(latest_runs(ledger, 1)[0], planned)
        assert ending(workspace, ledger, ["live", "other"]) == {"live": date.fromisoformat(day(300))}
