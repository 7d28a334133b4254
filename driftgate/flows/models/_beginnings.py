"""Evaluate once, with llama.cpp, what prompts share at their beginning, such as few-shot examples.

A language model's arithmetic depends in its last digits on how many tokens are evaluated together: near guessing that
flips letters. So a prompt is always evaluated in the same pieces, cut after its blank lines, and what is kept for the
next prompt is whole pieces. A reply is then the same to the last digit whether its beginning was kept or not, and
whichever request came before.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import takewhile
from typing import Any
from urllib.parse import urlsplit

_HOLE = re.compile("(\ufdd0[0-9]+\ufdd1)")
_NOT_READY = 503
_PAUSES = (0.02, 0.1, 0.5, 2.0, 5.0)
"""Seconds to wait for a server that has just been made, and does not answer yet."""
SHORTEST = 32
"""Tokens a piece has at least; each costs a request to llama.cpp, about as much as five tokens."""


@dataclass
class Beginnings:
    """A server of llama.cpp, with one slot and one adapter, that keeps the beginning of the prompt it had last.

    With two adapters it would take the state of the one for the other's.

    Parameters
    ----------
    server : xllamacpp.Server
        Made with ``swa_full``; without it a layer with a sliding window forgets the beginning.
    key : str
        What it asks for at its loopback port.
    """

    server: Any
    key: str
    reuse: bool = True
    """Whether anything is kept; if not, each prompt is evaluated in one piece."""
    _held: Sequence[int] = field(default=(), init=False)
    """Tokens of the prompt it had last."""

    def complete(self, request: Mapping[str, Any], prompt: str | Sequence[Mapping[str, str]]) -> dict[str, Any]:
        """Answer a text to continue, or the turns of a chat.

        Returns
        -------
        dict
            What llama.cpp answers, an ``error`` included.
        """
        held, self._held = self._held, ()
        if (words := self._as_words(prompt)) is not None:
            asked: dict[str, Any] = {**request, "prompt": words}
            if "top_logprobs" in asked:  # what a chat is asked for, in the words of a completion
                asked["logprobs"] = asked.pop("top_logprobs")
            return self._ask(asked, 0)
        whole: dict[str, Any] = {**request, "prompt" if isinstance(prompt, str) else "messages": prompt}
        split = self._split(prompt) if self.reuse else None
        if split is None:
            return self._ask(whole, 0)
        tokens, pieces = split
        kept = self._evaluate(tokens, cuts(pieces), held)
        answer = self._ask(whole | {"prompt": tokens} if isinstance(prompt, str) else whole, kept)
        if "error" not in answer and answer["usage"]["prompt_tokens_details"]["cached_tokens"] == kept:
            self._held = tokens
            return answer
        return self._ask(whole, 0)  # what is too long fails here; a chat that the server splits otherwise does not

    def _evaluate(self, tokens: Sequence[int], ends: Sequence[int], held: Sequence[int]) -> int:
        """Make the server hold the pieces of a prompt that end in ``ends``, and say how many tokens that are."""
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(tokens, held, strict=False)))
        kept = max((end for end in ends if end <= shared), default=0)
        if kept:
            # The server keeps all that two prompts share; a token that the next one has not makes it forget the rest.
            junk = 1 if tokens[kept] != 1 else 2
            self._ask({"prompt": [*tokens[:kept], junk], "max_tokens": 0}, kept)
        for end in ends:
            if end > kept:
                self._ask({"prompt": list(tokens[:end]), "max_tokens": 0}, kept)
                kept = end
        return kept

    def _ask(self, request: Mapping[str, Any], kept: int) -> dict[str, Any]:
        handle = self.server.handle_chat_completions if "messages" in request else self.server.handle_completions
        answer: dict[str, Any] = handle({**request, "cache_prompt": kept > 0})
        return answer

    def _as_words(self, prompt: str | Sequence[Mapping[str, str]]) -> list[int] | None:
        """The tokens of a prompt in which a turn spells control tokens: as words, they end no turn and begin none.

        The server would take them for what they spell. None where no turn does, and nothing needs to be done.
        """
        said = [prompt] if isinstance(prompt, str) else [turn["content"] for turn in prompt]
        if not any("<" in text or "[" in text for text in said) or not any(map(self._spells_control, said)):
            return None
        if isinstance(prompt, str):
            return self._tokens(prompt, first=True, special=False)
        holes = [f"\ufdd0{number}\ufdd1" for number in range(len(said))]
        turns = [{**turn, "content": hole} for turn, hole in zip(prompt, holes, strict=True)]
        around = self._post("/apply-template", {"messages": turns}).get("prompt")
        if around is None:
            return None
        tokens: list[int] = []
        for part in _HOLE.split(around):
            hole = part in holes
            text = said[holes.index(part)].strip() if hole else part
            tokens += self._tokens(text, first=not tokens, special=not hole)
        return tokens

    def _spells_control(self, text: str) -> bool:
        return self._tokens(text, first=False, special=True) != self._tokens(text, first=False, special=False)

    def _tokens(self, text: str, *, first: bool, special: bool) -> list[int]:
        asked = {"content": text, "add_special": first, "parse_special": special}
        return list(self._post("/tokenize", asked)["tokens"])

    def _split(self, prompt: str | Sequence[Mapping[str, str]]) -> tuple[list[int], list[str]] | None:
        """The prompt's tokens as the server will see them, and the text of each; None for a chat that it refuses."""
        text = prompt if isinstance(prompt, str) else self._post("/apply-template", {"messages": prompt}).get("prompt")
        if text is None:
            return None
        asked = {"content": text, "add_special": True, "parse_special": True, "with_pieces": True}
        tokens = self._post("/tokenize", asked)["tokens"]
        # A part of a character comes as a list of bytes.
        return [one["id"] for one in tokens], [one["piece"] if isinstance(one["piece"], str) else "" for one in tokens]

    def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        content = json.dumps(body, ensure_ascii=False).encode(errors="replace")
        for pause in _PAUSES:
            try:
                status, answer = self._posted(path, content)
            except (ConnectionError, HTTPException):  # the port opens a moment before there is somebody behind it
                time.sleep(pause)
                continue
            if status != _NOT_READY:
                return answer
            time.sleep(pause)
        return self._posted(path, content)[1]

    def _posted(self, path: str, content: bytes) -> tuple[int, dict[str, Any]]:
        address = urlsplit(self.server.listening_address)
        connection = HTTPConnection(str(address.hostname), address.port, timeout=60)
        try:
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}"}
            connection.request("POST", path, content, headers)
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        finally:
            connection.close()
        return response.status, answer


def cuts(pieces: Sequence[str]) -> list[int]:
    """Where a prompt is cut: after blank lines, never before its last token, pieces of :data:`SHORTEST` or more.

    Whether there is a cut depends only on what stands before it, so prompts with the same beginning are cut alike.

    Examples
    --------
    >>> example = ["Q", "?"] * 20 + ["\\n\\n"]
    >>> cuts([*example, *example, "short", "\\n", "\\n", "Q", "?"])
    [41, 82]
    >>> cuts([*example, *example])
    [41]
    """
    ends: list[int] = []
    last = 0
    for place in range(SHORTEST, len(pieces)):
        text = "".join(pieces[max(0, place - 2) : place])
        if place - last >= SHORTEST and text.endswith("\n\n"):
            ends.append(place)
            last = place
    return ends
