"""JUnit XML, which every build system reads as test results."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal
from xml.etree import ElementTree as Xml

from driftgate.benchmarks.gate._verdict import GateVerdict, RuleVerdict

Undecided = Literal["failure", "error", "skipped"]
"""What an inconclusive or unmeasurable check becomes."""
_ELEMENTS = {"fail": "failure", "inconclusive": "failure", "unmeasurable": "error"}
# What XML 1.0 cannot hold, not even escaped.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(verdicts: Sequence[GateVerdict], at: datetime, *, undecided: Undecided | None = None) -> bytes:
    """The verdicts as JUnit XML: a suite a gate, a test case a rule and cell.

    Parameters
    ----------
    at : datetime
        When it was judged; aware.
    undecided : str, optional
        What ``inconclusive`` and ``unmeasurable`` become; by default a failure and an error, and skipped where there
        is nothing to compare with yet.

    References
    ----------
    .. [1] The Jenkins xUnit plug-in's schema, junit-10.xsd, which GitHub, GitLab and Azure DevOps readers follow.
    """
    root = Xml.Element("testsuites", name="driftgate")
    totals = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for verdict in verdicts:
        suite = Xml.SubElement(root, "testsuite", name=_legal(verdict.gate))
        kinds = [_element(rule, undecided) for rule in verdict.rules]
        counts = {
            "tests": len(kinds),
            "failures": kinds.count("failure"),
            "errors": kinds.count("error"),
            "skipped": kinds.count("skipped"),
        }
        for name, count in counts.items():
            suite.set(name, str(count))
            totals[name] += count
        suite.set("time", "0")
        suite.set("timestamp", f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}")
        properties = Xml.SubElement(suite, "properties")
        for name, value in (("verdict", verdict.verdict), ("run", verdict.run), *verdict.runs.items()):
            Xml.SubElement(properties, "property", name=_legal(name), value=_legal(value))
        for rule, kind in zip(verdict.rules, kinds, strict=True):
            _add_case(suite, verdict, rule, kind)
    for name, count in totals.items():
        root.set(name, str(count))
    root.set("time", "0")
    Xml.indent(root)
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _element(rule: RuleVerdict, undecided: Undecided | None) -> str | None:
    """What a check becomes; None where it passed."""
    if rule.verdict not in ("inconclusive", "unmeasurable"):
        return _ELEMENTS.get(rule.verdict)
    if undecided is not None:
        return undecided
    return "skipped" if rule.first_run else _ELEMENTS[rule.verdict]


def _add_case(suite: Xml.Element, verdict: GateVerdict, rule: RuleVerdict, kind: str | None) -> None:
    name, where = _legal(f"{rule.rule} ({rule.cell})"), _legal(f"driftgate.{verdict.gate}")
    case = Xml.SubElement(suite, "testcase", name=name, classname=where, time="0")
    reason = _legal(rule.told)
    if kind is None:
        Xml.SubElement(case, "system-out").text = reason
        return
    said = Xml.SubElement(case, kind, message=reason)
    if kind != "skipped":
        said.set("type", rule.verdict)
    said.text = reason


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", text)
