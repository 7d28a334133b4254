"""The reply itself, without the tokens of a chat template around it and without what it struck out."""

from __future__ import annotations

from driftgate.flows.extraction._rule_set import CompiledRules


def own_turn(text: str, rules: CompiledRules) -> str | None:
    """What the model said in its turn; None where it thought aloud in a channel and never came to speak.

    A rule set without the words for it leaves the text as it is.

    Examples
    --------
    >>> from driftgate.flows.extraction.rules import compiled
    >>> own_turn("<|im_start|>assistant\\nB<|im_end|>\\n<|im_start|>user\\nA?", compiled("ko-v2"))
    'B'
    >>> own_turn("B</s>", compiled("ko-v1"))
    'B</s>'
    """
    words = rules.words
    if "TURN_ENDS" not in words or not (any(mark in text for mark in "<[~`◁") or text[:9].lower() == "assistant"):
        return text
    text = _unless_empty(words["STRUCK"].sub(" ", text).strip(), text)
    final = words["TURN_FINAL"].match(text)
    if final:
        text = text[final.end() :]
    elif words["TURN_ASIDE"].search(text):
        return None
    thought = words["THOUGHT"].match(text)
    if not thought and words["THINKS"].match(text):
        return None
    text = _unless_empty(text[thought.end() :], text) if thought else text
    opens = words["TURN_OPENS"].match(text)
    text = text[opens.end() :] if opens else text
    ends = words["TURN_ENDS"].search(text)
    text = (text[: ends.start()] if ends else text).strip()
    fenced = words["FENCED"].match(text)
    return _unless_empty(fenced["inside"].strip(), text) if fenced else text


def _unless_empty(text: str, other: str) -> str:
    return text or other
