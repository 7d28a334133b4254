"""How often does a look raise an alarm where nothing changed, and how often where something did?

Made-up telemetry and canaries: 300 calls on each side in three slices, whose inputs are questions of the sample
dataset; 100 canaries, a fifth of which are answered right only by chance, asked twice in the reference period and once
in each look. Each of the 300 looks goes through all signals. Then each change is made on the current side. Last,
the same canaries are looked at twenty times: each with its share of the level, and with one e-process that goes on
from look to look, as it must not be used. Run it from the project's root (five minutes):

    python -m benchmarks.perf.false_alarms
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from driftgate.benchmarks.datasets import load_dataset, parse_config
from driftgate.monitor.detectors import EProcess
from driftgate.monitor.drift import Look, Period, Windows, look
from driftgate.monitor.ngrams import ngrams

START = datetime(2025, 1, 1, tzinfo=UTC)
REFERENCE = Period(START, START + timedelta(days=1))
CURRENT = Period(REFERENCE.end, REFERENCE.end + timedelta(days=1))
WINDOWS = (Windows("telemetry", REFERENCE, CURRENT), Windows("canaries", REFERENCE, CURRENT))
SLICES = ("search", "summary", "translation")

Change = Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]


def telemetry(rng: np.random.Generator, period: Period, rows: int) -> pd.DataFrame:
    """Calls of one period: skewed latencies and lengths, few errors, refusals and unreadable replies."""
    size = rng.lognormal(5.0, 0.7, rows)
    picked = rng.integers(len(_inputs()), size=rows)
    return pd.DataFrame(
        {
            "time": [period.start + timedelta(seconds=float(s)) for s in rng.uniform(0, period.seconds, rows)],
            "slice": rng.choice(SLICES, rows, p=[0.5, 0.3, 0.2]),
            "response_model": "gpt-4.1-mini-2025-04-14",
            "fingerprint": "fp_1",
            "prompt_hash": "a1",
            "error": np.where(rng.random(rows) < 0.02, "timeout", ""),
            "output_tokens": np.ceil(size),
            "output_chars": np.where(np.arange(rows) % 200 == 0, 0.0, np.ceil(2.0 * size)),
            "latency": 0.3 + size / 80.0 * rng.lognormal(0.0, 0.4, rows),
            "refused": (rng.random(rows) < 0.02).astype(float),
            "addressed": (np.arange(rows) % 200 == 7).astype(float),
            "unparsed": (rng.random(rows) < 0.01).astype(float),
            "input_ngrams": [_inputs()[i] for i in picked],
            "finish_reason": np.where(
                np.arange(rows) % 50 == 3, "length", np.where(np.arange(rows) % 20 == 5, "tool_calls", "stop")
            ),
            "input_tokens": np.ceil(size / 2.0),
            "malformed": (np.arange(rows) % 100 == 9).astype(float),
            "input_korean": (np.arange(rows) % 5 > 0).astype(float),
            "output_korean": (np.arange(rows) % 5 > 0).astype(float),
            "output_ngrams": [_inputs()[i] for i in picked[::-1]],
        }
    )


@cache
def _inputs() -> list[tuple[int, ...]]:
    dataset = load_dataset("sample", parse_config({"kind": "sample"}), Path())
    return [tuple(ngrams(str(sample.data["question"]))) for sample in dataset.samples]


def canaries(rng: np.random.Generator, period: Period, chances: np.ndarray, times: int = 1) -> pd.DataFrame:
    """Each canary asked so many times; right with its own chance, else one of three wrong answers."""
    count = len(chances)
    frames = []
    for place in range(times):
        right = rng.random(count) < chances
        frames.append(
            pd.DataFrame(
                {
                    "time": period.start + timedelta(hours=place),
                    "key": np.arange(count),
                    "slice": np.array(["law", "history", "grammar", "math"])[np.arange(count) % 4],
                    "answer": np.where(right, "A", rng.choice(["B", "C", "D"], count)),
                    "correct": right.astype(float),
                    "response_model": "gpt-4.1-mini-2025-04-14",
                    "fingerprint": "fp_1",
                    "prompt_hash": "a1",
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def chances(rng: np.random.Generator, count: int = 100) -> np.ndarray:
    """A canary's chance to be answered right: most always are, some never, a fifth now and then."""
    return rng.choice([1.0, 0.0, 0.7, 0.4], size=count, p=[0.65, 0.15, 0.1, 0.1])


