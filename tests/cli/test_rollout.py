"""A proven candidate is brought to its endpoint share by share before the champion moves, through the real client."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from azure_services import Cloud
from chat_endpoint import Answer, ChatEndpoint
from loopback_net import Status
from rollouts import begin, deployments, edit, letter, make_workspace, messages, prove, standing, traffic, traffic_puts

from driftgate.monitor.telemetry import ModelCall, Store


@pytest.fixture
def folder(tmp_path: Path, endpoint: ChatEndpoint) -> Path:
    """A workspace with a candidate that was trained and proved, and an endpoint it is to be brought to."""
    return make_workspace(tmp_path, endpoint)


@pytest.fixture
def proved(cli, folder: Path, cloud: Cloud) -> Callable[[], tuple[str, str, str | None]]:
    """A remediation that stands before its rollout; returns how it stands: state, last message, champion."""
    cloud.azure.add_endpoint({"blue": 100})
    prove(cli, folder)
    return lambda: standing(folder)


def watched(folder: Path, **changes: Any) -> None:
    """Let the rollout be watched at every share by the monitor's telemetry too, and change its settings."""
    edit(folder, lambda c: c["recipes"]["mend"]["rollout"].update(changes))
    edit(folder, lambda c: c["monitors"]["watch"].update(traffic={"reference_days": 7}))


