"""The first story: a firm routes support tickets by rules, the rules change, and its model does not know it."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from driftgate.api import repair, watching
from driftgate.api.display import ProgressDisplay
from driftgate.api.night import mend
from driftgate.api.story import LookPoint, Story, Words, write_story
from driftgate.api.terminal import PlainConsole
from driftgate.api.watching import LookResult
from driftgate.api.workspace import OpenWorkspace, open_workspace
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
from driftgate.finetune.demo import AFTER, BEFORE, PROMPT, Policy, rows, tickets
from driftgate.finetune.remediation import Judgement, Material, Trained
from driftgate.finetune.train import (
    TRAINERS,
    TrainingItem,
    TrainingJob,
    parse_trainer,
    train_and_wait,
    write_items,
)
from driftgate.flows.definition import load_flow
from driftgate.flows.engines import ENGINES
from driftgate.flows.errors import DriftgateError
from driftgate.flows.prompts import prompt_of
from driftgate.ledger import Ledger, open_ledger
from driftgate.shipped import shipped

SLOT, MONITOR, FIRST = "tickets", "tickets", "tickets-v1"
_FOLDER = ".driftgate/first-champion"
_FLOW = "route"
_FIRST_RECIPE: Mapping[str, Any] = {"steps": 160, "learning_rate": 1e-3, "settled": 0.2, "cool_down": 10}
_REPAIR_RECIPE: Mapping[str, Any] = {"steps": 60, "learning_rate": 5e-4, "settled": 0.05, "cool_down": 10}
_SHARES = (3, 1)
"""Known and new items. Of as many new ones as known, most go to one team, and the model sends others' tickets there."""
_OTHERWISE: Sequence[Mapping[str, Any]] = (
    {"shares": [4, 1], "recipe": {"steps": 90}},
    {"shares": [5, 1], "recipe": {"steps": 120, "learning_rate": 2.5e-4}},
)
"""What a further attempt does otherwise: more of the old task, and a step that forgets less."""
_MOST_LOOKS = 5
"""Looks until the alarm: a first champion that knew little of the new product has little to lose."""
_WORDS = Words(
    change="The rules, and how they changed",
    measured="The canaries, look by look",
    asked="The same tickets at every look.",
    time="look",
    all="all canaries",
    proof="Champion and candidate answered the same sealed hold-out and the same tickets of the old kind.",
    items="labelled tickets",
)


def tell(folder: Path, console: PlainConsole, play: Play) -> Path:
    """Play the whole story in a new workspace and return its page.

    Raises
    ------
    DriftgateError
        The folder holds a workspace already, or the story did not go as it should: what it showed is said.
    """
    new_workspace(folder)
    clock = Clock(console)
    clock.say("A made-up firm routes Korean support tickets to four teams", BEFORE.text)
    shutil.copytree(shipped("flows") / "multiple_choice", folder / "flows" / _FLOW)
    (folder / "flows" / _FLOW / "zero_shot.jinja2").write_text(PROMPT, encoding="utf-8")
    _write_data(folder, BEFORE, play)
    adapter = _train_first(folder, clock, play)
    _configure(folder, adapter, play)
    workspace = open_workspace(folder)
    with closing(open_ledger(workspace.ledger, folder)) as ledger:
        return _play(workspace, ledger, clock, play)


def _play(workspace: OpenWorkspace, ledger: Ledger, clock: Clock, play: Play) -> Path:
    points: list[LookPoint] = []

    def look() -> LookResult:
        result = watching.take_look(workspace, ledger, MONITOR, ProgressDisplay(clock.console))
        assert result.run is not None
        points.append(look_point(ledger, result.run, result.champion, bool(result.watched.alerts)))
        return result

    def calm_looks(count: int) -> None:
        for place in range(count):
            result = look()
            if result.watched.conclusion.result not in ("reference", "quiet"):
                raise DriftgateError(
                    f"look {place + 1} of {count} at {result.champion}: {_told(result)}", f"see {ledger.engine.url}"
                )

    def look_until_alarm() -> None:
        for _ in range(_MOST_LOOKS):
            result = look()
            for alert in result.watched.alerts:
                clock.say("Alarm", alert.summary)
            if result.watched.conclusion.result == "moved":
                recipe = workspace.config.monitors[MONITOR].recipe
                regression = result.watched.regression
                assert recipe is not None and regression is not None
                evidence = {"alert": regression.to_json()}
                remediation, _ = repair.begin_repair(workspace, ledger, recipe, result.champion, evidence)
                clock.say("A remediation is opened", remediation.id)
                return
        raise DriftgateError(
            f"{_MOST_LOOKS} looks at {result.champion}, and no alarm: {_told(result)}", f"see {ledger.engine.url}"
        )

    calm_looks(3)
    clock.say("Two reference looks at the champion, and a quiet one")
    _write_data(workspace.folder, AFTER, play)
    clock.say("The task changes: a new product, whose tickets all go to one team", AFTER.text)
    look_until_alarm()
    mended = mend(workspace, ledger, Telling(clock.console, workspace, ledger, clock, _OTHERWISE))[-1]
    found = promoted(ledger, mended)
    calm_looks(3)
    clock.say("Two reference looks at the new champion, and a quiet one")
    story = Story(
        title="A ticket router is watched, notices that its task changed, and is mended",
        words=_WORDS,
        before=BEFORE.text,
        after=AFTER.text,
        chapters=clock.chapters,
        looks=points,
        verdict=found.get(Judgement).verdict,
        training=found.get(Trained).metrics,
        items=found.get(Material).model_dump(),
        options=measured_options(workspace, ledger, mended),
    )
    return write_story(story, workspace.reports / "loop.html")


