"""What the sentences of README.md and docs/ name is there: pages, files, modules, methods, options."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import typer.main
from pages import PAGES, ROOT, blocks, text_of

from driftgate.api.facade import Workspace
from driftgate.cli import app

LINK = re.compile(r"(?<!!)\[[^]]*\]\(([^)\s]+)\)")
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
FOLDERS = (
    "driftgate/",
    "tests/",
    "benchmarks/perf/",
    "requirements/",
    "flows/evaluators/",
    "monitor/azure/",
    "monitor/container/",
)
NO_MODULES = {"driftgate.yaml", "driftgate.run", "driftgate.verdict", "driftgate.keep"}
"""A file, and variables of Azure DevOps."""


def sentences(page: str) -> str:
    """A page without its blocks."""
    text = text_of(page)
    for block in blocks(page):
        text = text.replace(block.text, "\n")
    return text


def spans(page: str) -> set[str]:
    """What stands between backticks in a page's sentences."""
    return set(SPAN.findall(sentences(page)))


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    lost = []
    for link in LINK.findall(text_of(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            lost.append(link)
    assert not lost, f"{page}: {lost}"


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_files_and_modules_are_there(page: str) -> None:
    lost = []
    for span in spans(page):
        if span.startswith(FOLDERS) and re.fullmatch(r"[\w./*-]+", span):
            beside = [ROOT, ROOT / "driftgate"]
            if not any(list(folder.glob(span.rstrip("/"))) for folder in beside):
                lost.append(span)
        elif re.fullmatch(r"driftgate(\.\w+)+", span) and span not in NO_MODULES and not _importable(span):
            lost.append(span)
    assert not lost, f"{page}: {lost}"


def _importable(name: str) -> bool:
    """Whether a dotted name is a module, or something in one."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


@pytest.mark.parametrize("page", PAGES)
def test_options_and_methods_are_there(page: str) -> None:
    known = set(_options(typer.main.get_command(app)))
    for path in (ROOT / "benchmarks/perf").glob("*.py"):
        known |= set(re.findall(r"\"(--[a-z-]+)\"", path.read_text("utf-8")))
    lost = [span for span in spans(page) if (found := re.match(r"--[a-z][a-z-]*", span)) and found[0] not in known]
    lost += [
        span for span in spans(page) if (found := re.match(r"ws\.(\w+)", span)) and not hasattr(Workspace, found[1])
    ]
    assert not lost, f"{page}: {lost}"


def _options(command: Any) -> list[str]:
    found = [option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)]
    for below in getattr(command, "commands", {}).values():
        found += _options(below)
    return found
