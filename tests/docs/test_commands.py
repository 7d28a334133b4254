"""Every command line of README.md and docs/ is one of the command line's, and ends as the pages say."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import typer.main
import yaml
from chat_endpoint import ChatEndpoint
from command_line import Cli, Done
from docs_world import World, build
from pages import PAGES, ROOT, Command, commands, mentions

from driftgate.cli import app, main

PARSED_ONLY = {
    "make": "installs, or computes for minutes; make says what it would do (make -n)",
    "python -m benchmarks.perf": "measures for minutes; tests/docs/test_figures.py runs those that no machine changes",
    "driftgate bench --on azureml": "wants Azure; tests/cli/azureml serves a loopback one",
    "driftgate serve": "serves until it is stopped; tests/service and tests/cli/test_hostile_text.py start it",
    "driftgate view": "serves until it is stopped; tests/service/console/test_view.py starts it",
    "driftgate keys revoke": "wants the id of a key; tests/ledger/test_keys.py and test_hostile_text.py revoke some",
    "driftgate demo handbook": "trains for minutes; make train-test",
    "driftgate azure publish": "wants a Foundry project; tests/monitor/azure/test_foundry.py publishes to one",
    "driftgate privacy check": "wants training items; tests/cli/test_privacy.py measures some",
    "driftgate privacy seal": "wants a dataset; tests/cli/test_privacy.py seals one",
    "driftgate calibrate": "wants people's labels of a judged run; tests/cli/test_calibrate.py draws and reads some",
    "driftgate remediation approve": "wants a trained candidate that waits; tests/cli/test_repair.py approves one",
    "driftgate remediation reject": "wants one that waits as well; tests/cli/repair/test_approved.py rejects one",
    "driftgate remediation abandon": "wants one that is open; tests/cli/repair/test_ended.py abandons some",
    "driftgate remediation resume": "wants repairs that are stopped; tests/cli/repair/test_ended.py resumes some",
    "driftgate remediation stop": "would stop what later commands do; tests/cli/repair/test_ended.py stops some",
    "driftgate training": "wants a training job; tests/cli/test_training.py looks into one and stops it",
    "driftgate export": "wants a tuned model; tests/finetune/train/test_export.py writes some",
    "driftgate notify test": "wants a channel; tests/cli/looks/test_of_incidents.py sends by one",
    "driftgate flow parity whole agents:workflow": "wants agent-framework-core in an environment of its own",
}
"""By the beginning of a command: why it is not run here. Its words are parsed like all others."""
ENDS = {
    "gate": (0, 1, 3, 4),
    "monitor check": (0, 1, 3, 4),
    "monitor prompt-drift": (0, 1, 3, 4),
    "monitor alerts": (0, 4),
    "incidents": (0, 1, 4),
    "flow parity": (0, 1, 3, 4),
    "jobs": (0, 1, 4),
    "jobs run": (0, 4),
    "jobs show": (0, 1, 3),
    "forget": (0, 1),
    "pairwise": (0, 1, 3, 4),
    "synth make": (0, 1, 3, 4),
    "synth check": (0, 1, 3, 4),
}
"""By command: the exit codes that the pages state for a verdict; of all others 0 is meant."""
STAND_FOR = {
    "runs import": {"FILE": "../shared/data/recorded/[KMMLU] gpt-5-chat-2025-08-08.csv"},
    "compare --models A,B --where": {"A": "small", "B": "large"},
    "flow parity": {"SUITE": "whole"},
    "pairwise": {"latest/tuned": "latest:release/large", "latest/base": "latest:release/small", "gpt": "large"},
}
"""By the beginning of a command: placeholders that stand for something else there."""
APP: Any = typer.main.get_command(app)
WRONG: Any = typer.BadParameter.__base__
"""What a command line that cannot be raises."""
SHOWN = {page: list(commands(page)) for page in PAGES}
OWN = "docs/own.md"
"""Its commands are about the page's own files: tests/cli/test_own_page.py runs them."""


