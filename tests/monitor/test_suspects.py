"""Seven suspects, each with the numbers for and against it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from driftgate.monitor.alert import Alert, Period
from driftgate.monitor.drift import Windows, look
from driftgate.monitor.findings import whole
from driftgate.monitor.signals import Signal
from driftgate.monitor.suspects import NAMES, Lost, Suspect, in_words, lost_canaries, suspects

NOW = datetime(2026, 3, 22, tzinfo=UTC)
DAY = timedelta(days=1)
WINDOWS = Windows("telemetry", Period(NOW - 29 * DAY, NOW - DAY), Period(NOW - DAY, NOW))


def calls(shares: tuple[float, float], **now: Any) -> pd.DataFrame:
    """Four weeks and a day; a fifth of the calls, or another share, summarise, which takes four times as long."""
    rng, frames = np.random.default_rng(1), []
    for number in range(29):
        last = number == 28
        long = rng.random(300) < shares[last]
        frame = pd.DataFrame(
            {
                "time": pd.Timestamp(NOW - (29 - number) * DAY)
                + pd.to_timedelta(np.sort(rng.integers(0, 86_400, 300)), unit="s"),
                "latency": rng.lognormal(0.0, 0.3, 300) * np.where(long, 4.0, 1.0),
                "slice": np.where(long, "summary", "chat"),
                "error": "",
                "response_model": "gpt-1",
                "prompt_hash": "p1",
                "user": [f"u{one}" for one in rng.integers(0, 100, 300)],
            }
        )
        frames.append(frame.assign(**now) if last else frame)
    return pd.concat(frames, ignore_index=True)


def explained(frame: pd.DataFrame) -> tuple[Alert, dict[str, Suspect]]:
    found = look([WINDOWS], telemetry=frame, signals=["latency", "error_rate"], alpha=0.01)
    before, now = (
        frame[(frame["time"] >= one.start) & (frame["time"] < one.end)] for one in (WINDOWS.reference, WINDOWS.current)
    )
    alert = next(one for one in found.alerts if one.signal == "latency")
    said = suspects(alert, [whole(one) for one in found.findings], before, now, quiet_canaries=True, canaries="quiet")
    assert tuple(one.name for one in said) == NAMES
    return alert, {one.name: one for one in said}


def test_a_mix_that_changed_is_told_by_what_is_left_with_the_reference_in_the_shares_of_now() -> None:
    _, said = explained(calls((0.2, 0.7)))
    (told,) = [one for one in said["inputs"].for_it if "is left" in one]
    left = float(told.split("shares of now, ")[1].split("%")[0])
    assert abs(left) < 10
    assert said["provider"].for_it == () and "no response model is new among 300 calls" in said["provider"].against
    assert "quiet" in said["provider"].against


def test_what_calls_tell_no_more_clears_nobody_and_is_held_against_the_telemetry() -> None:
    slow = calls((0.2, 0.2), response_model="", error=None)
    late = slow["time"] >= WINDOWS.current.start
    slow.loc[late, "latency"] *= 4.0
    slow.loc[late & (slow.index % 10 == 0), "response_model"] = "gpt-1"
    alert, said = explained(slow)
    assert alert.cause == "telemetry"
    told = " ".join(said["telemetry"].for_it)
    assert "error_rate is not known: 0 calls of the current window tell it, and 1,200 before" in told, told
    assert "response_model is told by 10% of the calls of the current window, and by 100% of those before" in told
    assert not any("response model" in one for one in said["provider"].against)
    assert any("no prompt hash is new among 300 calls" in one for one in said["template"].against)


def test_calls_that_are_slower_in_every_slice_clear_the_mix_and_a_new_model_is_named_with_what_the_old_one_did() -> (
    None
):
    frame = calls((0.2, 0.2))
    late = (frame["time"] >= WINDOWS.current.start) & (frame.index % 2 == 0)
    frame.loc[late, "latency"] *= 4.0
    frame.loc[late, "response_model"] = "gpt-2"
    _, said = explained(frame)
    assert any("is left" in one for one in said["inputs"].against)
    assert any("response model gpt-2 is new, on 50% of calls" in one for one in said["provider"].for_it)
    assert any("calls whose response model is not new moved by" in one for one in said["provider"].for_it)
    assert "no prompt hash is new among 300 calls" in said["template"].against
    assert any(one.startswith("error_rate +0.0 points") for one in said["service"].against)


def canary(signal: str = "canary_accuracy") -> Alert:
    period = WINDOWS.reference, WINDOWS.current
    numbers = (40, 40, 1.0, 0.5, -0.5, -0.6, -0.4)
    alert = Alert(signal, "canary accuracy", "share", "fell", (), *period, *numbers, "difference of shares", 0.05, 0.0,
                  0.0, "mantel_haenszel", {}, "model", (), "")  # fmt: skip
    return alert


def test_replies_of_another_form_are_named_as_such_and_clear_the_model() -> None:
    before = pd.DataFrame({"key": range(8), "outcome": "answered", "correct": 1.0, "response": ['{"답": "A"}'] * 8})
    now = before.assign(response=['```json\n{"답": "A"}\n```'] * 7 + ['{"답": "B"}'])
    now = now.assign(outcome=["unparsed"] * 7 + ["answered"], correct=0.0)
    lost = lost_canaries(before, now)
    assert lost == Lost(wrong=1, unparsed=7, form_only=7, fences=7)
    said = {one.name: one for one in suspects(canary(), [], before, now, lost=lost)}
    assert "7 of 8 replies that are no longer right say the same in another form, 7 by code fences" in (
        said["extraction"].for_it
    )
    assert "only the form of the replies changed, not what they say" in said["provider"].against


def test_a_form_that_few_replies_changed_speaks_against_it_and_clears_nobody() -> None:
    lost = Lost(wrong=5, unparsed=1, unanswered=2, form_only=3)
    said = {one.name: one for one in suspects(canary(), [], None, None, lost=lost)}
    assert said["extraction"].for_it == () and said["provider"].against == ()
    assert said["extraction"].against == (
        "3 of 8 replies that are no longer right say the same in another form",
        "1 of 8 lost canaries have a reply that cannot be read",
    )
    assert said["service"].against == ("2 of 8 lost canaries have no whole reply",)


def test_what_is_refused_cannot_be_read_or_failed_is_counted_apart() -> None:
    before = pd.DataFrame({"key": range(4), "outcome": "answered", "correct": 1.0, "response": "A"})
    now = before.assign(
        outcome=["unparsed", "unparsed", "failed", "answered"],
        correct=[0.0, 0.0, None, 0.0],
        response=["I'm sorry, but I can't help with that.", "hm", None, "B"],
    )
    assert lost_canaries(before, now) == Lost(wrong=1, unparsed=1, refused=1, unanswered=1)


def test_grades_of_answers_are_explained_with_what_the_judges_anchors_say() -> None:
    frame = calls((0.2, 0.2))
    late = frame["time"] >= WINDOWS.current.start
    grades = Signal(
        name="relevance.passed",
        title="share of answers that pass relevance",
        unit="share",
        bad="lower",
        kind="proportion",
        floor=0.05,
        columns=("grade",),
        values=lambda rows: rows["grade"],
    )
    frame["grade"] = np.where(late & (frame.index % 2 == 0), 0.0, 1.0)
    (alert,) = look([WINDOWS], telemetry=frame, signals=[grades], alpha=0.01).alerts
    findings = [whole(one) for one in look([WINDOWS], telemetry=frame, signals=[grades], alpha=0.01).findings]
    assert in_words(findings[0]).startswith("relevance.passed -50.0 points [")
    for doubtful in (True, False):
        said = suspects(alert, findings, frame[~late], frame[late], anchors={"its anchors: so": doubtful})
        judge = next(one for one in said if one.name == "judge")
        assert (judge.for_it, judge.against) == ((("its anchors: so",), ()) if doubtful else ((), ("its anchors: so",)))
