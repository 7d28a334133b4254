"""The second story: an assistant answers from a handbook in its own words, too seldom rightly, and is tuned to read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from driftgate.api.bench import Begun, Done
from driftgate.api.night import run_night
from driftgate.api.story import LookPoint, Story, Words, write_story
from driftgate.api.terminal import PlainConsole
from driftgate.api.workspace import OpenWorkspace, open_workspace
from driftgate.benchmarks.datasets import load_dataset, parse_config
from driftgate.benchmarks.progress import Display
from driftgate.cli.stories.telling import (
    Clock,
    Play,
    Telling,
    look_point,
    measured_options,
    new_workspace,
    promoted,
    write_workspace,
)
from driftgate.finetune.remediation import Judgement, Material, Trained, remediations
from driftgate.finetune.train import TRAINERS
from driftgate.flows.errors import DriftgateError
from driftgate.flows.private_text import write_text
from driftgate.ledger import Ledger, open_ledger

SLOT, FIRST, SUITE = "assistant", "assistant-v1", "assistant"
_HANDBOOK: Mapping[str, Any] = {"kind": "handbook", "choices": False}
_WANTED = 0.5
"""What the firm asks of its assistant: half of its questions answered with the handbook's own words."""
_RECIPE: Mapping[str, Any] = {"steps": 48, "batch": 4, "warm_up": 3, "learning_rate": 5e-4, "end_of_text": True}
_OTHERWISE = ({"recipe": {"steps": 72, "learning_rate": 2.5e-4}},)
_WORDS = Words(
    change="What is asked of the assistant",
    measured="The benchmark, night by night",
    asked="The same questions every night, answered in words and never by a letter.",
    time="night",
    all="all questions",
    proof="Champion and candidate answered the same questions from the same passages; none of them was trained on.",
    items="questions with the handbook's answer",
)


@dataclass(frozen=True)
class _Nights(Telling):
    """Also keeps what each night measured."""

    points: list[LookPoint] = field(default_factory=list)

    def benched(self, begun: Begun, finish: Callable[[Display], Done]) -> Done:
        """Tell what the night's benchmark came to."""
        done = super().benched(begun, finish)
        model, verdict = begun.planned.suite.models[0], done.verdicts[0]
        point = look_point(self.ledger, done.run, model, verdict.verdict == "fail", "super_category")
        self.points.append(point)
        share = f"{model} answers {point.accuracy:.0%}, {point.low or 0:.0%} to {point.high or 0:.0%}"
        self.clock.say(f"Night {len(self.points)}: the gate says {verdict.verdict}", share)
        return done


def tell(folder: Path, console: PlainConsole, play: Play) -> Path:
    """Play the whole story in a new workspace and return its page.

    Raises
    ------
    DriftgateError
        The folder holds a workspace already, or the story did not go as it should: what it showed is said.
    """
    new_workspace(folder)
    clock = Clock(console)
    asked = f"employees ask, a search finds passages, and the model answers in words; {_WANTED:.0%} are to be right"
    clock.say("A made-up firm has an assistant that answers from its handbook", asked)
    _write_known(folder)
    write_workspace(folder, _workspace(play))
    workspace = open_workspace(folder)
    _check_trainer(workspace)
    with closing(open_ledger(workspace.ledger, folder)) as ledger:
        return _play(workspace, ledger, clock)


def _play(workspace: OpenWorkspace, ledger: Ledger, clock: Clock) -> Path:
    nights = _Nights(clock.console, workspace, ledger, clock, _OTHERWISE)
    run_night(workspace, ledger, nights)
    mended = remediations(ledger)[0]
    found = promoted(ledger, mended)
    code = run_night(workspace, ledger, nights)
    if code != 0:
        raise DriftgateError(f"the night after the promotion ended with {code}", "see driftgate verdict list")
    story = Story(
        title="An assistant answers from documents too seldom rightly, is tuned to read, and passes its gate",
        words=_WORDS,
        before=f"Questions about a handbook are answered in words, from passages; at least {_WANTED:.0%} rightly.",
        after="The gate of the nightly benchmark failed the model as it came, and opened the recipe.",
        chapters=clock.chapters,
        looks=nights.points,
        verdict=found.get(Judgement).verdict,
        training=found.get(Trained).metrics,
        items=found.get(Material).model_dump(),
        options=measured_options(workspace, ledger, mended),
    )
    return write_story(story, workspace.reports / "loop.html")


def _check_trainer(workspace: OpenWorkspace) -> None:
    """See that this machine can train, before it answers for minutes."""
    check = TRAINERS.get("local").check
    assert check is not None
    check(workspace.config.recipes[SLOT].trainer, FIRST, workspace.config.models[FIRST], workspace.folder)


def _write_known(folder: Path) -> None:
    """The questions that the firm has answers to already; none of them is measured."""
    known = load_dataset("handbook", parse_config(dict(_HANDBOOK)), folder).shots
    rows = [
        {"id": one.id, "question": one.data["question"], "answer": one.data["answer"], "category": one.category}
        for one in known
    ]
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    write_text(folder / "data" / "known.jsonl", "\n".join(lines) + "\n")


def _workspace(play: Play) -> Mapping[str, Any]:
    written = {"scoring": "text", "parameters": {"temperature": 0, "max_tokens": 12, "stop": ["\n"]}}
    asked = {"flow": "rag_qa", "retriever": "handbook"}
    wanted = [{"metric": "accuracy", "min": _WANTED}]
    better = [{"metric": "accuracy", "better_than": "champion", "alpha": 0.05 / (1 + len(_OTHERWISE))}]
    recipe = {
        "champion": SLOT,
        "synthesis": {
            "sources": [{"kind": "questions", "path": "data/known.jsonl"}],
            "count": 48,
            "seed": play.seed,
            "near_duplicate": 0.99,  # questions about one document are alike in most of their words
        },
        "base_model": FIRST,
        "trainer": {"trainer": "local", "recipe": {**_RECIPE, "threads": play.threads}},
        "further_attempts": list(_OTHERWISE),
        **asked,
        **({"choice": {"variants": ["rag,instruct"]}} if play.choice else {}),
        "proof": ["handbook"],
        "gate": "promotion",
        "approval": False,
        "seed": play.seed,
    }
    return {
        "version": 1,
        "name": "assistant",
        "models": {FIRST: {**play.base, **written}},
        "datasets": {"handbook": dict(_HANDBOOK)},
        "retrievers": {"handbook": {"kind": "bm25"}},
        "champions": {SLOT: FIRST},
        "suites": {SUITE: {"models": [f"champion:{SLOT}"], "datasets": ["handbook"], "cache": True, **asked}},
        "gates": {SUITE: {"suite": SUITE, "recipe": SLOT, "rules": wanted}, "promotion": {"rules": better}},
        "recipes": {SLOT: recipe},
        "nightly": {"suites": [SUITE], "gates": [SUITE]},
    }
