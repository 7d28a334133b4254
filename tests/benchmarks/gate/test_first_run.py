"""Where there is nothing to compare with yet a rule says so: that nothing was compared is no evidence."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import pytest

from driftgate.benchmarks.gate import GateConfig, GateVerdict, judge
from driftgate.benchmarks.gate.outputs import azure_commands, github_annotations, junit_xml
from driftgate.benchmarks.scores import score_run

SEEN = [("answered", 1.0)] * 18 + [("answered", 0.0)] * 2
AT = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
NO_WORSE = [
    {"no_worse_than": "previous"},
    {"no_worse_than": "previous", "slices": "category"},
    {"metric": "cost", "no_worse_than": "previous", "margin": 0.2},
    {"no_worse_than": "champion", "margin": 0.1},
]


def judged(world: Any, run: str, rule: dict[str, Any], champion: str = "live", **settings: Any) -> GateVerdict:
    gate = GateConfig.model_validate({"suite": "s", "rules": [rule], **settings})
    return judge(world.ledger, "g", gate, run, score_run(world.ledger, run, store=False), champion=champion)


@pytest.mark.parametrize("rule", NO_WORSE)
def test_a_first_run_is_inconclusive_unless_the_gate_says_that_it_passes(world: Any, rule: dict[str, Any]) -> None:
    run = world.run({"m": SEEN})
    undecided = judged(world, run, rule)
    assert (undecided.verdict, undecided.exit_code) == ("inconclusive", 3)
    assert undecided.rules[0].told.startswith("nothing was compared: ")
    passed = judged(world, run, rule, first_run="pass")
    assert (passed.verdict, passed.rules[0].value) == ("pass", None)
    assert passed.rules[0].told.startswith("nothing was compared: ")
    assert passed.rules[0].told.endswith("it passes because the gate says first_run: pass")


def test_what_is_compared_follows_no_setting(world: Any) -> None:
    world.run({"m": SEEN})
    worse = world.run({"m": SEEN[::-1][:2] * 10})
    rule = {"no_worse_than": "previous", "margin": 0.02}
    for settings in ({}, {"first_run": "pass"}):
        found = judged(world, worse, rule, **settings)
        assert (found.verdict, found.rules[0].first_run) == ("fail", False)


@pytest.mark.parametrize("opponent", ["previous", "champion"])
def test_nothing_is_better_than_what_is_not_there(world: Any, opponent: str) -> None:
    run = world.run({"m": SEEN})
    assert judged(world, run, {"better_than": opponent}, first_run="pass").verdict == "inconclusive"


def test_a_dataset_that_is_new_in_a_suite_has_its_first_run(world: Any) -> None:
    world.run({"m": SEEN})
    later = world.run({"m": SEEN}, cell={"dataset": "another"})
    assert judged(world, later, {"no_worse_than": "previous"}).verdict == "inconclusive"


def test_a_baseline_has_a_name() -> None:
    with pytest.raises(ValueError, match="'baseline:' without a name; write baseline:NAME"):
        GateConfig.model_validate({"rules": [{"no_worse_than": "baseline:"}]})


def test_the_setting_is_part_of_what_a_verdict_was_judged_by(world: Any) -> None:
    gates = [GateConfig.model_validate({"rules": [{"min": 0.5}], **more}) for more in ({}, {"first_run": "pass"})]
    assert gates[0].content_hash() != gates[1].content_hash()


def test_build_systems_are_told_that_nothing_was_compared(world: Any) -> None:
    run = world.run({"m": SEEN})
    undecided, passed = (judged(world, run, NO_WORSE[0], first_run=first_run) for first_run in ("inconclusive", "pass"))
    root = ElementTree.fromstring(junit_xml([undecided], AT))
    assert (root.attrib["skipped"], root.attrib["failures"]) == ("1", "0")
    skipped = root.find(".//skipped")
    assert skipped is not None and "nothing was compared" in skipped.attrib["message"]
    assert ElementTree.fromstring(junit_xml([undecided], AT, undecided="failure")).attrib["failures"] == "1"
    root = ElementTree.fromstring(junit_xml([passed], AT))
    assert root.attrib["skipped"] == "0" and "nothing was compared" in str(root.findtext(".//system-out"))
    assert github_annotations([undecided])[0].startswith("::warning ")
    assert github_annotations([passed])[0].startswith("::notice ")
    assert "##vso[task.complete result=Failed]driftgate: inconclusive" in azure_commands([undecided])
    told = azure_commands([passed])
    assert told[0].startswith("##vso[task.logissue type=warning]") and "nothing was compared" in told[0]
    assert told[-1] == "##vso[task.complete result=Succeeded;]driftgate: pass".replace(";", "")
