"""GitHub Actions: annotations by workflow commands.

References
----------
.. [1] https://docs.github.com/actions/reference/workflow-commands-for-github-actions
.. [2] actions/toolkit, packages/core/src/command.ts: what is escaped in data and in properties.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from driftgate.benchmarks.gate._verdict import GateVerdict
from driftgate.benchmarks.gate.outputs._lines import told
from driftgate.flows.plain import one_line

_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = _DATA | {":": "%3A", ",": "%2C"}

_LEVELS = {"fail": "error", "pass": "notice"}


def github_annotations(verdicts: Sequence[GateVerdict]) -> list[str]:
    """A workflow command a check that did not pass: ``error`` where it failed, ``warning`` where it is undecided.

    One that passed without anything to compare with is a ``notice``.

    Examples
    --------
    >>> from driftgate.benchmarks.gate import RuleVerdict
    >>> rule = RuleVerdict("accuracy >= 0.7", "m · d", "fail", "100% sure")
    >>> print(*github_annotations([GateVerdict("g", "run", "fail", (rule,))]))
    ::error title=driftgate gate g%3A fail::fail: m · d: accuracy >= 0.7: 100%25 sure
    """
    return [
        f"::{_LEVELS.get(rule.verdict, 'warning')} "
        f"title={_escaped(one_line(f'driftgate gate {verdict.gate}: {rule.verdict}'), _PROPERTY)}"
        f"::{_escaped(told(rule), _DATA)}"
        for verdict in verdicts
        for rule in verdict.rules
        if rule.verdict != "pass" or rule.first_run
    ]


def _escaped(text: str, table: Mapping[str, str]) -> str:
    return text.translate({ord(character): escape for character, escape in table.items()})
