"""A share of production's answers is graded as they arrive by OTLP: quality falls in one slice, canaries stay quiet."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import uvicorn
import yaml
from chat_endpoint import Answer, Status
from fastapi import FastAPI
from judge import agreeing
from looks import change, watched
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

from driftgate.api.telemetry import intake
from driftgate.ledger import add_calibration, open_ledger
from driftgate.monitor.config import EvaluateConfig
from driftgate.monitor.graded import graded_between
from driftgate.monitor.sampling import Candidate, in_turn, is_drawn
from driftgate.monitor.telemetry import Store, frame
from driftgate.monitor.telemetry import router as receiver
from driftgate.monitor.watch import alerts_of, looks_of

SLICES = ("billing", "travel")
GOOD, BAD = "연차는 다음 해로 넘길 수 있습니다.", "바나나 구름 바나나."
JUDGE = {
    "evaluator": "azure.ai.evaluation:RelevanceEvaluator",
    "inputs": {"query": "${data.query}", "response": "${data.response}"},
    "settings": {"judge": "j"},
}
NOW = datetime.now(UTC)
LONG = timedelta(days=40)


@pytest.fixture
def folder(tmp_path, endpoint, judge_endpoint) -> Path:
    made = watched(tmp_path, endpoint)
    model = {"provider": "openai", "endpoint": f"{judge_endpoint.url}/v1", "model": "judge-1", "attempts": 1}

    def edit(config: dict) -> None:
        config["models"]["j"] = model
        config["monitors"] = {
            "watch": {
                "champion": "assistant",
                "canaries": {"dataset": "canaries", "variant": "terse"},
                "reference_looks": 1,
                "evaluate": {"rate": 0.5, "per_hour": 24, "evaluators": {"relevance": JUDGE}},
            }
        }

    change(made, edit)
    judge_endpoint.default = agreeing("relevance", lambda prompt: Answer(grade(5 if GOOD in prompt else 1)))
    return made


def grade(score: int) -> str:
    return json.dumps({"score": score, "reason": "so", "explanation": "so"})


@pytest.fixture
def ledger(folder):
    opened = open_ledger(".driftgate/ledger.db", folder)
    yield opened
    opened.close()


@pytest.fixture
def send(folder) -> Iterator[object]:
    """``send(start, hours, answer)``: twelve calls an hour, by the stock exporter to a receiver as the service's."""

    def send(start: datetime, hours: int, answer, *, content=True, told=None) -> None:
        config = EvaluateConfig.model_validate(
            yaml.safe_load((folder / "driftgate.yaml").read_text("utf-8"))["monitors"]["watch"]["evaluate"]
        )
        where = folder / ".driftgate/telemetry"
        with Store(where) as store:
            app = FastAPI()
            app.include_router(receiver(store, lambda: None, intake(where, [config])))
            listening = socket.create_server(("127.0.0.1", 0))
            server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
            thread.start()
            try:
                exporter = OTLPSpanExporter(f"http://127.0.0.1:{listening.getsockname()[1]}/v1/traces", timeout=30)
                provider = TracerProvider()
                provider.add_span_processor(BatchSpanProcessor(exporter))
                _emit(provider.get_tracer("app"), start, hours, answer, content, told)
                provider.shutdown()
            finally:
                server.should_exit = True
                thread.join()

    yield send


def _emit(tracer, start, hours, answer, content, told) -> None:
    for n in range(12 * hours):
        at = int((start + timedelta(minutes=5 * n)).timestamp() * 1e9)
        name = SLICES[n % 2]
        attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-live",
            "gen_ai.response.model": "gpt-live-1",
            "driftgate.slice": name,
            "session.id": f"s{start.timestamp()}-{n}",
        }
        if content(name) if callable(content) else content:
            asked, said = f"연차를 넘길 수 있나요? 연락처는 kim{n}@example.kr 입니다.", answer(name, n)
            attributes["gen_ai.input.messages"] = json.dumps([{"role": "user", "content": asked}])
            attributes["gen_ai.output.messages"] = json.dumps([{"role": "assistant", "content": said}])
        span = tracer.start_span("chat gpt-live", kind=SpanKind.CLIENT, attributes=attributes, start_time=at)
        if told is not None:
            result = {"gen_ai.evaluation.name": "thumbs", "gen_ai.evaluation.score.value": told(name, n)}
            span.add_event("gen_ai.evaluation.result", result, timestamp=at)
        span.end(at + 10**9)


def good(name: str, n: int) -> str:
    return GOOD


def travel_fell(name: str, n: int) -> str:
    return BAD if name == "travel" and n % 3 else GOOD


def check(cli, folder):
    return cli("monitor", "check", "watch", "-w", folder)