def command_of(arguments: list[str]) -> tuple[str, Any, list[str]]:
    """The command that these words name, and the words behind its name."""
    found = APP
    path: list[str] = []
    for word in arguments:
        if not hasattr(found, "commands") or word not in found.commands:
            break
        found = found.commands[word]
        path.append(word)
    return " ".join(path), found, arguments[len(path) :]


def filled(words: list[str], stands_for: dict[str, str]) -> list[str]:
    """The words of a command with what their placeholders stand for."""
    line = " ".join(words)
    for start, otherwise in STAND_FOR.items():
        stands_for = stands_for | otherwise if line.startswith(start) else stands_for
    longest = sorted(stands_for, key=len, reverse=True)
    pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest))})(?![\w-])")
    return [pattern.sub(lambda found: stands_for[found[0]], word) for word in words]


def runs(command: Command) -> bool:
    """Whether a command is run here; any other is parsed only, for a reason."""
    line = f"{' '.join(command.arguments)} "
    return not any(re.match(rf"{re.escape(start)}[ .]", line) for start in PARSED_ONLY)


@pytest.fixture(scope="module")
def served() -> Iterator[ChatEndpoint]:
    endpoint = ChatEndpoint()
    endpoint.start()
    yield endpoint
    endpoint.stop()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, served: ChatEndpoint) -> World:
    """The workspace once, for all pages: each gets a copy."""

    def plain(*arguments: object) -> Done:
        before, sys.argv = sys.argv, ["driftgate", *map(str, arguments)]
        try:
            main()
        except SystemExit as ended:
            return Done(int(ended.code or 0), "", "")
        finally:
            sys.argv = before
        return Done(0, "", "")

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DRIFTGATE_TOKEN", "a-token-of-enough-letters")
        return build(tmp_path_factory.mktemp("world"), plain, served)


@pytest.fixture
def reader(world: World, tmp_path: Path) -> World:
    """The world of one page's reader, whom no other page disturbs."""
    own = tmp_path / "world"
    shutil.copytree(world.folder, own)
    return World(own, {name: value.replace(str(world.folder), str(own)) for name, value in world.stands_for.items()})


