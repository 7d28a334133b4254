"""Raw material, candidates, and what generators and filters are."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from driftgate.finetune.firewall import Firewall
from driftgate.finetune.synthesis._asking import Asker, Reject
from driftgate.finetune.synthesis._config import Form, Persona, Source, SynthesisConfig
from driftgate.flows.letters import LETTERS
from driftgate.flows.models import Model
from driftgate.flows.registry import Registry


@dataclass(frozen=True, slots=True)
class Material:
    """One document, labelled example, phrasing or ready question, without personal data."""

    id: str
    """``file``, ``file:line`` or ``templates:label:place``."""
    kind: str
    """``documents``, ``examples``, ``templates`` or ``questions``."""
    text: str
    slice: str
    label: str = ""
    """What the choices call its label, or a ready question's right choice; empty for documents."""
    redactions: int = 0
    """Values that were replaced when it was read."""
    choices: tuple[str, ...] = ()
    """Of a ready question."""
    passage: str = ""
    """Of a ready question."""
    turns: tuple[tuple[str, str], ...] = ()
    """Of a ready question or a prompt: what the user and the model said before it, in pairs."""
    cluster: str = ""
    """The cluster of the coverage that it is in; empty without one."""

    @property
    def content_hash(self) -> str:
        """12 hexadecimal digits of everything an item is made from."""
        said = [list(turn) for turn in self.turns]
        return _digest([self.text, self.label, *self.choices, self.passage, *([said] if said else [])])


@dataclass(frozen=True, slots=True)
class Candidate:
    """A training item as it was generated."""

    question: str
    choices: tuple[str, ...]
    """Empty where the answer is a text."""
    answer: str
    """Letter of the right choice, or without choices the answer itself."""
    slice: str
    label: str
    """What the answer is: the label, or the type of the span."""
    phrasing: str
    """The way it is put: a persona's name, ``as_written``, ``gap`` or ``statement``."""
    text: str
    """What sets the item apart: the question without the wording all items share."""
    source: str
    """Id of its material."""
    source_hash: str
    generator: str
    generator_version: str
    seed: int
    passage: str = ""
    """The rule, policy or document the question is answered from."""
    turns: tuple[tuple[str, str], ...] = ()
    """What the user and the model said before the question, in pairs."""
    wrong: str = ""
    """A worse answer in words, where one is known: the other half of a preference pair."""
    model: str = ""
    """The workspace model that wrote it; empty where none did."""
    prompt_hash: str = ""
    """12 hexadecimal digits of what that model was asked."""
    cluster: str = ""
    """The cluster of its material."""

    @property
    def data(self) -> dict[str, Any]:
        """The item as a sample's data, which flows render."""
        choices = {"choices": list(self.choices)} if self.choices else {}
        passage = {"passage": self.passage} if self.passage else {}
        said = [{"inputs": {"question": user}, "outputs": {"answer": model}} for user, model in self.turns]
        turns = {"chat_history": said} if said else {}
        return {"question": self.question, **choices, "answer": self.answer, **passage, **turns}

    @property
    def right_choice(self) -> str:
        """The answer in words: the text of the right choice; empty where the letter is none of them."""
        if not self.choices:
            return self.answer
        place = LETTERS.find(self.answer) if self.answer else -1
        return self.choices[place] if 0 <= place < len(self.choices) else ""

    @property
    def content_hash(self) -> str:
        """12 hexadecimal digits, as of a sample with the same data."""
        return _digest(self.data)


def _digest(value: Any) -> str:
    content = unicodedata.normalize("NFC", json.dumps(value, sort_keys=True, ensure_ascii=False))
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:12]


@dataclass(frozen=True)
class Request:
    """What a generator is asked for."""

    source: Source
    materials: Sequence[Material]
    personas: Sequence[Persona]
    count: int
    """Candidates wanted; fewer where the material gives no more."""
    seed: int
    model: Model | None = None
    form: Form = "choices"
    """What an item asks for; see :class:`SynthesisConfig`."""
    shares: Mapping[str, float] = field(default_factory=dict)
    """Part of the candidates that each cluster of the material is to have; empty without a coverage."""
    asker: Asker = field(default_factory=Asker)
    """Asks the model, once for each request and within the limits."""


@dataclass(frozen=True)
class Generated:
    """What a generator gives back."""

    candidates: tuple[Candidate, ...]
    rejects: tuple[Reject, ...] = ()
    """A model's replies that were no candidate."""


@dataclass(frozen=True)
class Generator:
    """A way to turn material into candidates."""

    version: str
    generate: Callable[[Request], Generated | Awaitable[Generated]]
    """Deterministic under the request's seed, as far as its model is."""


@dataclass(frozen=True)
class Setting:
    """What filters may look at."""

    config: SynthesisConfig
    materials: Mapping[str, Material]
    firewall: Firewall
    judge: Model | None = None
    asker: Asker = field(default_factory=Asker)


@dataclass(frozen=True)
class Filter:
    """A test of candidates."""

    version: str
    check: Callable[[Sequence[Candidate], Setting], Sequence[str] | Awaitable[Sequence[str]]]
    """For every candidate why it is dropped, empty where it stays."""


GENERATORS: Registry[Generator] = Registry("generator", "driftgate.finetune.synthesis.generators", "GENERATOR")
FILTERS: Registry[Filter] = Registry("filter", "driftgate.finetune.synthesis.filters", "FILTER")
