"""A managed online endpoint through azure-ai-ml: deployments, their shares of the traffic, and calls by name."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from driftgate.finetune._azure import AzureMLWorkspace, azure_errors, ml_client, state_name
from driftgate.flows.errors import DriftgateError
from driftgate.flows.network import read_json

_LOG_LINES = 20
_CHANGE_SECONDS = 900.0
"""How long a change of traffic or a deletion is waited for; what takes longer is looked at again at the next turn."""


class Deployment(BaseModel):
    """What a deployment runs and on what."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, protected_namespaces=())

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{1,30}[a-z0-9]$")
    """Name of the deployment, new for every candidate."""
    model: str = Field(pattern=r"^[^:/]+:[^:/]+$")
    """Registered model, ``name:version``."""
    environment: str = Field(pattern=r"^[^:/]+:[^:/]+$")
    """Registered environment, ``name:version``; its inference routes say what the endpoint speaks."""
    instance_type: str
    """Virtual machine size, for example ``Standard_NC4as_T4_v3``."""
    instance_count: int = Field(1, ge=1)
    """Machines."""
    code: Path | None = None
    """Folder of the scoring script; leave out where the environment serves by itself."""
    scoring_script: str = "score.py"
    """Name of the scoring script in ``code``."""
    environment_variables: Mapping[str, str] = {}
    """Settings of the container; not a place for secrets, Azure shows them."""


@dataclass(frozen=True)
class EndpointState:
    """The endpoint as the service says it is."""

    traffic: Mapping[str, int]
    """Per cent of the live requests by deployment; deployments without any are left out."""
    mirror: Mapping[str, int]
    """Per cent of the live requests that are copied to a deployment."""
    settled: bool
    """No change is under way."""


@dataclass(frozen=True)
class Condition:
    """How a deployment is, as the service says."""

    state: Literal["ready", "changing", "failed"]
    log: str = ""
    """The end of its container's log, where it failed."""


class EndpointGone(DriftgateError):
    """The endpoint is not there any more, and none of its deployments is."""


