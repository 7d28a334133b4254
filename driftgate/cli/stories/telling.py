"""What the stories share: what they are free to choose, who keeps the chapters, and how a run becomes a point."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from driftgate.api import repair
from driftgate.api.attempts import attempt_of
from driftgate.api.story import Chapter, LookPoint
from driftgate.api.terminal import PlainConsole
from driftgate.api.workspace import FILE, OpenWorkspace
from driftgate.benchmarks.scores import score_run
from driftgate.cli.show.night import NightOnTerminal
from driftgate.finetune.choice_words import OptionRow, option_rows
from driftgate.finetune.remediation import Found, Remediation, events_of
from driftgate.flows.errors import DriftgateError
from driftgate.flows.processors import processors
from driftgate.ledger import Ledger, RunRow

SEED = 20261122


@dataclass(frozen=True)
class Play:
    """What a run of a story is free to choose."""

    seed: int = SEED
    """Decides the order of the training items and the adapters' first values; and the tickets, where there are any."""
    threads: int = field(default_factory=processors)
    """Processor threads: of training, and as many copies of one thread each of a model that is asked."""
    choice: bool = True
    """Try another prompt before anything is trained: as many questions more as the proof has, on the same model."""

    @property
    def base(self) -> Mapping[str, Any]:
        """The model that is tuned, as it stands in a workspace file."""
        return {"provider": "local", "model": "gemma3-270m", "context": 1024, "threads": 1, "in_flight": self.threads}


@dataclass
class Clock:
    """Says what happens, and when it happened."""

    console: PlainConsole
    began: float = field(default_factory=time.monotonic)
    chapters: list[Chapter] = field(default_factory=list)

    def say(self, title: str, text: str = "") -> None:
        """Tell a chapter."""
        minutes = (time.monotonic() - self.began) / 60
        self.chapters.append(Chapter(f"{minutes:.1f} min", title, text))
        self.console.print(f"[bold]{minutes:5.1f} min[/] {title}" + (f": {text}" if text else ""), soft_wrap=True)


@dataclass(frozen=True)
class Telling(NightOnTerminal):
    """A night on the terminal that also tells the story of each attempt."""

    clock: Clock
    further_attempts: Sequence[Mapping[str, Any]] = ()
    """What the recipe does otherwise when the gate rejected a candidate."""

    def opened(self, remediation: Remediation, new: bool) -> None:
        """A repair begins, or a further attempt of it follows: what it does otherwise."""
        if attempt_of(remediation) == 1:
            self.clock.say("A remediation is opened", remediation.id)
            return
        otherwise = self.further_attempts[attempt_of(remediation) - 2]
        changes = [f"shares of known and new items {otherwise['shares']}"] if "shares" in otherwise else []
        changes += [f"{name} {value}" for name, value in otherwise["recipe"].items()]
        self.clock.say(f"Attempt {attempt_of(remediation)} does otherwise", "; ".join(changes))

    def mended(self, remediation: Remediation, why: str) -> None:
        """An attempt has ended."""
        if remediation.state == "promoted":
            self.clock.say("A candidate was trained, proved and promoted", f"attempt {attempt_of(remediation)}")
        else:
            self.clock.say(f"The candidate of attempt {attempt_of(remediation)} is {remediation.state}", why)


def new_workspace(folder: Path) -> None:
    """Make a folder for a story.

    Raises
    ------
    DriftgateError
        It holds a workspace already.
    """
    if (folder / FILE).exists():
        raise DriftgateError(f"{folder} holds a workspace already", "choose another folder, or remove it")
    folder.mkdir(parents=True, exist_ok=True)


def write_workspace(folder: Path, workspace: Mapping[str, Any]) -> None:
    """Write the workspace file of a story."""
    text = yaml.safe_dump(dict(workspace), allow_unicode=True, sort_keys=False)
    (folder / FILE).write_text(text, encoding="utf-8")


def look_point(
    ledger: Ledger, run: RunRow, champion: str, alarm: bool, kind: Literal["category", "super_category"] = "category"
) -> LookPoint:
    """The accuracy of a run, whole and by category, for the plot."""
    scores = score_run(ledger, run.id, store=False)[0]
    by_slice = {row.slice: row.value for row in scores.of_kind("accuracy", kind) if row.value is not None}
    whole = scores.get("accuracy")
    assert whole is not None
    return LookPoint(run.created_at, champion, whole.value or 0.0, whole.low, whole.high, by_slice, alarm)


def promoted(ledger: Ledger, mended: Remediation) -> Found:
    """What a repair found that promoted its candidate.

    Raises
    ------
    DriftgateError
        It ended otherwise: the story did not go as it should.
    """
    events = events_of(ledger, mended.id)
    if mended.state != "promoted":
        raise DriftgateError(
            f"the last attempt is {mended.state}: {events[-1].message}", "see driftgate remediation list"
        )
    return Found.of(mended.id, events)


def measured_options(workspace: OpenWorkspace, ledger: Ledger, mended: Remediation) -> list[OptionRow]:
    """What was measured side by side before and after training."""
    view = repair.look_at(workspace, ledger, mended.id)
    return option_rows(view.options, view.proposed_option)
