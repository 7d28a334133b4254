"""Tell the system that runs driftgate what the gates say, in its own way."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from driftgate.benchmarks.gate import GateVerdict
from driftgate.benchmarks.gate.outputs import Undecided, azure_commands, github_annotations, junit_xml
from driftgate.benchmarks.report.verdicts import render_verdicts
from driftgate.flows.errors import DriftgateError
from driftgate.flows.plain import one_line
from driftgate.flows.private_files import replace_file
from driftgate.flows.private_text import write_text
from driftgate.flows.scrubbing import scrub, scrub_bytes
from driftgate.flows.streams import write_commands
from driftgate.ledger import VerdictRow

_MOST = 1_000_000
"""GitHub refuses a step summary of more than 1 MiB."""


@dataclass(frozen=True)
class GateFiles:
    """Where a verdict is written beside the terminal."""

    json: Path | None = None
    junit: Path | None = None
    undecided: str = ""
    """What an undecided check is in JUnit XML; empty: a failure or an error."""
    summary: Path | None = None

    def write(self, verdicts: Sequence[GateVerdict]) -> None:
        """Write what was asked for."""
        if self.json is not None:
            text = json.dumps([v.as_json() for v in verdicts], ensure_ascii=False, indent=1)
            write_text(self.json, text + "\n")
        if self.junit is not None:
            write_junit(self.junit, verdicts, self.undecided)
        if self.summary is not None:
            write_text(self.summary, summary_of(verdicts))


def write_junit(path: Path, verdicts: Sequence[GateVerdict], undecided: str) -> None:
    """Write the verdicts as JUnit XML.

    Raises
    ------
    DriftgateError
        ``undecided`` is none of failure, error and skipped.
    """
    kinds: dict[str, Undecided | None] = {"": None, "failure": "failure", "error": "error", "skipped": "skipped"}
    if undecided not in kinds:
        raise DriftgateError(f"--undecided is '{undecided}'", "it is one of failure, error and skipped")
    replace_file(path, scrub_bytes(junit_xml(verdicts, datetime.now(UTC), undecided=kinds[undecided])))


def summary_of(verdicts: Sequence[GateVerdict]) -> str:
    """The verdicts as Markdown."""
    now = datetime.now(UTC)
    rows = [VerdictRow(verdict.gate, verdict.verdict, verdict.as_json(), now) for verdict in verdicts]
    return render_verdicts(rows)


def announce(verdicts: Sequence[GateVerdict], environment: Mapping[str, str], folder: Path) -> None:
    """Write the step summary and annotations of GitHub Actions, or the logging commands of Azure DevOps.

    Parameters
    ----------
    environment : mapping
        Where ``GITHUB_STEP_SUMMARY``, ``GITHUB_ACTIONS`` and ``TF_BUILD`` say who runs this.
    folder : Path
        Where a summary to attach can be left.
    """
    if summary := environment.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as page:
            page.write(scrub(_cut(summary_of(verdicts))))
    if environment.get("GITHUB_ACTIONS") == "true":
        write_commands(github_annotations(verdicts))
    if environment.get("TF_BUILD"):
        page_path = folder / "gate.md"
        write_text(page_path, summary_of(verdicts))
        write_commands(azure_commands(verdicts, page_path.resolve()))


def set_output(environment: Mapping[str, str], name: str, value: str) -> None:
    """Give a step of GitHub Actions an output, where ``GITHUB_OUTPUT`` names the file for it.

    In Azure DevOps later steps get it as the variable ``driftgate.NAME``.

    Raises
    ------
    DriftgateError
        The file cannot be written.
    """
    if path := environment.get("GITHUB_OUTPUT"):
        try:
            with Path(path).open("a", encoding="utf-8") as outputs:
                outputs.write(f"{name}={one_line(value)}\n")
        except OSError as problem:
            raise DriftgateError(
                f"GITHUB_OUTPUT names {path}, which cannot be written: {problem.strerror}",
                "unset it outside of GitHub Actions",
            ) from problem
    if environment.get("TF_BUILD"):
        write_commands([f"##vso[task.setvariable variable=driftgate.{name}]{one_line(value)}"])


def _cut(text: str) -> str:
    if len(text.encode()) <= _MOST:
        return text
    return text.encode()[:_MOST].decode(errors="ignore").rsplit("\n", 1)[0] + "\n\n… the rest is in the report.\n"
