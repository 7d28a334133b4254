"""Make sets of training data with the models of a workspace: what is opened for it, what it may take, what is kept."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from driftgate.api import session
from driftgate.api.deployments import keep
from driftgate.api.prices import priced
from driftgate.api.privacy import assure_made, measured, stand_ins_of
from driftgate.api.workspace import OpenWorkspace
from driftgate.finetune.firewall import Firewall
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.models import AdaptiveLimit, ChatModel, Model, ModelConfig, Prices, RetryPolicy, resilient
from driftgate.flows.private_files import make_folder
from driftgate.ledger import (
    KeptLease,
    Lease,
    Ledger,
    LedgerReplies,
    cells_of,
    find_run,
    keep_lease,
    lease_of,
    outcome_frame,
    sample_data,
)

if TYPE_CHECKING:
    from driftgate.finetune.synthesis import Asked, CoverageDataset, Rule, SynthesisConfig

_ROOM = 4_096
"""Tokens for an item and for what a model thinks before it writes one."""
SECONDS = 6.0
"""How long a process that was killed keeps others from asking for its set."""
_NOT_IDENTITY = {"prices", "in_flight", "timeout", "attempts", "api_key"}
_UNNAMED = "the workspace names no datasets, and no hold-out is sealed"
Advance = Callable[[int, int], None]
"""Told how many requests are done with, and of about how many."""
Tell = Callable[[str], None]
"""Told in words what is waited for."""
Wrap = Callable[[Model, Prices], Model]
"""Puts something before a model, such as what counts its calls."""


class Busy(DriftgateError):
    """Another process asks for the same set: each request would be paid twice."""


def _as_it_is(model: Model, prices: Prices) -> Model:
    return model


def find(workspace: OpenWorkspace, name: str = "") -> tuple[str, SynthesisConfig]:
    """A synthesis by its name, under ``synthesis`` or as a recipe's.

    Raises
    ------
    DriftgateError
        There is none of that name; or no name is given and there is not just one.
    """
    known = {name: recipe.synthesis for name, recipe in workspace.config.recipes.items()} | workspace.config.synthesis
    if not name and len(known) == 1:
        name = next(iter(known))
    if not name:
        told = f"the workspace has {len(known)}: {', '.join(known)}" if known else "the workspace has none"
        raise DriftgateError(f"it is not said which synthesis is meant; {told}", "name one, or write it: synthesis:")
    if name not in known:
        raise DriftgateError(f"there is no synthesis '{name}'", nearest(name, known))
    return name, known[name]


def set_folder(workspace: OpenWorkspace, name: str) -> Path:
    """Where the set of a synthesis lies."""
    return make_folder(workspace.folder / ".driftgate" / "synthesis" / name)


async def make_set(
    workspace: OpenWorkspace,
    ledger: Ledger,
    name: str,
    config: SynthesisConfig,
    advance: Advance = lambda done, total: None,
    tell: Tell = lambda words: None,
    wrap: Wrap = _as_it_is,
) -> CoverageDataset:
    """Make a set with the models of the workspace; replies are kept in the ledger as they come.

    Parameters
    ----------
    name : str
        The synthesis, or the recipe whose it is: one process at a time makes it.
    wrap : callable
        Is given each model and its prices when it is opened; what it gives is asked for what has no reply yet.

    Raises
    ------
    Busy
        Another process makes it.
    DriftgateError
        Its material is absent or malformed, a limit on cost cannot be kept, or a model does not answer.
    """
    from driftgate.finetune.synthesis import synthesize

    failing = failing_texts(workspace, ledger, config)
    firewall = Firewall(measured(workspace, ledger))
    async with Opened(workspace, ledger, name, config, advance=advance, tell=tell, wrap=wrap) as models:
        return await synthesize(
            config,
            workspace.folder,
            firewall,
            writer=models.writer,
            teacher=models.teacher,
            judge=models.judge,
            asker=models.asker,
            failing=failing,
            stand_ins=stand_ins_of(workspace.folder, config),
        )


def failing_texts(workspace: OpenWorkspace, ledger: Ledger, config: SynthesisConfig) -> list[str]:
    """What fails now, by which a coverage draws: the wrong samples of a run, or the texts of a file.

    Raises
    ------
    DriftgateError
        There is no such run or file, or nothing in it fails.
    """
    wanted = config.coverage.failing if config.coverage else ""
    if not wanted:
        return []
    if wanted.endswith(".jsonl"):
        from driftgate.finetune.synthesis import read_prompts

        return [one.text for one in read_prompts(workspace.folder / wanted)]
    run = find_run(ledger, wanted)
    wrong: set[int] = set()
    for cell in cells_of(ledger, run.id):
        frame = outcome_frame(ledger, cell.id)
        wrong |= {int(id) for id in frame.loc[frame["correct"] == 0, "sample_id"]}
    asked = (sample_data(ledger, sorted(wrong)) or {}).values()
    texts = ["\n".join(str(data[name]) for name in ("passage", "question") if data.get(name)) for data in asked]
    if not texts:
        raise DriftgateError(
            f"no sample of run {run.id} is answered wrongly", "name another run, or leave 'failing' out"
        )
    return texts


class Opened:
    """The models of a synthesis, open in an ``async with``, and who asks them."""

    def __init__(
        self,
        workspace: OpenWorkspace,
        ledger: Ledger,
        name: str,
        config: SynthesisConfig,
        *,
        advance: Advance = lambda done, total: None,
        tell: Tell = lambda words: None,
        wrap: Wrap = _as_it_is,
        whole: bool = True,
    ) -> None:
        """Of a synthesis that is made as a ``whole``, or only its model as it is."""
        self.writer: Model | None = None
        """The model that is asked for JSON."""
        self.teacher: Model | None = None
        """The same, asked for words."""
        self.judge: Model | None = None
        self._workspace, self._ledger, self._config, self._whole = workspace, ledger, config, whole
        self._name, self._advance, self._tell, self._done, self._wrap = name, advance, tell, 0, wrap
        total = sum(source.share for source in config.sources)
        asking = sum(source.share for source in config.sources if source.generator in ("model", "distil"))
        self._expected = math.ceil(config.count * config.surplus * asking / total)
        self._open: list[Model] = []
        self._until = AsyncExitStack()
        self._asked: dict[str, Asked] = {}

    async def __aenter__(self) -> Opened:
        """Open them.

        Raises
        ------
        Busy
            Another process asks them for the same.
        DriftgateError
            A model cannot be reached, or a limit on cost cannot be kept.
        """
        from driftgate.finetune.synthesis import Asker

        self.asker = Asker(
            self._config.limits, lambda like: LedgerReplies(self._ledger, repeat=like), self._asked, self._one
        )
        self.asker.sending.tell = self._waits
        async with AsyncExitStack() as until:
            kept = await until.enter_async_context(self._alone())
            self.asker.sending.may_go_on = lambda: self._must_hold(kept)
            until.push_async_callback(self._close)
            self._open_all()
            until.callback(self.asker.sending.watch().cancel)
            self._until = until.pop_all()
        return self

    def _alone(self) -> AbstractAsyncContextManager[KeptLease]:
        """The right to ask for this set."""
        key = f"synthesis {hashlib.sha256(self._name.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"

        def busy() -> Busy:
            row = lease_of(self._ledger, key)
            host, _, process = (row.holder if row is not None else "").rpartition(":")[0].rpartition(":")
            who = f"process {process} on {host}" if process else "another process"
            return Busy(
                f"{who} asks the models of '{self._name}' already: what two ask for at once is paid twice",
                "wait for it, or stop it; then give the same command again: what was answered is not paid again",
            )

        return keep_lease(Lease(self._ledger, key, SECONDS), busy)

    def _must_hold(self, kept: KeptLease) -> None:
        if kept.lost.is_set():
            raise Busy(
                f"another process asks the models of '{self._name}' by now, as this one was not heard of for a while",
                "wait for it; then give the same command again: what was answered is not paid again",
            )

    def _waits(self, words: str) -> None:
        self._tell(f"{words}; {self._done:,} of about {self._expected:,} requests are done")

    def _open_all(self) -> None:
        from driftgate.finetune.synthesis import with_schema

        config, generators = self._config, {source.generator for source in self._config.sources}
        if config.model and (not self._whole or generators - {"model"}):
            self.teacher = self._opened(config.model)
        if config.model and self._whole and generators - {"distil"}:
            self.writer = self._opened(config.model, with_schema)
        if config.judge and self._whole:
            self.judge = self._opened(config.judge)

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Keep what was learnt of their deployments, and close them."""
        await self._until.aclose()

    async def _close(self) -> None:
        for model in self._open:
            with suppress(DriftgateError):  # where the ledger itself is what failed, that is said already
                keep(self._ledger, model)
            await model.aclose()

    def _one(self) -> None:
        self._done += 1
        self._advance(self._done, max(self._done, self._expected))

    def _opened(self, name: str, adapt: Callable[[ModelConfig], ModelConfig] = lambda config: config) -> Model:
        from driftgate.finetune.synthesis import Asked

        given = priced(self._workspace, self._ledger, name, session.model_config(self._workspace, self._ledger, name))
        if self._config.limits.cost is not None and not given.prices.known:
            raise DriftgateError(
                f"the synthesis has a limit on cost, and nobody states the price of {given.prices.lacking} tokens of "
                f"model '{name}'",
                f"state models.{name}.prices, or limit calls instead",
            )
        model = session.open_model(self._workspace, self._ledger, name, adapt(given))
        self._open.append(model)
        if isinstance(model, ChatModel):
            model.make_room(_ROOM)
        told = json.dumps([given.model_dump(mode="json", exclude=_NOT_IDENTITY), self._config.seed], sort_keys=True)
        self._asked[name] = Asked(hashlib.sha256(told.encode()).hexdigest(), given.prices, given.in_flight)
        policy = RetryPolicy(timeout=given.timeout, attempts=given.attempts)
        limit = AdaptiveLimit(given.in_flight, self.asker.sending.patience)
        counted = self.asker.counting(self._wrap(model, given.prices), given.prices)
        return resilient(counted, policy, limit, seed=self._config.seed)


