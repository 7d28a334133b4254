"""Fine-tuning and deployment on Azure OpenAI, through the real openai and azure-identity clients."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from azure_services import ACCOUNT, OPENAI_HOST, SUBSCRIPTION, Cloud
from loopback_net import LostReply, Reset, Stall, Status, throttled
from pydantic import TypeAdapter, ValidationError

from driftgate.finetune.train import (
    TRAINERS,
    Controlled,
    Trainer,
    TrainingItem,
    TrainingJob,
    parse_trainer,
    write_items,
)
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import ModelMisconfigured, parse_config

CONFIG = {
    "trainer": "azure_openai",
    "endpoint": f"https://{OPENAI_HOST}",
    "base": "gpt-oss-20b",
    "epochs": 3,
    "account": {"subscription": SUBSCRIPTION, "resource_group": "rg", "account": "openai", "capacity": 20},
}
ITEMS = [TrainingItem(f"# system:\n분류하세요.\n# user:\n문의 {number}", "물류팀") for number in range(12)]
ANSWER = {"role": "assistant", "content": "물류팀"}
JOBS = "/openai/v1/fine_tuning/jobs"
FILES = "/openai/v1/files"


def trainer(**changes: Any) -> Trainer:
    """The trainer as a workspace opens it."""
    config = parse_trainer(CONFIG | changes)
    return TRAINERS.get("azure_openai").open(config, Path())


def make_job(folder: Path, items: list[TrainingItem] = ITEMS, **changes: Any) -> TrainingJob:
    """A job whose items are in a file."""
    path = folder / "items.jsonl"
    write_items(path, items)
    base = {"provider": "azure_openai", "deployment": "live", "endpoint": "x", "parameters": {"max_tokens": 8}}
    return TrainingJob("support-r1", base, path, folder, folder / "job", **changes)


def finish(cloud: Cloud, status: str = "succeeded", **more: Any) -> None:
    """Let the service come to an end with the only job."""
    (job,) = cloud.azure.fine_tuning_jobs
    job |= {"status": status, "fine_tuned_model": "gpt-oss-20b.ft-1", "trained_tokens": 900, **more}
    job["finished_at"] = job["created_at"] + 60


def creations(cloud: Cloud) -> int:
    """Fine-tuning jobs that exist."""
    return len(cloud.azure.fine_tuning_jobs)


def test_items_become_a_job_and_the_job_a_deployed_model(cloud: Cloud, tmp_path: Path) -> None:
    handle = trainer().submit(make_job(tmp_path, seed=7))
    (created,) = cloud.net.sent("POST", JOBS)
    assert created.json["model"] == "gpt-oss-20b" and created.json["trainingType"] == "GlobalStandard"
    assert created.json["suffix"] == "support-r1" and created.json["seed"] == 7
    assert created.json["method"]["supervised"]["hyperparameters"]["n_epochs"] == 3
    assert trainer().poll(handle).state == "running"

    finish(cloud)
    assert trainer().poll(handle).state == "running"  # its deployment is being created
    (put,) = cloud.net.sent("PUT", "Microsoft.CognitiveServices")
    assert put.path == f"{ACCOUNT}/deployments/support-r1" and put.query == {"api-version": "2025-06-01"}
    model = {"format": "OpenAI", "name": "gpt-oss-20b.ft-1", "version": "1"}
    assert put.json == {"sku": {"name": "Standard", "capacity": 20}, "properties": {"model": model}}
    with pytest.raises(DriftgateError, match="not ready yet"):
        trainer().result(handle)

    cloud.azure.set_status(put.path, "Succeeded")
    assert trainer().poll(handle).state == "succeeded"
    trained = trainer().result(handle)
    config = parse_config(trained.model)
    assert config.provider == "azure_openai" and config.parameters == {"max_tokens": 8}
    assert trained.model["deployment"] == "support-r1" and trained.artefact == "gpt-oss-20b.ft-1"
    assert trained.metrics == {"trained_tokens": 900.0, "seconds": 60.0}
    assert trained.lineage["seed"] == 7 and trained.lineage["base"] == "gpt-oss-20b"
    assert len(cloud.net.sent("PUT", "deployments")) == 1


def test_the_file_is_chat_json_lines_with_a_byte_order_mark(cloud: Cloud, tmp_path: Path) -> None:
    job = make_job(tmp_path)
    job.items.write_bytes(b"\xef\xbb\xbf" + job.items.read_bytes())  # as Windows editors and Azure's samples begin
    trainer().submit(job)
    (held,) = cloud.azure.files.values()
    assert held["purpose"] == "fine-tune" and held["asked"] > 0
    assert held["content"].startswith(b"\xef\xbb\xbf{")
    first = json.loads(held["content"].decode("utf-8-sig").splitlines()[0])
    assert first == {
        "messages": [
            {"role": "system", "content": "분류하세요."},
            {"role": "user", "content": "문의 0"},
            {"role": "assistant", "content": "물류팀"},
        ]
    }


def test_validation_items_are_a_file_of_their_own(cloud: Cloud, tmp_path: Path) -> None:
    validation = tmp_path / "validation.jsonl"
    write_items(validation, ITEMS[:10])
    trainer().submit(make_job(tmp_path, validation=validation))
    (job,) = cloud.azure.fine_tuning_jobs
    assert {job["training_file"], job["validation_file"]} == set(cloud.azure.files) and len(cloud.azure.files) == 2


@pytest.mark.parametrize("keeps_metadata", [True, False])
def test_a_second_submission_finds_the_job(cloud: Cloud, tmp_path: Path, keeps_metadata: bool) -> None:
    cloud.azure.keeps_metadata = keeps_metadata
    job = make_job(tmp_path)
    first = trainer().submit(job)
    for position in range(5):  # other people's jobs, so that the one looked for is on a later page
        cloud.azure._begin_job({"model": "m", "training_file": f"other-{position}"})
    cloud.forget_clients()
    assert trainer().submit(job) == first
    assert creations(cloud) == 1 + 5 and len(cloud.net.sent("POST", FILES)) == 1


def test_faults_in_between_double_nothing(cloud: Cloud, tmp_path: Path, impatient: None) -> None:
    cloud.net.fail("POST", FILES, Status(500, {}), LostReply())
    cloud.net.fail("POST", JOBS, throttled(), Reset(), LostReply())
    cloud.net.fail("GET", "/openai/v1/", Status(503, {}), Reset())
    handle = trainer().submit(make_job(tmp_path))
    assert creations(cloud) == 1 and len(cloud.azure.files) == 1
    finish(cloud)
    cloud.net.fail("PUT", "deployments", throttled(), LostReply())
    cloud.net.fail("GET", "deployments", Status(500, {}), Reset())
    assert trainer().poll(handle).state == "running"
    cloud.azure.set_status(f"{ACCOUNT}/deployments/support-r1", "Succeeded")
    assert trainer().poll(handle).state == "succeeded"


@pytest.mark.core
def test_killed_before_the_handle_is_kept_nothing_is_submitted_twice(cloud: Cloud, tmp_path: Path) -> None:
    job = make_job(tmp_path)
    cloud.net.fail("POST", JOBS, Stall())
    script = (
        "import pathlib, sys\n"
        "from driftgate.finetune.train import TRAINERS, TrainingJob, parse_trainer\n"
        f"trainer = TRAINERS.get('azure_openai').open(parse_trainer({CONFIG!r}), pathlib.Path())\n"
        f"job = TrainingJob({job.name!r}, {dict(job.base_model)!r}, pathlib.Path(sys.argv[1]), "
        "pathlib.Path(), pathlib.Path())\n"
        "trainer.submit(job)\n"
    )
    environment = os.environ | cloud.azure.environment(cloud.net)
    process = subprocess.Popen([sys.executable, "-c", script, str(job.items)], env=environment)
    try:
        cloud.net.wait_for("POST", JOBS)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    handle = trainer().submit(job)
    assert creations(cloud) == 1 and len(cloud.azure.files) == 1
    assert trainer().poll(handle).state == "running"


def test_a_failed_job_says_why(cloud: Cloud, tmp_path: Path) -> None:
    handle = trainer().submit(make_job(tmp_path))
    finish(cloud, "failed", error={"code": "invalid_training_file", "message": "moderation refused 3 items"})
    status = trainer().poll(handle)
    assert status.state == "failed" and "moderation refused 3 items" in status.detail
    with pytest.raises(DriftgateError, match="invalid_training_file: moderation refused 3 items"):
        trainer().result(handle)
    assert not cloud.net.sent("PUT", "deployments")


def test_a_failed_deployment_says_so(cloud: Cloud, tmp_path: Path) -> None:
    handle = trainer().submit(make_job(tmp_path))
    finish(cloud)
    trainer().poll(handle)
    cloud.azure.set_status(f"{ACCOUNT}/deployments/support-r1", "Failed")
    with pytest.raises(DriftgateError, match="'support-r1' of account 'openai' is failed"):
        trainer().poll(handle)
    refusal = {"error": {"code": "InsufficientQuota", "message": "no capacity left"}}
    cloud.azure.resources.clear()
    cloud.net.fail("PUT", "deployments", Status(400, refusal))
    with pytest.raises(DriftgateError, match="InsufficientQuota: no capacity left"):
        trainer().poll(handle)


def test_a_deployment_of_another_model_is_not_taken_over(cloud: Cloud, tmp_path: Path) -> None:
    handle = trainer().submit(make_job(tmp_path))
    finish(cloud)
    trainer().poll(handle)
    cloud.azure.resource(f"{ACCOUNT}/deployments/support-r1")["properties"]["model"]["name"] = "gpt-oss-20b.ft-0"
    with pytest.raises(DriftgateError, match=r"serves gpt-oss-20b\.ft-0"):
        trainer().poll(handle)


def test_what_nobody_promotes_is_not_paid_any_longer(cloud: Cloud, tmp_path: Path) -> None:
    own = trainer()
    handle = own.submit(make_job(tmp_path))
    finish(cloud)
    own.poll(handle)
    path = f"{ACCOUNT}/deployments/support-r1"
    assert own.discard(handle) == "deployment 'support-r1' of account 'openai' is deleted"
    assert path.lower() not in cloud.azure.resources
    assert own.discard(handle) == "", "repeating it does no more"
    own.poll(handle)
    cloud.azure.resource(path)["properties"]["model"]["name"] = "another"
    assert own.discard(handle).endswith("serves another model by now and is left as it is")
    assert len(cloud.net.sent("DELETE", "support-r1")) == 1


def test_another_job_of_that_name_is_refused(cloud: Cloud, tmp_path: Path) -> None:
    trainer().submit(make_job(tmp_path))
    with pytest.raises(DriftgateError, match="already submitted with other items or settings"):
        trainer().submit(make_job(tmp_path, ITEMS[1:]))
    with pytest.raises(DriftgateError, match="already submitted with other items or settings"):
        trainer(epochs=4).submit(make_job(tmp_path))
    assert creations(cloud) == 1


@pytest.mark.parametrize(
    ("items", "words"),
    [
        (ITEMS[:9], "9 items, Azure OpenAI trains on 10 at least"),
        ([*ITEMS, TrainingItem("묻다", "답", weight=2.0, id="w1")], "'w1'"),
    ],
)
def test_items_the_service_cannot_train_on_are_not_sent(
    cloud: Cloud, tmp_path: Path, items: list[TrainingItem], words: str
) -> None:
    with pytest.raises(DriftgateError, match=words):
        trainer().submit(make_job(tmp_path, items))
    assert cloud.net.requests == []


def test_a_refused_key_is_an_error_in_words(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_KEY_FOR_TEST", "wrong-s3cret")
    with pytest.raises(
        DriftgateError, match=r"submitting training job 'support-r1' failed: .*Access denied"
    ) as refused:
        trainer(api_key="${env:OPENAI_KEY_FOR_TEST}").submit(make_job(tmp_path))
    assert "wrong-s3cret" not in str(refused.value)


def test_handles_hold_no_secret_and_are_json(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_KEY_FOR_TEST", cloud.azure.jwt)  # what the service takes for a key
    handle = trainer(api_key="${env:OPENAI_KEY_FOR_TEST}").submit(make_job(tmp_path))
    kept = json.dumps(dict(handle))
    assert cloud.azure.jwt not in kept and "sig=" not in kept
    assert json.loads(kept) == handle


def test_keys_do_not_stand_in_the_workspace_file() -> None:
    with pytest.raises(ValueError, match=r"\$\{env:NAME\}"):
        parse_trainer(CONFIG | {"api_key": "plain-key"})


ELSEWHERE = "elsewhere.example.net"


@pytest.mark.parametrize(("method", "part"), [("POST", FILES), ("POST", JOBS), ("GET", FILES)])
def test_a_service_that_redirects_gets_neither_key_nor_items(
    cloud: Cloud, tmp_path: Path, method: str, part: str
) -> None:
    cloud.net.fail(method, part, *[Status(307, {}, {"Location": f"https://{ELSEWHERE}/x"})] * 9)
    said = f"submitting training job 'support-r1' is redirected from {OPENAI_HOST} to {ELSEWHERE}, where neither"
    with pytest.raises(ModelMisconfigured, match=said):
        trainer().submit(make_job(tmp_path))
    assert len(cloud.net.sent(method, part)) == 1 and ELSEWHERE not in cloud.net.refused


def test_a_control_plane_that_redirects_is_not_followed(cloud: Cloud, tmp_path: Path) -> None:
    handle = trainer().submit(make_job(tmp_path))
    finish(cloud)
    cloud.net.fail("GET", "deployments", Status(307, {}, {"Location": f"https://{ELSEWHERE}/x"}))
    with pytest.raises(ModelMisconfigured, match=f"redirected from management.azure.com to {ELSEWHERE}, where"):
        trainer().poll(handle)
    assert ELSEWHERE not in cloud.net.refused


GRADER = {
    "type": "string_check",
    "name": "same",
    "operation": "eq",
    "input": "{{sample.output_text}}",
    "reference": "{{item.reference_answer}}",
}
PAIRS = [TrainingItem(f"# user:\n문의 {number}", "물류팀", rejected="정산팀") for number in range(12)]


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"method": "supervised"}, {"messages": [{"role": "user", "content": "문의 0"}, ANSWER]}),
        (
            {"method": "dpo", "beta": 0.2},
            {
                "input": {"messages": [{"role": "user", "content": "문의 0"}]},
                "preferred_output": [ANSWER],
                "non_preferred_output": [{"role": "assistant", "content": "정산팀"}],
            },
        ),
        (
            {"method": "reinforcement", "grader": GRADER, "reasoning_effort": "medium", "eval_interval": 5},
            {"messages": [{"role": "user", "content": "문의 0"}], "reference_answer": "물류팀"},
        ),
    ],
    ids=lambda value: value.get("method", ""),
)
def test_each_method_has_the_shape_that_the_service_publishes(
    cloud: Cloud, tmp_path: Path, settings: dict[str, Any], line: dict[str, Any]
) -> None:
    """The models of the openai package are generated from the service's own definitions."""
    from openai.types.fine_tuning.job_create_params import Method

    job = make_job(tmp_path, PAIRS, validation=tmp_path / "items.jsonl")
    trainer(**settings).submit(job)
    (created,) = cloud.net.sent("POST", JOBS)
    method = created.json["method"]
    assert method["type"] == settings["method"]
    assert TypeAdapter(Method).validate_python(method)["type"] == settings["method"]
    told = method[settings["method"]]["hyperparameters"]
    assert told["n_epochs"] == 3
    for name in set(settings) & {"beta", "reasoning_effort", "eval_interval"}:
        assert told[name] == settings[name]
    held = next(iter(cloud.azure.files.values()))
    assert json.loads(held["content"].decode("utf-8-sig").splitlines()[0]) == line
    assert created.json["validation_file"] in cloud.azure.files


