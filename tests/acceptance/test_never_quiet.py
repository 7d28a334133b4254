"""A watched model of whose traffic nothing, or not enough, can be seen: every look says so, none of them is quiet."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from command_line import Cli, command_line

from tests.acceptance.conftest import MODELS, SHARED, Endpoint, replay

CANARIES = 30


class Place:
    """A workspace whose live model is asked at an endpoint and whose telemetry comes from files."""

    def __init__(self, folder: Path, cli: Cli) -> None:
        self.folder, self.cli = folder, cli
        self.number = 0
        model = {"provider": "openai", "model": MODELS["phi"], "attempts": 1, "timeout": 3, "in_flight": CANARIES}
        self.config: dict[str, Any] = {
            "version": 1,
            "allowed_roots": [str(SHARED)],
            "models": {"live": model},
            "datasets": {"click": {"kind": "click", "path": str(SHARED / "data" / "click")}},
            "champions": {"assistant": "live"},
            "monitors": {
                "watch": {
                    "champion": "assistant",
                    "canaries": {"dataset": "click", "limit": CANARIES},
                    "reference_looks": 2,
                    "traffic": {},
                }
            },
        }

    def asks(self, address: str) -> None:
        self.config["models"]["live"]["endpoint"] = f"{address}/v1"

    def has(self, rows: Callable[[int, datetime], dict[str, Any] | None], ago: timedelta = timedelta(0)) -> None:
        """A new folder of calls, one every twenty minutes of the last fifteen days, and nothing of those before."""
        self.number += 1
        folder = self.folder / f"calls-{self.number}"
        folder.mkdir()
        now = datetime.now(UTC)
        times = [now - timedelta(minutes=20 * n + 1) for n in range(15 * 72)]
        told = [
            {
                "time": (time - ago).isoformat(),
                "trace_id": uuid4().hex,
                "span_id": uuid4().hex[:16],
                "request_model": "gpt-live",
                "latency": 1.0 + n % 11 / 100,
                "input_tokens": 30 + n % 7,
                "output_tokens": 20 + n % 5,
                "input_text": f"{n % 9}번 상품의 환불은 며칠 걸리나요?",
                "output_text": f"{n % 5}일 걸립니다.",
                "error": None,
                **change,
            }
            for n, time in enumerate(times)
            if (change := rows(n, time)) is not None
        ]
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in told)
        (folder / "calls.jsonl").write_text(text, encoding="utf-8")
        self.config["telemetry"] = [{"source": "files", "folder": folder.name}]
        self.config["service"] = {"telemetry": f".driftgate/telemetry-{self.number}"}

    def look(self) -> tuple[int, str]:
        """The exit code of a look, and what it said."""
        (self.folder / "driftgate.yaml").write_text(json.dumps(self.config), encoding="utf-8")
        done = self.cli("monitor", "check", "watch", "-w", self.folder)
        return done.code, done.out + done.err


def always(n: int, time: datetime) -> dict[str, Any]:
    return {}


def today(**change: Any) -> Callable[[int, datetime], dict[str, Any]]:
    """Other values in the current window."""
    return lambda n, time: change if n < 72 else {}


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return command_line(capsys, monkeypatch)


@pytest.fixture
def sound() -> Iterator[Endpoint]:
    with replay() as endpoint:
        yield endpoint


TRAFFIC: dict[str, tuple[Callable[[int, datetime], dict[str, Any] | None], int, str]] = {
    "no traffic": (lambda n, time: None if n < 72 else {}, 4, "no call was recorded in the current window"),
    "a few calls": (lambda n, time: {} if n < 5 else None, 3, "5 calls in the current window and 0 in the reference"),
    "no content": (today(input_text=None, output_text=None), 4, "no call of the current window tells"),
    "no usage": (today(input_tokens=None, output_tokens=None), 4, "tells input_length, output_length"),
    "another model": (today(request_model="gpt-new"), 4, "no call of request_model=gpt-live"),
    "slow": (today(latency=9.0), 1, "traffic: moved"),
    "failing": (today(error="timeout"), 1, "traffic: moved"),
}


FAULTY: dict[str, tuple[tuple[str, ...], str]] = {
    "down": (("--fault", "500:1"), "HTTP 500"),
    "half down": (("--fault", "500:0.5"), "HTTP 500"),
    "never answers": (("--fault", "hang:1"), "no reply within 3"),
    "a third never answers": (("--fault", "hang:0.33"), "no reply within 3"),
    "cuts replies off": (("--fault", "cut:1"), "payload is not completed"),
    "replies that are not JSON": (("--fault", "garbage:1"), "the reply is not a chat completion"),
    "too many requests, always": (("--fault", "429:1"), "HTTP 429"),
    "another key": (("--key", "a-key-of-enough-letters"), "HTTP 401"),
}


def test_a_faulty_endpoint_is_never_quiet(tmp_path: Path, sound: Endpoint, cli: Cli) -> None:
    place = Place(tmp_path, cli)
    place.config["monitors"]["watch"].pop("traffic")
    place.config["monitors"]["watch"]["canaries"]["max_minutes"] = 0.3
    place.asks(sound.address)
    for _ in range(2):
        place.look()
    code, said = place.look()
    assert (code, "look 1 at live: quiet" in said) == (0, True), said
    for name, (options, named) in FAULTY.items():
        with replay(*options) as faulty:
            place.asks(faulty.address)
            code, said = place.look()
        assert (code, named in said, "quiet" in said) == (4, True, False), (name, said)
    place.asks(faulty.address)
    code, said = place.look()
    assert (code, "nothing answers at" in said) == (4, True), said


def test_nothing_seen_is_never_quiet(tmp_path: Path, sound: Endpoint, cli: Cli) -> None:
    place = Place(tmp_path, cli)
    place.asks(sound.address)
    place.has(always)
    for _ in range(2):
        place.look()
    code, said = place.look()
    assert (code, "look 1 at live: quiet" in said, "traffic: quiet" in said) == (0, True, True), said
    for name, (rows, wanted, reason) in TRAFFIC.items():
        place.has(rows)
        code, said = place.look()
        assert (code, reason in said, "traffic: quiet" in said) == (wanted, True, False), (name, said)
    place.has(always, ago=timedelta(hours=-10))
    code, said = place.look()
    assert (code, "cannot be told from those to come" in said) == (4, True), said
