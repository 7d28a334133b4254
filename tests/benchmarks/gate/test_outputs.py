"""JUnit XML, GitHub's and Azure DevOps' commands: what they say, and that no text escapes into a command."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgate.benchmarks.gate import GateVerdict, RuleVerdict
from driftgate.benchmarks.gate.outputs import azure_commands, github_annotations, junit_xml
from driftgate.flows.plain import one_line

AT = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
COMMANDS = (
    "##vso[task.complete result=Succeeded;]x",
    "##[error]",
    "::error::x",
    "\n::add-mask::x",
    "\r##vso[a]",
    "%0A::x",
)
HOSTILE = st.lists(st.sampled_from([*COMMANDS, "%", ";", "]", ",", ":", "\u2028", "정답"]) | st.text(max_size=5)).map(
    "".join
)
VERDICTS = ("pass", "fail", "inconclusive", "unmeasurable")


def verdict_of(*verdicts: str, text: str = "x", gate: str = "g") -> GateVerdict:
    rules = tuple(RuleVerdict(f"rule {text}", f"m · {text}", one, f"because {text}") for one in verdicts)  # type: ignore[arg-type]
    gravest = next((one for one in ("fail", "unmeasurable", "inconclusive") if one in verdicts), "pass")
    return GateVerdict(gate, "run-1", gravest, rules, {"run-1": "ab" * 32})  # type: ignore[arg-type]


def parsed(verdicts: Sequence[GateVerdict], **options: object) -> ElementTree.Element:
    return ElementTree.fromstring(junit_xml(verdicts, AT, **options))  # type: ignore[arg-type]


def test_junit_has_a_test_case_a_rule_and_cell() -> None:
    root = parsed([verdict_of(*VERDICTS), verdict_of("pass", gate="h")])
    assert (root.tag, root.attrib["tests"], root.attrib["failures"], root.attrib["errors"]) == (
        "testsuites",
        "5",
        "2",
        "1",
    )
    first, second = root.findall("testsuite")
    assert first.attrib == {
        "name": "g",
        "tests": "4",
        "failures": "2",
        "errors": "1",
        "skipped": "0",
        "time": "0",
        "timestamp": "2026-11-25T03:00:00",
    }
    found = [(case.attrib["classname"], [child.tag for child in case]) for case in first.findall("testcase")]
    kinds = (["system-out"], ["failure"], ["failure"], ["error"])
    assert found == [("driftgate.g", kind) for kind in kinds]
    types = [child.attrib["type"] for child in first.iter() if child.tag in ("failure", "error")]
    assert types == ["fail", "inconclusive", "unmeasurable"]
    assert second.attrib["failures"] == "0"
    assert {p.attrib["name"]: p.attrib["value"] for p in first.iter("property")}["run-1"] == "ab" * 32


@pytest.mark.parametrize(
    ("undecided", "failures", "errors", "skipped"), [("failure", 3, 0, 0), ("error", 1, 2, 0), ("skipped", 1, 0, 2)]
)
def test_what_is_undecided_can_be_chosen(undecided: str, failures: int, errors: int, skipped: int) -> None:
    (suite,) = parsed([verdict_of(*VERDICTS)], undecided=undecided).findall("testsuite")
    counts = (suite.attrib["failures"], suite.attrib["errors"], suite.attrib["skipped"])
    assert counts == (str(failures), str(errors), str(skipped))
    assert len(list(suite.iter("skipped"))) == skipped


@given(HOSTILE)
def test_junit_is_well_formed_whatever_it_says(text: str) -> None:
    root = parsed([verdict_of(*VERDICTS, text=text)])
    assert len(list(root.iter("testcase"))) == 4


def obeyed_by_github(line: str) -> tuple[str, str] | None:
    """What the runner makes of a line: a ``::command properties::data``, or the old ``##[command]`` anywhere."""
    trimmed = line.lstrip()
    if trimmed.startswith("::") and (end := trimmed.find("::", 2)) >= 0:
        return trimmed[2:end], trimmed[end + 2 :]
    return ("##[", line) if "##[" in line else None


def lines_of(text: str) -> list[str]:
    """A log's lines, as generously as any reader might split them."""
    return text.splitlines()


@given(HOSTILE)
def test_github_obeys_nothing_but_the_annotation(text: str) -> None:
    commands = github_annotations([verdict_of(*VERDICTS, text=text, gate=text)])
    assert len(commands) == 3
    for command, kind in zip(commands, ("error", "warning", "warning"), strict=True):
        (line,) = lines_of(command)
        found = obeyed_by_github(line)
        assert found is not None
        name, _, properties = found[0].partition(" ")
        assert name == kind
        assert [part.split("=")[0] for part in properties.split(",")] == ["title"]
        assert "##" not in line


@given(HOSTILE)
def test_azure_obeys_nothing_but_the_three_commands(text: str) -> None:
    commands = azure_commands([verdict_of(*VERDICTS, text=text, gate=text)], Path(f"/tmp/{text}/gate.md"))
    assert len(commands) == 5
    for command in commands:
        (line,) = lines_of(command)
        assert line.count("##") == 1
        found = re.match(r"##vso\[(task\.(?:logissue|complete|uploadsummary))((?: [a-z]+=[^;\]]*)?)\]", line)
        assert found is not None, line
    assert commands[-1] == "##vso[task.complete result=Failed]driftgate: fail"


@given(HOSTILE)
def test_a_line_of_the_log_is_no_command(text: str) -> None:
    line = one_line(text)
    assert lines_of(line) in ([line], [])
    assert obeyed_by_github(line) is None
    assert "##vso[" not in line


def test_a_pass_is_told_without_an_issue() -> None:
    assert github_annotations([verdict_of("pass")]) == []
    assert azure_commands([verdict_of("pass")]) == ["##vso[task.complete result=Succeeded]driftgate: pass"]