def test_what_a_method_needs_is_said_before_anything_is_sent(cloud: Cloud, tmp_path: Path) -> None:
    with pytest.raises(DriftgateError, match="12 items have none"):
        trainer(method="dpo").submit(make_job(tmp_path))
    with pytest.raises(DriftgateError, match="no validation items"):
        trainer(method="reinforcement", grader=GRADER).submit(make_job(tmp_path))
    for broken in ({"method": "reinforcement"}, {"grader": GRADER}):
        with pytest.raises(ValidationError, match="grader"):
            parse_trainer(CONFIG | broken)
    assert cloud.net.sent("POST", "/openai/") == []


def test_a_job_is_looked_into_paused_resumed_and_cancelled(cloud: Cloud, tmp_path: Path) -> None:
    handle = trainer().submit(make_job(tmp_path))
    controls = cast(Controlled, trainer())
    (job,) = cloud.azure.fine_tuning_jobs
    job["status"] = "running"
    event = {"object": "fine_tuning.job.event", "level": "info"}
    cloud.azure.job_events += [
        event | {"id": f"e{place}", "created_at": 1000 + place, "message": f"step {place}"} for place in (3, 2, 1)
    ]
    cloud.azure.job_checkpoints.append(
        {
            "id": "c1",
            "object": "fine_tuning.job.checkpoint",
            "created_at": 1,
            "fine_tuned_model_checkpoint": "gpt-oss-20b.ft-1:step-80",
            "fine_tuning_job_id": job["id"],
            "metrics": {"step": 80, "train_loss": 0.3, "valid_loss": None},
            "step_number": 80,
        }
    )
    assert [one.message for one in controls.events(handle)] == ["step 1", "step 2", "step 3"]  # two pages of them
    (checkpoint,) = controls.checkpoints(handle)
    assert checkpoint.step == 80 and checkpoint.model.endswith(":step-80")
    assert checkpoint.metrics == {"step": 80, "train_loss": 0.3}
    for _ in range(2):
        controls.pause(handle)
    assert trainer().poll(handle).detail == "paused"
    controls.go_on(handle)
    assert trainer().poll(handle).detail == "running"
    for _ in range(2):
        controls.cancel(handle)
    assert trainer().poll(handle).state == "failed"
    sent = [one.path.rsplit("/", 1)[1] for one in cloud.net.sent("POST", f"{JOBS}/")]
    assert sent == ["pause", "resume", "cancel"]
    with pytest.raises(DriftgateError, match="is cancelled and cannot pause"):
        controls.pause(handle)


