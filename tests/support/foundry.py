"""A Microsoft Foundry project as far as azure-ai-projects and its OpenAI client need one: datasets and evaluations."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from azure_services import SAS, Azure, reply
from loopback_net import Received

HOST = "driftgate.services.ai.azure.com"
ENDPOINT = f"https://{HOST}/api/projects/shop"
BLOBS = "acct.blob.core.windows.net"


@dataclass
class Foundry:
    """The project and what it holds."""

    azure: Azure
    datasets: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By ``NAME/VERSION``."""
    evals: list[dict[str, Any]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    items: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """What each run came to, sample by sample."""
    page: int = 2
    """Evaluations and runs a page, so that who does not turn the page does not find."""

    async def answer(self, request: Received) -> web.Response:
        """What the project answers."""
        if request.headers.get("authorization") != f"Bearer {self.azure.jwt}":
            return reply({"error": {"code": "Unauthorized", "message": "no valid token"}}, 401)
        assert request.path.startswith("/api/projects/shop/"), request.path
        path = request.path.removeprefix("/api/projects/shop/")
        if path.startswith("datasets/"):
            return self._dataset(request, path)
        assert path.startswith("openai/v1/evals"), path
        parts = path.removeprefix("openai/v1/evals").strip("/").split("/")
        if parts == [""]:
            return (
                self._made(self.evals, "eval", request.json)
                if request.method == "POST"
                else self._page(request, self.evals)
            )
        if parts[3:] == ["output_items"]:
            return self._page(request, self.items.get(parts[2], []))
        assert parts[1:] == ["runs"], path
        if request.method == "POST":
            source = request.json["data_source"]["source"]
            assert any(one["id"] == source["id"] for one in self.datasets.values()), "no such dataset"
            more = {
                "eval_id": parts[0],
                "status": "queued",
                "report_url": f"https://ai.azure.com/runs/{len(self.runs)}",
            }
            return self._made(self.runs, "eval.run", request.json | more)
        return self._page(request, [run for run in self.runs if run["eval_id"] == parts[0]])

    def _dataset(self, request: Received, path: str) -> web.Response:
        _, name, _, version, *rest = path.split("/")
        key = f"{name}/{version}"
        if rest == ["startPendingUpload"]:
            uri = f"https://{BLOBS}/{name}-{version}"
            return reply(
                {
                    "blobReference": {
                        "blobUri": uri,
                        "storageAccountArmId": "acct",
                        "credential": {"sasUri": f"{uri}?{SAS}", "type": "SAS"},
                    },
                    "pendingUploadId": "1",
                    "pendingUploadType": "BlobReference",
                    "version": version,
                }
            )
        if request.method == "PATCH":
            self.datasets[key] = json.loads(request.body) | {
                "id": f"azureai://datasets/{key}",
                "name": name,
                "version": version,
            }
            return reply(self.datasets[key], 201)
        if key not in self.datasets:
            return reply({"error": {"code": "NotFound", "message": f"{key} was not found"}}, 404)
        return reply(self.datasets[key])

    def rows(self, key: str) -> list[dict[str, str]]:
        """The rows of a dataset as they lie in its blob."""
        uri = self.datasets[key]["dataUri"]
        assert "?" not in uri, "a signature is kept with the dataset"
        content = self.azure.blobs[uri.removeprefix(f"https://{BLOBS}")]
        return [json.loads(line) for line in content.decode().splitlines()]

    def grade(self, evaluation: str, made: float, results: dict[str, dict[str, Any]], status: str = "completed") -> str:
        """A run of continuous evaluation, with the results of each response; its id."""
        run = {"id": f"continuousevalrun_{len(self.runs)}", "object": "eval.run", "eval_id": evaluation}
        self.runs.append({**run, "created_at": int(made), "status": status, "name": "r", "model": "", "metadata": {}})
        self.items[run["id"]] = [
            {
                "id": f"item_{run['id']}_{number}",
                "object": "eval.run.output_item",
                "run_id": run["id"],
                "eval_id": evaluation,
                "created_at": int(made),
                "datasource_item_id": number,
                "datasource_item": {"resp_id": response},
                "status": "pass",
                "sample": {},
                "results": [{"name": name, **result} for name, result in found.items()],
            }
            for number, (response, found) in enumerate(results.items())
        ]
        return run["id"]

    def _made(self, kept: list[dict[str, Any]], kind: str, body: dict[str, Any]) -> web.Response:
        made = body | {"id": f"{kind}_{len(kept)}", "object": kind, "created_at": 1_764_000_000 + len(kept)}
        kept.append(made)
        return reply(made, 201)

    def _page(self, request: Received, rows: list[dict[str, Any]]) -> web.Response:
        rows = rows[::-1] if request.query.get("order") == "desc" else rows
        ids = [row["id"] for row in rows]
        start = ids.index(request.query["after"]) + 1 if "after" in request.query else 0
        shown = rows[start : start + self.page]
        last = shown[-1]["id"] if shown else None
        return reply({"object": "list", "data": shown, "has_more": start + self.page < len(rows), "last_id": last})
