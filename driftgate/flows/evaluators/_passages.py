"""What a retriever returned, whatever its form: passages with an id and a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


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
    """The ids of a ranking, each once, at its first place.

    Examples
    --------
    >>> ids([{"id": "a"}, {"id": "b"}, {"id": "a"}])
    ['a', 'b']
    >>> ids(["b", "a"])
    ['b', 'a']
    """
    names = [str(f[id_field]) if isinstance(f, Mapping) else str(f) for f in found]
    return list(dict.fromkeys(names))