def newest(ledger):
    return next(row for row in looks_of(ledger, "watch") if row.of == "answers")


def drawn_calls(folder):
    calls = frame(folder / ".driftgate/telemetry", NOW - LONG, NOW + LONG)
    return calls, [is_drawn(*ids, 0.5, 0) for ids in zip(calls["trace_id"], calls["span_id"], strict=True)]


def test_quality_that_falls_in_one_slice_is_named_while_canaries_are_quiet(
    cli, folder, send, ledger, judge_endpoint
) -> None:
    send(NOW - timedelta(days=6), 96, good)
    assert check(cli, folder).code == 4  # nothing in the current window
    send(NOW - timedelta(hours=23), 22, travel_fell)
    done = check(cli, folder)
    assert done.code == 1, done.out + done.err
    assert newest(ledger).conclusion.result == "moved"
    (alert,) = [row.alert for row in alerts_of(ledger)]
    assert (alert.signal, alert.moved, alert.slices) == ("relevance.passed", "fell", ("travel",))
    canaries = next(row for row in looks_of(ledger, "watch") if row.of == "canaries")
    assert canaries.conclusion.result == "quiet"
    told = cli("monitor", "explain", "latest", "-w", folder)
    assert told.code == 0, told.out + told.err
    assert "its anchors: " in told.out and "are quiet" in told.out
    kept = newest(ledger).findings[0]
    assert set(kept["slices"]) == set(SLICES)
    for one in (kept["everywhere"], *kept["slices"].values()):
        assert one["p_value"] is not None and one["n_current"] >= 10 and one["low"] < one["high"]
    # Only what was drawn was kept, redacted, and graded, each call once.
    calls, drawn = drawn_calls(folder)
    assert calls["output_text"].notna().tolist() == drawn
    assert not calls["input_text"].dropna().str.contains("example.kr").any()
    graded = [
        request.prompt for request in judge_endpoint.requests if "kim" in request.prompt or "연락처" in request.prompt
    ]
    assert len(graded) == sum(drawn)
    asked = len(judge_endpoint.requests)
    assert check(cli, folder).code == 1
    assert len(judge_endpoint.requests) == asked  # nothing is graded twice, and the anchors once a day


def test_what_users_say_is_a_signal_without_any_judge(cli, folder, send, ledger) -> None:
    change(folder, lambda config: config["monitors"]["watch"]["evaluate"].pop("evaluators"))
    send(NOW - timedelta(days=6), 96, good, content=False, told=lambda name, n: 1.0)
    send(NOW - timedelta(hours=23), 22, good, content=False, told=lambda name, n: float(name != "billing" or n % 3 > 0))
    check(cli, folder)
    assert [(row.alert.signal, row.alert.slices) for row in alerts_of(ledger)] == [("told.thumbs", ("billing",))]
    explained = cli("monitor", "explain", "latest", "-w", folder)
    assert explained.code == 0 and "told.thumbs" in explained.out, explained.err


def test_feedback_that_ceases_is_not_quiet(cli, folder, send, ledger) -> None:
    change(folder, lambda config: config["monitors"]["watch"]["evaluate"].pop("evaluators"))
    send(NOW - timedelta(days=6), 48, good, content=False, told=lambda name, n: 1.0)
    send(NOW - timedelta(hours=23), 22, good, content=False)
    assert check(cli, folder).code == 4
    assert "told.thumbs, which earlier ones had" in newest(ledger).conclusion.reason


def test_calls_that_tell_no_content_are_unmeasurable(cli, folder, send, ledger) -> None:
    send(NOW - timedelta(hours=20), 10, good, content=False)
    assert check(cli, folder).code == 4
    assert "none tells what was asked and answered" in newest(ledger).conclusion.reason


@pytest.mark.parametrize("silent", [("billing", "travel"), ("travel",)])
def test_content_that_most_calls_or_a_slice_cease_to_tell_is_unmeasurable(cli, folder, send, ledger, silent) -> None:
    send(NOW - timedelta(days=6), 96, good)
    send(NOW - timedelta(hours=23), 4, good)
    send(NOW - timedelta(hours=18), 17, good, content=lambda name: name not in silent)
    assert check(cli, folder).code == 4
    told = newest(ledger).conclusion.reason
    assert "tell what was asked and answered; of those before it" in told
    assert ("of slice 'travel'" in told) == (silent == ("travel",))


def test_a_judge_that_its_anchors_do_not_admit_decides_nothing_and_grades_nothing(
    cli, folder, send, ledger, judge_endpoint
) -> None:
    judge_endpoint.default = Answer(grade(5))
    send(NOW - timedelta(hours=23), 22, travel_fell)
    assert check(cli, folder).code == 4
    assert "judge unvalidated" in newest(ledger).conclusion.reason
    assert not any("연락처" in request.prompt for request in judge_endpoint.requests)


