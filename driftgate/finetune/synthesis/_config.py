"""What a workspace says of the training data to be made."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from driftgate.flows.amounts import Amount, Count, Number
from driftgate.flows.path_settings import READ

FILTERS = ("schema", "privacy", "groundedness", "near_duplicate", "firewall", "diversity")
"""The filters of every synthesis in their order; ``judge`` stands before ``diversity`` where a judge is named."""
LEAST_ITEMS = 20
"""Training items below which a set is too little to judge, and a repair is rejected."""
Form = Literal["choices", "text"]


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


class PersonaSchema(BaseModel):
    """Ways of writing, declared by what they differ in."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    dimensions: dict[str, list[str]] = Field(min_length=1)
    """What people differ in, with its values: ``{age: [20s, 60s], tone: [polite, urgent]}``."""
    count: int = Field(16, ge=1, le=1000)
    """Personas made of them, so that as many pairs of values as can be stand in one; ``driftgate synth persona`` writes
    them out."""

    @model_validator(mode="after")
    def _with_values(self) -> PersonaSchema:
        for name, values in self.dimensions.items():
            if not values or len(set(values)) < len(values):
                raise ValueError(f"the dimension '{name}' has {'a value twice' if values else 'no value'}")
        return self


class CoverageConfig(BaseModel):
    """What the items are to be about: material is cut, clustered by its wording, and drawn to a mix."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    clusters: int = Field(0, ge=0, le=200)
    """Clusters of the material; 0: the square root of half of its pieces."""
    mix: Literal["even", "natural"] = "even"
    """Every cluster alike, or each by its part of the material."""
    failing: str = ""
    """What fails now: a run (its id, a part of it, ``latest``), whose wrong samples count, or a file of the workspace,
    JSON Lines with ``text``. It says only where items are wanted; none of it reaches a model or an item."""
    weight: float = Field(0.5, ge=0, le=1)
    """Part of the items that follows what fails, where ``failing`` is given; the rest follows ``mix``."""


class LimitsConfig(BaseModel):
    """What a synthesis may take; reached, no further request is made, and what there is stands."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    calls: Count | None = None
    """Requests in all: those of earlier attempts that were answered, and each one that is sent again after a 429 or a
    fault. Unset: no limit."""
    cost: Amount | None = None
    """What they may cost, in the currency of the models' prices. A request is sent once what it may cost is covered, by
    its length and its limit on tokens, or as much as the dearest so far; only the last may cost more. Models without
    known prices are refused. Unset: no limit."""
    minutes: Amount = 720.0
    """Minutes that one ``driftgate synth make`` may ask, waits for a service included; then it ends with what there is.
    A service that answers nobody for ten minutes ends it before."""


class AcceptanceConfig(BaseModel):
    """What a set must reach to pass ``driftgate synth check``."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    items: int = Field(LEAST_ITEMS, ge=1)
    """Items below which there is too little to say."""
    distinct: float = Field(0.5, ge=0, le=1)
    """Different facts for each item that a model wrote, at least: a model that repeats itself has few."""
    similarity: float = Field(0.7, gt=0, le=1)
    """Mean likeness of an item that a model wrote to the one nearest to it, at most."""
    covered: float = Field(0.8, ge=0, le=1)
    """Part of the clusters that have an item, at least, where the set has a coverage."""
    yielded: float = Field(0.1, ge=0, le=1)
    """Part of what was made that the filters keep, at least: below it they decide what is taught."""


class _Source(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    share: Amount = 1.0
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
    """A folder of documents, or one: text, Markdown, HTML and PDF (extra ``documents``), in UTF-8, UTF-16 or CP949;
    ``.jsonl`` (an object with ``text`` a line) and ``.csv`` (a row is a text, or its column ``text`` is). Without
    ``slice``, a document's slice is its ``slice`` in JSONL and CSV, else its folder's name, else the file's."""
    longest: int = Field(800, ge=100)
    """Characters of a piece that a longer document is cut into, at paragraphs."""
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
    """A JSON Lines file with ``question``, ``choices``, ``answer`` (a letter) and, optionally, ``passage``,
    ``category``, which is the slice, and ``chat_history``. Without ``choices`` the answer is a text."""
    generator: str = "ready"
    """``ready`` or a plugin's name."""


