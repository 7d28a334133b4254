"""How fast the console's pages are on a large ledger, with many readers.

Run it as ``python -m benchmarks.perf.console_load [--runs 100] [--samples 35030] [--readers 200] [--seconds 60]``.
It makes a ledger of so many runs of so many samples each, the newest run with three cells, and prints

- what each page takes when it is asked for the first time and nothing is kept, one request at a time;
- sample search in the newest run's three cells, by a text that a few samples have and by one that none has, and in what
  nodes gave, which is packed: how much of it is searched in that time, and how long all of it takes;
- the 50th and 95th percentile of what each page takes while so many readers each open a page every two seconds, among
  them pages of any run, from a server that is a process of its own.

With ``--keep FOLDER`` the ledger is made there once and used again.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text

from driftgate.benchmarks.datasets import Sample, make_sample
from driftgate.ledger import (
    Ledger,
    ScoreRow,
    add_cell,
    add_scores,
    add_verdict,
    find_run,
    finish_run,
    latest_runs,
    open_ledger,
    pack_details,
    start_run,
)
from driftgate.ledger._schema import outcomes

_CONFIG = """version: 1
name: load
models: {small: {provider: openai, endpoint: "http://127.0.0.1:9/v1", model: m}}
champions: {assistant: small}
suites: {nightly: {models: [small], datasets: [exam]}}
datasets: {exam: {kind: csv, path: exam.csv}}
"""
_SERVE = """
import sys, uvicorn, driftgate
from fastapi import FastAPI
from driftgate.service import Identity
from driftgate.service.console import Console, router
from driftgate.service._scrubbed import WithoutSecrets
app = FastAPI()
who = Identity("reader", frozenset({"read"}))
app.include_router(router(Console(driftgate.open(sys.argv[1])), lambda scope: lambda: who))
app.add_middleware(WithoutSecrets)
uvicorn.run(app, port=int(sys.argv[2]), log_level="error", access_log=False, timeout_keep_alive=120)
"""
_WORDS = ("건축구조", "회계", "지구과학", "형법", "전기자기학", "교육학", "농업", "보건")


def questions(count: int) -> list[Sample]:
    """Questions as long as those of KMMLU, in 45 categories."""
    rng = random.Random(0)
    found = []
    for n in range(count):
        words = " ".join(rng.choice(_WORDS) for _ in range(18))
        choices = [" ".join(rng.choice(_WORDS) for _ in range(4)) for _ in range(4)]
        data = {"question": f"문제 {n}: {words} 다음 중 옳은 것은?", "choices": choices, "answer": "ABCD"[n % 4]}
        found.append(make_sample("exam", "test", n, data, id=f"q{n}", category=f"범주 {n % 45}"))
    return found


def make(folder: Path, runs: int, samples: int) -> None:
    """Write the workspace and fill its ledger."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "driftgate.yaml").write_text(_CONFIG, encoding="utf-8")
    (folder / "exam.csv").write_text("id,question,answer\n", encoding="utf-8")
    ledger = open_ledger(".driftgate/ledger.db", folder)
    everything, now = questions(samples), datetime.now(UTC)
    first = 0
    for n in range(runs):
        at = now - timedelta(days=runs - n)
        run = start_run(ledger, "nightly", {"cells": [{}]}, "hash", 0, "0.1", id=f"{at:%Y%m%d-%H%M%S}-nightly-{n:04x}")
        for ordinal in range(3 if n == runs - 1 else 1):
            cell = add_cell(ledger, run.id, ordinal, _cell(f"model-{ordinal}"), [] if first else everything)
            _answer(ledger, cell, first, at, texts=n == runs - 1)
            first = first or cell
            score = ScoreRow("accuracy", "all", "", 0.7, 0.695, 0.705, samples)
            slices = [ScoreRow("accuracy", "category", f"범주 {k}", 0.7, 0.6, 0.8, samples // 45) for k in range(45)]
            shares = {
                "answered": 0.99,
                "unparsed": 0.0,
                "truncated": 0.0,
                "filtered": 0.0,
                "failed": 0.01,
                "missing": 0.0,
            }
            counted = {name: round(value * samples) / samples for name, value in shares.items()}
            told = [ScoreRow(f"share.{name}", "all", "", value, None, None, samples) for name, value in counted.items()]
            add_scores(ledger, cell, "v", [score, *told, *slices])
        finish_run(ledger, run.id)
        add_verdict(ledger, run.id, "release", "pass" if n % 7 else "fail", {"rules": []})
        moved = {"at": f"{at:%Y-%m-%d %H:%M:%S}.000000", "id": run.id}
        with ledger.write() as connection:
            connection.execute(text("UPDATE runs SET created_at = :at, finished_at = :at WHERE id = :id"), moved)
    pack_details(ledger)
    ledger.close()


def _cell(model: str) -> dict[str, Any]:
    details = {"nodes": ["reply"], "n": 0}
    names = {"flow": "multiple_choice", "variant": "terse", "dataset": "exam", "signature": "v"}
    return {"model": model, **names, "details": details}


def _answer(ledger: Ledger, cell: int, first: int, at: datetime, *, texts: bool) -> None:
    """Answer every sample of the first cell, by the database itself: one in a hundred fails, three in ten are wrong."""
    names = [column.name for column in outcomes.c]
    chance = "((s.sample_id * 7919 + :cell * 104729) % 1000)"
    said = {
        "cell_id": ":cell", "sample_id": "s.sample_id", "round": "0", "rule": "'letter'", "finish_reason": "'stop'",
        "outcome": f"CASE WHEN {chance} < 10 THEN 'failed' ELSE 'answered' END",
        "answer": f"CASE WHEN {chance} < 10 THEN NULL ELSE substr('ABCD', 1 + {chance} % 4, 1) END",
        "correct": f"CASE WHEN {chance} < 10 THEN NULL WHEN {chance} < 300 THEN 0.0 ELSE 1.0 END",
        "error": f"CASE WHEN {chance} < 10 THEN 'timed out after 60 s' ELSE '' END",
        "latency": f"{chance} / 1000.0", "input_tokens": "180", "output_tokens": "12", "cost": "0.0004",
        "seconds": "0.5", "served_model": "'m'", "fingerprint": "'fp'", "attempts": "1", "cached": "0",
        "finished_at": ":at", "reasoning_tokens": "NULL", "cached_tokens": "NULL",
    }  # fmt: skip
    given = {"cell": cell, "first": first or cell, "at": f"{at:%Y-%m-%d %H:%M:%S}.000000"}
    source = "FROM asked s WHERE s.cell_id = :first"
    copied = f"INSERT INTO asked (cell_id, sample_id, ordinal) SELECT :cell, s.sample_id, s.ordinal {source}"
    answered = f"INSERT INTO outcomes ({', '.join(names)}) SELECT {', '.join(said[name] for name in names)} {source}"
    prompt = "json_quote(json_extract(t.data, '$.question'))"
    letter = "substr('ABCD', 1 + s.sample_id % 4, 1)"
    reply = f"json_object('text', '근거를 적습니다. 따라서 정답은 ' || {letter} || ' ' || t.id)"
    outputs = [
        "INSERT INTO node_outputs (cell_id, sample_id, round, node, status, output, seconds, error) "
        f"SELECT :cell, s.sample_id, 0, '{node}', 'completed', {said_}, 0.4, '' "
        "FROM asked s JOIN samples t ON t.id = s.sample_id WHERE s.cell_id = :first"
        for node, said_ in (("prompt", prompt), ("reply", reply))
    ]
    with ledger.write() as connection:
        if first:
            connection.execute(text(copied), given)
        connection.execute(text(answered), given)
        if texts:
            for output in outputs:
                connection.execute(text(output), given)


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The pages, from a process of their own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", _SERVE, str(folder), str(port)])
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(400):
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{base}/static/console.css", timeout=1)
                break
            time.sleep(0.1)
        yield base
    finally:
        process.terminate()
        process.wait(10)


def pages_of(run_ids: list[str]) -> dict[str, list[str]]:
    """Addresses by the name of their page."""
    newest, before = run_ids[0], run_ids[1]
    return {
        "overview": ["/"],
        "runs": ["/runs", "/runs?verdict=fail", "/runs?sort=-run&page=2"],
        "run": [f"/runs/{one}" for one in run_ids],
        "wrong samples": [f"/runs/{one}?show=wrong&page=9" for one in run_ids[:20]],
        "sample": [f"/runs/{newest}/{c}/{1 + n * 97}" for c in range(3) for n in range(40)],
        "suite": ["/suites/nightly"],
        "gate": [f"/gates/{one}" for one in run_ids[:20]],
        "compare": [f"/compare?a={before}/0&b={newest}/0"],
        "monitors": ["/monitors"],
        "champions": ["/champions"],
        "datasets": ["/datasets", "/datasets/exam", "/datasets/exam?category=범주 3"],
        "jobs": ["/jobs"],
        "review": ["/review"],
    }


def searches(newest: str) -> dict[str, str]:
    """Searches in the three cells of the newest run."""
    return {
        "a text of few samples": f"/runs/{newest}?q=문제 1234",
        "a text of no sample": f"/runs/{newest}?q=nowhere",
        "a text of every sample": f"/runs/{newest}?q=다음 중",
        "in outputs of nodes": f"/runs/{newest}?q=따라서 정답은 A&in=outputs",
        "wrong ones of a category": f"/runs/{newest}?show=wrong&category=범주 3",
        "ordered by latency": f"/runs/{newest}?sort=-latency",
    }


def once(base: str, address: str) -> float:
    """What one request takes, in milliseconds."""
    began = time.perf_counter()
    reply = httpx.get(base + address, timeout=60)
    assert reply.status_code == 200, (address, reply.text[:300])
    return 1000 * (time.perf_counter() - began)


async def crowd(base: str, pages: dict[str, list[str]], readers: int, seconds: float) -> dict[str, list[float]]:
    """Many readers, each of whom opens a page every two seconds; what each request took, in milliseconds."""
    took: dict[str, list[float]] = defaultdict(list)
    ends = time.monotonic() + seconds
    limits = httpx.Limits(max_connections=readers, max_keepalive_connections=readers)

    async def read(client: httpx.AsyncClient, seed: int) -> None:
        rng = random.Random(seed)
        await asyncio.sleep(2 * rng.random())
        while time.monotonic() < ends:
            name = rng.choice(list(pages))
            began = time.perf_counter()
            reply = await client.get(base + rng.choice(pages[name]))
            took[name].append(1000 * (time.perf_counter() - began))
            assert reply.status_code == 200, (name, reply.status_code)
            await asyncio.sleep(max(0.0, 2 - (time.perf_counter() - began)))

    async with httpx.AsyncClient(timeout=60, limits=limits) as client:
        await asyncio.gather(*(read(client, seed) for seed in range(readers)))
    return took


def share(values: list[float], part: float) -> float:
    """A percentile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--samples", type=int, default=35_030)
    parser.add_argument("--readers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--keep", type=Path)
    wanted = parser.parse_args()
    folder = wanted.keep or Path(tempfile.mkdtemp(prefix="console-load-"))
    if not (folder / "driftgate.yaml").exists():
        began = time.monotonic()
        make(folder, wanted.runs, wanted.samples)
        print(f"ledger made in {time.monotonic() - began:.0f} s")
    ledger = open_ledger(".driftgate/ledger.db", folder)
    run_ids = [run.id for run in latest_runs(ledger, wanted.runs)]
    newest = find_run(ledger, run_ids[0]).id
    ledger.close()
    size = (folder / ".driftgate" / "ledger.db").stat().st_size / 2**20
    print(f"{len(run_ids)} runs x {wanted.samples:,} samples, {size:,.0f} MiB")
    pages = pages_of(run_ids)
    with served(folder) as base:
        print("\nasked for the first time, ms")
        for name, addresses in pages.items():
            print(f"  {name:24} {once(base, addresses[0]):8.0f}")
        print("\nsearch in three cells, ms, three different ones each")
        for name, address in searches(newest).items():
            found = [once(base, f"{address}&size={50 + n}") for n in range(3)]
            print(f"  {name:24} {' '.join(f'{one:8.0f}' for one in found)}")
        print("\noutputs of nodes, searched to the end")
        begun, step = time.perf_counter(), {"done": 0, "of": 1}
        while step["done"] < step["of"]:
            page = f"/runs/{newest}.json?q=nowhere at all&in=outputs&searched={step['done']}"
            step = httpx.get(base + page, timeout=60).json()["tables"]["samples"]["searched"]
        print(f"  {step['of']:,} in {time.perf_counter() - begun:.1f} s")
        print(f"\n{wanted.readers} readers, a page every 2 s, for {wanted.seconds:.0f} s, ms")
        took = asyncio.run(crowd(base, pages, wanted.readers, wanted.seconds))
        for name, values in took.items():
            print(f"  {name:24} n {len(values):6,} p50 {share(values, 0.5):7.0f} p95 {share(values, 0.95):7.0f}")
        whole = [one for values in took.values() for one in values]
        rate = len(whole) / wanted.seconds
        print(f"  {'all':24} n {len(whole):6,} p50 {share(whole, 0.5):7.0f} p95 {share(whole, 0.95):7.0f} {rate:.0f}/s")
    if wanted.keep is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
