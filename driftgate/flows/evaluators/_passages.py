"""What a retriever returned, whatever its form: passages with an id and a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from driftgate.flows.text import as_name


def passages_by_id(passages: Sequence[Any] | Mapping[str, Any], id_field: str = "id") -> dict[str, str]:
    """Texts by id, in the order of retrieval; texts without an id are numbered from 1, as a prompt lists them.

    Parameters
    ----------
    passages : sequence or mapping
        Texts, mappings with an id and ``text`` (or ``content``), or texts by id.
    id_field : str
        Where the mappings keep their id.

    Raises
    ------
    TypeError
        A passage has another form.

    Examples
    --------
    >>> passages_by_id(["가", "나"])
    {'1': '가', '2': '나'}
    >>> passages_by_id([{"id": "leave.md", "text": "연차", "score": 2.1}])
    {'leave.md': '연차'}
    """
    if isinstance(passages, Mapping):
        return {str(name): str(text) for name, text in passages.items()}
    if isinstance(passages, str):
        return {"1": passages}
    found: dict[str, str] = {}
    for number, passage in enumerate(passages, start=1):
        if isinstance(passage, str):
            found[str(number)] = passage
        elif isinstance(passage, Mapping):
            name = str(passage.get(id_field, number))
            text = str(passage.get("text", passage.get("content", "")))
            found[name] = f"{found[name]}\n{text}" if name in found else text  # several pieces of one document
        else:
            raise TypeError(f"a passage is {type(passage).__name__}, expected a text or a mapping with 'id' and 'text'")
    return found


def ids(found: Sequence[Any], id_field: str = "id") -> list[str]:
    """The ids of a ranking, each once, at its first place, in Unicode form NFC.

    Examples
    --------
    >>> ids([{"id": "a"}, {"id": "b"}, {"id": "a"}])
    ['a', 'b']
    >>> ids(["b", "a"])
    ['b', 'a']
    """
    names = [as_name(str(f[id_field]) if isinstance(f, Mapping) else str(f)) for f in found]
    return list(dict.fromkeys(names))


def grades(relevant: Sequence[Any] | Mapping[str, float] | str, id_field: str = "id") -> dict[str, float]:
    """The relevant ids and how relevant they are.

    Examples
    --------
    >>> grades(["a", "b"]), grades({"a": 2, "b": 0}), grades("a")
    ({'a': 1.0, 'b': 1.0}, {'a': 2.0}, {'a': 1.0})
    """
    if isinstance(relevant, Mapping):
        return {as_name(str(name)): float(grade) for name, grade in relevant.items() if float(grade) > 0}
    return dict.fromkeys(ids([relevant] if isinstance(relevant, str) else relevant, id_field), 1.0)


def unanswerable(relevant: Sequence[Any] | Mapping[str, float] | str | None) -> bool:
    """Whether a sample says that no document holds its answer; what says nothing of documents does not.

    Examples
    --------
    >>> unanswerable([]), unanswerable({"a": 0}), unanswerable(["a"]), unanswerable(None)
    (True, True, False, False)
    """
    return relevant is not None and not isinstance(relevant, str) and not grades(relevant)
