"""A deployment of a fine-tuned model on an Azure OpenAI account, through the control plane.

API: Microsoft.CognitiveServices/accounts/deployments, version 2025-06-01
(learn.microsoft.com/rest/api/aiservices/accountmanagement/deployments/create-or-update).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from driftgate.finetune._azure import azure_errors, credential, impatient_transport, state_name, without_secrets
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import redirected, resolve

API_VERSION = "2025-06-01"
_DOING = {"GET": "reading", "PUT": "creating", "DELETE": "deleting"}
_ARM = "https://management.azure.com"


class OpenAIAccount(BaseModel):
    """Where a fine-tuned model is deployed, and how large; the address's fields may hold ``${env:NAME}``."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    subscription: str
    """Subscription id."""
    resource_group: str
    """Resource group of the account."""
    account: str
    """Name of the Azure OpenAI account."""
    sku: str = "Standard"
    """Kind of deployment: ``Standard``, ``GlobalStandard``, ``DeveloperTier`` and so on."""
    capacity: int = Field(50, ge=1)
    """Thousands of tokens a minute."""

    def deployment_path(self, name: str) -> str:
        """Return the path of the deployment's resource, with the API version."""
        subscription, group, account = (
            quote(resolve(value, "train.azure_openai.account"), safe="")
            for value in (self.subscription, self.resource_group, self.account)
        )
        return (
            f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.CognitiveServices"
            f"/accounts/{account}/deployments/{quote(name, safe='')}?api-version={API_VERSION}"
        )


def deployed(account: OpenAIAccount, name: str, model: str) -> bool:
    """Ask for the deployment ``name`` of a fine-tuned model if there is none, and say whether it can be called.

    Repeating the call does no more than look.

    Raises
    ------
    DriftgateError
        The control plane refused, the deployment failed, or the name belongs to a deployment of another model.
    """
    found = _send("GET", account, name)
    if found is None:
        wanted = {"format": "OpenAI", "name": model, "version": "1"}
        sku = {"name": account.sku, "capacity": account.capacity}
        found = _send("PUT", account, name, {"sku": sku, "properties": {"model": wanted}})
    properties = (found or {}).get("properties", {})
    serves = properties.get("model", {}).get("name", model)
    if serves != model:
        raise DriftgateError(
            f"deployment '{name}' of account '{account.account}' serves {serves}, not {model}",
            "delete it, or train under another name",
        )
    state = state_name(properties.get("provisioningState"))
    if state in ("failed", "canceled", "disabled"):
        why = without_secrets(
            str(properties.get("provisioningDetails") or properties.get("error") or "no reason given")
        )
        raise DriftgateError(
            f"deployment '{name}' of account '{account.account}' is {state}: {why}",
            "delete the deployment, check the quota of its region and try again",
        )
    return state == "succeeded"


def read_deployment(account: OpenAIAccount, name: str) -> dict[str, Any] | None:
    """A deployment as the control plane has it; None where there is none.

    Raises
    ------
    DriftgateError
        The control plane refused.
    """
    return _send("GET", account, name)


def write_deployment(account: OpenAIAccount, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Create or update a deployment, and return it as the control plane then has it.

    Raises
    ------
    DriftgateError
        The control plane refused.
    """
    return _send("PUT", account, name, dict(body)) or {}


def delete_deployment(account: OpenAIAccount, name: str) -> None:
    """Delete a deployment; one that does not exist is no error.

    Raises
    ------
    DriftgateError
        The control plane refused.
    """
    _send("DELETE", account, name)


def _send(method: str, account: OpenAIAccount, name: str, body: Any = None) -> dict[str, Any] | None:
    """Send one request; None where the resource does not exist."""
    from azure.core import PipelineClient
    from azure.core.pipeline.policies import BearerTokenCredentialPolicy, RetryPolicy
    from azure.core.rest import HttpRequest

    policies = [RetryPolicy(), BearerTokenCredentialPolicy(credential(), f"{_ARM}/.default")]
    doing = f"{_DOING[method]} deployment '{name}' of account '{account.account}'"
    client: PipelineClient[Any, Any] = PipelineClient(_ARM, policies=policies, transport=impatient_transport())
    with azure_errors(doing, "check the identity's role on the account (Cognitive Services Contributor)"), client:
        response = client.send_request(HttpRequest(method, _ARM + account.deployment_path(name), json=body))
        if response.status_code == 404 and method != "PUT":
            return None
        if 300 <= response.status_code < 400:  # this pipeline follows none
            raise redirected(doing, _ARM, response.headers.get("location", ""))
        response.raise_for_status()
        if method == "DELETE":
            return None
        found: dict[str, Any] = response.json()
        return found
