"""How the models of a cell take to being asked: refusals that every sample would meet, defaults that they refuse."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from driftgate.benchmarks.cell import Cell
from driftgate.flows.errors import DriftgateError
from driftgate.flows.line import Call
from driftgate.flows.models import CHAT, PROVIDERS, Model, ModelMisconfigured, Reply, RequestRejected
from driftgate.ledger import Ledger, add_left_out, has_replies, left_out_of

ALIKE = 20
"""Samples in a row that are refused alike, without one that is answered between them, are taken to stand for all."""
_AT_FIRST = ALIKE // 2
"""Samples under way until one is answered: each may be refused twice, with a default of ours and without it."""


_REQUEST_ID = re.compile(
    r"\b(?:req|request|trace|chatcmpl|cmpl)[-_][\w-]{6,}|\b[0-9a-f]{8}-[0-9a-f-]+|\b[0-9a-f]{16,}\b", re.I
)


class AllRefused(DriftgateError):
    """Every sample would be refused as these were; the run can be resumed once the cause is mended."""

    fault = "requests_refused"


class ModelRefuses(ModelMisconfigured):
    """The cell's own model refuses all that it is asked: a wrong key, a spent quota, a deployment that is gone."""


@dataclass
class Refusals:
    """Tells a refusal that every sample would meet from one that is its sample's own concern.

    Until the first sample is answered only so many are under way that no more requests are refused alike.
    """

    answered: bool = False
    """Whether the model has answered a sample."""
    words: str = ""
    """Of the last refusal."""
    alike: int = 0
    """Samples in a row that were refused in these words."""
    _under_way: int = 0
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    async def turn(self) -> None:
        """Wait until one more sample may be asked."""
        while not self.answered and self._under_way >= min(_AT_FIRST, ALIKE - self.alike):
            self._moved.clear()
            await self._moved.wait()
        self._under_way += 1

    def leave(self) -> None:
        """Give a turn back unused."""
        self._under_way -= 1
        self._moved.set()

    def ended(self, outcome: str, error: str, calls: Sequence[Call]) -> None:
        """Count what became of a sample.

        Raises
        ------
        AllRefused
            It is one too many that was refused in the same words.
        """
        self.leave()
        if outcome != "failed":
            self.answered, self.alike = True, 0
        elif any(isinstance(call.error, RequestRejected) for call in calls):  # an outage passes
            self.alike = self.alike + 1 if _same(error, self.words) else 1
            self.words = error
        if self.alike >= ALIKE:
            raise AllRefused(
                f"{self.alike} samples in a row were refused alike, and none was answered between them: {self.words}",
                "mend what it names",
            )


def _same(one: str, other: str) -> bool:
    """Whether two refusals differ at most in the id that a service gives to each request.

    >>> _same("no (request id: 5f0c2a9e-1111-4222-8333-944445555666)", "no (request id: 0a1b2c3d-1111-4222-8333-0)")
    True
    >>> _same("question 3 is too long", "question 4 is too long")
    False
    """
    return one == other or _REQUEST_ID.sub("", one) == _REQUEST_ID.sub("", other)


@dataclass
class Negotiated:
    """Which parameters the models of a cell are asked without; the ledger knows it before any outcome of theirs."""

    ledger: Ledger
    cell_id: int
    say: Callable[[str], None]
    """Tells the user."""
    _known: dict[str, frozenset[str]] = field(default_factory=dict)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @classmethod
    def of(cls, ledger: Ledger, cell_id: int, model: str, say: Callable[[str], None]) -> Negotiated:
        """As the ledger has it of a cell that may be gone on with."""
        known = left_out_of(ledger, cell_id)
        if model not in known and has_replies(ledger, cell_id):
            known[model] = frozenset()
        return cls(ledger, cell_id, say, known)

    async def note(self, calls: Sequence[Call]) -> None:
        """Take down what the models of a line were asked without.

        Raises
        ------
        DriftgateError
            A model of the cell was asked otherwise before.
        """
        for call in calls:
            if call.reply is not None and self._known.get(call.model) != frozenset(call.reply.without):
                async with self._lock:
                    await self._note(call.model, call.reply)

    async def _note(self, model: str, reply: Reply) -> None:
        names = frozenset(reply.without)
        known = self._known.get(model)
        if known is not None and known != names:
            changed = ", ".join(sorted(known ^ names))
            raise DriftgateError(
                f"model '{model}' was asked with '{changed}' and without it in one cell: its service changed",
                "begin a new run, without --cache",
            )
        if known is None and names:
            await asyncio.to_thread(add_left_out, self.ledger, self.cell_id, model, reply.without)
            for name, words in sorted(reply.without.items()):
                if name == CHAT:
                    self.say(f"model '{model}' is asked by the Responses API, as its service wants it ({words})")
                    continue
                self.say(f"model '{model}' is asked without the default '{name}', which its service refuses ({words})")
        self._known[model] = names


def refused_first(models: Mapping[str, Model]) -> list[str]:
    """How many requests were refused before it was known what the services take."""
    counts = {name: getattr(model, "refusals", 0) for name, model in models.items()}
    return [
        f"model '{name}': {count:,} request{'s' * (count != 1)} refused before it was known what its service takes, "
        "which is kept; driftgate doctor learns it beforehand"
        for name, count in counts.items()
        if count
    ]


def serves(wanted: str, served: str) -> bool:
    """Whether a service's name for a model is the asked one, or a version of it.

    Examples
    --------
    >>> serves("gpt-5-mini", "gpt-5-mini-2025-08-07"), serves("openai/gpt-5-mini", "gpt-5-mini")
    (True, True)
    >>> serves("phi-4", "qwen2.5")
    False
    """
    ours, theirs = (name.lower().rpartition("/")[2].removesuffix(".gguf") for name in (wanted, served))
    return ours.startswith(theirs) or theirs.startswith(ours)


def stranger(cell: Cell, served: str) -> str:
    """That a cell's replies are of another model than its own, in words; empty where they are not."""
    wanted = PROVIDERS.get(cell.model_config.provider).asked_for(cell.model_config)
    if not wanted or not served or serves(wanted, served):
        return ""
    return (
        f"model '{cell.model}' is asked for '{wanted}' and replies say they are of '{served}': scores may be of another"
    )


def alike(cell: Cell) -> list[str]:
    """That the repeats of a cell will show nothing, where its model is asked so that it answers alike."""
    parameters = cell.model_config.parameters
    if cell.repeats == 1:
        return []
    fixed = "temperature 0" if parameters.get("temperature") == 0 else ""
    if not fixed and parameters.get("seed") is not None:
        fixed = f"seed {parameters['seed']}"
    if not fixed:
        return []
    return [
        f"model '{cell.model}' is asked with {fixed}, under which it answers alike where its service takes it: its "
        f"{cell.repeats} repeats then show nothing; give it a temperature and no seed under its parameters"
    ]