def calls(folder: Path, count: int, *, of: str, ago: timedelta = timedelta(), failed: int = 0) -> None:
    """Production calls in telemetry, answered by ``of``; a call that failed was answered by nobody."""
    began = datetime.now(UTC) - ago
    with Store(folder / ".driftgate/telemetry") as store:
        store.append(
            [
                ModelCall(
                    began,
                    secrets.token_hex(16),
                    secrets.token_hex(8),
                    response_model="" if place < failed else of,
                    error="503" if place < failed else "",
                )
                for place in range(count)
            ]
        )


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Let time pass for the rollout."""

    def wait(passed: timedelta) -> None:
        class Later(datetime):
            @classmethod
            def now(cls, tz=None):  # type: ignore[override]
                return datetime.now(UTC) + passed

        monkeypatch.setattr("driftgate.api.rollout.datetime", Later)

    return wait


def test_the_champion_moves_once_the_candidate_has_all_the_traffic(cli, folder, cloud, proved) -> None:
    cloud.azure.answer = letter
    assert cli("remediation", "run", "-w", folder).code == 3
    state, message, champion = proved()
    assert (state, champion) == ("open", "live")
    assert "creating" in message
    assert traffic(cloud) == {"blue": 100}
    cloud.azure.set_status(deployments(cloud)[-1], "Succeeded")
    assert cli("remediation", "run", "-w", folder).code == 0
    assert proved()[::2] == ("promoted", "candidate")
    assert list(traffic(cloud).values()) == [100]
    assert [put.get("blue", 0) for put in traffic_puts(cloud)] == [90, 50, 0]
    by_name = [one.headers.get("azureml-model-deployment") for one in cloud.net.sent("POST", "/score")]
    assert set(by_name) == {deployments(cloud)[-1].rsplit("/", 1)[1]}
    assert len(by_name) == 12 + 3 * 20 + 3 * 20, "the proof's questions, the canaries thrice, then once at each share"


@pytest.mark.core
def test_a_rollout_that_nothing_could_ever_judge_is_refused(cli, folder, cloud, proved) -> None:
    edit(folder, lambda config: config["monitors"]["watch"].update(champion="other"))
    edit(folder, lambda config: config["champions"].update(other="live"))
    done = cli("remediation", "run", "-w", folder)
    assert done.code == 2
    assert "no monitor watches the champion 'assistant'" in done.err
    assert "add a monitor" in done.err
    assert deployments(cloud) == []


@pytest.mark.core
def test_no_telemetry_is_no_sign_of_health(cli, folder, cloud, proved) -> None:
    watched(folder)
    begin(cli, folder, cloud)
    shown = cli("remediation", "run", "-w", folder)
    state, message, champion = proved()
    assert (state, champion) == ("open", "live")
    assert "live at 10 %: unmeasurable: since" in message
    assert "telemetry holds no call since then" in message
    assert "telemetry holds no call since then" in " ".join(shown.out.split())
    assert traffic(cloud)["blue"] == 90


def test_telemetry_that_saw_the_deployment_lets_it_go_on(cli, folder, cloud, proved) -> None:
    watched(folder)
    calls(folder, 4_000, of="old", ago=timedelta(days=2), failed=40)
    begin(cli, folder, cloud)
    calls(folder, 400, of="old")
    cli("remediation", "run", "-w", folder)
    assert "none of 400 calls in telemetry was answered by served" in proved()[1]
    calls(folder, 40, of="served")
    cli("remediation", "run", "-w", folder)
    assert "live at 50 %" in proved()[1]
    for _ in range(2):
        calls(folder, 2_000, of="served", failed=10)
        cli("remediation", "run", "-w", folder)
    assert proved()[::2] == ("promoted", "candidate")


def test_too_few_calls_decide_nothing(cli, folder, cloud, proved, later) -> None:
    watched(folder, patience_hours=24)
    calls(folder, 400, of="old", ago=timedelta(days=2))
    begin(cli, folder, cloud)
    calls(folder, 9, of="served")
    cli("remediation", "run", "-w", folder)
    assert "live at 10 %: inconclusive" in proved()[1]
    assert "0 of 9 calls failed" in proved()[1]
    later(timedelta(hours=25))
    cli("remediation", "run", "-w", folder)
    state, message, champion = proved()
    assert (state, champion) == ("rejected", "live")
    assert "still inconclusive after 24 hours" in message
    assert traffic(cloud) == {"blue": 100}


def test_calls_that_fail_restore_the_traffic_before_the_time_is_over(cli, folder, cloud, proved) -> None:
    watched(folder, soak_minutes=600)
    calls(folder, 400, of="old", ago=timedelta(days=2))
    begin(cli, folder, cloud)
    calls(folder, 400, of="old", failed=40)  # all of those that went to the deployment, say
    cli("remediation", "run", "-w", folder)
    state, message, champion = proved()
    assert (state, champion) == ("rejected", "live")
    assert "40 of 400 calls failed" in message
    assert traffic(cloud) == {"blue": 100}


def test_mirrored_requests_are_judged_by_the_canaries(cli, folder, cloud, proved) -> None:
    watched(folder, mirror=30)
    calls(folder, 400, of="old", ago=timedelta(days=2))
    begin(cli, folder, cloud)
    assert "live at 10 %: unmeasurable" in proved()[1]
    assert "mirrored at 30 %: 20 of 20 canaries of watch are answered as before" in messages(folder)


def test_canaries_that_are_answered_otherwise_under_traffic_restore_it(cli, folder, cloud, proved, later) -> None:
    edit(folder, lambda c: c["recipes"]["mend"]["rollout"].update(soak_minutes=30))
    begin(cli, folder, cloud)
    assert "live at 10 %: inconclusive: watched for 0 of 30 minutes" in proved()[1]
    cloud.azure.answer = lambda prompt: "D"
    later(timedelta(minutes=31))
    cli("remediation", "run", "-w", folder)
    state, message, champion = proved()
    assert (state, champion) == ("rejected", "live")
    assert "canaries of watch are answered as before; 93% are needed" in message
    assert traffic(cloud) == {"blue": 100}


def test_a_deployment_that_cannot_be_asked_is_neither_good_nor_bad(cli, folder, cloud, proved, later) -> None:
    edit(folder, lambda c: c["recipes"]["mend"]["rollout"].update(soak_minutes=30))
    begin(cli, folder, cloud)
    later(timedelta(minutes=31))
    down = Status(404, {"error": {"code": "NotFound", "message": "no such deployment"}})
    cloud.net.fail("POST", "/score", *[down] * 20)
    cli("remediation", "run", "-w", folder)
    state, message, champion = proved()
    assert (state, champion) == ("open", "live")
    assert "live at 10 %: unmeasurable: 0 of 20 canaries of watch" in message
    assert "20 could not be asked" in message
    cli("remediation", "run", "-w", folder)  # it answers again, and what failed is asked again
    assert "live at 50 %" in proved()[1]


def test_a_deployment_that_is_down_at_first_is_asked_again(cli, folder, cloud, proved) -> None:
    cloud.azure.answer = letter
    cli("remediation", "run", "-w", folder)
    cloud.azure.set_status(deployments(cloud)[-1], "Succeeded")
    cloud.net.fail("POST", "/score", *[Status(404, {})] * 32)
    cli("remediation", "run", "-w", folder)
    state, message, _ = proved()
    assert state == "open"
    assert "is gate: unmeasurable: 0 of 12 questions of the proof" in message
    assert traffic(cloud) == {"blue": 100}
    cli("remediation", "run", "-w", folder)
    assert proved()[::2] == ("promoted", "candidate")


def bad_letter(prompt: str) -> str:
    return "ABCD"[("ABCD".index(letter(prompt)) + 1) % 4]


@pytest.mark.core
def test_an_alert_that_is_news_restores_the_traffic(cli, folder, cloud, endpoint, proved) -> None:
    edit(folder, lambda c: c["recipes"]["mend"]["rollout"].update(soak_minutes=30))
    for _ in range(2):
        assert cli("monitor", "check", "watch", "-w", folder).code == 0
    begin(cli, folder, cloud)
    endpoint.default = lambda prompt: Answer(bad_letter(prompt))
    assert cli("monitor", "check", "watch", "-w", folder).code == 1
    cli("remediation", "run", "-w", folder)
    state, message, champion = proved()
    assert (state, champion) == ("rejected", "live")
    assert "monitor watch: Canary" in message
    assert traffic(cloud) == {"blue": 100}


def test_what_the_candidate_is_to_mend_is_not_held_against_it(cli, folder, cloud, endpoint, proved, later) -> None:
    edit(folder, lambda c: c["recipes"]["mend"]["rollout"].update(soak_minutes=30))
    for _ in range(2):
        assert cli("monitor", "check", "watch", "-w", folder).code == 0
    endpoint.default = lambda prompt: Answer(bad_letter(prompt))
    assert cli("monitor", "check", "watch", "-w", folder).code == 1
    begin(cli, folder, cloud)
    assert cli("monitor", "check", "watch", "-w", folder).code == 1  # the champion is as bad as before
    later(timedelta(minutes=31))
    cli("remediation", "run", "-w", folder)
    assert "live at 50 %" in proved()[1]


def test_no_more_traffic_moves_once_the_promotion_would_be_refused(cli, folder, cloud, proved) -> None:
    edit(folder, lambda c: c["recipes"]["mend"]["rollout"].update(soak_minutes=30))
    begin(cli, folder, cloud)
    edit(folder, lambda c: c["gates"]["promotion"]["rules"].append({"metric": "share.failed", "max": 0.5}))
    cli("remediation", "run", "-w", folder)
    state, message, champion = proved()
    assert (state, champion) == ("rejected", "live")
    assert "the rules of gate 'promotion' have changed" in message
    assert traffic(cloud) == {"blue": 100}


def test_the_traffic_goes_back_where_the_rollout_began(cli, folder, cloud, proved) -> None:
    edit(folder, lambda c: c["recipes"]["mend"]["rollout"].update(soak_minutes=30))
    begin(cli, folder, cloud)
    edit(folder, lambda c: c["recipes"]["mend"]["rollout"].update(endpoint="another"))
    edit(folder, lambda c: c["gates"]["promotion"]["rules"].append({"metric": "share.failed", "max": 0.5}))
    assert cli("remediation", "run", "-w", folder).code == 1
    assert proved()[::2] == ("rejected", "live")
    assert traffic(cloud) == {"blue": 100}


def test_a_deployment_that_cannot_be_asked_at_all_decides_nothing_and_not_for_ever(
    cli, folder, cloud, proved, later
) -> None:
    edit(folder, lambda c: c["recipes"]["mend"]["rollout"].update(soak_minutes=30, patience_hours=24))
    begin(cli, folder, cloud)
    elsewhere = Status(307, None, {"Location": "https://elsewhere.example.test/score"})
    cloud.net.fail("POST", "/score", *[elsewhere] * 40)  # fails every question alike
    later(timedelta(minutes=31))
    done = cli("remediation", "run", "-w", folder)
    assert done.code == 3, done.err
    state, message, champion = proved()
    assert (state, champion) == ("open", "live")
    assert "live at 10 %: unmeasurable: " in message and "could not be asked" in message
    assert traffic(cloud)["blue"] == 90
    later(timedelta(hours=25))
    cli("remediation", "run", "-w", folder)
    state, message, champion = proved()
    assert (state, champion) == ("rejected", "live")
    assert "under traffic it could not be asked for more than 6 hours" in message
    assert traffic(cloud) == {"blue": 100}


def test_a_rollout_under_way_cannot_be_left_out_of_its_recipe(cli, folder, cloud, proved) -> None:
    edit(folder, lambda c: c["recipes"]["mend"]["rollout"].update(soak_minutes=30))
    begin(cli, folder, cloud)
    edit(folder, lambda c: c["recipes"]["mend"]["rollout"].update(endpoint="another"))
    moved = cli("remediation", "run", "-w", folder)
    assert moved.code == 2
    assert "'endpoint': 'support'" in moved.err and "the recipe names" in moved.err
    edit(folder, lambda c: c["recipes"]["mend"].pop("rollout"))
    gone = cli("remediation", "run", "-w", folder)
    assert gone.code == 2
    assert "has begun a rollout" in gone.err
    assert proved()[::2] == ("open", "live")


def test_a_monitor_that_is_taken_away_leaves_its_look_undone(cli, folder, cloud, proved, later) -> None:
    def two(config: dict[str, Any]) -> None:
        config["monitors"]["second"] = config["monitors"]["watch"]
        config["recipes"]["mend"]["rollout"]["soak_minutes"] = 30

    edit(folder, two)
    begin(cli, folder, cloud)
    edit(folder, lambda c: c["monitors"].pop("second"))
    later(timedelta(minutes=31))
    cli("remediation", "run", "-w", folder)
    assert "live at 10 %: unmeasurable: monitor second watched when the rollout began" in proved()[1]


def test_no_traffic_moves_for_a_candidate_that_cannot_be_promoted(cli, folder, cloud, proved) -> None:
    file = folder / "driftgate.yaml"
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    config["gates"]["promotion"]["rules"].append({"metric": "share.failed", "max": 0.5})
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    assert cli("remediation", "run", "-w", folder).code == 1
    state, message, champion = proved()
    assert (state, champion) == ("rejected", "live")
    assert "the rules of gate 'promotion' have changed" in message
    assert traffic(cloud) == {"blue": 100}
    assert deployments(cloud) == []


def test_a_deployment_that_answers_otherwise_than_the_proof_never_sees_a_user(cli, folder, cloud, proved) -> None:
    cloud.azure.answer = lambda prompt: "D"
    cli("remediation", "run", "-w", folder)
    cloud.azure.set_status(deployments(cloud)[-1], "Succeeded")
    cli("remediation", "run", "-w", folder)
    state, message, champion = proved()
    assert (state, champion) == ("rejected", "live")
    assert "rolled back" in message
    assert traffic(cloud) == {"blue": 100}


def test_a_share_is_watched_for_as_long_as_the_recipe_asks(cli, folder, cloud, proved, later) -> None:
    edit(folder, lambda c: c["recipes"]["mend"]["rollout"].update(soak_minutes=30))
    begin(cli, folder, cloud)
    assert "live at 10 %" in proved()[1]
    asked = len(cloud.net.sent("POST", "/score"))
    cli("remediation", "run", "-w", folder)
    assert len(cloud.net.sent("POST", "/score")) == asked, "the questions are asked once"
    later(timedelta(minutes=31))
    cli("remediation", "run", "-w", folder)
    assert "live at 50 %" in proved()[1]
    assert len(cloud.net.sent("POST", "/score")) == asked + 20, "the canaries, at the end of the share's time"


def test_abandoned_under_way_it_gives_the_traffic_back(cli, folder, cloud, proved) -> None:
    watched(folder, soak_minutes=60)
    begin(cli, folder, cloud)
    assert traffic(cloud) == {"blue": 90, deployments(cloud)[-1].rsplit("/", 1)[1]: 10}
    assert cli("remediation", "abandon", "20", "--reason", "not now", "-w", folder).code == 0
    assert proved()[0::2] == ("abandoned", "live")
    assert traffic(cloud) == {"blue": 100}


def test_what_was_abandoned_ends_once_the_traffic_is_back(cli, folder, cloud, proved) -> None:
    watched(folder, soak_minutes=60)
    begin(cli, folder, cloud)
    cloud.net.fail("PUT", "onlineEndpoints/support", Status(403, {"error": {"code": "no", "message": "no role"}}))
    assert cli("remediation", "abandon", "20", "--reason", "not now", "-w", folder).code == 2
    assert proved()[0::2] == ("open", "live") and "cannot yet" in proved()[1]
    assert cli("remediation", "run", "-w", folder).code == 4
    assert proved()[0::2] == ("abandoned", "live")
    assert traffic(cloud) == {"blue": 100}


@pytest.mark.core
def test_an_approval_is_of_the_plan_of_the_rollout_too(cli, folder, cloud, proved) -> None:
    edit(folder, lambda c: c["recipes"]["mend"].update(approval=True))
    assert cli("remediation", "run", "-w", folder).code == 3
    assert cli("remediation", "approve", "20", "-w", folder).code == 0
    watched(folder, shares=[50, 100])
    refused = cli("remediation", "approve", "20", "-w", folder)
    assert refused.code == 2 and "the rollout has changed since" in refused.err
    assert cli("remediation", "run", "-w", folder).code == 3
    assert "the rollout has changed since" in proved()[1]
    assert deployments(cloud) == []


def test_only_a_registered_model_can_be_rolled_out(cli, folder) -> None:
    file = folder / "driftgate.yaml"
    config = yaml.safe_load(file.read_text())
    config["recipes"]["mend"]["trainer"] = {"trainer": "local"}
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    done = cli("remediation", "run", "-w", folder)
    assert done.code == 2
    assert "expected the trainer azure_ml" in done.err