def test_a_spent_quota_is_said_once_and_nothing_is_created(cloud: Cloud, tmp_path: Path) -> None:
    cloud.azure.job_quota = 0
    with pytest.raises(DriftgateError, match="exhausted"):
        trainer().submit(make_job(tmp_path))
    assert creations(cloud) == 0 and len(cloud.net.sent("POST", JOBS)) == 1


def test_cost_is_estimated_before_and_metered_after(cloud: Cloud, tmp_path: Path) -> None:
    estimate = TRAINERS.get("azure_openai").estimate
    assert estimate is not None
    assert estimate(parse_trainer(CONFIG), 12, 100_000).cost is None
    priced = CONFIG | {"price_per_million_tokens": 2.0}
    assert estimate(parse_trainer(priced), 12, 100_000).cost == pytest.approx(0.6)  # three epochs
    assert "epochs" in estimate(parse_trainer(priced | {"epochs": "auto"}), 12, 100_000).basis
    handle = trainer(price_per_million_tokens=2.0).submit(make_job(tmp_path))
    finish(cloud)
    trainer().poll(handle)
    cloud.azure.set_status(f"{ACCOUNT}/deployments/support-r1", "Succeeded")
    assert trainer(price_per_million_tokens=2.0).result(handle).metrics["cost"] == pytest.approx(0.0018)
    assert "cost" not in trainer().result(handle).metrics, "what is not known is not 0"
