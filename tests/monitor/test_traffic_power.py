"""What a look at traffic sees where a few sessions have most of the calls, and what it says where it could not see."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from driftgate.ledger import open_ledger
from driftgate.monitor.config import CanaryConfig, MonitorConfig, TrafficConfig
from driftgate.monitor.looks import alerts_of
from driftgate.monitor.telemetry import ModelCall, Store
from driftgate.monitor.watch import Watched, look_at_traffic

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
DAY = timedelta(days=1)
SIGNALS = ["error_rate", "latency", "refusal_share"]


def traffic(days: int, seed: int, slower: Callable[[int], float], size: int = 240) -> list[ModelCall]:
    """Calls of sessions of which one in ten has most, each slow or fast of its own; a weekend has a third of them."""
    rng, calls = np.random.default_rng(seed), []
    for day in range(days):
        count = size // 3 if day % 7 >= 5 else size
        session = np.repeat(np.arange(count), rng.pareto(1.2, count).astype(int) + 1)[:count]
        slow = rng.normal(0.0, 0.5, count)[session] + rng.normal(0.0, 0.05) + (0.4 if day % 7 >= 5 else 0.0)
        latency = slower(day) * np.exp(slow + rng.normal(0.0, 0.4, count))
        for number, second in enumerate(np.sort(rng.integers(0, 86_400, count))):
            calls.append(
                ModelCall(
                    BEGIN + day * DAY + timedelta(seconds=int(second)),
                    f"{day:032x}",
                    f"{number + 1:016x}",
                    latency=float(latency[number]),
                    conversation=f"{day}-{session[number]}",
                    error="500" if rng.random() < 0.02 else "",
                    refused=bool(rng.random() < 0.05),
                )
            )
    return calls


def looked(folder: Path, calls: list[ModelCall], at: datetime, floors: dict[str, float] | None = None) -> Watched:
    ledger = open_ledger("ledger.db", folder)
    with Store(folder / "calls") as store:
        store.append(calls)
    config = TrafficConfig(signals=SIGNALS, anchor=BEGIN, reference_days=28)
    found = look_at_traffic(ledger, "m", folder / "calls", config, at, floors=floors)
    assert [row.alert for row in alerts_of(ledger)] == list(found.alerts)
    ledger.close()
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_calls_that_take_half_as_long_again_are_found_within_a_week_though_sessions_are_heavy(
    tmp_path: Path, seed: int
) -> None:
    found = looked(tmp_path, traffic(42, seed, lambda day: 1.5 if day >= 35 else 1.0), BEGIN + 42 * DAY)
    assert {alert.signal for alert in found.alerts} == {"latency"}
    alert = found.alerts[0]
    assert alert.periods > 1 and f"in the last {alert.periods} days" in alert.summary
    assert alert.effect_low is not None and alert.effect_high is not None
    assert 0.0 < alert.effect_low < 0.5 < alert.effect_high


def test_a_month_in_which_nothing_changed_is_quiet_and_says_what_it_could_not_see(tmp_path: Path) -> None:
    found = looked(tmp_path, traffic(42, 3, lambda day: 1.0), BEGIN + 42 * DAY)
    assert found.conclusion.result == "quiet", found.conclusion
    assert "latency" not in found.conclusion.reason  # a quarter more would have been found
    periods = {(finding.signal.name, finding.windows.periods) for finding in found.look.findings} if found.look else {}
    assert {("latency", periods) for periods in (1, 3, 7, 14)} <= set(periods)


def test_a_look_that_cannot_see_what_floors_names_is_inconclusive_and_says_what_it_takes(tmp_path: Path) -> None:
    calls = traffic(12, 4, lambda day: 1.0, 60)
    found = looked(tmp_path, calls, BEGIN + 12 * DAY, {"latency": 0.1}).conclusion
    assert found.result == "inconclusive"
    assert "what floors names could not have been seen: latency: a change below +" in found.reason
    assert "with a floor of 10%" in found.reason and "times as many calls or days" in found.remedy
    assert looked(tmp_path, [], BEGIN + 12 * DAY + timedelta(seconds=1), {"latency": 20.0}).conclusion.result == "quiet"


def test_the_budget_of_a_month_is_shared_among_its_looks_and_less_so_where_they_share_their_calls() -> None:
    def level(cron: str, **settings: float) -> float:
        said = {"champion": "a", "canaries": CanaryConfig(dataset="d"), "cron": cron}
        return MonitorConfig(**said, traffic=TrafficConfig(**settings)).traffic_level

    nightly, hourly = level("0 3 * * *"), level("0 * * * *")
    assert nightly == pytest.approx(12 / 365.25, rel=0.01)
    assert nightly / 24 < hourly < nightly / 5
    assert level("0 3 * * *", false_alarms_per_month=0.1) == pytest.approx(nightly / 10)
    assert level("0 3 * * 1") == 0.05  # a look a week may alarm oftener than that, and none is less sure than this
    assert level("0 * * * *", alpha=0.2) == 0.2
