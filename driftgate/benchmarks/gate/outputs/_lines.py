"""What a dataset, a model or an evaluator wrote, made one harmless line of a build's log."""

from __future__ import annotations

from driftgate.benchmarks.gate._verdict import RuleVerdict


def one_line(text: str) -> str:
    r"""One line that no build system takes for a command.

    GitHub obeys a line that begins with ``::`` and, as Azure DevOps, what follows ``##[`` or ``##vso[`` anywhere in
    a line. So there are no line breaks in it, no control characters, no ``##`` and no ``::`` at its beginning.

    Examples
    --------
    >>> one_line("good\n::set-output name=x::y")
    'good ::set-output name=x::y'
    >>> one_line("::error::no").startswith("::"), "##vso[" in one_line("a ##vso[task.complete]")
    (False, False)
    """
    printable = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(printable.split())
    # A word joiner, which nobody sees, keeps the two apart.
    while "##" in line:
        line = line.replace("##", "#\u2060#")
    return f"\u2060{line}" if line.startswith("::") else line


def told(rule: RuleVerdict) -> str:
    """A rule's verdict in one line."""
    return one_line(f"{rule.verdict}: {rule.cell}: {rule.rule}: {rule.told}")