@pytest.mark.parametrize("page", [page for page in PAGES if page != OWN and any(map(runs, SHOWN[page]))])
def test_the_commands_of_a_page_end_as_it_says(
    page: str, reader: World, cli: Cli, served: ChatEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRIFTGATE_TOKEN", "a-token-of-enough-letters")
    at_fault = []
    for command in filter(runs, SHOWN[page]):
        for name, value in command.environment.items():
            monkeypatch.setenv(name, value)
        name, _, _ = command_of(command.arguments[1:])
        words = filled(command.arguments[1:], reader.stands_for)
        above = any(word.startswith("my-") for word in words)
        monkeypatch.chdir(reader.folder if above else reader.workspace)
        if name == "init" and not above:
            (reader.folder / "new").mkdir(exist_ok=True)
            monkeypatch.chdir(reader.folder / "new")
        if words[:2] == ["init", "my-workspace"] and "--ci" not in words:
            words[1] = "my-new-workspace"  # the example workspace is there already
        done = cli(*words)
        if words[:2] == ["init", "my-rag"]:
            _ask_the_endpoint(reader.folder / "my-rag", served)
        if done.code not in ENDS.get(name, (0,)) or "Traceback" in done.err or "a defect of driftgate" in done.err:
            at_fault.append(f"{page}:{command.line}: {command.text}: exit {done.code}\n{done.out[-600:]}{done.err}")
    assert not at_fault, "\n\n".join(at_fault)


def _ask_the_endpoint(space: Path, served: ChatEndpoint) -> None:
    """Let the models of a new workspace be asked of the endpoint: 160 questions of a real one take minutes."""
    file = space / "driftgate.yaml"
    config = yaml.safe_load(file.read_text("utf-8"))
    for model in config["models"].values():
        assert model["provider"] == "local"
        model |= {"provider": "openai", "endpoint": f"{served.url}/v1"}
        model.pop("context")
    file.write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")


@pytest.mark.parametrize("page", [page for page in PAGES if SHOWN[page]])
def test_the_commands_of_a_page_exist(page: str, world: World) -> None:
    at_fault = []
    for command in SHOWN[page]:
        try:
            _parse(command.arguments, world.stands_for)
        except (WRONG, AssertionError) as problem:
            at_fault.append(f"{page}:{command.line}: {command.text}: {getattr(problem, 'message', problem)}")
    assert not at_fault, "\n".join(at_fault)


def _parse(arguments: list[str], stands_for: dict[str, str]) -> None:
    program, *rest = arguments
    if program == "make":
        targets = {word for word in rest if "=" not in word}
        assert targets <= MAKE, f"the Makefile has no {sorted(targets - MAKE)}"
        if shutil.which("make"):
            done = subprocess.run(["make", "-n", *rest], cwd=ROOT, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
    elif program == "python":
        _, module, *options = rest
        file = ROOT / f"{module.replace('.', '/')}.py"
        assert file.is_file(), f"there is no module {module}"
        known = set(re.findall(r"\"(--[a-z-]+)\"", file.read_text(encoding="utf-8")))
        unknown = {word for word in options if word.startswith("--")} - known
        assert not unknown, f"{module} has no {sorted(unknown)}"
    else:
        name, command, behind = command_of(filled(rest, stands_for))
        assert not hasattr(command, "commands") or command.invoke_without_command, (
            f"there is no command '{' '.join(rest)}'"
        )
        with command.make_context(name, behind):
            pass


MAKE = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def test_the_sentences_of_the_pages_speak_of_commands_that_there_are() -> None:
    at_fault = []
    for page in PAGES:
        for mention in mentions(page):
            program, *rest = mention.text.split()
            if program == "make":
                at_fault += [f"{page}:{mention.line}: make {rest[0]}"] if rest and rest[0] not in MAKE else []
            elif program == "python":
                at_fault += _wrong_module(mention)
            elif program == "driftgate":
                at_fault += _misspoken(mention, rest)
    assert not at_fault, "\n".join(at_fault)


def _wrong_module(mention: Command) -> list[str]:
    try:
        _parse(mention.text.split(), {})
    except AssertionError as problem:
        return [f"{mention.page}:{mention.line}: {mention.text}: {problem}"]
    return []


def _misspoken(mention: Command, words: list[str]) -> list[str]:
    """What is wrong with a command in a sentence, of which arguments may be left out."""
    _, command, behind = command_of(words)
    if hasattr(command, "commands") and behind and behind[0] != "--help":
        return [f"{mention.page}:{mention.line}: {mention.text}: there is no such command"]
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    unknown = [word for word in behind if word.startswith("--") and word not in options | {"--help"}]
    return [f"{mention.page}:{mention.line}: {mention.text}: no option {word}" for word in unknown]


def test_what_is_parsed_only_stands_on_a_page_and_what_runs_it_is_there() -> None:
    lines = [command for found in SHOWN.values() for command in found if not runs(command)]
    for start, why in PARSED_ONLY.items():
        shown = any(" ".join(command.arguments).startswith(start) for command in lines)
        assert shown, f"no page shows '{start}' any more: take it out of the list"
        gone = [path for path in re.findall(r"tests/[\w/.]+", why) if not (ROOT / path).exists()]
        assert not gone, f"'{start}' is run by {gone} no more"
    assert OWN.removeprefix("docs/") in (ROOT / "tests/cli/test_own_page.py").read_text("utf-8")


def test_a_wrong_option_a_missing_argument_and_a_command_that_is_gone_are_found(world: World) -> None:
    lines = (
        "driftgate runs list --wrong",
        "driftgate champion promote SLOT",
        "driftgate attribute A B",
        "make wish",
        "driftgate gate RUN extra",
        "python -m benchmarks.perf.throughput --speed 3",
        "driftgate runs list  # all",
    )
    page = "".join(f"    {line}\n" for line in lines)
    found = list(commands("made up", page))
    assert len(found) == 7
    for command in found[:-1]:
        with pytest.raises((WRONG, AssertionError)):
            _parse(command.arguments, world.stands_for)
    _parse(found[-1].arguments, world.stands_for)
