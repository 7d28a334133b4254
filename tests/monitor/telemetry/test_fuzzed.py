"""Whatever is sent is read or refused: no reply of 500, no neighbour lost, memory that does not grow with what came."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import otlp_bodies as otlp
import pytest
import requests
from dialect_examples import EXAMPLES
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from driftgate.api.telemetry import intake
from driftgate.monitor.telemetry import Intake, Refused, decode, decode_logs, frame, to_arrow

ROOT = Path(__file__).parents[3]
CASES = ROOT.parent / "shared" / "cases"
TOKEN = {"authorization": "Bearer of-the-test"}
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
LONG_AGO, FAR_AHEAD = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
DEEP = "in its place come lists within each other"
STRANGE: tuple[Any, ...] = (
    *(
        None,
        True,
        0,
        -1,
        2**63,
        -(2**70),
        10**400,
        1.5,
        1e308,
        float("nan"),
        float("inf"),
        "",
        "x",
        "\ud800",
        "9" * 5_000,
    ),
    *("1e999", "-0", "NaN", "0x10", [], [[]], {}, {"": {}}, [None, 1, "a"], {"stringValue": 1}, {"intValue": "1e9"}),
    *({"arrayValue": {"values": [None]}}, {"kvlistValue": {"values": "x"}}, {"bytesValue": "?"}, "\x00", "가" * 300),
)
PIECES = (
    *(b"\xed\xa0\x80", b"\\ud800", b'{"a":' * 50, b"[[[[", b"null", b"1e999", b"-1", b"9" * 400, b"\x00", b"\xff\xff"),
    *(b"\x0a\xff\xff\xff\xff\x0f", b"\x80" * 12, b'"', b"}", b"\\"),
)


def deep(levels: int) -> str:
    """The JSON of a value with so many lists within each other."""
    return '{"arrayValue": {"values": [' * levels + '{"stringValue": "x"}' + "]}}" * levels


def seeds() -> list[bytes]:
    """Real bodies: an example of every dialect, log records of every kind, and the cases beside the project."""
    found = [
        otlp.body(
            otlp.span(1, one.attributes, one.scope, name=one.name, events=[otlp.event(n, of=t) for n, t in one.events]),
            otlp.span(2, CHAT),
        )
        for one in EXAMPLES.values()
    ]
    said = {"content": "x", "message": {"content": "y"}}
    kinds = ("gen_ai.system.message", "gen_ai.user.message", "gen_ai.choice", "gen_ai.evaluation.result", "log")
    found.append(otlp.logs_body(*(otlp.log(n, kind, said) for n, kind in enumerate(kinds, 1))))
    found += [path.read_bytes() for path in sorted(CASES.glob("tel_*/body*.json"))]
    return [body for body in found if len(body) < 50_000]


def of_wrong_type(document: Any, rng: random.Random) -> Any:
    """The document with the value of one place, whichever, replaced by a strange one."""
    places: list[tuple[Any, Any]] = []
    waiting = [document]
    while waiting:
        inner = waiting.pop()
        for key in inner.keys() if isinstance(inner, dict) else range(len(inner)):
            places.append((inner, key))
            if isinstance(inner[key], (dict, list)):
                waiting.append(inner[key])
    holder, key = rng.choice(places)
    holder[key] = DEEP if rng.random() < 0.1 else rng.choice(STRANGE)
    return document


def fuzzed(count: int, seed: int) -> Iterator[tuple[bytes, str]]:
    """Bodies with something wrong: bytes changed, cut, put in; values of a wrong type at any place."""
    rng = random.Random(seed)
    pool = seeds()
    documents = [body for body in pool if body.startswith(b"{")]
    packed = [otlp.in_protobuf(body) for body in pool[: len(EXAMPLES) + 1]]
    for _ in range(count):
        way = rng.randrange(4)
        if way == 0:
            written = json.dumps(of_wrong_type(json.loads(rng.choice(documents)), rng), ensure_ascii=rng.random() < 0.5)
            written = written.replace(f'"{DEEP}"', deep(rng.choice((30, 60, 200, 900))))
            yield written.encode("utf-8", "surrogatepass"), otlp.JSON
            continue
        encoding = otlp.JSON if way == 1 else otlp.PROTOBUF
        body = bytearray(rng.choice(pool if way == 1 else packed))
        for _ in range(rng.randrange(1, 6)):
            at = rng.randrange(len(body) + 1)
            kind = rng.randrange(5)
            if kind == 0 and at < len(body):
                body[at] ^= 1 << rng.randrange(8)
            elif kind == 1:
                del body[at : at + rng.randrange(1, 30)]
            elif kind == 2:
                body[at:at] = rng.randbytes(rng.randrange(1, 10))
            elif kind == 3:
                body[at:at] = rng.choice(PIECES)
            else:
                del body[at:]
        yield bytes(body), encoding


def resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def read_or_refused(count: int, seed: int, folder: Path) -> Counter[str]:
    """Decode fuzzed bodies as spans and as log records; what is read goes into columns."""
    found: Counter[str] = Counter()
    believed: Intake = intake(folder)
    after_first = 0
    for number, (body, encoding) in enumerate(fuzzed(count, seed)):
        for decoder in (decode, decode_logs):
            try:
                decoded = decoder(body, encoding, "", believed)
            except Refused as refused:
                assert refused.status == 400
                found["refused"] += 1
            else:
                assert to_arrow(decoded.calls).num_rows == len(decoded.calls)
                found["read"] += 1
                found["calls"] += len(decoded.calls)
        if number == count // 10:
            after_first = resident()
    assert resident() - after_first < 200 * 2**20
    return found


@pytest.mark.core
def test_fuzzed_bodies_are_read_or_refused(tmp_path: Path) -> None:
    found = read_or_refused(1_000, 1, tmp_path)
    assert found["read"] > 300 and found["refused"] > 300 and found["calls"] > 300


@pytest.mark.acceptance
@pytest.mark.timeout(3600)
def test_100000_fuzzed_bodies_are_read_or_refused(tmp_path: Path) -> None:
    found = read_or_refused(100_000, 2, tmp_path)
    print(f"\n{dict(found)}, {resident() / 2**20:.0f} MiB")
    assert found["read"] > 30_000 and found["refused"] > 30_000 and found["calls"] > 30_000


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[tuple[str, int, Path]]:
    """A receiver in a process of its own: address, process, folder."""
    folder, told = tmp_path / "telemetry", tmp_path / "port"
    program = Path(__file__).with_name("receiver_process.py")
    process = subprocess.Popen([sys.executable, program, folder, told, "5"], cwd=ROOT)
    while not told.exists():
        assert process.poll() is None
        time.sleep(0.02)
    yield f"http://127.0.0.1:{told.read_text()}", process.pid, folder
    process.kill()
    process.wait()


def replies(address: str, bodies: Iterator[tuple[bytes, str]]) -> Counter[int]:
    session = requests.Session()
    session.headers.update(TOKEN)
    found: Counter[int] = Counter()
    for number, (body, encoding) in enumerate(bodies):
        path = "/v1/logs" if number % 3 == 0 else "/v1/traces"
        found[session.post(address + path, body, headers={"content-type": encoding}, timeout=60).status_code] += 1
    return found


@pytest.mark.core
@pytest.mark.parametrize("count", [100, pytest.param(5_000, marks=[pytest.mark.acceptance, pytest.mark.timeout(1800)])])
def test_the_receiver_answers_every_fuzzed_body(receiver: tuple[str, int, Path], count: int) -> None:
    address, _, folder = receiver
    found = replies(address, fuzzed(count, 3))
    assert set(found) == {200, 400} and sum(found.values()) == count
    body = otlp.body(otlp.span(70_000, CHAT))
    assert replies(address, iter([(otlp.logs_body(), otlp.JSON), (body, otlp.JSON)])) == {200: 2}
    assert f"{70_000:016x}" in frame(folder, LONG_AGO, FAR_AHEAD)["span_id"].tolist()


@pytest.mark.parametrize("encoding", [otlp.JSON, otlp.PROTOBUF])
def test_the_sender_is_told_of_a_hundred_poisoned_spans_and_no_neighbour_is_lost(
    receiver: tuple[str, int, Path], encoding: str
) -> None:
    address, _, folder = receiver
    spans = [otlp.span(n, CHAT) for n in range(1, 501)]
    for number in range(100):
        poison = ({"startTimeUnixNano": "0"}, {"spanId": ""}, {"attributes": otlp.pairs({"x": [DEEP]})})
        spans.insert(5 * number, {**otlp.span(9_000 + number, CHAT), **poison[number % 3]})
    body = otlp.body(*spans).replace(json.dumps({"stringValue": DEEP}).encode(), deep(42).encode())
    sent = body if encoding == otlp.JSON else otlp.in_protobuf(body)
    reply = requests.post(f"{address}/v1/traces", sent, headers=TOKEN | {"content-type": encoding}, timeout=60)
    assert reply.status_code == 200
    if encoding == otlp.JSON:
        told = reply.json()["partialSuccess"]
        rejected, why = int(told["rejectedSpans"]), told["errorMessage"]
    else:
        partial = ExportTraceServiceResponse.FromString(reply.content).partial_success
        rejected, why = partial.rejected_spans, partial.error_message
    assert rejected == 100
    assert all(part in why for part in ("34 without a start time", "33 without 16 bytes", "33 that could not be read"))
    found = frame(folder, LONG_AGO, FAR_AHEAD)["span_id"].tolist()
    assert sorted(int(span, 16) for span in found) == list(range(1, 501))


def large_body(first: int, count: int) -> bytes:
    spans: list[Any] = [
        {
            "trace_id": number.to_bytes(16, "big"),
            "span_id": number.to_bytes(8, "big"),
            "start_time_unix_nano": otlp.NOON + number,
            "end_time_unix_nano": otlp.NOON + number + 10**9,
            "attributes": [{"key": name, "value": {"string_value": value}} for name, value in CHAT.items()],
        }
        for number in range(first, first + count)
    ]
    scopes: Any = [{"scope_spans": [{"spans": spans}]}]
    return zlib.compress(ExportTraceServiceRequest(resource_spans=scopes).SerializeToString(), wbits=31)


def peak(process: int) -> int:
    """MiB that a process had in memory at most."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="what a process takes is read from /proc")
