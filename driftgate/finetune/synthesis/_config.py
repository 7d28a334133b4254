"""What a workspace says of the training data to be made."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from driftgate.flows.path_settings import READ

FILTERS = ("schema", "privacy", "groundedness", "near_duplicate", "firewall", "diversity")
"""The filters of every synthesis in their order; ``judge`` stands before ``diversity`` where a judge is named."""


class Persona(BaseModel):
    """A way of writing: what may stand before and after a text."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: str
    """The phrasing class of its items."""
    describe: str = ""
    """In words, for the ``model`` generator."""
    openings: tuple[str, ...] = ("",)
    """One of them stands before the text."""
    closings: tuple[str, ...] = ("",)
    """One of them stands after it."""


class _Source(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    share: float = Field(1.0, gt=0)
    """Its part of the items, relative to the other sources' shares."""
    slice: str = ""
    """The slice of its items, where the material does not say it."""
    passage: str = ""
    """A rule or policy that is shown with every question."""


class DocumentsSource(_Source):
    """Documents: questions about what they say."""

    kind: Literal["documents"]
    """``documents``."""
    path: Annotated[str, READ]
    """A folder of ``.md``, ``.txt`` and ``.jsonl`` files (an object with ``text`` a line), or one such file. Without
    ``slice``, a document's slice is its ``slice`` in JSONL, else its folder's name, else the file's."""
    generator: str = "extractive"
    """``extractive``, ``model`` or a plugin's name."""


class _LabelSource(_Source):
    question: str = "{text}"
    """The question, with ``{text}`` where the customer's text stands."""
    labels: dict[str, str] = {}
    """What each label is called in the choices, in their order; by default the labels themselves, sorted."""


class ExamplesSource(_LabelSource):
    """Labelled production examples."""

    kind: Literal["examples"]
    """``examples``."""
    path: Annotated[str, READ]
    """A JSON Lines file with ``text``, ``label`` and, optionally, ``slice``."""
    generator: str = "labelled"
    """``labelled``, ``model`` or a plugin's name."""


class TemplatesSource(_LabelSource):
    """Phrasings of the task, where there is no text from production."""

    kind: Literal["templates"]
    """``templates``."""
    templates: dict[str, list[str]] = Field(min_length=1)
    """Phrasings by label, with ``{slot}`` for what varies."""
    slots: dict[str, list[str]] = {}
    """Values of each slot."""
    generator: str = "templated"
    """``templated``, ``model`` or a plugin's name."""


class QuestionsSource(_Source):
    """Questions that are ready, to be filtered and drawn evenly."""

    kind: Literal["questions"]
    """``questions``."""
    path: Annotated[str, READ]
    """A JSON Lines file with ``question``, ``choices``, ``answer`` (a letter) and, optionally, ``passage`` and
    ``category``, which is the slice."""
    generator: str = "ready"
    """``ready`` or a plugin's name."""


Source = Annotated[DocumentsSource | ExamplesSource | TemplatesSource | QuestionsSource, Field(discriminator="kind")]


class SynthesisConfig(BaseModel):
    """How training data is made."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    sources: list[Source] = Field(min_length=1)
    """Raw material; paths are relative to the workspace."""
    slices: list[str] = []
    """Only material of these slices is used; empty for all."""
    count: int = Field(200, ge=1, le=100_000)
    """Items wanted."""
    surplus: float = Field(2.0, ge=1)
    """Candidates made for each item wanted, since filters drop some."""
    seed: int = 0
    """Decides every random choice."""
    personas: list[Persona] = []
    """Ways of writing for sources without text of their own; empty for the built-in ones."""
    model: str = ""
    """Workspace model of the ``model`` generator. It is asked for JSON by a schema, where its service takes one, and
    with a limit of 512 tokens where its parameters set a lower one."""
    judge: str = ""
    """Workspace model that has to give the same answer as the item; empty for no judge."""
    near_duplicate: float = Field(0.85, gt=0, le=1)
    """Jaccard similarity of jamo 3-grams from which two items count as the same."""
    per_source: int = Field(8, ge=1)
    """Items made from one document, example or phrasing, at most."""
    extra_filters: list[str] = []
    """Filters of plugins, applied after the built-in ones."""

    @model_validator(mode="after")
    def _named(self) -> SynthesisConfig:
        if not self.model and any(source.generator == "model" for source in self.sources):
            raise ValueError("a source uses the generator 'model': name a workspace model in 'model'")
        if len({persona.name for persona in self.personas}) < len(self.personas):
            raise ValueError("two personas share a name")
        return self

    @property
    def filters(self) -> tuple[str, ...]:
        """Names of the filters in the order they are applied."""
        judge = ("judge",) if self.judge else ()
        return (*FILTERS[:-1], *judge, FILTERS[-1], *self.extra_filters)
