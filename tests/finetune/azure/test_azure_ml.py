"""LoRA training as a job of Azure Machine Learning, through the real azure-ai-ml and azure-storage clients."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import signal
import struct
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from azure_services import SAS, SUBSCRIPTION, Cloud
from loopback_net import LostReply, Reset, Stall, Status, throttled
from pydantic import ValidationError

import driftgate
from driftgate.finetune.train import (
    TRAINERS,
    Controlled,
    Handle,
    Trainer,
    TrainingItem,
    TrainingJob,
    parse_trainer,
    write_items,
)
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import ModelMisconfigured, parse_config

CONFIG = {
    "trainer": "azure_ml",
    "workspace": {"subscription": SUBSCRIPTION, "resource_group": "rg", "workspace": "ws"},
    "compute": "gpu-cluster",
    "image": "mcr.microsoft.com/azureml/base:20260901.v1",
    "requirements": "train.txt",
}
GGUF = b"GGUF" + struct.pack("<IQQQ20sIQ6s", 3, 0, 1, 20, b"general.architecture", 8, 6, b"gemma3")
"""The beginning of a GGUF: it says what it is, and holds nothing."""
ITEMS = [TrainingItem(f"문의 {number}\n정답:", "물류팀") for number in range(12)]
JOB = "jobs/support-r1"
METRICS = {"loss_last_ten": 0.02}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace folder with a base model and pinned requirements."""
    (tmp_path / "base.gguf").write_bytes(GGUF + bytes(1000))
    (tmp_path / "train.txt").write_text("# pinned\ntorch==2.13.0\npeft==0.21.2 \\\n    --hash=sha256:00\n", "utf-8")
    return tmp_path


def trainer(workspace: Path, **changes: Any) -> Trainer:
    """The trainer as a workspace opens it."""
    return TRAINERS.get("azure_ml").open(parse_trainer(CONFIG | changes), workspace)


def make_job(workspace: Path, items: list[TrainingItem] = ITEMS, **changes: Any) -> TrainingJob:
    """A job on the base model of the workspace."""
    path = workspace / "items.jsonl"
    write_items(path, items)
    base = {"provider": "local", "model": "base.gguf", "prompt_format": "document"}
    return TrainingJob("support-r1", base, path, workspace, workspace / "runs" / "support-r1", **changes)


def finish(
    cloud: Cloud, adapter: bytes = b"GGUF adapter", *, metrics: Mapping[str, float] = METRICS, folder: bool = False
) -> None:
    """Let the job come to a good end: it wrote its output to the workspace's store."""
    output = "/azureml/azureml/support-r1/model/"
    name = "adapter/adapter_model.safetensors" if folder else "adapter.gguf"
    sha256 = hashlib.sha256(adapter).hexdigest()
    if folder:  # as a folder's content is told: each file by its name and content
        sha256 = hashlib.sha256(f"adapter_model.safetensors\0{sha256}\0".encode()).hexdigest()
    result = {
        "name": "support-r1",
        "adapter": name.split("/")[0],
        "metrics": dict(metrics),
        "lineage": {"sha256": {"result": sha256}, "items": 12},
    }
    cloud.azure.blobs[output + name] = adapter
    cloud.azure.blobs[output + "result.json"] = json.dumps(result).encode()
    cloud.azure.set_status(JOB, "Completed")


def put_jobs(cloud: Cloud) -> list[dict[str, Any]]:
    """The bodies of the jobs that were put."""
    return [one.json["properties"] for one in cloud.net.sent("PUT", "/jobs/")]


def uploaded(cloud: Cloud) -> dict[str, bytes]:
    """Uploaded files by their name."""
    return {path.split("/", 3)[-1]: content for path, content in cloud.azure.blobs.items()}


