"""An Azure AI Search service on the loopback interface, over documents that a test gives it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from loopback_app import LoopbackApp


class SearchEndpoint(LoopbackApp):
    """Ranks by how many of the query's words a document holds."""

    path = "/indexes/{index}/docs/search"

    def __init__(self, documents: Mapping[str, str]) -> None:
        super().__init__()
        self.documents = documents

    def answer(self, body: Any) -> web.Response:
        words = set(body["search"].split())
        scored = sorted(
            ((len(words & set(text.split())), name, text) for name, text in self.documents.items()), reverse=True
        )
        hits = [
            {"@search.score": float(score), "id": name.replace("#", "-"), "doc": name.split("#")[0], "content": text}
            for score, name, text in scored[: body["top"]]
        ]
        wanted = {*body["select"].split(","), "@search.score"}
        return web.json_response({"value": [{k: v for k, v in hit.items() if k in wanted} for hit in hits]})