def one_look(seed: int, rows: int = 300, change: Change | None = None, worse: float = 0.0) -> Look:
    """A look at windows that are alike but for ``change`` of the current calls and a share of canaries gone wrong."""
    rng = np.random.default_rng(seed)
    before, now = telemetry(rng, REFERENCE, rows), telemetry(rng, CURRENT, rows)
    likely = chances(rng)
    lapsed = np.where(rng.random(likely.size) < worse, 0.25, likely)
    answers = pd.concat([canaries(rng, REFERENCE, likely, times=2), canaries(rng, CURRENT, lapsed)])
    changed = change(now, rng) if change else now
    return look(WINDOWS, telemetry=pd.concat([before, changed]), canaries=answers, seed=seed)


def _slower(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return frame.assign(latency=frame["latency"] * 1.5)


def _shorter(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return frame.assign(output_tokens=np.ceil(frame["output_tokens"] * 0.6))


def _refusing(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    one = frame["slice"] == "summary"
    return frame.assign(refused=frame["refused"].where(~one | (rng.random(len(frame)) > 0.4), 1.0))


def _unreadable(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return frame.assign(unparsed=frame["unparsed"].where(rng.random(len(frame)) > 0.08, 1.0))


def _failing(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return frame.assign(error=frame["error"].where(rng.random(len(frame)) > 0.08, "timeout"))


def _other_topic(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    kept = rng.random(len(frame)) > 0.7
    changed = [old if k else _inputs()[0] for old, k in zip(frame["input_ngrams"], kept, strict=True)]
    return frame.assign(input_ngrams=pd.Series(changed, index=frame.index))


CHANGES: Mapping[str, tuple[str, Change | None, float]] = {
    "latency half as long again": ("latency", _slower, 0.0),
    "replies 40% shorter": ("output_length", _shorter, 0.0),
    "40% more refusals in one slice of three": ("refusal_share", _refusing, 0.0),
    "8% more unreadable replies": ("unparsed_share", _unreadable, 0.0),
    "8% more errors": ("error_rate", _failing, 0.0),
    "70% of inputs one question": ("input_drift", _other_topic, 0.0),
    "40% of canaries down to chance": ("canary_accuracy", None, 0.4),
}


def twenty_looks(seed: int, looks: int = 20, asks: int = 2) -> tuple[bool, bool]:
    """Whether twenty looks at unchanged canaries alarm: by the look's own rule, and by one e-process through all."""
    rng = np.random.default_rng(seed)
    likely = chances(rng)
    before = canaries(rng, REFERENCE, likely, times=asks)
    reference = before.groupby("key")["correct"].mean().to_numpy()
    process, alarmed = EProcess(), False
    for _ in range(looks):
        now = canaries(rng, CURRENT, likely)
        found = look(WINDOWS[1:], canaries=pd.concat([before, now]), floors=_NO_FLOORS, alpha=0.05 / looks)
        alarmed = alarmed or bool(found.alerts)
        for difference in now["correct"].to_numpy() - reference:
            process.update(float(difference))
    return alarmed, process.drift_detected


_NO_FLOORS = {"canary_accuracy": 0.0, "canary_agreement": 0.0}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--looks", type=int, default=300)
    parser.add_argument("--power-looks", type=int, default=40)
    arguments = parser.parse_args()
    quiet = [one_look(seed) for seed in range(arguments.looks)]
    alarms = sum(bool(found.alerts) for found in quiet)
    evident = sum(any(f.adjusted_p_value is not None and f.adjusted_p_value <= 0.05 for f in q.findings) for q in quiet)
    print(f"nothing changed: {alarms} of {len(quiet)} looks alarm; evidence alone, without the floors: {evident}")
    for name, (signal, change, worse) in CHANGES.items():
        runs = [one_look(seed, change=change, worse=worse) for seed in range(arguments.power_looks)]
        raised = [[alert for alert in run.alerts if alert.signal == signal] for run in runs]
        places = Counter(alerts[0].slices for alerts in raised if alerts)
        others = sum(any(alert.signal != signal for alert in run.alerts) for run in runs)
        print(
            f"{name}: {sum(map(bool, raised))} of {len(runs)} alarm, at {dict(places)}; {others} with others beside it"
        )
    repeated = [twenty_looks(seed) for seed in range(arguments.looks // 3)]
    spending, going_on = (sum(run[side] for run in repeated) for side in (0, 1))
    print(
        f"twenty looks at the same canaries, unchanged: {spending} of {len(repeated)} alarm; one e-process: {going_on}"
    )


if __name__ == "__main__":
    main()