@dataclass(frozen=True)
class OnlineEndpoint:
    """One endpoint of a workspace. Its methods may be repeated: none does more on the second call.

    Every method raises :class:`DriftgateError` with the service's reason.
    """

    address: AzureMLWorkspace
    name: str

    async def state(self) -> EndpointState:
        """Ask for the traffic and whether a change is under way.

        Raises
        ------
        EndpointGone
            There is no such endpoint.
        """
        from azure.core.exceptions import ResourceNotFoundError

        def get(client: Any) -> Any:
            try:
                return client.online_endpoints.get(self.name)
            except ResourceNotFoundError:
                return None

        endpoint = await self._call("reading endpoint", get)
        if endpoint is None:
            raise EndpointGone(
                f"endpoint '{self.name}' was not found in workspace '{self.address.workspace}'",
                "create it again, or name the one that serves",
            )
        return EndpointState(
            _positive(endpoint.traffic), _positive(endpoint.mirror_traffic), _settled(endpoint.provisioning_state)
        )

    async def set_traffic(self, traffic: Mapping[str, int], mirror: Mapping[str, int]) -> bool:
        """Give live and mirrored requests these shares; False where the service has taken it and is not done."""

        def put(client: Any) -> bool:
            endpoint = client.online_endpoints.get(self.name)
            endpoint.traffic, endpoint.mirror_traffic = dict(traffic), dict(mirror)
            return _done(client.online_endpoints.begin_create_or_update(endpoint))

        return bool(await self._call("setting the traffic of endpoint", put))

    async def condition(self, deployment: Deployment) -> Condition | None:
        """Say whether the deployment can be called; None when it does not exist.

        Raises
        ------
        DriftgateError
            A deployment of that name runs another model.
        """
        from azure.core.exceptions import ResourceNotFoundError

        def get(client: Any) -> tuple[str, str] | None:
            try:
                found = client.online_deployments.get(deployment.name, self.name)
            except ResourceNotFoundError:
                return None
            return state_name(found.provisioning_state), str(found.model)

        found = await self._call(f"reading deployment '{deployment.name}' of endpoint", get)
        if found is None:
            return None
        state, model = found
        wanted = "/models/{}/versions/{}".format(*deployment.model.split(":"))
        if not model.lower().endswith(wanted.lower()):
            raise DriftgateError(
                f"deployment '{deployment.name}' of endpoint '{self.name}' runs {model}, not {deployment.model}",
                "give every candidate's deployment a name of its own",
            )
        if state in ("failed", "canceled"):
            return Condition("failed", f"{state}: {await self._log(deployment)}")
        return Condition("ready" if _settled(state) else "changing")

    async def has(self, name: str) -> bool:
        """Say whether there is a deployment of that name, in whatever state."""
        from azure.core.exceptions import ResourceNotFoundError

        def get(client: Any) -> bool:
            try:
                client.online_deployments.get(name, self.name)
            except ResourceNotFoundError:
                return False
            return True

        return bool(await self._call(f"reading deployment '{name}' of endpoint", get))

    async def create(self, deployment: Deployment) -> None:
        """Ask for the deployment, without any traffic; :meth:`ready` says when it is there (minutes)."""

        def put(client: Any) -> None:
            from azure.ai.ml.entities import CodeConfiguration, ManagedOnlineDeployment

            code = None
            if deployment.code:
                code = CodeConfiguration(code=deployment.code, scoring_script=deployment.scoring_script)
            client.online_deployments.begin_create_or_update(
                ManagedOnlineDeployment(
                    name=deployment.name,
                    endpoint_name=self.name,
                    model=f"azureml:{deployment.model}",
                    environment=f"azureml:{deployment.environment}",
                    instance_type=deployment.instance_type,
                    instance_count=deployment.instance_count,
                    code_configuration=code,
                    environment_variables=dict(deployment.environment_variables),
                )
            )

        await self._call(f"creating deployment '{deployment.name}' of endpoint", put)

    async def invoke(self, deployment: str, body: Any) -> Any:
        """Send one JSON request to a deployment by its name, whatever its share of the traffic, and return the reply.

        Raises
        ------
        DriftgateError
            The call failed, or the reply is not JSON.
        """

        def post(client: Any) -> str:
            with tempfile.TemporaryDirectory() as folder:  # the client takes the request from a file only
                request = Path(folder, "request.json")
                request.write_text(json.dumps(body, ensure_ascii=False), encoding="utf-8")
                reply = client.online_endpoints.invoke(self.name, deployment_name=deployment, request_file=str(request))
            return str(reply)

        reply = await self._call(f"calling deployment '{deployment}' of endpoint", post)
        try:
            return read_json(reply)
        except ValueError:
            raise DriftgateError(
                f"deployment '{deployment}' of endpoint '{self.name}' answered {reply[:80]!r} where JSON was expected",
                "look into its scoring script",
            ) from None

    async def delete(self, deployment: str) -> None:
        """Delete a deployment; one that does not exist is no error.

        Raises
        ------
        DriftgateError
            The service refused, or has taken it and is not done; it can be tried again.
        """
        doing = f"deleting deployment '{deployment}' of endpoint"
        if not await self._call(doing, lambda c: _done(c.online_deployments.begin_delete(deployment, self.name))):
            raise DriftgateError(
                f"{doing} '{self.name}' is not done after {_CHANGE_SECONDS:.0f} s", "it is looked at again later"
            )

    async def _log(self, deployment: Deployment) -> str:
        try:
            log = await self._call(
                "reading the log of",
                lambda client: client.online_deployments.get_logs(deployment.name, self.name, lines=_LOG_LINES),
            )
        except DriftgateError as problem:  # the failure itself matters more than its log
            return problem.message
        return str(log).strip()[-1000:]

    async def _call(self, doing: str, do: Any) -> Any:
        def called() -> Any:
            with azure_errors(f"{doing} '{self.name}'"):
                return do(ml_client(self.address))

        return await asyncio.to_thread(called)


def _done(poller: Any) -> bool:
    """Wait for a change that the service has taken; False where it takes long."""
    poller.wait(_CHANGE_SECONDS)
    if not poller.done():
        return False
    poller.result()
    return True


def _positive(shares: Mapping[str, int] | None) -> dict[str, int]:
    return {name: int(share) for name, share in (shares or {}).items() if int(share) > 0}


def _settled(provisioning_state: object) -> bool:
    return state_name(provisioning_state) not in ("creating", "updating", "scaling", "deleting")