@pytest.mark.core
def test_items_become_a_job_and_the_job_a_local_model(cloud: Cloud, workspace: Path) -> None:
    handle = trainer(workspace).submit(make_job(workspace))
    (properties,) = put_jobs(cloud)
    assert properties["jobType"] == "Command" and properties["computeId"].endswith("/computes/gpu-cluster")
    assert "python -m driftgate.finetune.train._lora work/job.json" in properties["command"]
    items = properties["inputs"]["items"]
    assert items["jobInputType"] == "uri_file" and "/data/driftgate-items/versions/" in items["uri"]
    assert properties["outputs"]["model"]["jobOutputType"] == "uri_folder"
    assert trainer(workspace).poll(handle).state == "running"

    finish(cloud)
    assert trainer(workspace).poll(handle).state == "succeeded"
    (registered,) = cloud.net.sent("PUT", "/models/support-r1/versions/1")
    assert registered.json["properties"]["modelUri"] == "azureml://jobs/support-r1/outputs/model"
    trained = trainer(workspace).result(handle)
    config = parse_config(trained.model)
    assert config.provider == "local" and trained.model["adapter"] == "runs/support-r1/model/adapter.gguf"
    assert (workspace / trained.model["adapter"]).read_bytes() == b"GGUF adapter"
    assert trained.artefact == "support-r1:1" and trained.metrics == {"loss_last_ten": 0.02}
    assert trained.lineage["items"] == 12
    assert trained.lineage["base_sha256"] == hashlib.sha256((workspace / "base.gguf").read_bytes()).hexdigest()
    assert trainer(workspace).result(handle) == trained
    assert len(cloud.net.sent("PUT", "/models/support-r1")) == 1


def test_items_base_and_environment_are_uploaded_by_their_content(cloud: Cloud, workspace: Path) -> None:
    job = make_job(workspace)
    trainer(workspace).submit(job)
    sha256 = hashlib.sha256(job.items.read_bytes()).hexdigest()
    assert cloud.azure.resource(f"data/driftgate-items/versions/{sha256[:12]}")
    files = {path.rsplit("/", 1)[1]: content for path, content in cloud.azure.blobs.items()}
    assert files["items.jsonl"] == job.items.read_bytes()
    assert files["base.gguf"] == (workspace / "base.gguf").read_bytes()
    (environment,) = cloud.net.sent("PUT", "/environments/driftgate-train/versions/")
    assert environment.json["properties"]["image"] == CONFIG["image"]
    conda = environment.json["properties"]["condaFile"]
    assert "torch==2.13.0" in conda and "peft==0.21.2\n" in conda and "pydantic==" in conda


def test_a_base_that_is_there_is_not_uploaded_again(cloud: Cloud, workspace: Path) -> None:
    trainer(workspace).submit(make_job(workspace))
    other = make_job(workspace, ITEMS[1:])
    trainer(workspace).submit(TrainingJob("support-r2", other.base_model, other.items, workspace, workspace / "r2"))
    assert len(cloud.net.sent("PUT", "/data/driftgate-base/")) == 1
    assert len(cloud.net.sent("PUT", "/data/driftgate-items/")) == 2


