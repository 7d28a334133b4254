"""Node ``finish``: what is shown: whole sentences, no headings, within the length."""

import re

from driftgate.flows.salience import sentences
from driftgate.flows.tool import tool


@tool
def finish(draft: dict, longest: int) -> str:
    """Tidy the draft; empty where the model wrote nothing that could be shown."""
    plain = re.sub(r"^\s*(?:[-*#>]+|\d+[.)]|요약\s*:)\s*", "", draft["text"], flags=re.MULTILINE)
    whole = sentences(plain)
    if draft["finish_reason"] == "length" and len(whole) > 1 and not whole[-1].endswith((".", "!", "?")):
        whole = whole[:-1]  # the reply was cut in the middle of its last sentence
    shown = ""
    for sentence in dict.fromkeys(whole):  # small models say the same again
        if shown and len(shown) + 1 + len(sentence) > longest:
            break
        shown = f"{shown} {sentence}".strip()
    return shown[:longest]
