"""``driftgate synth make`` pays once, keeps its limits, and says what it waits for."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import teacher
import yaml
from chat_endpoint import Answer, ChatEndpoint, Cut, Status, limited
from command_line import Cli


def space(folder: Path, endpoint: ChatEndpoint, *, model: dict[str, Any] | None = None, **synthesis: Any) -> Path:
    rows = [json.dumps({"text": text}, ensure_ascii=False) for text in teacher.documents(180)]
    folder.mkdir(exist_ok=True)
    (folder / "rules.jsonl").write_text("\n".join(rows), encoding="utf-8")
    asked = {
        "provider": "openai",
        "endpoint": f"{endpoint.url}/v1",
        "model": "t",
        "attempts": 1,
        "timeout": 10.0,
        "in_flight": 32,
        "prices": {"input": 1, "output": 2},
        **(model or {}),
    }
    given = {
        "sources": [{"kind": "documents", "path": "rules.jsonl", "generator": "model"}],
        "model": "t",
        "count": 40,
        "surplus": 1,
        **synthesis,
    }
    config = {"version": 1, "models": {"t": asked}, "synthesis": {"rules": given}}
    (folder / "driftgate.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    endpoint.default = teacher.competent
    return folder


def begin(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "driftgate", "synth", "make", "-w", str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def until_asked(endpoint: ChatEndpoint, count: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while len(endpoint.requests) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_two_that_make_a_set_at_once_pay_once_and_a_killed_one_keeps_nobody_out(
    cli: Cli, tmp_path: Path, endpoint: ChatEndpoint
) -> None:
    folder = space(tmp_path / "w", endpoint, model={"in_flight": 2}, limits={"calls": 40})
    endpoint.default = lambda prompt: replace(teacher.competent(prompt), seconds=0.4)
    first = begin(folder)
    until_asked(endpoint, 2, first)
    second = cli("synth", "make", "-w", folder)
    assert second.code == 2 and f"process {first.pid} on " in second.err, second.err
    assert "stop it; then give the same command again" in second.err
    assert first.poll() is None
    first.send_signal(signal.SIGKILL)
    first.communicate()
    sent, endpoint.default = len(endpoint.requests), teacher.competent
    made = cli("synth", "make", "-w", folder)
    assert made.code == 0, made.err
    assert sent < 40 <= len(endpoint.requests) <= 42
    assert "40 requests" in made.out


def test_each_attempt_counts_and_what_is_waited_for_is_said(cli: Cli, tmp_path: Path, endpoint: ChatEndpoint) -> None:
    folder = space(tmp_path / "w", endpoint, limits={"calls": 12}, model={"attempts": 2, "in_flight": 4})
    endpoint.default = limited(0.05)
    made = cli("synth", "make", "-w", folder)
    assert len(endpoint.requests) == 12
    assert made.code == 4 and "the limit of 12 requests was reached" in made.out, made.out
    assert "12 more gave no reply" in made.out
    assert made.out.count("waiting for model 't', and asking again: ") == 1
    assert "Rate limit is exceeded. (it asks for 0.05 s); 0 of about 40 requests are done" in made.out
    again = cli("synth", "make", "-w", space(tmp_path / "w", endpoint, limits={"calls": 12}))
    assert again.code == 3 and "12 requests, 0 of them answered before" in again.out


def test_a_limit_of_minutes_ends_it_with_what_there_is(cli: Cli, tmp_path: Path, endpoint: ChatEndpoint) -> None:
    folder = space(tmp_path / "w", endpoint, limits={"minutes": 0.03}, model={"in_flight": 2})
    answered = 25

    def reply(prompt: str) -> Answer | Status:
        return teacher.competent(prompt) if len(endpoint.requests) <= answered else limited(1.0, "retry-after")

    endpoint.default = reply  # type: ignore[assignment]
    began = time.monotonic()
    made = cli("synth", "make", "-w", folder)
    assert time.monotonic() - began < 20
    assert made.code == 0, made.err
    assert "25 requests" in made.out and "15 not made: the limit of 0.03 minutes was reached" in made.out


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("synthesis.rules.limits.cost", float("inf")),
        ("synthesis.rules.limits.cost", float("nan")),
        ("synthesis.rules.limits.cost", True),
        ("synthesis.rules.limits.calls", True),
        ("synthesis.rules.limits.minutes", float("inf")),
        ("suites.s.max_cost", float("inf")),
        ("suites.s.max_cost", True),
        ("suites.s.max_minutes", float("inf")),
        ("models.t.attempts", True),
        ("models.t.timeout", float("inf")),
    ],
)
def test_what_is_no_finite_number_is_no_limit(
    cli: Cli, tmp_path: Path, endpoint: ChatEndpoint, path: str, value: object
) -> None:
    folder = space(tmp_path / "w", endpoint)
    file = folder / "driftgate.yaml"
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    config["suites"] = {"s": {"models": ["t"], "datasets": ["d"]}}
    config["datasets"] = {"d": {"kind": "jsonl", "path": "rules.jsonl"}}
    *inner, last = path.split(".")
    place = config
    for name in inner:
        place = place.setdefault(name, {})
    place[last] = value
    file.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    made = cli("synth", "make", "-w", folder)
    assert made.code == 2 and last in made.err, made.err
    assert not endpoint.requests


@pytest.mark.parametrize("cap", [None, 60])
def test_a_limit_on_cost_is_passed_by_one_request_at_most(
    cli: Cli, tmp_path: Path, endpoint: ChatEndpoint, cap: int | None
) -> None:
    known = {} if cap is None else {"parameters": {"max_tokens": 512}}
    folder = space(tmp_path / "w", endpoint, limits={"cost": 0.0003}, model=known)
    endpoint.default = lambda prompt: replace(teacher.competent(prompt), seconds=0.05)  # each costs 0.0002
    made = cli("synth", "make", "-w", folder)
    assert len(endpoint.requests) == 2
    assert "cost 0.0004" in made.out and "38 not made: the limit of 0.0003 on cost was reached" in made.out
    again = cli("synth", "make", "-w", folder)
    assert len(endpoint.requests) == 2 and "2 requests, 2 of them answered before" in again.out


def test_requests_go_side_by_side_where_the_limit_covers_them(cli: Cli, tmp_path: Path, endpoint: ChatEndpoint) -> None:
    folder = space(tmp_path / "w", endpoint, limits={"cost": 1.0})
    endpoint.default = lambda prompt: replace(teacher.competent(prompt), seconds=0.1)
    assert cli("synth", "make", "-w", folder).code == 0
    assert endpoint.most_in_flight > 20


def test_a_service_that_counts_no_tokens_is_named_where_cost_is_limited(
    cli: Cli, tmp_path: Path, endpoint: ChatEndpoint
) -> None:
    folder = space(tmp_path / "w", endpoint, limits={"cost": 1.0})
    endpoint.default = lambda prompt: replace(teacher.competent(prompt), tokens=None)
    made = cli("synth", "make", "-w", folder)
    assert len(endpoint.requests) == 1
    assert "39 not made: the limit of 1 on cost cannot be kept: the service of model 't' counts no tokens" in made.out


@pytest.mark.parametrize("fault", [Status(500, {}), Cut()])
def test_a_service_that_is_given_up_leaves_no_connection_open(
    tmp_path: Path, endpoint: ChatEndpoint, fault: Status | Cut
) -> None:
    folder = space(tmp_path / "w", endpoint, model={"attempts": 2})
    slow, lock = iter(range(40)), threading.Lock()

    def reply(prompt: str) -> Answer | Status | Cut:
        with lock:
            turn = next(slow)
        return replace(teacher.competent(prompt), seconds=0.5) if turn % 3 else fault

    endpoint.default = reply  # type: ignore[assignment]
    process = begin(folder)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2, err
    assert b"Unclosed" not in err and b"never retrieved" not in err, err
    assert len(err.splitlines()) <= 2, err


def test_a_bench_s_limit_on_cost_is_passed_by_one_request_at_most(
    cli: Cli, tmp_path: Path, endpoint: ChatEndpoint
) -> None:
    folder = space(tmp_path / "w", endpoint)
    rows = [{"question": f"{n} + 1?", "choices": [f"{n}", f"{n + 1}"], "answer": "B"} for n in range(20)]
    (folder / "q.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    file = folder / "driftgate.yaml"
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    config["datasets"] = {"q": {"kind": "jsonl", "path": "q.jsonl"}}
    config["suites"] = {"s": {"models": ["t"], "datasets": ["q"], "variants": ["terse"], "max_cost": 0.0003}}
    file.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    endpoint.default = Answer("B", tokens=(100, 50), seconds=0.05)  # each costs 0.0002
    done = cli("bench", "s", "-w", folder)
    assert len(endpoint.requests) == 2
    assert done.code != 0 and "the limit of 0.0003 on cost is reached (0.0004 spent)" in done.out + done.err


def test_files_that_could_not_be_read_are_named(cli: Cli, tmp_path: Path, endpoint: ChatEndpoint) -> None:
    folder = space(tmp_path / "w", endpoint, sources=[{"kind": "documents", "path": "docs", "generator": "extractive"}])
    (folder / "docs").mkdir()
    (folder / "docs" / "broken.pdf").write_bytes(b"%PDF-1.7 and no more")
    (folder / "docs" / "[red]image.png").write_bytes(b"\x89PNG")
    (folder / "docs" / "rules.md").write_text("\n\n".join(teacher.documents(30)), encoding="utf-8")
    for command in ("make", "report"):
        out = cli("synth", command, "-w", folder).out
        assert "not read: broken.pdf: " in out and "not read: [red]image.png: " in out
