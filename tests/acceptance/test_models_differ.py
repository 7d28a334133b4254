"""One suite asks models that differ in what they take and how they are asked; nothing in it is about any of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from driftgate.ledger import cells_of, find_run, open_ledger, outcome_frame

from .conftest import SHARED, Endpoint, replay

KEY, ASKED = "not-a-secret", 120
RECORDED = {
    "plain": "gpt-35-turbo-230613",
    "thinking": "phi-3-5-moe-instruct",
    "responses": "gpt-5-chat-2025-08-08",
    "behind_v1": "llama-3-1-8b-instruct",
    "deployed": "gpt-4.1-mini-2025-04-14",
}
FACES = ("thinking=reasoning", "responses=responses", "behind_v1=reasoning", "deployed=reasoning")


@pytest.fixture
def endpoint() -> Any:
    faces = [part for face in FACES for part in ("--face", f"{RECORDED[face.split('=')[0]]}={face.split('=')[1]}")]
    with replay("--key", KEY, *faces, "--retires", f"{RECORDED['thinking']}=2031-02-06") as served:
        yield served


def workspace(folder: Path, endpoint: Endpoint, cap: int = 2_000) -> Path:
    """Every model has its address, and all of them the same parameters."""
    at, key = endpoint.address, "${env:REPLAY_KEY}"
    models: dict[str, dict[str, Any]] = {
        "plain": {"provider": "openai", "endpoint": f"{at}/v1", "model": RECORDED["plain"]},
        "thinking": {"provider": "openai", "endpoint": f"{at}/v1", "model": RECORDED["thinking"]},
        "responses": {"provider": "openai", "endpoint": f"{at}/openai/v1", "model": RECORDED["responses"]},
        "behind_v1": {
            "provider": "azure_openai",
            "endpoint": at,
            "deployment": RECORDED["behind_v1"],
            "api_version": "v1",
        },
        "deployed": {"provider": "azure_openai", "endpoint": at, "deployment": RECORDED["deployed"]},
    }
    for model in models.values():
        model |= {"api_key": key, "attempts": 1, "prices": {"input": 1.0, "output": 2.0}}
    space = {
        "version": 1,
        "models": models,
        "allowed_roots": [str(SHARED)],
        "datasets": {"click": {"kind": "click", "path": str(SHARED / "data/click")}},
        "suites": {
            "all": {
                "models": list(models),
                "datasets": ["click"],
                "variants": ["zero_shot"],
                "limit": ASKED,
                "max_failed": 1.0,
            }
        },
    }
    if cap:
        for model in models.values():
            model["parameters"] = {"max_tokens": cap}
    (folder / "driftgate.yaml").write_text(json.dumps(space), encoding="utf-8")
    return folder


def driftgate(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"REPLAY_KEY": KEY, "COLUMNS": "200"}
    command = [sys.executable, "-m", "driftgate", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def frames(folder: Path) -> dict[str, pd.DataFrame]:
    ledger = open_ledger(".driftgate/ledger.db", folder)
    try:
        return {c.model: outcome_frame(ledger, c.id) for c in cells_of(ledger, find_run(ledger, "latest").id)}
    finally:
        ledger.close()


def recorded(model: str, frame: pd.DataFrame) -> tuple[int, int]:
    """How many of the frame's samples the recorded file has right, and of how many it speaks once."""
    rows = pd.read_csv(SHARED / "data/recorded" / f"[CLIcK] {model}.csv", keep_default_na=False, dtype=str)
    rows = rows.drop_duplicates("id", keep=False).set_index("id")
    there = rows.loc[rows.index.intersection(frame["upstream_id"])]
    return int((there.pred == there.answer).sum()), len(there)


def test_one_suite_runs_all_of_them(endpoint: Endpoint, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = workspace(tmp_path, endpoint, cap=0)
    doctor = driftgate("doctor", folder=folder)
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    probes = endpoint.stats()
    assert probes["by_outcome"] == {"200": 5, "refused_parameter": 5}  # one probe each; the temperature, and one wire
    for said in ("what deployments take", "Responses", "2031-02-06", "this deployment ends on 2031-02-06"):
        assert said in doctor.stdout
    done = driftgate("bench", folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    spent = endpoint.stats()
    assert spent["requests"] - probes["requests"] == 5 * ASKED
    assert spent["by_outcome"]["refused_parameter"] == 5
    assert "thinking: this deployment ends on 2031-02-06" in done.stdout
    with capsys.disabled():
        print(f"\n{doctor.stdout}\n{done.stdout}")
        for model, frame in frames(folder).items():
            right, known = recorded(RECORDED[model], frame)
            ours = int(frame["correct"].fillna(0).sum())
            print(f"  {model}: {ours} right of {len(frame)}; recorded {right} of {known}")
            assert ours == right
            thought = frame.loc[frame["outcome"] == "answered", "reasoning_tokens"]
            assert (thought == (0 if model == "plain" else 256)).all()


def test_reasoning_that_uses_up_the_limit_is_truncated_and_said(endpoint: Endpoint, tmp_path: Path) -> None:
    folder = workspace(tmp_path, endpoint, cap=200)
    doctor = driftgate("doctor", folder=folder)
    assert "reasoning used up its limit of tokens" in doctor.stdout and "raise max_tokens" in doctor.stdout
    probes = endpoint.stats()
    # The name of the limit where it has another one, and of one model the wire form.
    assert probes["by_outcome"] == {"200": 5, "refused_parameter": 4}
    done = driftgate("bench", folder=folder)
    assert endpoint.stats()["requests"] - probes["requests"] == 5 * ASKED
    for model, frame in frames(folder).items():
        expected = "answered" if model == "plain" else "truncated"
        assert set(frame["outcome"]) - {"failed"} == {expected}, model  # a recorded failure is one
        cut = int((frame["outcome"] == "truncated").sum())
        if model != "plain":
            assert f"{cut} of {ASKED} truncated: reasoning used up the limit on tokens (256 of 256)" in done.stdout
    assert done.stdout.count("|cap:200") == 5
