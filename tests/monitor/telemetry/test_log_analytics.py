"""Azure Monitor Logs: the real client against a loopback service; windows, partial results, retries, no span twice."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from logs_endpoint import LogsEndpoint, self_signed

from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger
from driftgate.monitor.ngrams import ngrams
from driftgate.monitor.telemetry import Intake, Store, frame, steps
from driftgate.monitor.telemetry.sources import Collected, log_analytics, parse_config

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
WORKSPACE = "00000000-0000-0000-0000-000000000001"


class Credential:
    """Always the same token."""

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken("of-the-test", int(time.time()) + 3600)


@pytest.fixture(params=["http", "https"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LogsEndpoint]:
    served = LogsEndpoint(certificate=self_signed(tmp_path / "certificate.pem") if request.param == "https" else None)
    served.start()
    yield served
    served.stop()


@pytest.fixture
def plain_service() -> Iterator[LogsEndpoint]:
    served = LogsEndpoint()
    served.start()
    yield served
    served.stop()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "telemetry") as opened:
        yield opened


def config_for(service: LogsEndpoint, **settings: Any) -> Any:
    return parse_config(
        {
            "source": "log_analytics",
            "workspace_id": WORKSPACE,
            "endpoint": service.address,
            "certificate": str(service.certificate) if service.certificate else None,
            "enforce_https": service.certificate is not None,
            "since": START,
            "lag": timedelta(0),
            "overlap": timedelta(0),
            **settings,
        }
    )


@pytest.fixture
def collect(store: Store, ledger: Ledger) -> Callable[..., Collected]:
    def run(service: LogsEndpoint, now: datetime, intake: Intake | None = None, **settings: Any) -> Collected:
        options = {"retry_total": 2, "retry_backoff_factor": 0.01}
        config = config_for(service, **settings)
        return log_analytics.collect_with(Credential(), config, store, ledger, intake or Intake(), now, options)

    return run


def span(minute: float, **fields: Any) -> dict[str, Any]:
    number = int(minute * 60) + 1
    properties = {
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "az.ai.openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.finish_reasons": "('stop',)",
        "gen_ai.usage.input_tokens": "12",
        "driftgate.parsed": "False",
        **fields.pop("properties", {}),
    }
    return {
        "TimeGenerated": (START + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "OperationId": f"{number:032x}",
        "Id": f"{number:016x}",
        "DurationMs": 500.0,
        "Success": True,
        "ItemCount": 1,
        "Properties": json.dumps(properties),
        **fields,
    }


def stored(store: Store) -> Any:
    return frame(store.folder, START, START + timedelta(days=30))


def test_a_span_that_does_not_say_whether_it_succeeded_is_not_known_to_have(
    service: LogsEndpoint, store: Store, collect: Callable[..., Collected]
) -> None:
    named = {"properties": {"error.type": "timeout"}}
    service.spans = [span(0, Success=None), span(1, Success=None, **named), span(2), span(3, Success=False)]
    assert collect(service, START + HOUR).calls == 4
    assert stored(store)["error"].tolist() == [None, "timeout", "", "error"]


def test_spans_are_read_as_model_calls(service: LogsEndpoint, store: Store, collect: Callable[..., Collected]) -> None:
    sent = json.dumps([{"role": "user", "content": "Is 17 prime?"}])
    service.spans = [
        span(0, ItemCount=4, properties={"gen_ai.input.messages": sent}),
        span(1, Success=False, properties={"gen_ai.input.messages": sent.ljust(9000)[:8192]}),
        span(2, properties={"gen_ai.operation.name": "execute_tool"}),
    ]
    assert collect(service, START + HOUR).calls == 2
    table = stored(store)
    first = table.iloc[0]
    assert (first["provider"], first["finish_reason"], first["input_tokens"]) == ("azure.ai.openai", "stop", 12.0)
    assert (first["latency"], first["unparsed"], first["weight"], first["error"]) == (0.5, 1.0, 4.0, "")
    assert tuple(first["input_ngrams"]) == ngrams("Is 17 prime?")
    assert table["error"].tolist() == ["", "error"]
    assert table["input_ngrams"][1] is None  # cut by the exporter: half a text is none
    request = service.requests[0]
    assert request["path"] == f"/v1/workspaces/{WORKSPACE}/query"
    assert request["headers"]["Authorization"] == "Bearer of-the-test"
    assert request["timespan"] == "2026-03-01T00:00:00.000Z/2026-03-01T01:00:00.000Z"
    assert "| where TimeGenerated >= datetime(2026-03-01T00:00:00.000000Z)" in request["query"]
    assert "AppDependencies" in request["query"]


def test_windows_follow_each_other_behind_the_lag_and_go_on_at_the_watermark(
    plain_service: LogsEndpoint, store: Store, collect: Callable[..., Collected]
) -> None:
    service = plain_service
    service.spans = [span(minute) for minute in range(0, 300, 10)]
    now = START + 3 * HOUR
    assert collect(service, now, lag=timedelta(minutes=10)).until == now - timedelta(minutes=10)
    edges = [START, START + HOUR, START + 2 * HOUR, now - timedelta(minutes=10)]
    assert service.windows == list(itertools.pairwise(edges))
    service.requests.clear()
    collect(service, now + HOUR, lag=timedelta(minutes=10))
    assert service.windows == [(edges[-1], edges[-1] + HOUR)]
    assert len(stored(store)) == 23


def test_overlapping_windows_catch_late_spans_and_count_none_twice(
    plain_service: LogsEndpoint, store: Store, collect: Callable[..., Collected]
) -> None:
    service = plain_service
    service.spans = [span(minute) for minute in range(0, 120, 10)]
    late = service.spans.pop(10)
    collect(service, START + 2 * HOUR, overlap=timedelta(minutes=30))
    service.spans.append(late)
    assert collect(service, START + 2 * HOUR, overlap=timedelta(minutes=30)).calls == 3
    assert service.windows[-1] == (START + 1.5 * HOUR, START + 2 * HOUR)
    assert len(stored(store)) == 12
    store.compact()
    assert len(stored(store)) == 12


def test_a_partial_result_is_thrown_away_and_the_window_halved(
    plain_service: LogsEndpoint, store: Store, collect: Callable[..., Collected]
) -> None:
    service = plain_service
    service.spans = [span(minute) for minute in range(60)]
    service.limit = 20
    assert collect(service, START + HOUR).calls == 60
    assert len(stored(store)) == 60
    assert service.windows[:3] == [(START, START + HOUR / n) for n in (1, 2, 4)]
    whole = [window for window in service.windows if window[1] - window[0] <= timedelta(minutes=20)]
    assert [start for start, _ in whole] == [START, *(end for _, end in whole[:-1])]


def test_a_second_that_never_comes_whole_is_told_and_what_came_before_is_kept(
    plain_service: LogsEndpoint, store: Store, collect: Callable[..., Collected]
) -> None:
    service = plain_service
    service.limit = 2
    service.spans = [span(0), *(span(1, Id=f"{n:016x}") for n in range(100, 110))]
    with pytest.raises(DriftgateError, match="only in part"):
        collect(service, START + timedelta(minutes=2), window=timedelta(seconds=30))
    assert len(stored(store)) == 1
    service.limit = 100
    service.requests.clear()
    collect(service, START + timedelta(minutes=2), window=timedelta(seconds=30))
    assert service.windows[0][0] > START
    assert len(stored(store)) == 11


def test_throttling_is_waited_out_by_the_client(
    plain_service: LogsEndpoint, store: Store, collect: Callable[..., Collected]
) -> None:
    service = plain_service
    service.spans = [span(0)]
    service.failures = [(429, {"Retry-After": "0"})]
    assert collect(service, START + HOUR).calls == 1
    assert len(service.windows) == 2
    assert service.windows[0] == service.windows[1]


def test_a_time_out_halves_the_window(plain_service: LogsEndpoint, collect: Callable[..., Collected]) -> None:
    service = plain_service
    service.spans = [span(minute) for minute in range(60)]
    service.failures = [(504, {})] * 3  # the client's own two retries included
    assert collect(service, START + HOUR).calls == 60
    assert service.windows[3] == (START, START + HOUR / 2)


@pytest.mark.parametrize(
    ("status", "remedy"), [(401, "Log Analytics Reader"), (403, "Log Analytics Reader"), (404, "workspace_id")]
)
def test_a_refusal_says_what_to_do(
    plain_service: LogsEndpoint, collect: Callable[..., Collected], status: int, remedy: str
) -> None:
    plain_service.failures = [(status, {})]
    with pytest.raises(DriftgateError, match=remedy) as caught:
        collect(plain_service, START + HOUR)
    assert "of-the-test" not in str(caught.value)


def test_an_outage_is_told_and_the_next_collection_goes_on(
    plain_service: LogsEndpoint, store: Store, collect: Callable[..., Collected]
) -> None:
    service = plain_service
    service.spans = [span(minute) for minute in range(120)]
    collect(service, START + HOUR)
    service.stop()
    with pytest.raises(DriftgateError, match="cannot be reached"):
        collect(service, START + 2 * HOUR)
    service.start()
    assert collect(service, START + 2 * HOUR).calls == 60
    assert len(stored(store)) == 120


def test_plain_http_is_refused_unless_allowed(plain_service: LogsEndpoint, collect: Callable[..., Collected]) -> None:
    with pytest.raises(DriftgateError, match="cannot be reached"):
        collect(plain_service, START + HOUR, enforce_https=True)
    assert plain_service.requests == []


def test_what_agents_and_tools_did_is_kept_with_the_calls_within(
    plain_service: LogsEndpoint, store: Store, collect: Callable[..., Collected]
) -> None:
    trace = "7" * 32
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "refunds", "gen_ai.request.model": None}
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look_up", "gen_ai.request.model": None}
    plain_service.spans = [
        span(1, OperationId=trace, Id="a" * 16, properties=agent, Name="invoke_agent refunds"),
        span(2, OperationId=trace, Id="b" * 16, ParentId="a" * 16),
        span(3, OperationId=trace, Id="c" * 16, ParentId="a" * 16, properties=tool, Success=False),
    ]
    for _ in range(2):  # what is read again is kept once
        found = collect(plain_service, START + HOUR, overlap=HOUR)
    assert found.calls == 1
    assert stored(store)["span_id"].tolist() == ["b" * 16]
    told = steps(store.folder, START, START + HOUR)
    assert told[["kind", "step", "calls"]].to_numpy().tolist() == [["agent", "refunds", 1], ["tool", "look_up", 0]]
    assert told["error"].tolist()[0] == "" and told["error"].tolist()[1]
    assert told["input_tokens"].tolist()[0] == 12