def test_errors_of_the_judge_are_no_grades(cli, folder, send, ledger, judge_endpoint) -> None:
    honest = judge_endpoint.default
    send(NOW - timedelta(days=6), 48, good)
    send(NOW - timedelta(hours=23), 22, good)
    judge_endpoint.default = lambda prompt: Status(500, {}) if "연락처" in prompt else honest(prompt)
    assert check(cli, folder).code == 4
    assert "have no grade" in newest(ledger).conclusion.reason
    judge_endpoint.default = honest  # what was not graded is graded when the judge is there again
    assert check(cli, folder).code == 0
    assert newest(ledger).conclusion.result == "quiet"


def test_a_judge_with_a_known_error_is_weighed_with_it(cli, folder, send, ledger, judge_endpoint) -> None:
    send(NOW - timedelta(days=6), 48, travel_fell)
    send(NOW - timedelta(hours=23), 22, travel_fell)
    check(cli, folder)
    details = {"confusion": {"passed": {"passed": 81, "failed": 9}, "failed": {"passed": 9, "failed": 21}}}
    for pin in {row.pin for row in _anchor_rows(ledger)}:
        add_calibration(ledger, "answer.relevance", pin, details)
    check(cli, folder)
    finding = newest(ledger).findings[0]
    # True passes less false ones: 81/90 - 9/30.
    assert finding["floor"] == pytest.approx(0.05 * (81 / 90 - 9 / 30))
    detail = finding["everywhere"]["detail"]
    judge = finding["everywhere"]["current_value"]
    assert 0.5 < judge < 0.8 and detail["labels"] == 120
    assert detail["by_people"] == pytest.approx((judge - 0.3) / 0.6)
    assert detail["by_people_low"] < detail["by_people"] < detail["by_people_high"]


def _anchor_rows(ledger):
    from driftgate.ledger import anchor_grades_of, latest_runs

    (run,) = latest_runs(ledger, 1, suite="answers-watch")
    assert run.plan["drawn"] == {"seed": 0, "rate": 0.5, "per_hour": 24}
    return anchor_grades_of(ledger, run.id)


def test_who_is_killed_while_grading_grades_nothing_twice(folder, send, ledger, judge_endpoint) -> None:
    send(NOW - timedelta(hours=23), 22, good)
    honest = judge_endpoint.default
    judge_endpoint.default = lambda prompt: Answer(honest(prompt).text, seconds=0.05 if "연락처" in prompt else 0.0)
    command = [sys.executable, "-m", "driftgate", "monitor", "check", "watch", "-w", str(folder)]

    def asked() -> int:
        return sum("연락처" in request.prompt for request in judge_endpoint.requests)

    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ)
    until = time.monotonic() + 240
    while asked() < 40 and time.monotonic() < until and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    assert asked() >= 40
    subprocess.run(command, env=os.environ, check=False, capture_output=True, timeout=240)
    _, drawn = drawn_calls(folder)
    (run,) = {row.pin for row in _graded(ledger)}
    rows = _graded(ledger)
    assert len(rows) == len({row.key for row in rows}) == sum(drawn) and run
    assert sum(drawn) <= asked() <= sum(drawn) + 8  # what was under way when it died is asked again


def _graded(ledger):
    from sqlalchemy import text

    with ledger.read() as connection:
        pins = connection.execute(text("select distinct pin from graded_calls")).scalars().all()
    return [row for pin in pins for row in graded_between(ledger, "watch", pin, NOW - LONG, NOW + LONG)]


def test_an_hour_s_budget_goes_to_every_slice_in_turn() -> None:
    hour = datetime(2026, 11, 2, 9, tzinfo=UTC)
    names = ["common"] * 90 + ["rare"] * 3
    waiting = [Candidate("5b" * 16, f"{n:016x}", name, hour) for n, name in enumerate(names)]
    taken = list(in_turn(waiting, {}, 10, seed=1))
    assert Counter(one.slice for one in taken) == {"common": 7, "rare": 3}
    assert taken == list(in_turn(waiting[::-1], {}, 10, seed=1))
    assert list(in_turn(waiting, {hour: {"common": 7, "rare": 3}}, 10, seed=1)) == []
    assert [one.slice for one in in_turn(waiting, {hour: {"common": 5}}, 8, seed=1)] == ["rare"] * 3
    later = Candidate("5b" * 16, "f" * 16, "rare", hour + timedelta(hours=1))
    assert next(iter(in_turn([*waiting, later], {}, 10, seed=1))) == later