def _told(result: LookResult) -> str:
    found = result.watched
    return found.alerts[0].summary if found.alerts else f"{found.conclusion.result} {found.conclusion.why}"


def _write_data(folder: Path, policy: Policy, play: Play) -> None:
    """The workspace's datasets, labelled as the policy has it; the tickets themselves stay the same."""
    (folder / "data").mkdir(exist_ok=True)
    seed = play.seed
    sets = {
        "canary": [*tickets("canary", 24, seed), *tickets("canary", 16, seed, about="new")],
        "rest": tickets("hold_out", 120, seed + 1),  # a phrasing each: two of one would say the same
        "hold_out": tickets("hold_out", 40, seed + 2, about="new"),
        "known": tickets("training", 240, seed),
        "new": tickets("training", 120, seed, about="new"),
    }
    for name, drawn in sets.items():
        _write_rows(folder / "data" / f"{name}.jsonl", name, rows(drawn, policy))


def _write_rows(path: Path, name: str, made: Sequence[Mapping[str, Any]]) -> None:
    lines = [json.dumps({"id": f"{name}-{place:03}", **row}, ensure_ascii=False) for place, row in enumerate(made)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _train_first(folder: Path, clock: Clock, play: Play) -> str:
    """Train the champion that the story begins with, and return its adapter's path in the workspace."""
    made = rows(tickets("training", 240, play.seed), BEFORE)
    items = asyncio.run(_items(folder, made))
    write_items(folder / _FOLDER / "items.jsonl", items)
    config = parse_trainer({"trainer": "local", "recipe": {**_FIRST_RECIPE, "threads": play.threads}})
    trainer = TRAINERS.get("local").open(config, folder)
    job = TrainingJob(
        name=FIRST,
        base_model=play.base,
        items=folder / _FOLDER / "items.jsonl",
        workspace=folder,
        folder=folder / _FOLDER,
        recipe=config.recipe,
        seed=play.seed,
    )
    trained = train_and_wait(
        trainer, job, lambda said: clock.console.print(f"      training the first champion: {said}")
    )
    clock.say("The first champion is trained on the old rules", f"{len(items)} tickets")
    return str(trained.model["adapter"])


async def _items(folder: Path, made: Iterable[Mapping[str, Any]]) -> list[TrainingItem]:
    engine = ENGINES.get("native")(load_flow(_FLOW, folder))
    items = []
    for place, row in enumerate(made):
        inputs = {name: row[name] for name in ("passage", "question", "choices")} | {"scoring": "logprobs"}
        items.append(TrainingItem(await prompt_of(engine, inputs), row["answer"], id=f"first-{place}"))
    await engine.aclose()
    return items


def _configure(folder: Path, adapter: str, play: Play) -> None:
    jsonl = {name: {"kind": "jsonl", "path": f"data/{name}.jsonl"} for name in ("canary", "rest", "hold_out")}
    attempts = 1 + len(_OTHERWISE)  # one proof judges them all, so each has a part of the error
    rules: list[dict[str, Any]] = [
        {"metric": "accuracy", "better_than": "champion", "alpha": 0.03 / attempts, "dataset": "hold_out"},
        {"metric": "accuracy", "no_worse_than": "champion", "margin": 0.1, "alpha": 0.05 / attempts, "dataset": "rest"},
    ]
    workspace = {
        "version": 1,
        "name": "loop",
        "models": {FIRST: {**play.base, "adapter": adapter, "prompt_format": "document"}},
        "datasets": jsonl,
        "champions": {SLOT: FIRST},
        "gates": {"promotion": {"rules": rules}},
        "monitors": {
            MONITOR: {
                "champion": SLOT,
                "canaries": {"dataset": "canary", "limit": None, "flow": _FLOW},
                "reference_looks": 2,  # a story is short
                "cron": "0 3 * * *",
                "recipe": "router",
            }
        },
        "recipes": {
            "router": {
                "champion": SLOT,
                "synthesis": {
                    "sources": [
                        {"kind": "questions", "path": f"data/{name}.jsonl", "share": share}
                        for name, share in zip(("known", "new"), _SHARES, strict=True)
                    ],
                    "count": 240,
                    "seed": play.seed,
                    "near_duplicate": 0.95,  # tickets of one phrasing differ in little, and that little is meant
                },
                "base_model": FIRST,
                "trainer": {"trainer": "local", "recipe": {**_REPAIR_RECIPE, "threads": play.threads}},
                "further_attempts": list(_OTHERWISE),
                "flow": _FLOW,
                **({"choice": {"variants": ["terse"]}} if play.choice else {}),
                "proof": ["hold_out", "rest"],
                "gate": "promotion",
                "approval": False,
                "seed": play.seed,
            }
        },
        "nightly": {"monitors": [MONITOR]},
    }
    write_workspace(folder, workspace)