def test_the_uploaded_code_runs_by_itself(
    cloud: Cloud, workspace: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The script, started as the job's command does, gets as far as refusing items that were changed on the way."""
    trainer(workspace).submit(make_job(workspace))
    (properties,) = put_jobs(cloud)
    code = tmp_path_factory.mktemp("code")
    uri = cloud.azure.resource(properties["codeId"])["properties"]["codeUri"]
    container = "/" + uri.split("/", 3)[3].split("/")[0] + "/"
    staged = {path for path in cloud.azure.blobs if path.startswith(container)}
    for path in staged:
        target = code / Path(path).relative_to(container).relative_to(Path(uri).name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(cloud.azure.blobs[path])
    (code / "given").write_text("other items", "utf-8")
    command = properties["command"].replace("python ", f"{sys.executable} -S ")  # -S: no editable install stands in
    packages = {**os.environ, "PYTHONPATH": sysconfig.get_path("purelib")}
    for name in properties["inputs"]:
        command = command.replace("${{inputs." + name + "}}", "given")
    command = command.replace("${{outputs.model}}", "out")
    ended = subprocess.run(["bash", "-c", command], cwd=code, env=packages, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert "is not the one it was submitted with" in ended.stderr
    assert "is not the one" in json.loads((code / "work" / "failure.json").read_bytes())["problem"]
    package = len(list(Path(driftgate.__file__).parent.rglob("*.py")))
    assert not any("azure" in Path(path).parts for path in staged) and len(staged) < package / 5


def test_a_second_submission_finds_the_job(cloud: Cloud, workspace: Path) -> None:
    job = make_job(workspace)
    first = trainer(workspace).submit(job)
    cloud.forget_clients()
    assert trainer(workspace).submit(job) == first
    assert len(put_jobs(cloud)) == 1


def test_faults_in_between_double_nothing(cloud: Cloud, workspace: Path, impatient: None) -> None:
    cloud.net.fail("GET", "/jobs/", throttled(), Status(500, {}), Reset())
    cloud.net.fail("PUT", "/data/", Status(500, {}), LostReply())
    cloud.net.fail("PUT", "items.jsonl", Reset())
    cloud.net.fail("PUT", "/jobs/", throttled(), LostReply())
    handle = trainer(workspace).submit(make_job(workspace))
    assert [name for name in cloud.azure.resources if "/jobs/" in name] == [cloud.azure.resource(JOB)["id"].lower()]
    finish(cloud)
    cloud.net.fail("PUT", "/models/support-r1", throttled(), LostReply())
    cloud.net.fail("GET", "adapter.gguf", Status(503, {}), Reset())
    assert trainer(workspace).result(handle).artefact == "support-r1:1"


def test_killed_before_the_handle_is_kept_nothing_is_submitted_twice(cloud: Cloud, workspace: Path) -> None:
    job = make_job(workspace)
    cloud.net.fail("PUT", "/jobs/", Stall())
    script = (
        "import pathlib, sys\n"
        "from driftgate.finetune.train import TRAINERS, TrainingJob, parse_trainer\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        f"trainer = TRAINERS.get('azure_ml').open(parse_trainer({CONFIG!r}), folder)\n"
        f"job = TrainingJob({job.name!r}, {dict(job.base_model)!r}, folder / 'items.jsonl', folder, folder / 'runs')\n"
        "trainer.submit(job)\n"
    )
    environment = os.environ | cloud.azure.environment(cloud.net)
    process = subprocess.Popen([sys.executable, "-c", script, str(workspace)], env=environment)
    try:
        cloud.net.wait_for("PUT", "/jobs/")
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    handle = trainer(workspace).submit(job)
    assert len(put_jobs(cloud)) == 1
    assert trainer(workspace).poll(handle).state == "running"


def test_a_handle_is_enough_for_another_process(cloud: Cloud, workspace: Path) -> None:
    kept = json.dumps(dict(trainer(workspace).submit(make_job(workspace))))
    assert cloud.azure.jwt not in kept and "sig=" not in kept
    cloud.forget_clients()
    finish(cloud)
    handle: Handle = json.loads(kept)
    assert trainer(workspace).result(handle).lineage["seed"] == 0


def test_a_failed_job_says_why(cloud: Cloud, workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    handle = trainer(workspace).submit(make_job(workspace))
    cloud.azure.set_status(JOB, "Failed")
    capsys.readouterr()
    status = trainer(workspace).poll(handle)
    assert status.state == "failed" and "UserError: the GPU fell off the bus" in status.detail
    with pytest.raises(DriftgateError, match="the GPU fell off the bus"):
        trainer(workspace).result(handle)
    assert capsys.readouterr() == ("", "")
    assert not cloud.net.sent("PUT", "/models/support-r1")


def test_a_cancelled_job_has_failed(cloud: Cloud, workspace: Path) -> None:
    handle = trainer(workspace).submit(make_job(workspace))
    cloud.azure.set_status(JOB, "Canceled")
    assert trainer(workspace).poll(handle).state == "failed"


def test_another_job_of_that_name_is_refused(cloud: Cloud, workspace: Path) -> None:
    trainer(workspace).submit(make_job(workspace))
    with pytest.raises(DriftgateError, match="already submitted with other items or settings"):
        trainer(workspace).submit(make_job(workspace, ITEMS[1:]))
    with pytest.raises(DriftgateError, match="already submitted with other items or settings"):
        trainer(workspace).submit(make_job(workspace, seed=1))
    assert len(put_jobs(cloud)) == 1


def test_an_adapter_that_was_cut_short_is_not_handed_over(cloud: Cloud, workspace: Path) -> None:
    handle = trainer(workspace).submit(make_job(workspace))
    finish(cloud)
    cloud.azure.blobs["/azureml/azureml/support-r1/model/adapter.gguf"] = b"GGUF ada"
    with pytest.raises(DriftgateError, match="is not what training job 'support-r1' wrote"):
        trainer(workspace).result(handle)
    finish(cloud)
    assert trainer(workspace).result(handle).artefact == "support-r1:1"


def test_a_refusal_of_the_service_is_told(cloud: Cloud, workspace: Path) -> None:
    error = {"error": {"code": "ValidationError", "message": "compute gpu-cluster does not exist"}}
    cloud.net.fail("PUT", "/jobs/", Status(400, error))
    with pytest.raises(DriftgateError, match="compute gpu-cluster does not exist"):
        trainer(workspace).submit(make_job(workspace))


def test_a_storage_that_cannot_be_reached_is_an_error_in_words(cloud: Cloud, workspace: Path, impatient: None) -> None:
    cloud.net.fail("PUT", "items.jsonl", *[Reset()] * 20)
    with pytest.raises(DriftgateError, match=r"submitting training job 'support-r1' failed: .*onnection") as refused:
        trainer(workspace).submit(make_job(workspace))
    assert "c2lnbmF0dXJl" not in str(refused.value) and refused.value.__cause__ is None
    assert put_jobs(cloud) == []


def test_a_reason_that_quotes_a_signed_address_is_told_without_its_signature(cloud: Cloud, workspace: Path) -> None:
    handle = trainer(workspace).submit(make_job(workspace))
    cloud.azure.run_error = f"cannot read https://acct.blob.core.windows.net/azureml/x?{SAS}"
    cloud.azure.set_status(JOB, "Failed")
    detail = trainer(workspace).poll(handle).detail
    assert detail == "failed: UserError: cannot read https://acct.blob.core.windows.net/azureml/x?sv=2024-11-04&sig=***"


@pytest.mark.parametrize(
    ("lines", "words"), [("torch\n", "'torch', which is not pinned"), ("-r other.txt\n", "not pinned")]
)
def test_loose_requirements_are_refused(cloud: Cloud, workspace: Path, lines: str, words: str) -> None:
    (workspace / "train.txt").write_text(lines, "utf-8")
    with pytest.raises(DriftgateError, match=words):
        trainer(workspace).submit(make_job(workspace))
    assert cloud.net.requests == []


@pytest.mark.parametrize("image", ["mcr.microsoft.com/azureml/base", "mcr.microsoft.com/azureml/base:latest"])
def test_loose_images_are_refused(image: str) -> None:
    with pytest.raises(ValueError, match="is not pinned"):
        parse_trainer(CONFIG | {"image": image})


def test_an_absent_base_is_refused(cloud: Cloud, workspace: Path) -> None:
    (workspace / "base.gguf").unlink()
    with pytest.raises(DriftgateError, match=r"no file for its base \(.*base\.gguf\)"):
        trainer(workspace).submit(make_job(workspace))
    assert cloud.net.requests == []


def test_a_model_without_weights_here_is_refused(cloud: Cloud, workspace: Path) -> None:
    job = make_job(workspace)
    base = {"provider": "openai", "endpoint": "http://127.0.0.1:1/v1", "model": "m"}
    with pytest.raises(DriftgateError, match="whose weights are not here"):
        trainer(workspace).submit(TrainingJob("support-r1", base, job.items, workspace, job.folder))


def test_no_secret_reaches_logs_or_files(cloud: Cloud, workspace: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    handle = trainer(workspace).submit(make_job(workspace))
    finish(cloud)
    trainer(workspace).result(handle)
    kept = [path.read_text("utf-8", errors="replace") for path in workspace.rglob("*") if path.is_file()]
    assert "acct.blob.core.windows.net" in caplog.text and len(kept) > 10
    for secret in (cloud.azure.jwt, "c2lnbmF0dXJl"):
        assert secret not in caplog.text and not any(secret in text for text in kept)


@pytest.mark.parametrize(("method", "part"), [("PUT", "jobs/"), ("GET", "datastores"), ("PUT", "items.jsonl")])
def test_a_service_that_redirects_gets_neither_token_nor_items(
    cloud: Cloud, workspace: Path, method: str, part: str
) -> None:
    elsewhere = "elsewhere.example.net"
    cloud.net.fail(method, part, *[Status(307, {}, {"Location": f"https://{elsewhere}/x"})] * 9)
    with pytest.raises(ModelMisconfigured, match=f"is redirected from .* to {elsewhere}, where neither"):
        trainer(workspace).submit(make_job(workspace))
    assert elsewhere not in cloud.net.refused


def test_serverless_compute_is_named_by_its_machine(cloud: Cloud, workspace: Path) -> None:
    size = {"compute": "", "instance_type": "Standard_NC24ads_A100_v4", "max_hours": 1.5}
    trainer(workspace, **size).submit(make_job(workspace))
    (properties,) = put_jobs(cloud)
    assert properties.get("computeId") is None
    assert properties["resources"]["instanceType"] == "Standard_NC24ads_A100_v4"
    assert properties["resources"]["instanceCount"] == 1
    assert properties["limits"]["timeout"] == "PT1H30M"
    with pytest.raises(ValidationError, match="neither a compute"):
        parse_trainer(CONFIG | {"compute": ""})


def test_hours_and_cost_are_said_before_and_metered_after(cloud: Cloud, workspace: Path) -> None:
    estimate = TRAINERS.get("azure_ml").estimate
    assert estimate is not None
    stated = {"samples_per_second": 4.0, "price_per_hour": 5.0, "recipe": {"epochs": 3.0, "batch": 8}}
    found = estimate(parse_trainer(CONFIG | stated), 12_000, 1)
    assert found.hours == pytest.approx(36_000 / 4 / 3600)
    assert found.cost == pytest.approx(12.5)
    unknown = estimate(parse_trainer(CONFIG), 12_000, 1)
    assert unknown.hours is None and unknown.cost is None and "samples_per_second" in unknown.basis
    handle = trainer(workspace, **stated).submit(make_job(workspace))
    assert handle["estimate"].startswith("about ") and "cost" in handle["estimate"]
    finish(cloud, metrics={"program_seconds": 1800.0})
    metrics = trainer(workspace, **stated).result(handle).metrics
    assert metrics["hours"] == 0.5 and metrics["cost"] == 2.5
    assert "cost" not in trainer(workspace).result(handle).metrics, "what is not known is not 0"


def test_a_job_can_be_cancelled_twice_and_then_has_failed(cloud: Cloud, workspace: Path) -> None:
    handle = trainer(workspace).submit(make_job(workspace))
    controls = cast(Controlled, trainer(workspace))
    for _ in range(2):
        controls.cancel(handle)
    assert len(cloud.net.sent("POST", f"{JOB}/cancel")) == 1
    assert trainer(workspace).poll(handle).state == "failed"
    assert controls.events(handle)[-1].level == "error" and controls.checkpoints(handle) == []
    with pytest.raises(DriftgateError, match="cannot be paused"):
        controls.pause(handle)


def test_an_architecture_that_cannot_be_trained_is_refused_before_anything_is_sent(
    cloud: Cloud, workspace: Path
) -> None:
    (workspace / "base.gguf").write_bytes(GGUF.replace(b"gemma3", b"rwkv70"))
    with pytest.raises(DriftgateError, match="'rwkv70', which cannot be trained"):
        trainer(workspace).submit(make_job(workspace))
    assert put_jobs(cloud) == []


def test_a_model_folder_goes_as_a_folder_and_comes_back_as_an_adapters_folder(cloud: Cloud, workspace: Path) -> None:
    base = workspace / "phi"
    base.mkdir()
    (base / "config.json").write_text('{"model_type": "phi3"}', "utf-8")
    (base / "model.safetensors").write_bytes(b"weights")
    job = make_job(workspace)
    job = TrainingJob("support-r1", {"provider": "local", "model": "phi"}, job.items, workspace, job.folder)
    handle = trainer(workspace).submit(job)
    (properties,) = put_jobs(cloud)
    assert properties["inputs"]["base"]["jobInputType"] == "uri_folder"
    assert 'cp -r work/adapter work/result.json "${{outputs.model}}/"' in properties["command"]
    finish(cloud, folder=True)
    trained = trainer(workspace).result(handle)
    assert trained.model["adapter"] == "runs/support-r1/model/adapter"
    found = workspace / trained.model["adapter"] / "adapter_model.safetensors"
    assert found.read_bytes() == b"GGUF adapter"
