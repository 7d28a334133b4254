"""Azure DevOps: logging commands.

References
----------
.. [1] https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands
.. [2] microsoft/azure-pipelines-agent, src/Microsoft.VisualStudio.Services.Agent/Command.cs: what is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from driftgate.benchmarks.gate._verdict import GRAVITY, GateVerdict
from driftgate.benchmarks.gate.outputs._lines import told
from driftgate.flows.plain import one_line

_DATA = {"%": "%AZP25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = _DATA | {";": "%3B", "]": "%5D"}


def azure_commands(verdicts: Sequence[GateVerdict], summary: Path | None = None) -> list[str]:
    """An issue a check that did not pass or compared nothing, the summary page, and how the task ended.

    Parameters
    ----------
    summary : Path, optional
        A Markdown file to attach.

    Examples
    --------
    >>> from driftgate.benchmarks.gate import RuleVerdict
    >>> rule = RuleVerdict("accuracy >= 0.7", "m · d", "fail", "100% sure")
    >>> print(*azure_commands([GateVerdict("g", "run", "fail", (rule,))]), sep="\\n")
    ##vso[task.logissue type=error]gate g: fail: m · d: accuracy >= 0.7: 100%AZP25 sure
    ##vso[task.complete result=Failed]driftgate: fail
    """
    issues = [
        _command("task.logissue", f"gate {verdict.gate}: {told(rule)}", type=_kind(rule.verdict))
        for verdict in verdicts
        for rule in verdict.rules
        if rule.verdict != "pass" or rule.first_run
    ]
    gravest = max((verdict.verdict for verdict in verdicts), key=GRAVITY.index, default="pass")
    result = "Succeeded" if gravest == "pass" else "Failed"
    attached = [] if summary is None else [_command("task.uploadsummary", str(summary))]
    return [*issues, *attached, _command("task.complete", f"driftgate: {gravest}", result=result)]


def _kind(verdict: str) -> str:
    return "error" if verdict == "fail" else "warning"


def _command(name: str, data: str, **properties: str) -> str:
    given = ";".join(f"{key}={_escaped(one_line(value), _PROPERTY)}" for key, value in properties.items())
    return f"##vso[{name}{' ' if given else ''}{given}]{_escaped(one_line(data), _DATA)}"


def _escaped(text: str, table: Mapping[str, str]) -> str:
    return text.translate({ord(character): escape for character, escape in table.items()})
