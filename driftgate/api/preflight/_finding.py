"""What a check found: in order, not to be known yet, doubtful, or to be mended before anything is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from driftgate.flows.errors import DriftgateError
from driftgate.flows.scrubbing import told

Severity = Literal["good", "unchecked", "warning", "error"]
"""``unchecked`` is what cannot be known beforehand: it is said, for silence would be taken for good news."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, and what was found."""

    severity: Severity
    subject: str
    """A part of the workspace, such as ``gate release``."""
    found: str
    """What was found and, where it is to be mended, what was expected."""
    remedy: str = ""
    """What to do."""
    where: str = ""
    """File and line of the workspace file, where it stands in one."""
    problem: DriftgateError | None = field(default=None, repr=False, compare=False)
    """The error that a command would have ended with."""

    def __post_init__(self) -> None:
        # A trial shows what a flow's own code raised.
        for name in ("found", "remedy"):
            object.__setattr__(self, name, told(getattr(self, name)))

    @property
    def text(self) -> str:
        """In one line, without the remedy."""
        return f"{self.subject}: {self.found}" + (f" ({self.where})" if self.where else "")


def of_problem(subject: str, problem: DriftgateError, where: str = "") -> Finding:
    """The finding that an error is; a message that names its file already is not given another place.

    Examples
    --------
    >>> of_problem("suite small", DriftgateError("there is no flow 'x'", "known: y"), "driftgate.yaml, line 3").text
    "suite small: there is no flow 'x' (driftgate.yaml, line 3)"
    """
    return Finding("error", subject, problem.message, problem.remedy, where, problem)


class Refused(DriftgateError):
    """Something is to be mended before anything is asked; all of it is said at once.

    Parameters
    ----------
    findings : sequence of Finding
        The errors, at least one.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        if len(findings) == 1:
            super().__init__(findings[0].text, findings[0].remedy)
        else:
            lines = [f"nothing was asked, for {len(findings)} things are to be mended:"]
            for finding in findings:
                lines += [f"  {finding.text}", *([f"    {finding.remedy}"] if finding.remedy else [])]
            super().__init__("\n".join(lines), "mend them; driftgate doctor looks at the whole workspace")
        self.findings = tuple(findings)
        self.fault = next((one.problem.fault for one in findings if one.problem is not None), "")


def refuse(findings: Sequence[Finding]) -> None:
    """Refuse to go on where a finding is an error.

    Raises
    ------
    DriftgateError
        There is one: the error it came of. Or there are several: :class:`Refused`.
    """
    errors = list(dict.fromkeys(finding for finding in findings if finding.severity == "error"))
    if len(errors) == 1 and errors[0].problem is not None:
        raise errors[0].problem
    if errors:
        raise Refused(errors)
