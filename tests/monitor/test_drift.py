"""A look: windows compared in every signal, judged together, turned into alerts."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.perf.false_alarms import (
    CHANGES,
    CURRENT,
    REFERENCE,
    WINDOWS,
    canaries,
    one_look,
    telemetry,
    twenty_looks,
)
from driftgate.flows.errors import DriftgateError
from driftgate.monitor.alert import Alert, Hint, Period, sentence
from driftgate.monitor.attribution import hints
from driftgate.monitor.drift import Windows, look

OF_TELEMETRY, OF_CANARIES = WINDOWS
NUMBERS = ["latency", "output_length", "error_rate", "refusal_share", "unparsed_share"]


def calls(seed: int = 0, rows: int = 400, **changed) -> pd.DataFrame:
    """Telemetry of both periods, columns of the current one changed."""
    rng = np.random.default_rng(seed)
    now = telemetry(rng, CURRENT, rows)
    for column, change in changed.items():
        now[column] = change(now) if callable(change) else change
    return pd.concat([telemetry(rng, REFERENCE, rows), now])


def answers(before, now, *, slices=None, times=1) -> pd.DataFrame:
    """Canaries with the given chances to be right, in both periods."""
    rng = np.random.default_rng(0)
    frame = pd.concat([canaries(rng, REFERENCE, np.array(before), times), canaries(rng, CURRENT, np.array(now))])
    return frame.assign(slice=frame["key"].map(dict(enumerate(slices)))) if slices else frame


def test_unchanged_windows_raise_an_alarm_in_few_looks():
    alarms = sum(bool(one_look(seed, rows=120).alerts) for seed in range(1000, 1012))
    assert alarms <= 1


@pytest.mark.parametrize("name", [name for name in CHANGES if "errors" not in name and "canaries" not in name])
def test_a_clear_change_raises_its_own_alert_and_no_other(name):
    signal, change, worse = CHANGES[name]
    found = one_look(7, rows=400, change=change, worse=worse)
    assert [alert.signal for alert in found.alerts] == [signal]


def test_evidence_without_an_effect_above_the_floor_is_no_alert():
    frame = calls(rows=4000, latency=lambda now: now["latency"] * 1.15)
    loose = look([OF_TELEMETRY], telemetry=frame, signals=["latency"], floors={"latency": 0.05})
    strict = look([OF_TELEMETRY], telemetry=frame, signals=["latency"])
    assert [alert.moved for alert in loose.alerts] == ["rose"]
    assert strict.findings[0].adjusted_p_value < 0.001
    assert not strict.alerts


def test_an_effect_without_evidence_is_no_alert():
    frame = calls(rows=12, latency=lambda now: now["latency"] * 1.5)
    found = look([OF_TELEMETRY], telemetry=frame, signals=["latency"])
    assert found.findings[0].place.effect.estimate > 0.25
    assert not found.alerts


def test_a_change_for_the_better_is_no_alert():
    frame = calls(latency=lambda now: now["latency"] / 2)
    assert not look([OF_TELEMETRY], telemetry=frame, signals=["latency"]).alerts


def test_the_slice_that_moved_is_named_and_the_effect_is_its_own():
    frame = calls(1, latency=lambda now: now["latency"] * np.where(now["slice"] == "summary", 3.0, 1.0))
    alert = look([OF_TELEMETRY], telemetry=frame, signals=["latency"]).alerts[0]
    assert alert.slices == ("summary",)
    assert 1.2 < alert.effect_low < 2.0 < alert.effect_high < 3.0
    its_own = (frame["time"] >= CURRENT.start) & (frame["slice"] == "summary") & (frame["error"] == "")
    assert alert.n_current == its_own.sum()


def test_a_change_of_all_slices_is_everywhere():
    frame = calls(latency=lambda now: now["latency"] * 2)
    alert = look([OF_TELEMETRY], telemetry=frame, signals=["latency"]).alerts[0]
    assert alert.slices == ()
    assert " everywhere " in alert.summary


def test_a_slice_that_another_one_hides_is_found():
    slices = ["law"] * 60 + ["math"] * 60
    frame = answers([1.0] * 60 + [0.0] * 60, [0.0] * 60 + [1.0] * 60, slices=slices)
    found = look([OF_CANARIES], canaries=frame, signals=["canary_accuracy"])
    assert found.findings[0].everywhere.effect.estimate == 0.0
    assert found.alerts[0].slices == ("law",)


def test_agreement_is_measured_against_the_reference_periods_own():
    unsteady = np.full(150, 0.5)
    quiet = answers(unsteady, unsteady, times=2)
    assert not look([OF_CANARIES], canaries=quiet, signals=["canary_agreement"]).alerts
    # As often right as before, on the other half of the canaries.
    moved = answers([1.0] * 40 + [0.0] * 40, [0.0] * 40 + [1.0] * 40, times=2)
    alert = look([OF_CANARIES], canaries=moved, signals=["canary_agreement"]).alerts[0]
    assert alert.moved == "fell" and alert.reference_value > alert.current_value


def test_agreement_says_nothing_where_the_reference_asked_once():
    found = look([OF_CANARIES], canaries=answers([1.0] * 80, [0.0] * 80), signals=["canary_agreement"])
    assert found.findings[0].p_value is None
    assert found.findings[0].place.effect.reason == "no canary was asked in both windows"
    assert not found.alerts


def test_each_signal_raises_one_alert_of_the_window_with_the_strongest_evidence():
    """Three looks, of which the last two lost ten points: together they say so more surely."""
    middle = CURRENT.start + timedelta(hours=12)
    rng = np.random.default_rng(0)
    looks = [
        canaries(rng, REFERENCE, np.ones(100), times=8),
        *(canaries(rng, Period(at, CURRENT.end), np.repeat([0.0, 1.0], [10, 90])) for at in (CURRENT.start, middle)),
    ]
    windows = [Windows("canaries", REFERENCE, Period(middle, CURRENT.end)), Windows("canaries", REFERENCE, CURRENT, 2)]
    found = look(windows, canaries=pd.concat(looks), signals=["canary_accuracy"])
    newest, pooled = found.findings
    assert pooled.p_value < newest.p_value == pytest.approx(2 * (1 / 9) ** 10, rel=1e-6)
    assert [(alert.looks, alert.effect) for alert in found.alerts] == [(2, pytest.approx(-0.1))]
    assert "pooled over the last 2 looks" in found.alerts[0].summary


def test_a_loss_below_the_floor_is_no_evidence_however_sure():
    frame = answers([1.0] * 100, [1.0] * 97 + [0.0] * 3, times=20)
    strict = look([OF_CANARIES], canaries=frame, signals=["canary_accuracy"])
    loose = look([OF_CANARIES], canaries=frame, signals=["canary_accuracy"], floors={"canary_accuracy": 0.03})
    assert (strict.findings[0].p_value, bool(strict.alerts)) == (1.0, False)
    assert strict.findings[0].everywhere.p_value < 0.001
    assert [alert.effect for alert in loose.alerts] == [pytest.approx(-0.03)]


def test_twenty_looks_at_unsteady_canaries_are_quiet():
    assert not any(twenty_looks(seed)[0] for seed in range(2))


def test_canaries_that_moved_blame_the_model_unless_their_prompt_changed():
    frame = answers([1.0] * 80, [0.2] * 80)
    assert look([OF_CANARIES], canaries=frame).alerts[0].cause == "model"
    frame.loc[frame["time"] >= CURRENT.start, "prompt_hash"] = "b2"
    alert = look([OF_CANARIES], canaries=frame).alerts[0]
    assert alert.cause == "prompt"
    assert "prompt template b2 is new" in alert.summary


def test_failed_calls_are_not_counted_as_wrong_answers():
    frame = answers([1.0] * 80, [1.0] * 80)
    failed = (frame["time"] >= CURRENT.start) & (frame["key"] % 2 == 0)
    frame.loc[failed, ["correct", "answer"]] = [np.nan, None]
    found = look([OF_CANARIES], canaries=frame, signals=["canary_accuracy"])
    assert found.findings[0].everywhere.n_current == 40
    assert not found.alerts


@pytest.mark.parametrize(
    ("column", "value", "cause"),
    [
        ("response_model", "gpt-4.1-mini-2025-09-01", "model"),
        ("fingerprint", "fp_2", "model"),
        ("prompt_hash", "b2", "prompt"),
    ],
)
def test_what_else_changed_is_said_and_blamed(column, value, cause):
    frame = calls(latency=lambda now: now["latency"] * 2, **{column: value})
    alert = look([OF_TELEMETRY], telemetry=frame, signals=["latency"]).alerts[0]
    assert alert.cause == cause
    assert value in alert.summary


def test_without_a_hint_the_cause_is_not_known():
    frame = calls(latency=lambda now: now["latency"] * 2)
    alert = look([OF_TELEMETRY], telemetry=frame, signals=["latency"]).alerts[0]
    assert (alert.cause, alert.hints) == ("unknown", ())


def test_quiet_canaries_are_mentioned_beside_traffic_that_moved():
    frame = calls(latency=lambda now: now["latency"] * 2)
    steady = answers([1.0] * 60, [1.0] * 60)
    found = look(WINDOWS, telemetry=frame, canaries=steady, signals=["latency", "canary_accuracy"])
    assert any("canaries are quiet" in hint.text for hint in found.alerts[0].hints)


def test_lost_telemetry_another_mix_and_errors_are_hints():
    rng = np.random.default_rng(0)
    before = telemetry(rng, REFERENCE, 600)
    now = telemetry(rng, CURRENT, 200).assign(slice="search", error="timeout")
    found = {hint.cause: hint.text for hint in hints(before, now, REFERENCE, CURRENT)}
    assert found["telemetry"] == "200 calls were recorded in the current window where 600 were to be expected"
    assert found["input"].endswith("to 100% of calls")
    assert found["service"].endswith("to 100%")


def test_unchanged_windows_have_no_hints():
    rng = np.random.default_rng(0)
    assert hints(telemetry(rng, REFERENCE, 300), telemetry(rng, CURRENT, 300), REFERENCE, CURRENT) == ()


def test_an_alert_goes_through_json():
    frame = calls(
        latency=lambda now: now["latency"] * np.where(now["slice"] == "summary", 3.0, 1.0), fingerprint="fp_2"
    )
    alert = look([OF_TELEMETRY], telemetry=frame, signals=NUMBERS).alerts[0]
    again = Alert.from_json(json.loads(json.dumps(alert.to_json())))
    assert again == alert
    assert again.key == alert.key != replace(alert, slices=()).key


def test_an_alert_is_one_sentence_with_levels_effect_interval_and_counts():
    alert = Alert(
        signal="refusal_share",
        title="share of replies that refuse",
        unit="share",
        moved="rose",
        slices=("a", "b", "c", "d"),
        reference=REFERENCE,
        current=CURRENT,
        n_reference=1200,
        n_current=300,
        reference_value=0.012,
        current_value=0.08,
        effect=0.068,
        effect_low=0.039,
        effect_high=0.102,
        effect_unit="difference of shares",
        floor=0.03,
        p_value=0.001,
        adjusted_p_value=0.008,
        detector="contingency",
        detail={},
        cause="model",
        hints=(Hint("model", "system fingerprint fp_2 is new, on 100% of calls"),),
        summary="",
    )
    assert sentence(alert) == (
        "Share of replies that refuse rose on slices 'a', 'b', 'c' and 1 more from 1.2% to 8.0% (+6.8 points, "
        "95% interval +3.9 to +10.2; 300 now against 1,200 before), likely cause: the model (system fingerprint fp_2 "
        "is new, on 100% of calls)."
    )


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_look_does_not_depend_on_the_order_or_index_of_the_rows(seed):
    frame = calls(rows=60, latency=lambda now: now["latency"] * 2)
    shuffled = frame.iloc[np.random.default_rng(seed).permutation(len(frame))]
    as_is, again = (look([OF_TELEMETRY], telemetry=f, signals=NUMBERS) for f in (frame, shuffled))
    for one, other in zip(as_is.findings, again.findings, strict=True):
        assert other.p_value == pytest.approx(one.p_value)
        assert other.moved == one.moved


def test_windows_without_rows_have_no_findings_to_judge():
    frame = calls(rows=30)
    later = Period(CURRENT.end, CURRENT.end + timedelta(days=1))
    found = look([Windows("telemetry", REFERENCE, later)], telemetry=frame)
    assert all(finding.p_value is None for finding in found.findings)
    assert not found.alerts


def test_a_column_that_is_never_known_is_passed_over():
    frame = calls(refused=np.nan).assign(refused=np.nan, input_ngrams=None)
    found = look([OF_TELEMETRY], telemetry=frame, signals=["refusal_share", "input_drift", "error_rate"])
    assert [finding.p_value is None for finding in found.findings] == [True, True, False]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"signals": ["latenci"]}, "did you mean 'latency'"),
        ({"floors": {"speed": 0.1}}, "no drift signal called 'speed'"),
        ({"telemetry": None}, "pass the frame of telemetry"),
        ({"signals": ["latency"], "detectors": {"latency": "contingency"}}, "use 'ks'"),
    ],
)
def test_what_cannot_be_compared_is_said(arguments, says):
    with pytest.raises(DriftgateError, match=says):
        look([OF_TELEMETRY], **{"telemetry": calls(rows=20), **arguments})


def test_a_period_has_a_time_zone_and_ends_after_it_starts():
    with pytest.raises(ValueError, match="UTC"):
        Period(datetime(2025, 1, 1), datetime(2025, 1, 2))
    with pytest.raises(ValueError, match="end after"):
        Period(datetime(2025, 1, 2, tzinfo=UTC), datetime(2025, 1, 2, tzinfo=UTC))
