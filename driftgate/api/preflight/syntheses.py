"""Training data can be made: material, generators, filters, models and what they may cost, looked at without asking."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from driftgate.api._waiting import wait_for
from driftgate.api.preflight._check import Check
from driftgate.api.preflight._finding import Finding, of_problem
from driftgate.api.preflight._inspection import Inspection
from driftgate.api.prices import priced
from driftgate.finetune.config import LEAST_ITEMS
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.extras import EXTRAS, MissingExtra, installed
from driftgate.flows.text import on_disk
from driftgate.ledger import find_run

if TYPE_CHECKING:
    from driftgate.api._yaml import Location
    from driftgate.finetune.synthesis import Candidate, SynthesisConfig

_TRIED = 64
"""Candidates made to see that a source gives any."""
_SHOWN = 3


def look(inspection: Inspection) -> Iterator[Finding]:
    """Go through each synthesis that stands by itself; a recipe's is looked at with the recipe."""
    if not inspection.scope.whole:
        return
    for name, config in inspection.workspace.config.synthesis.items():
        subject = f"synthesis {name}"
        made: list[Candidate] = []
        found = list(look_at_synthesis(inspection, subject, ("synthesis", name), config, made))
        yield from found
        if not any(finding.severity == "error" for finding in found):
            yield Finding("good", subject, f"{len(config.sources)} sources, {config.count:,} items wanted")


def look_at_synthesis(
    inspection: Inspection, subject: str, place: Location, config: SynthesisConfig, made: list[Candidate]
) -> Iterator[Finding]:
    """What is wrong with a synthesis; a few candidates that no model writes are put into ``made``."""
    yield from _names(inspection, subject, place, config)
    yield from _coverage(inspection, subject, place, config)
    yield from _limits(inspection, subject, place, config)
    yield from _material(inspection, subject, place, config, made)


def _names(inspection: Inspection, subject: str, place: Location, config: SynthesisConfig) -> Iterator[Finding]:
    from driftgate.finetune.synthesis import FILTERS, GENERATORS

    models = inspection.workspace.config.models
    for key, wanted in (("model", config.model), ("judge", config.judge)):
        if wanted and wanted not in models:
            found = f"its synthesis names the model '{wanted}' as {key}, which the workspace does not have"
            yield Finding("error", subject, found, nearest(wanted, models), inspection.where(*place, key))
    if config.model and config.model == config.judge:
        found = f"the model '{config.model}' judges what it wrote itself, and is likely to agree with itself"
        yield Finding("warning", subject, found, "name another model as judge", inspection.where(*place, "judge"))
    for index, source in enumerate(config.sources):
        if source.generator not in GENERATORS.names():
            where = inspection.where(*place, "sources", index, "generator")
            found = f"source {index + 1} names the generator '{source.generator}', which does not exist"
            yield Finding("error", subject, found, nearest(source.generator, GENERATORS.names()), where)
    for index, wanted in enumerate(config.extra_filters):
        if wanted not in FILTERS.names():
            where = inspection.where(*place, "extra_filters", index)
            found = f"its synthesis names the filter '{wanted}', which does not exist"
            yield Finding("error", subject, found, nearest(wanted, FILTERS.names()), where)


def _coverage(inspection: Inspection, subject: str, place: Location, config: SynthesisConfig) -> Iterator[Finding]:
    """What its coverage follows is there."""
    if config.coverage is not None and config.coverage.clusters > config.count:
        found = f"its coverage has {config.coverage.clusters} clusters for {config.count} items: some get none"
        yield Finding("error", subject, found, "ask for more items", inspection.where(*place, "coverage", "clusters"))
    wanted = config.coverage.failing if config.coverage is not None else ""
    where = inspection.where(*place, "coverage", "failing")
    if wanted.endswith(".jsonl"):
        if not on_disk(inspection.workspace.folder / wanted).is_file():
            yield Finding("error", subject, f"there is no file {wanted} of what fails", "correct its path", where)
    elif wanted and inspection.ledger is not None:
        try:
            find_run(inspection.ledger, wanted)
        except DriftgateError as problem:
            yield of_problem(subject, problem, where)


