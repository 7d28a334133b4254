"""Read calls of tools from a reply, a conversation or an agent's spans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from driftgate.flows.errors import DriftgateError
from driftgate.flows.tool_calls._items import FORMS, MadeCall, failures, of_items, parsed, shown
from driftgate.flows.tool_calls._spans import calls_of_spans, is_span


def read_calls(value: Any) -> list[MadeCall]:
    """The calls in what was recorded, in order; none where it says that none were made.

    Parameters
    ----------
    value
        A reply's tool calls, a message, a conversation, spans, or the JSON text of any of these. None and an empty list
        are no calls.

    Raises
    ------
    DriftgateError
        It holds nothing in which calls could stand.

    Examples
    --------
    >>> said = [{"role": "assistant", "tool_calls": [{"function": {"name": "now", "arguments": '{"zone": "KST"}'}}]}]
    >>> [call.told for call in read_calls(said)]
    ['now({"zone": "KST"})']
    >>> read_calls([{"role": "assistant", "content": "오후 3시입니다."}])
    []
    """
    value = parsed(value)
    if value is None:
        return []
    if isinstance(value, Mapping):
        inner = next((value[name] for name in ("spans", "messages", "output", "tool_calls") if name in value), None)
        if inner is not None and not {"role", "attributes"} & set(value):
            return read_calls(inner)
        value = [value]
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)):
        raise DriftgateError(f"found {shown(value)} where calls of tools should be", FORMS)
    items = list(value)
    if items and all(map(is_span, items)):
        return calls_of_spans(items)
    failed = failures(items)
    return [replace(call, failed=True) if call.id and call.id in failed else call for call in of_items(items)]
