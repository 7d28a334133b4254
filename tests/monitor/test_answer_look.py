"""What a look at graded answers comes to: quiet only where grades of enough calls could have shown a change."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from driftgate.benchmarks.judges import JudgeCheck
from driftgate.ledger import open_ledger
from driftgate.monitor.answer_look import Answers, Drawn, look_at_answers
from driftgate.monitor.config import EvaluateConfig
from driftgate.monitor.graded import GradedCall
from driftgate.monitor.known_errors import Errors
from driftgate.monitor.looks import Conclusion
from driftgate.monitor.watch import Watched

NOW = datetime(2026, 3, 19, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ALL = Drawn(None, 60, 60, 600, 600)
Look = Callable[..., Watched]
JUDGED: Any = {
    "judge": {"evaluator": "contains", "inputs": {"response": "${data.response}"}, "settings": {"text": "x"}}
}


@pytest.fixture
def look(tmp_path: Path) -> Iterator[Look]:
    ledger = open_ledger("ledger.db", tmp_path)

    def run(answers: Answers, **settings: Any) -> Watched:
        config = EvaluateConfig(**{"evaluators": JUDGED, **settings})
        return look_at_answers(ledger, "m", config, answers, NOW)

    yield run
    ledger.close()


def graded(before: Sequence[float | None], now: Sequence[float | None], name: str = "judge.good") -> list[GradedCall]:
    """Grades of ten calls a day before, and of the newest day; None of one that was not given."""
    found = []
    for side, (values, end) in enumerate(((before, NOW - DAY), (now, NOW))):
        for n, value in enumerate(values):
            time = end - DAY * ((n + 0.5) / (10 if side == 0 else max(len(now), 1)))
            said = {} if value is None else {name: value}
            errors = {"judge": "no reply"} if value is None else {}
            key = (f"{side}", f"{n:016x}")
            found.append(GradedCall("m", "p", *key, 1, time, "", said, errors, None, time))
    return found


def answers(
    rows: Sequence[GradedCall], *, told: Callable[[GradedCall], dict[str, Any] | None] = lambda one: None, **more: Any
) -> Answers:
    calls = pd.DataFrame(
        {
            "time": pd.Series([one.time for one in rows]).astype("datetime64[ns, UTC]"),
            "trace_id": [one.trace_id for one in rows],
            "span_id": [one.span_id for one in rows],
            "slice": "",
            "evaluations": [None if (said := told(one)) is None else [json.dumps(said)] for one in rows],
        }
    )
    return Answers(calls, rows, **{"drawn": [ALL], **more})


def well(share: float, count: int) -> list[float | None]:
    return [float((n * 37) % 100 < 100 * share) for n in range(count)]


SAME = graded(well(0.9, 130), well(0.9, 60))
WORSE = graded(well(0.9, 130), well(0.3, 60))
DOUBTFUL = {"grade.judge": JudgeCheck("grade.judge", "unvalidated", "kappa 0.1", 20, 0)}


def came_to(look: Look, found: Answers, **settings: Any) -> Conclusion:
    conclusion = look(found, **settings).conclusion
    assert conclusion is not None
    return conclusion


def test_grades_as_good_as_before_are_quiet_and_worse_ones_an_alert(look: Look) -> None:
    assert came_to(look, answers(SAME)) == Conclusion("quiet")


def test_worse_grades_are_an_alert_whatever_else_is_not_known(look: Look) -> None:
    found = look(answers(WORSE, stopped="the money of the hour is spent"))
    assert found.conclusion.result == "moved" and found.conclusion.reason.startswith("judge.good in this look: -0.")
    assert found.conclusion.reason.endswith("; the money of the hour is spent")
    assert (found.row.number, [one.signal for one in found.alerts]) == (1, ["judge.good"])


@pytest.mark.parametrize(
    ("drawn", "result"),
    [
        ([Drawn(None, 60, 0, 600, 600)], "unmeasurable"),
        ([Drawn(None, 60, 0, 0, 0)], "unmeasurable"),
        ([Drawn(None, 60, 29, 600, 600)], "unmeasurable"),
        ([Drawn(None, 60, 30, 600, 600)], "quiet"),
        ([Drawn(None, 9, 1, 600, 600)], "quiet"),
        ([ALL, Drawn("billing", 10, 1, 100, 100)], "unmeasurable"),
        ([ALL, Drawn("billing", 10, 0, 100, 0)], "quiet"),
    ],
)
def test_content_that_is_no_longer_told_is_unmeasurable(look: Look, drawn: list[Drawn], result: str) -> None:
    found = came_to(look, answers(SAME, drawn=drawn))
    assert found.result == result, found
    assert (drawn[-1].said in found.reason) is (result == "unmeasurable")


def test_where_only_applications_say_something_no_content_is_needed(look: Look) -> None:
    liked = answers(
        graded([None] * 130, [None] * 60),
        told=lambda one: {"name": "thumbs", "label": "Up" if one.span_id[-1] not in "037" else "down", "score": 7},
        drawn=[Drawn(None, 60, 0, 600, 600)],
    )
    assert came_to(look, replace(liked, graded=()), evaluators={}).result == "quiet"
    (finding,) = look(replace(liked, graded=()), evaluators={}).row.findings
    assert finding["signal"] == "told.thumbs" and finding["kind"] == "proportion"  # a label is more than a score
    assert finding["everywhere"]["reference_value"] == pytest.approx(0.8, abs=0.05)


def test_a_judge_in_doubt_raises_no_alert_and_is_no_good_news(look: Look) -> None:
    found = look(answers(WORSE, checks={"judge": DOUBTFUL["grade.judge"]}))
    assert (found.conclusion.result, found.alerts, found.row.findings) == ("unmeasurable", (), [])
    assert found.row.number == 0  # nothing was compared
    assert found.conclusion.reason.startswith("judge: ")


def test_where_grading_stopped_the_look_is_unmeasurable(look: Look) -> None:
    found = came_to(look, answers(SAME, stopped="the money of the hour is spent"))
    assert (found.result, found.reason) == ("unmeasurable", "the money of the hour is spent")


@pytest.mark.parametrize(("lost", "result"), [(2, "quiet"), (3, "unmeasurable"), (60, "unmeasurable")])
def test_calls_without_a_grade_may_be_those_that_went_wrong(look: Look, lost: int, result: str) -> None:
    found = came_to(look, answers(graded(well(0.9, 130), [*well(0.9, 60 - lost), *[None] * lost])), floor=0.05)
    assert found.result == result, found
    assert (f"{lost} of 60 graded calls of the current window have no grade (no reply)" in found.reason) is (lost > 2)


def test_calls_that_had_no_grade_before_the_window_do_not_speak_of_it(look: Look) -> None:
    assert came_to(look, answers(graded([*[None] * 40, *well(0.9, 90)], well(0.9, 60)))).result == "quiet"


@pytest.mark.parametrize(("count", "result"), [(9, "unmeasurable"), (10, "quiet"), (0, "unmeasurable")])
def test_grades_that_ceased_are_unmeasurable(look: Look, count: int, result: str) -> None:
    found = came_to(look, answers(graded(well(0.9, 130), well(1.0, count))), floor=0.9)
    assert found.result == result, found
    assert ("fewer than 10 answers of the current window have judge.good" in found.reason) is (count < 10)


def test_a_beginning_is_inconclusive(look: Look) -> None:
    found = came_to(look, answers(graded(well(1.0, 9), well(1.0, 60))))
    assert (found.result, "too few answers of a window have judge.good" in found.reason) == ("inconclusive", True)
    assert "too few answers of a window have anything" in came_to(look, answers(SAME[:0])).reason


def test_of_what_applications_tell_the_commonest_is_looked_at_and_several_results_are_their_mean(look: Look) -> None:
    rows = graded([None] * 130, [None] * 60)
    found = answers(rows, told=lambda one: {"name": f"n{int(one.span_id, 16) % 25:02}", "score": 3.0})
    found.calls["evaluations"] = [
        [*told, *(json.dumps({"name": "stars", "score": score}) for score in (2.0, 4.0)), json.dumps({"score": 9.0})]
        for told in found.calls["evaluations"]
    ]
    findings = look(replace(found, graded=()), evaluators={}).row.findings
    assert len(findings) == 20 and findings[-1]["signal"] == "told.stars"
    assert findings[-1]["everywhere"]["reference_value"] == pytest.approx(3.0)


def test_where_the_judges_error_is_known_its_floor_is_smaller_and_what_people_would_say_stands_beside(
    look: Look,
) -> None:
    known = {"judge": Errors((60, 20), (40, 80))}  # passes 60 of 100 that are good, and 20 of 100 that are not
    (finding,) = look(answers(SAME, errors=known), floor=0.05).row.findings
    assert finding["floor"] == pytest.approx(0.05 * 0.4)
    detail = finding["everywhere"]["detail"]
    assert (detail["by_people"], detail["labels"]) == (1.0, 200.0)


def test_the_error_of_another_judge_changes_nothing(look: Look) -> None:
    (finding,) = look(answers(SAME, errors={"else": Errors((60, 20), (40, 80))})).row.findings
    assert finding["floor"] == 0.05 and "by_people" not in finding["everywhere"].get("detail", {})


def test_grades_that_are_no_shares_are_compared_as_numbers(look: Look) -> None:
    fine, poor = [4.0 + n % 2 for n in range(130)], [2.0 + n % 2 for n in range(60)]
    found = look(answers(graded(fine, poor)))
    assert found.conclusion.result == "moved" and found.alerts[0].effect < -0.3
    assert found.row.findings[0]["kind"] == "continuous"


def test_grades_of_nothing_are_compared_as_well(look: Look) -> None:
    found = look(answers(graded([float(n % 6) for n in range(130)], [float(n % 6) for n in range(60)])))
    assert found.conclusion.result == "quiet", found.conclusion
    (finding,) = found.row.findings
    assert abs(finding["everywhere"]["effect"]) < 0.2 and finding["everywhere"]["low"] > -0.9