@pytest.mark.parametrize(
    ("bodies", "spans", "most"),
    [(4, 6_000, 200), pytest.param(16, 60_000, 1_000, marks=[pytest.mark.acceptance, pytest.mark.timeout(1800)])],
)
def test_many_bodies_at_once_take_bounded_memory(
    receiver: tuple[str, int, Path], bodies: int, spans: int, most: int
) -> None:
    """The receiver's room bounds what is decoded at once; the rest is compaction, which merges a day's parts."""
    address, process, folder = receiver
    replies(address, iter([(otlp.logs_body(), otlp.JSON)]))
    before = peak(process)
    made = [large_body(1 + number * spans, spans) for number in range(bodies)]
    headers = TOKEN | {"content-type": otlp.PROTOBUF, "content-encoding": "gzip"}
    given: Counter[int] = Counter()

    def send(body: bytes) -> None:
        for _ in range(1_000):
            status = requests.post(f"{address}/v1/traces", body, headers=headers, timeout=600).status_code
            given[status] += 1
            if status == 200:
                return
            time.sleep(0.2)

    threads = [threading.Thread(target=send, args=(body,)) for body in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(
        f"\n{bodies} bodies of {spans} spans: {before} MiB before, {peak(process)} MiB at most; replies {dict(given)}"
    )
    assert given[200] == bodies and set(given) <= {200, 503}
    assert peak(process) - before < most
    assert len(frame(folder, LONG_AGO, FAR_AHEAD, columns=("span_id",))) == bodies * spans