def looked_at(
    workspace: OpenWorkspace, ledger: Ledger, synthesis: str, dataset: CoverageDataset, config: SynthesisConfig
) -> Iterator[Rule]:
    """What is found in a set as it stands: items that repeat what is measured with, personal data, another recipe.

    Of a recipe with limits of privacy, also the figures of these.
    """
    from driftgate.finetune.synthesis import FILTERS, ITEMS, Rule, Setting, as_row, config_hash

    if dataset.config_hash != config_hash(config):
        found = "its configuration has changed since it was made: its figures are of another one"
        yield Rule("configuration", "unmeasurable", found)
    stand_ins = stand_ins_of(workspace.folder, config)
    against = measured(workspace, ledger)
    setting = Setting(config, {}, Firewall(against), stand_ins=stand_ins)
    for name, filter, what in (
        ("leak", "firewall", "repeat what is measured with"),
        ("privacy", "privacy", "hold personal data"),
    ):
        if not dataset.items:
            yield Rule(name, "unmeasurable", f"there are no items that could {what}")
            continue
        if filter == "firewall" and not against:
            yield Rule(name, "unmeasurable", f"{_UNNAMED}, so nobody knows whether items {what}")
            continue
        reasons = FILTERS.get(filter).check(dataset.items, setting)
        assert not isinstance(reasons, Awaitable)
        count = sum(map(bool, reasons))
        yield Rule(name, "fail" if count else "pass", f"{count:,} of {len(dataset.items):,} items {what}")
    recipe = workspace.config.recipes.get(synthesis)
    if recipe is None or synthesis in workspace.config.synthesis:
        return
    items = set_folder(workspace, synthesis) / ITEMS
    assured = assure_made(workspace.folder, ledger, recipe, list(map(as_row, dataset.items)), items)
    for figure in assured.figures if assured is not None else ():
        value = "not measured" if figure.value is None else f"{figure.value:.3g}"
        told = f"; {figure.told}" if figure.told else ""
        yield Rule(f"privacy.{figure.name}", figure.verdict, f"{value}, at most {figure.limit:g} is asked{told}")
