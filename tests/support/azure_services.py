"""Azure Machine Learning, Azure OpenAI, their control plane and a token endpoint, as far as the real clients need."""

from __future__ import annotations

import base64
import email
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.policy import HTTP
from typing import Any
from xml.sax.saxutils import escape

from aiohttp import web
from loopback_net import LoopbackNet, Received, Service

from driftgate.finetune import _azure

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
WORKSPACE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/ws"
ACCOUNT = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/openai"
SAS = "sv=2024-11-04&sig=c2lnbmF0dXJl"
TOKEN_HOST = "identity.loopback.test"
OPENAI_HOST = "driftgate.openai.azure.com"
SCORING_HOST = "support.koreacentral.inference.ml.azure.com"
_API_HOST = "koreacentral.api.azureml.ms"
_BLOB_HOST = "acct.blob.core.windows.net"


def reply(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON reply."""
    return web.json_response(body, status=status, headers=headers)


def not_found(what: str) -> web.Response:
    """The control plane's answer to a name that it does not know."""
    return reply({"error": {"code": "ResourceNotFound", "message": f"{what} was not found."}}, 404)


def _jwt() -> str:
    claims = {"aud": "azure", "oid": "oid", "tid": "tid", "upn": "driftgate@example.test"}
    parts = (json.dumps(part).encode() for part in ({"alg": "none"}, claims))
    return ".".join([*(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts), "signature"])


@dataclass
class Azure:
    """The services and what they hold."""

    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Control-plane resources by id, in lower case."""
    blobs: dict[str, bytes] = field(default_factory=dict)
    """Blobs by ``/container/name``."""
    run_error: str = "the GPU fell off the bus"
    """What run history says of a failed job."""
    deployment_log: str = "ModuleNotFoundError: No module named 'peft'"
    """The container's log."""
    job_quota: int | None = None
    """Fine-tuning jobs that Azure OpenAI takes, at most."""
    job_events: list[dict[str, Any]] = field(default_factory=list)
    """Events of the fine-tuning job, the newest first."""
    job_checkpoints: list[dict[str, Any]] = field(default_factory=list)
    """Checkpoints of the fine-tuning job, the newest first."""
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Azure OpenAI files by id, with their ``content``."""
    fine_tuning_jobs: list[dict[str, Any]] = field(default_factory=list)
    """Azure OpenAI fine-tuning jobs, oldest first."""
    job_refusal: dict[str, str] | None = None
    """Code and message with which Azure Machine Learning refuses a new job."""
    cluster: Callable[[dict[str, Any]], None] | None = None
    """What runs a command job once it is put; unset, nobody does."""
    settles: bool = True
    """Whether a change of the endpoint's traffic comes to its end."""
    keeps_metadata: bool = True
    """Whether fine-tuning jobs are listed with the metadata they were created with."""
    answer: Callable[[str], str] | None = None
    """What the endpoint's deployments answer to a prompt, as chat completions; unset, they say who they are."""
    jwt: str = field(default_factory=_jwt)
    endpoint_key: str = "endpoint-key-s3cret"

    def services(self) -> dict[str, Service]:
        """What answers, by host name."""
        return {
            "management.azure.com": self._control_plane,
            _API_HOST: self._run_history,
            _BLOB_HOST: self._blob,
            SCORING_HOST: self._score,
            OPENAI_HOST: self._openai,
            TOKEN_HOST: self._token,
        }

    def environment(self, net: LoopbackNet) -> dict[str, str]:
        """Variables that lead the real clients here and sign them in as a managed identity."""
        return net.environment | {
            "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
            "IDENTITY_ENDPOINT": f"https://{TOKEN_HOST}/msi/token",
            "IDENTITY_HEADER": "app-service",
        }

    def resource(self, path: str) -> dict[str, Any]:
        """The resource below the Machine Learning workspace, or with its whole id."""
        return self.resources[(path if path.startswith("/sub") else f"{WORKSPACE}/{path}").lower()]

    def set_status(self, path: str, state: str) -> None:
        """Bring a job into a status, a deployment or an endpoint into a provisioning state."""
        key = "status" if "jobs/" in path else "provisioningState"
        self.resource(path)["properties"][key] = state

    def add_endpoint(self, traffic: Mapping[str, int]) -> None:
        """Let the online endpoint ``support`` serve deployments with these shares of its traffic."""
        properties = {
            "authMode": "Key",
            "traffic": dict(traffic),
            "mirrorTraffic": {},
            "properties": {},
            "scoringUri": f"https://{SCORING_HOST}/score",
            "provisioningState": "Succeeded",
        }
        self._put(f"{WORKSPACE}/onlineEndpoints/support", {"location": "koreacentral", "properties": properties})
        for name in traffic:
            deployment = {
                "endpointComputeType": "Managed",
                "provisioningState": "Succeeded",
                "scaleSettings": {"scaleType": "Default"},
            }
            path = f"{WORKSPACE}/onlineEndpoints/support/deployments/{name}"
            sku = {"name": "Default", "capacity": 1}
            self._put(path, {"location": "koreacentral", "properties": deployment, "sku": sku})

    async def _token(self, request: Received) -> web.Response:
        expires = str(int(time.time()) + 3600)
        resource = request.query["resource"]
        token = {"access_token": self.jwt, "expires_on": expires, "token_type": "Bearer", "resource": resource}
        return reply(token)

    async def _control_plane(self, request: Received) -> web.Response:
        path = request.path
        if request.headers.get("authorization") != f"Bearer {self.jwt}":
            return reply({"error": {"code": "AuthenticationFailed", "message": "no valid token"}}, 401)
        if request.method == "POST":
            return self._action(path)
        if request.method == "PUT":
            return self._create(path, request.json)
        if request.method == "DELETE":
            return web.Response(status=200 if self.resources.pop(path.lower(), None) else 204)
        if path == WORKSPACE:
            discovery = f"https://{_API_HOST}/discovery"
            return reply(
                {
                    "id": path,
                    "name": "ws",
                    "location": "koreacentral",
                    "identity": {"type": "SystemAssigned"},
                    "properties": {"workspaceId": "w", "discoveryUrl": discovery},
                }
            )
        if path in (f"{WORKSPACE}/datastores", f"{WORKSPACE}/datastores/workspaceblobstore"):
            store = {
                "datastoreType": "AzureBlob",
                "accountName": "acct",
                "containerName": "azureml",
                "endpoint": "core.windows.net",
                "protocol": "https",
                "isDefault": True,
                "credentials": {"credentialsType": "Sas"},
            }
            held = {"id": f"{WORKSPACE}/datastores/workspaceblobstore", "name": "workspaceblobstore"}
            held |= {"properties": store}
            return reply(held if path.endswith("store") else {"value": [held]})
        if path.lower() in self.resources:
            return reply(self.resources[path.lower()])
        if path.endswith(("/versions", "/deployments")):
            prefix = path.lower() + "/"
            return reply({"value": [held for key, held in self.resources.items() if key.startswith(prefix)]})
        return not_found(path)

    def _action(self, path: str) -> web.Response:
        if path.endswith("/listSecrets"):
            return reply({"secretsType": "Sas", "sasToken": SAS})
        if path.endswith("/listKeys"):
            return reply({"primaryKey": self.endpoint_key, "secondaryKey": "other"})
        if path.endswith("/getLogs"):
            return reply({"content": self.deployment_log})
        if path.endswith("/startPendingUpload"):
            uri = f"https://{_BLOB_HOST}/{path.split('/')[-4]}"
            credential = {"credentialType": "SAS", "sasUri": f"{uri}?{SAS}"}
            place = {"blobUri": uri, "credential": credential, "storageAccountArmId": "acct"}
            return reply({"blobReferenceForConsumption": place, "pendingUploadType": "TemporaryBlobReference"})
        if path.endswith("/cancel") and (job := self.resources.get(path.removesuffix("/cancel").lower())):
            job["properties"]["status"] = "Canceled"
            return web.Response(status=200)
        return not_found(path)

    def _create(self, path: str, body: dict[str, Any]) -> web.Response:
        new = path.lower() not in self.resources
        properties = body["properties"]
        if "/jobs/" in path:
            if new and self.job_refusal is not None:
                return reply({"error": self.job_refusal}, 409)
            if not new:  # a job that was submitted stays as it was
                return reply(self.resources[path.lower()])
            properties |= {"status": "Queued", "services": {"Studio": {"endpoint": "https://ml.azure.com/runs/x"}}}
        elif "/models/" in path:
            properties |= {"flavors": {}, "modelUri": _resolved(properties["modelUri"])}
        elif "/deployments/" in path:
            held = self.resources.get(path.lower(), {"properties": {}})["properties"]
            properties["provisioningState"] = held.get("provisioningState", "Creating")
            properties["scaleSettings"] = {"scaleType": "Default"}
        elif "/onlineEndpoints/" in path:
            held = self.resources.get(path.lower(), {"properties": {}})["properties"]
            state = "Succeeded" if self.settles else "Updating"
            properties |= {"scoringUri": held.get("scoringUri"), "provisioningState": state}
            refusal = self._refuse_traffic(path, properties)
            if refusal:
                return refusal
        self._put(path, body)
        if self.cluster is not None and properties.get("jobType") == "Command":
            self.cluster(body | {"name": path.rsplit("/", 1)[1]})
        return reply(self.resources[path.lower()], 201 if new else 200, {"Retry-After": "1"})

    def _refuse_traffic(self, path: str, properties: Mapping[str, Any]) -> web.Response | None:
        live, mirrored = properties.get("traffic") or {}, properties.get("mirrorTraffic") or {}
        unknown = [name for name in (*live, *mirrored) if f"{path}/deployments/{name}".lower() not in self.resources]
        wrong = sum(live.values()) not in (0, 100) or any(share > 50 for share in mirrored.values())
        if unknown or wrong or len(mirrored) > 1 or set(live) & set(mirrored):
            return reply({"error": {"code": "BadRequest", "message": f"traffic {live}, mirrored {mirrored}"}}, 400)
        return None

    def _put(self, path: str, body: dict[str, Any]) -> None:
        self.resources[path.lower()] = body | {"id": path, "name": path.rsplit("/", 1)[1]}

    async def _run_history(self, request: Received) -> web.Response:
        if request.path == "/discovery":
            return reply({"api": f"https://{_API_HOST}"})
        if request.path.endswith("/rundata"):  # outputs that nobody registered are not among them
            return reply({"runMetadata": {"runId": request.json["runId"], "outputs": {}}})
        error = {"error": {"code": "UserError", "message": self.run_error}}
        return reply({"runId": request.path.split("/")[-2], "status": "Failed", "error": error, "logFiles": {}})

    async def _blob(self, request: Received) -> web.Response:
        if "sig" not in request.query:
            return web.Response(status=403)
        if request.method == "GET" and request.query.get("comp") == "list":
            return self._list_blobs(request)
        if request.method == "PUT":
            if request.query.get("comp") == "metadata":
                return web.Response(status=200)
            self.blobs[request.path] = request.body
            return web.Response(status=201)
        content = self.blobs.get(request.path)
        if content is None:
            return web.Response(status=404, headers={"x-ms-error-code": "BlobNotFound"})
        headers = {"Last-Modified": "Mon, 02 Nov 2026 08:00:00 GMT", "ETag": '"1"', "x-ms-blob-type": "BlockBlob"}
        if request.method == "HEAD":
            return web.Response(headers=headers)
        spread = {"Content-Range": f"bytes 0-{len(content) - 1}/{len(content)}"}
        return web.Response(status=206, body=content, headers=headers | spread)

    def _list_blobs(self, request: Received) -> web.Response:
        container, prefix = request.path.rstrip("/") + "/", request.query.get("prefix", "")
        names = [path.removeprefix(container) for path in self.blobs if path.startswith(container + prefix)]
        entries = "".join(
            f"<Blob><Name>{escape(name)}</Name><Properties><Content-Length>{len(self.blobs[container + name])}"
            "</Content-Length><BlobType>BlockBlob</BlobType></Properties></Blob>"
            for name in names
        )
        listing = f"<EnumerationResults><Blobs>{entries}</Blobs><NextMarker/></EnumerationResults>"
        return web.Response(text=f'<?xml version="1.0" encoding="utf-8"?>{listing}', content_type="application/xml")

    async def _score(self, request: Received) -> web.Response:
        if request.headers.get("authorization") != f"Bearer {self.endpoint_key}":
            return web.Response(status=401)
        if self.answer is None:
            return reply({"answered_by": request.headers.get("azureml-model-deployment", "by traffic")})
        text = self.answer(request.json["messages"][-1]["content"])
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return reply({"model": "served", "choices": [choice], "usage": {"prompt_tokens": 9, "completion_tokens": 1}})

    async def _openai(self, request: Received) -> web.Response:
        if request.headers.get("authorization") != f"Bearer {self.jwt}":
            return reply({"error": {"code": "401", "message": "Access denied."}}, 401)
        kind, _, rest = request.path.removeprefix("/openai/v1/").partition("/")
        if kind == "files":
            return self._openai_files(request, rest)
        name, _, part = rest.removeprefix("jobs").strip("/").partition("/")
        if part:
            return self._openai_job_part(request, name, part)
        if request.method == "POST":
            if self.job_quota is not None and len(self.fine_tuning_jobs) >= self.job_quota:
                told = "The number of fine-tuning jobs of this resource is exhausted."
                return reply({"error": {"code": "quotaExceeded", "message": told}}, 400)
            return reply(self._begin_job(request.json))
        if name:
            found = [self._shown(job) for job in self.fine_tuning_jobs if job["id"] == name]
            return reply(found[0]) if found else not_found(name)
        return self._page(request, [self._shown(job) for job in reversed(self.fine_tuning_jobs)])

    def _openai_job_part(self, request: Received, name: str, part: str) -> web.Response:
        """Cancel, pause and resume move a job's status; events and checkpoints are rows of it."""
        job = next((one for one in self.fine_tuning_jobs if one["id"] == name), None)
        if job is None:
            return not_found(name)
        if request.method == "GET":
            rows = self.job_events if part == "events" else self.job_checkpoints
            return self._page(request, list(rows))
        allowed = {"cancel": ("queued", "running", "paused"), "pause": ("running",), "resume": ("paused",)}
        if job["status"] not in allowed[part]:
            told = f"Job {name} is {job['status']} and cannot {part}."
            return reply({"error": {"code": "invalidState", "message": told}}, 400)
        job["status"] = {"cancel": "cancelled", "pause": "paused", "resume": "running"}[part]
        return reply(self._shown(job))

    def _openai_files(self, request: Received, name: str) -> web.Response:
        if request.method == "POST":
            head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
            parts = email.message_from_bytes(head + request.body, policy=HTTP).iter_parts()
            fields = {part.get_param("name", header="content-disposition"): part for part in parts}
            content = fields["file"].get_payload(decode=True)
            made = {
                "id": f"file-{len(self.files) + 1}",
                "object": "file",
                "bytes": len(content),
                "created_at": int(time.time()),
                "filename": fields["file"].get_filename(),
                "purpose": fields["purpose"].get_payload(decode=True).decode(),
                "status": "pending",
            }
            self.files[made["id"]] = made | {"content": content, "asked": 0}
            return reply(made)
        if name:
            held = self.files[name]
            held["asked"] += 1
            held["status"] = held["status"] if held["status"] == "error" else "processed"
            return reply(_without(held, "content", "asked"))
        return self._page(request, [_without(held, "content", "asked") for held in self.files.values()])

    @staticmethod
    def _page(request: Received, rows: list[dict[str, Any]]) -> web.Response:
        """Two rows a page, so that who does not turn the page does not find."""
        ids = [row["id"] for row in rows]
        start = ids.index(request.query["after"]) + 1 if "after" in request.query else 0
        return reply({"object": "list", "data": rows[start : start + 2], "has_more": start + 2 < len(rows)})

    def _begin_job(self, body: dict[str, Any]) -> dict[str, Any]:
        job = body | {
            "id": f"ftjob-{len(self.fine_tuning_jobs) + 1}",
            "object": "fine_tuning.job",
            "created_at": int(time.time()),
            "status": "queued",
            "fine_tuned_model": None,
            "error": None,
            "hyperparameters": {},
            "organization_id": "org",
            "result_files": [],
            "seed": body.get("seed", 0),
        }
        self.fine_tuning_jobs.append(job)
        return self._shown(job)

    def _shown(self, job: dict[str, Any]) -> dict[str, Any]:
        return job if self.keeps_metadata else _without(job, "metadata")


@dataclass(frozen=True)
class Cloud:
    """The services, and the net that leads to them."""

    azure: Azure
    net: LoopbackNet

    def forget_clients(self) -> None:
        """Begin with new clients, as a new process does."""
        _azure._ml_client.cache_clear()
        _azure.credential.cache_clear()


def _without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in names}


def _resolved(uri: str) -> str:
    """A job's output as the service stores it: a path of the workspace's blob store."""
    if not uri.startswith("azureml://jobs/"):
        return uri
    job, _, output = uri.removeprefix("azureml://jobs/").partition("/outputs/")
    return f"azureml:/{WORKSPACE}/datastores/workspaceblobstore/paths/azureml/{job}/{output}/"
