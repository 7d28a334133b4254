"""A champion that a rollout brought is taken back with its traffic, or not at all; through the real client."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from azure_services import Cloud
from chat_endpoint import ChatEndpoint
from loopback_net import LostReply, Stall, Status
from promoted import put_in_place
from rollouts import (
    LEDGER,
    ROLLOUT,
    begin,
    deployments,
    edit,
    letter,
    make_workspace,
    prove,
    standing,
    traffic,
    traffic_puts,
)

from driftgate.finetune.remediation._store import add_event
from driftgate.ledger import champion_of, latest_runs, open_ledger

DOWN = Status(403, {"error": {"code": "AuthorizationFailed", "message": "no role"}})


@pytest.fixture
def folder(tmp_path: Path, endpoint: ChatEndpoint) -> Path:
    return make_workspace(tmp_path, endpoint)


@pytest.fixture
def promoted(cli, folder: Path, cloud: Cloud) -> str:
    """A candidate that a rollout made champion; the name of its deployment, which has all the traffic."""
    cloud.azure.add_endpoint({"blue": 100})
    prove(cli, folder)
    begin(cli, folder, cloud)
    assert standing(folder)[::2] == ("promoted", "candidate")
    name = deployments(cloud)[-1].rsplit("/", 1)[1]
    assert traffic(cloud) == {name: 100}
    return name


def champion(folder: Path) -> str | None:
    ledger = open_ledger(LEDGER, folder)
    found = champion_of(ledger, "assistant")
    ledger.close()
    return found


def roll_back(cli, folder: Path, *options: str):
    return cli("champion", "rollback", "assistant", "--reason", "complaints", *options, "-w", folder)


def set_traffic(cloud: Cloud, shares: dict[str, int]) -> None:
    """What a person does by hand."""
    cloud.azure.resource("onlineEndpoints/support")["properties"]["traffic"] = shares


@pytest.mark.core
def test_traffic_and_champion_go_back_together(cli, folder, cloud, promoted) -> None:
    done = roll_back(cli, folder)
    assert done.code == 0, done.err
    assert "assistant is served by live again" in done.out
    assert "endpoint support sends its traffic to blue 100 % again" in done.out
    assert traffic(cloud) == {"blue": 100}
    assert champion(folder) == "live"
    again = roll_back(cli, folder)
    assert again.code == 2
    assert "no champion to go back to" in again.err
    assert traffic(cloud) == {"blue": 100}


def test_killed_between_traffic_and_champion_it_is_finished_by_the_next(cli, folder, cloud, promoted) -> None:
    cloud.net.fail("PUT", "onlineEndpoints/support", Stall())
    command = [
        sys.executable,
        "-m",
        "driftgate",
        "champion",
        "rollback",
        "assistant",
        "--reason",
        "complaints",
        "-w",
        str(folder),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while traffic(cloud) != {"blue": 100} and time.monotonic() < deadline:
            time.sleep(0.05)
        process.kill()
    assert (traffic(cloud), champion(folder)) == ({"blue": 100}, "candidate")
    puts = len(traffic_puts(cloud))
    assert roll_back(cli, folder).code == 0
    assert champion(folder) == "live"
    assert len(traffic_puts(cloud)) == puts, "it is not restored twice"


def test_what_was_replaced_is_deleted_once_a_person_says_so(cli, folder, cloud, promoted) -> None:
    done = cli("champion", "retire", "assistant", "-w", folder)
    assert done.code == 0, done.err
    assert "endpoint support: deleted: blue" in done.out
    again = cli("champion", "retire", "assistant", "-w", folder)
    assert again.code == 0 and "nothing is to be deleted: blue deleted already" in again.out
    assert len(cloud.net.sent("DELETE", "/deployments/blue")) == 1
    assert traffic(cloud) == {promoted: 100}
    refused = roll_back(cli, folder)
    assert refused.code == 2 and "which had the traffic before, is deleted" in " ".join(refused.err.split())
    assert (traffic(cloud), champion(folder)) == ({promoted: 100}, "candidate")


def test_a_reply_that_is_lost_leaves_both_or_can_be_tried_again(cli, folder, cloud, promoted) -> None:
    cloud.net.fail("PUT", "onlineEndpoints/support", LostReply())
    assert roll_back(cli, folder).code == 0
    assert traffic(cloud) == {"blue": 100}
    assert champion(folder) == "live"


def test_an_endpoint_that_refuses_keeps_traffic_and_champion(cli, folder, cloud, promoted) -> None:
    cloud.net.fail("PUT", "onlineEndpoints/support", DOWN)
    done = roll_back(cli, folder)
    assert done.code == 2
    assert "'assistant' is not rolled back, neither its traffic nor its champion" in done.err
    assert "AuthorizationFailed: no role" in done.err
    assert "--without-traffic" in done.err
    assert (traffic(cloud), champion(folder)) == ({promoted: 100}, "candidate")
    assert roll_back(cli, folder).code == 0
    assert (traffic(cloud), champion(folder)) == ({"blue": 100}, "live")


def test_an_endpoint_that_is_not_found_keeps_the_champion(cli, folder, cloud, promoted) -> None:
    path = next(path for path in cloud.azure.resources if path.endswith("/onlineendpoints/support"))
    held = cloud.azure.resources.pop(path)
    done = roll_back(cli, folder)
    assert done.code == 2
    assert "'assistant' is not rolled back, neither its traffic nor its champion" in done.err
    assert champion(folder) == "candidate"
    cloud.azure.resources[path] = held
    assert roll_back(cli, folder).code == 0
    assert (traffic(cloud), champion(folder)) == ({"blue": 100}, "live")


def test_the_champion_alone_goes_back_only_when_told_to_and_says_so(cli, folder, cloud, promoted) -> None:
    done = roll_back(cli, folder, "--without-traffic")
    assert done.code == 1
    assert "the traffic was not restored" in done.out
    assert promoted in done.out and "blue 100 %" in done.out
    assert champion(folder) == "live"
    assert traffic(cloud) == {promoted: 100}


def test_a_share_that_was_taken_back_by_hand_is_followed(cli, folder, cloud, promoted) -> None:
    set_traffic(cloud, {"blue": 70, promoted: 30})
    assert roll_back(cli, folder).code == 0
    assert (traffic(cloud), champion(folder)) == ({"blue": 100}, "live")


@pytest.mark.parametrize("shares", [{"other": 100}, {"other": 60, "PROMOTED": 40}])
def test_traffic_that_someone_moved_elsewhere_is_not_touched(cli, folder, cloud, promoted, shares) -> None:
    moved = {promoted if name == "PROMOTED" else name: share for name, share in shares.items()}
    set_traffic(cloud, moved)
    puts = len(traffic_puts(cloud))
    done = roll_back(cli, folder)
    assert done.code == 2
    assert "someone else" in done.err and "'other'" in done.err
    assert (traffic(cloud), champion(folder)) == (moved, "candidate")
    assert len(traffic_puts(cloud)) == puts
    assert roll_back(cli, folder, "--without-traffic").code == 1
    assert champion(folder) == "live"


def test_a_deployment_that_is_gone_gets_no_traffic(cli, folder, cloud, promoted) -> None:
    path = next(path for path in cloud.azure.resources if path.endswith("/deployments/blue"))
    held = cloud.azure.resources.pop(path)
    done = roll_back(cli, folder)
    assert done.code == 2
    assert "deployment 'blue' of endpoint 'support', which had the traffic before, is deleted" in done.err
    assert (traffic(cloud), champion(folder)) == ({promoted: 100}, "candidate")
    cloud.azure.resources[path] = held
    assert roll_back(cli, folder).code == 0


def test_where_nobody_answered_before_there_is_no_traffic_to_go_back_to(cli, folder, cloud) -> None:
    cloud.azure.add_endpoint({})
    prove(cli, folder)
    begin(cli, folder, cloud)
    now = traffic(cloud)
    done = roll_back(cli, folder)
    assert done.code == 2
    assert "nobody answered on endpoint 'support'" in done.err
    assert (traffic(cloud), champion(folder)) == (now, "candidate")


def test_each_rollback_undoes_one_rollout(cli, folder, cloud, promoted) -> None:
    prove(cli, folder, "second")
    begin(cli, folder, cloud)
    assert champion(folder) == "second"
    assert roll_back(cli, folder).code == 0
    assert (traffic(cloud), champion(folder)) == ({promoted: 100}, "candidate")
    assert roll_back(cli, folder).code == 0
    assert (traffic(cloud), champion(folder)) == ({"blue": 100}, "live")


def test_a_rollout_that_has_begun_is_not_rolled_over(cli, folder, cloud, promoted) -> None:
    edit(folder, lambda config: config["recipes"]["mend"]["rollout"].update(soak_minutes=60))
    prove(cli, folder, "second")
    begin(cli, folder, cloud)
    now = traffic(cloud)
    assert set(now.values()) == {90, 10}
    done = roll_back(cli, folder)
    assert done.code == 2
    assert (traffic(cloud), champion(folder)) == (now, "candidate")


def test_a_rollback_beneath_a_rollout_without_traffic_is_not_undone_by_it(cli, folder, cloud, promoted) -> None:
    prove(cli, folder, "second")
    cloud.azure.answer = letter
    cli("remediation", "run", "-w", folder)  # its deployment is being created
    assert roll_back(cli, folder).code == 0
    edit(folder, lambda c: c["gates"]["promotion"]["rules"].append({"metric": "share.failed", "max": 0.5}))
    cli("remediation", "run", "-w", folder)
    state, message, live = standing(folder)
    assert (state, live) == ("rejected", "live"), message
    assert traffic(cloud) == {"blue": 100}


def test_a_champion_without_a_rollout_says_that_no_traffic_moved(cli, folder, cloud) -> None:
    cloud.azure.add_endpoint({"blue": 100})
    ledger = open_ledger(LEDGER, folder)
    cli("champion", "list", "-w", folder)
    put_in_place(ledger, "assistant", "candidate", reason="it was better")
    ledger.close()
    done = roll_back(cli, folder)
    assert done.code == 0
    assert "no traffic was moved: no rollout had brought candidate into its place" in done.out
    assert [request for request in cloud.net.requests if request.method != "GET"] == []


def test_a_promotion_by_hand_says_that_the_traffic_stays(cli, folder, cloud, promoted) -> None:
    edit(folder, lambda config: config["gates"]["promotion"].update(suite="second"))
    assert cli("bench", "second", "-w", folder).code == 0
    assert cli("gate", "-w", folder).code == 0
    done = cli("champion", "promote", "assistant", "second", "--run", "latest", "-w", folder)
    assert done.code == 1
    assert "no traffic was moved" in done.out
    assert promoted in done.out
    assert champion(folder) == "second"
    assert roll_back(cli, folder).code == 0
    assert (traffic(cloud), champion(folder)) == ({promoted: 100}, "candidate")


def test_a_candidate_is_not_promoted_past_its_rollout(cli, folder, cloud) -> None:
    cloud.azure.add_endpoint({"blue": 100})
    name = prove(cli, folder)
    ledger = open_ledger(LEDGER, folder)
    run = latest_runs(ledger, 1)[0].id
    ledger.close()
    done = cli("champion", "promote", "assistant", "candidate", "--run", run, "-w", folder)
    assert done.code == 2
    assert f"candidate is the candidate of remediation {name}, which is still open" in done.err
    assert champion(folder) == "live"


def test_a_promotion_that_is_refused_at_last_gives_the_traffic_back(cli, folder, cloud) -> None:
    cloud.azure.add_endpoint({"blue": 100})
    edit(folder, lambda config: config["recipes"]["mend"]["rollout"].update(soak_minutes=60))
    remediation = prove(cli, folder)
    begin(cli, folder, cloud)
    name = deployments(cloud)[-1].rsplit("/", 1)[1]
    set_traffic(cloud, {name: 100})  # what a kill leaves between the rollout and the promotion
    move = {"workspace": ROLLOUT["workspace"], "endpoint": "support", "deployment": name, "before": {"blue": 100}}
    ledger = open_ledger(LEDGER, folder)
    add_event(ledger, remediation, "roll_out", "finished", {"phase": "promoted", "traffic": move})
    ledger.close()
    edit(folder, lambda c: c["gates"]["promotion"]["rules"].append({"metric": "share.failed", "max": 0.5}))
    cloud.net.fail("PUT", "onlineEndpoints/support", DOWN)
    assert cli("remediation", "run", "-w", folder).code == 2
    assert standing(folder)[0] == "open", "it does not end before the traffic is back"
    assert cli("remediation", "run", "-w", folder).code == 1
    assert standing(folder)[::2] == ("rejected", "live")
    assert traffic(cloud) == {"blue": 100}
