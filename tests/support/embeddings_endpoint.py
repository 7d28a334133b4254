"""An OpenAI-compatible endpoint for embeddings on the loopback interface, with meanings that a test gives it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from loopback_app import LoopbackApp


class EmbeddingsEndpoint(LoopbackApp):
    """A text's vector has a 1 for every meaning one of whose words stands in it."""

    path = "/v1/embeddings"

    def __init__(self, meanings: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__()
        self.meanings = meanings
        self.usage = True
        """Whether tokens are counted, each word for one."""

    def vector(self, text: str) -> list[float]:
        """Of a text; the last component is the same for all, so that none is without a direction."""
        return [float(any(word in text for word in words)) for words in self.meanings.values()] + [0.5]

    def answer(self, body: Any) -> web.Response:
        data = [{"index": place, "embedding": self.vector(text)} for place, text in enumerate(body["input"])]
        tokens = sum(len(text.split()) for text in body["input"])
        used = {"usage": {"prompt_tokens": tokens, "total_tokens": tokens}} if self.usage else {}
        return web.json_response({"object": "list", "model": body["model"], "data": data[::-1], **used})