class PromptsSource(_Source):
    """Prompts, such as production's, which a teacher answers in words. Personal data is taken out before."""

    kind: Literal["prompts"]
    """``prompts``."""
    path: Annotated[str, READ]
    """A JSON Lines file with ``prompt`` (or ``question``, or ``messages`` that end with a user's) and, optionally,
    ``slice``."""
    generator: str = "distil"
    """``distil`` or a plugin's name."""
    system: str = ""
    """What the teacher is told before each prompt; no part of the item."""


Source = Annotated[
    DocumentsSource | ExamplesSource | TemplatesSource | QuestionsSource | PromptsSource, Field(discriminator="kind")
]


class SynthesisConfig(BaseModel):
    """How training data is made."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    sources: list[Source] = Field(min_length=1)
    """Raw material; paths are relative to the workspace."""
    form: Form = "choices"
    """What an item asks for: a letter among ``choices``, or the answer in words (``text``): a label, a span, a
    sentence."""
    coverage: CoverageConfig | None = None
    """Draws the items evenly over what the material is about; unset: over slices, labels and phrasings only."""
    slices: list[str] = []
    """Only material of these slices is used; empty for all."""
    count: Annotated[int, Number] = Field(200, ge=1, le=100_000)
    """Items wanted."""
    surplus: Annotated[float, Number] = Field(2.0, ge=1, allow_inf_nan=False)
    """Candidates made for each item wanted, since filters drop some."""
    seed: int = 0
    """Decides every random choice."""
    personas: list[Persona] = []
    """Ways of writing for sources without text of their own; empty for the built-in ones."""
    persona_schema: PersonaSchema | None = None
    """Ways of writing made from what they differ in, in place of ``personas``; for sources that a model writes."""
    model: str = ""
    """Workspace model that writes: of the generators ``model``, which asks it for JSON by a schema where its service
    takes one, and ``distil``. A limit on tokens below 512 is raised to that."""
    personal_data: Literal["placeholders", "stand_ins"] = "placeholders"
    """What stands for the personal data of the material: its kind (``<PERSON>``), or a made-up value of the same kind
    and form, the same one for the same value everywhere in the workspace."""
    judge: str = ""
    """Workspace model that has to give the same answer as the item; empty for no judge."""
    near_duplicate: float = Field(0.85, gt=0, le=1)
    """Jaccard similarity of jamo 3-grams from which two items count as the same."""
    per_source: int = Field(8, ge=1)
    """Items made from one document (or piece of a long one), example or phrasing, at most."""
    limits: LimitsConfig = LimitsConfig()
    """What it may take."""
    accept: AcceptanceConfig = AcceptanceConfig()
    """What the set must reach."""
    extra_filters: list[str] = []
    """Filters of plugins, applied after the built-in ones."""

    @model_validator(mode="after")
    def _named(self) -> SynthesisConfig:
        for asking in ("model", "distil"):
            if not self.model and any(source.generator == asking for source in self.sources):
                raise ValueError(f"a source uses the generator '{asking}': name a workspace model in 'model'")
        if self.form == "choices" and any(source.kind == "prompts" for source in self.sources):
            raise ValueError("prompts are answered in words: set form: text")
        if self.personas and self.persona_schema is not None:
            raise ValueError("there are personas and a persona_schema: keep one")
        if len({persona.name for persona in self.personas}) < len(self.personas):
            raise ValueError("two personas share a name")
        return self

    @property
    def filters(self) -> tuple[str, ...]:
        """Names of the filters in the order they are applied."""
        judge = ("judge",) if self.judge else ()
        return (*FILTERS[:-1], *judge, FILTERS[-1], *self.extra_filters)