def _limits(inspection: Inspection, subject: str, place: Location, config: SynthesisConfig) -> Iterator[Finding]:
    """Its limits can be kept, and leave enough to train on."""
    from driftgate.finetune.synthesis import ASKS

    models = inspection.workspace.config.models
    for name in dict.fromkeys((config.model, config.judge)):
        if config.limits.cost is None or name not in models:
            continue
        given = priced(inspection.workspace, inspection.ledger, name, models[name])
        if not given.prices.known:
            found = f"it has a limit on cost, and nobody states the price of {given.prices.lacking} tokens of '{name}'"
            remedy = f"state models.{name}.prices, or limit calls instead"
            yield Finding("error", subject, found, remedy, inspection.where(*place, "limits", "cost"))
    all_asked = all(source.generator in ASKS for source in config.sources)
    if config.limits.calls is not None and all_asked and config.limits.calls < LEAST_ITEMS:
        found = f"its limit of {config.limits.calls} requests leaves fewer than the {LEAST_ITEMS} items that are needed"
        yield Finding("error", subject, found, "raise it", inspection.where(*place, "limits", "calls"))
    needed = math.ceil(config.count * config.surplus)
    if config.limits.calls is not None and all_asked and LEAST_ITEMS <= config.limits.calls < needed:
        found = f"its limit of {config.limits.calls} requests is below the {needed} that {config.count} items may take"
        yield Finding(
            "warning", subject, found, "raise it, or lower surplus", inspection.where(*place, "limits", "calls")
        )
    if config.accept.items > config.count:
        found = f"it makes {config.count} items, and its set passes with {config.accept.items} only"
        yield Finding("error", subject, found, "raise count", inspection.where(*place, "accept", "items"))


def _material(
    inspection: Inspection, subject: str, place: Location, config: SynthesisConfig, made: list[Candidate]
) -> Iterator[Finding]:
    """Read the material of each source, and make a few candidates of it."""
    from driftgate.finetune.synthesis import ASKS, FILTERS, GENERATORS, try_source

    folder = inspection.workspace.folder
    if config.count < LEAST_ITEMS:
        found = f"its synthesis makes {config.count} items, and a repair with fewer than {LEAST_ITEMS} is rejected"
        yield Finding("error", subject, found, f"ask for {LEAST_ITEMS} or more", inspection.where(*place, "count"))
    known = True
    for index, source in enumerate(config.sources):
        yield from _measured(inspection, subject, place, config, index)
        if source.generator not in GENERATORS.names():
            known = False
            continue
        where = inspection.where(*place, "sources", index)
        try:
            found_some = wait_for(try_source(config, index, folder, _TRIED))
        except DriftgateError as problem:
            yield of_problem(subject, problem, where)
            known = False
            continue
        made += found_some
        known = known and source.generator not in ASKS
        if source.kind == "documents":
            yield from _unread(subject, folder / source.path, where)
    if known and len(made) < LEAST_ITEMS:
        found = f"its material gives {len(made)} training items, and a repair needs {LEAST_ITEMS}"
        yield Finding("error", subject, found, "give it more material", inspection.where(*place, "sources"))
    if not all(map(installed, EXTRAS["finetune"])):
        missing = MissingExtra("finetune", "the synthesis of training items")
        yield of_problem(subject, missing, inspection.where(*place))
    for filter_name in config.filters:
        if filter_name in FILTERS.names():
            try:
                FILTERS.get(filter_name)
            except DriftgateError as problem:
                yield of_problem(subject, problem, inspection.where(*place))


def _unread(subject: str, path: Path, where: str) -> Iterator[Finding]:
    """Files of its folder that are not read, by their kind; reading the others showed that there is text."""
    if not path.is_dir():
        return
    names = [file for file in path.rglob("*") if file.is_file() and not file.name.startswith(".")]
    needs = {".pdf": "pypdf", ".html": "selectolax", ".htm": "selectolax", ".xhtml": "selectolax"}
    lacking = [file for file in names if (module := needs.get(file.suffix.lower())) and find_spec(module) is None]
    if lacking:
        found = f"{len(lacking)} PDF and HTML files are not read without the extra 'documents'"
        yield Finding("warning", subject, found, "pip install 'driftgate[documents]'", where)
    known = {".md", ".markdown", ".txt", ".jsonl", ".csv", *needs}
    others = Counter(file.suffix.lower() or file.name for file in names if file.suffix.lower() not in known)
    if others:
        kinds = ", ".join(f"{kind} {count}" for kind, count in others.most_common(_SHOWN))
        found = f"{others.total()} files of its documents are of kinds that are not read: {kinds}"
        yield Finding("warning", subject, found, "save them as text, Markdown, CSV, HTML or PDF", where)


def _measured(
    inspection: Inspection, subject: str, place: Location, config: SynthesisConfig, index: int
) -> Iterator[Finding]:
    """A source that is itself measured gives nothing: the firewall refuses every item of it."""
    path = getattr(config.sources[index], "path", None)
    if path is None:
        return
    folder = inspection.workspace.folder
    file = on_disk(folder / path).resolve()
    for dataset, measured in inspection.workspace.config.datasets.items():
        theirs = getattr(measured, "path", None)
        if theirs is not None and on_disk(folder / str(theirs)).resolve() == file:
            found = f"source {index + 1} is the file of dataset '{dataset}': what is measured is never trained on"
            where = inspection.where(*place, "sources", index, "path")
            yield Finding("error", subject, found, "give it material of its own", where)


CHECK = Check(look)
