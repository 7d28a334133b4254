"""A look that could not tell says what it lacked by a name, and nothing reads that out of a sentence."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest

import driftgate
from driftgate.benchmarks.asking import AllRefused
from driftgate.flows.errors import DriftgateError, Fault
from driftgate.flows.models import ModelMisconfigured, RateLimited, RequestRejected, Unavailable
from driftgate.flows.models._refusal import refusal
from driftgate.ledger import open_ledger
from driftgate.monitor.blindness import Blindness, of_error
from driftgate.monitor.incidents._kinds import KINDS
from driftgate.monitor.looks import Conclusion, LookRow, find_look, keep_look, looks_of
from driftgate.service.console._words import catalogue

NAMES = get_args(Blindness)


def test_every_look_that_could_not_tell_gives_its_blindness() -> None:
    found = []
    for file in Path(driftgate.__file__).parent.rglob("*.py"):
        text = file.read_text("utf-8")
        for call in ast.walk(ast.parse(text)) if "driftgate.monitor.looks import" in text else ():
            if not (isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Conclusion" and call.args):
                continue
            result = getattr(call.args[0], "value", None)
            named = len(call.args) == 4 or any(one.arg == "blindness" for one in call.keywords)
            assert named == (result in ("inconclusive", "unmeasurable")), f"{file.name}:{call.lineno}"
            found.append(result)
    assert found.count("unmeasurable") > 15 and found.count("inconclusive") > 8


def test_every_blindness_has_a_title_and_a_word_in_both_languages() -> None:
    assert set(NAMES) <= KINDS.keys() and {one for one in get_args(Fault) if one} <= set(NAMES)
    assert {f"blindness.{name}" for name in NAMES} == {key for key in catalogue() if key.startswith("blindness.")}
    assert {KINDS[name].title for name in NAMES} == {catalogue()[f"blindness.{name}"]["en"] for name in NAMES}


@pytest.mark.parametrize(
    ("problem", "name"),
    [
        (ModelMisconfigured("a wrong file"), "unmeasurable"),
        (RateLimited("m: HTTP 429"), "throttled"),
        (Unavailable("no reply within 60 s"), "endpoint_down"),
        (DriftgateError("nothing answers at h:1", fault="endpoint_down"), "endpoint_down"),
        (RequestRejected("m: HTTP 400"), "requests_refused"),
        (AllRefused("4 samples were refused alike"), "requests_refused"),
        (refusal("m", "http://h/v1/chat", 404, b"{}", {}), "model_not_served"),
        (refusal("m", "", 403, b"{}", {}), "credentials_refused"),
        (refusal("m", "", 503, b"{}", {}), "endpoint_down"),
        (DriftgateError("nothing answers at all, said a defect: HTTP 401 quota"), "unmeasurable"),
    ],
)
def test_an_error_is_named_by_its_class_and_not_by_its_words(problem: DriftgateError, name: str) -> None:
    assert of_error(problem) == name
    outer = DriftgateError("the look failed")
    outer.__cause__ = problem
    assert of_error(outer) == name


def test_it_is_kept_with_the_look(tmp_path: Path) -> None:
    ledger = open_ledger("ledger.db", tmp_path)
    for number, told in enumerate((Conclusion("unmeasurable", "x", "", "no_traffic"), Conclusion("quiet"))):
        row = LookRow(0, "watch", "m", f"traffic-{number}", 0, [], datetime.now(UTC), told)
        assert keep_look(ledger, row).conclusion == told
    assert [one.conclusion.blindness for one in looks_of(ledger) if one.conclusion] == [None, "no_traffic"]
    kept = find_look(ledger, "traffic-0")
    assert kept is not None and kept.conclusion is not None and kept.conclusion.blindness == "no_traffic"
    ledger.close()
