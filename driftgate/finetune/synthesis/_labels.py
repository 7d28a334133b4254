"""Labels without personal data: slices, labels, names of files and of ways of writing are kept beside what is made."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

from driftgate.finetune.privacy import Redacted, redact
from driftgate.finetune.synthesis._config import ExamplesSource, Persona, Source, SynthesisConfig, TemplatesSource
from driftgate.finetune.synthesis._values import Material
from driftgate.flows.documents import Skipped

_PLACE = re.compile(r"(.*?)((?:[:#]\d{1,7})*)", re.DOTALL)
_OWN_LABELS = ("examples", "templates")  # of others it is the answer, which is a text and taken care of as one


def name_of(id: str) -> str:
    """What a material's id says of its origin, without the place within it.

    Examples
    --------
    >>> name_of("1/docs/rules.md#2"), name_of("templates:배송:0"), name_of("tickets.jsonl:31#2")
    ('1/docs/rules.md', 'templates:배송', 'tickets.jsonl')
    """
    return _split(id)[0]


def without_personal_labels(materials: Sequence[Material]) -> list[Material]:
    """The materials with placeholders in their slices, labels and ids, each counted as a value that was taken out.

    Origins that differ stay different: of those that would be named alike the later ones are numbered.
    """
    clean, origins = _once(redact), _Origins()
    found = []
    for one in materials:
        name, place = _split(one.id)
        origin, slice = clean(name), clean(one.slice)
        label = clean(one.label) if one.kind in _OWN_LABELS else Redacted(one.label, ())
        # The slice of a document may be its file's name.
        count = max(len(origin.findings), len(slice.findings)) + len(label.findings)
        if count:
            id = origins.name(name, origin.text) + place
            one = replace(
                one, id=id, slice=slice.text, label=label.text.strip() or one.label, redactions=one.redactions + count
            )
        found.append(one)
    return found


def plain_labels(config: SynthesisConfig) -> SynthesisConfig:
    """The configuration with placeholders in the slices and labels that it states itself."""
    clean = _once(redact)

    def plain(source: Source) -> Source:
        told: dict[str, object] = {"slice": clean(source.slice).text}
        if isinstance(source, ExamplesSource | TemplatesSource):
            told["labels"] = {key: clean(name).text for key, name in source.labels.items()}
        return source.model_copy(update=told)

    slices = [clean(slice).text for slice in config.slices]
    return config.model_copy(update={"sources": list(map(plain, config.sources)), "slices": slices})


def plain_personas(personas: Sequence[Persona]) -> list[Persona]:
    """The ways of writing with placeholders in their names."""
    return [one.model_copy(update={"name": redact(one.name).text}) for one in personas]


def plain_skipped(unread: Sequence[Skipped]) -> tuple[Skipped, ...]:
    """Files that were not read, with placeholders in their names."""
    return tuple(Skipped(**{name: redact(told).text for name, told in asdict(one).items()}) for one in unread)


class _Origins:
    """Names for origins, as many as there are origins."""

    def __init__(self) -> None:
        self._given: dict[str, str] = {}
        self._count: dict[str, int] = {}

    def name(self, raw: str, clean: str) -> str:
        if raw not in self._given:
            self._count[clean] = count = self._count.get(clean, 0) + 1
            self._given[raw] = clean if count == 1 else f"{clean} ({count})"
        return self._given[raw]


def _once(take_out: Callable[[str], Redacted]) -> Callable[[str], Redacted]:
    """The same, asked once for each text: labels repeat, and a text takes two milliseconds."""
    known: dict[str, Redacted] = {}

    def asked(text: str) -> Redacted:
        if text not in known:
            known[text] = take_out(text) if text else Redacted(text, ())
        return known[text]

    return asked


def _split(id: str) -> tuple[str, str]:
    found = _PLACE.fullmatch(id)
    return (found[1], found[2]) if found else (id, "")
