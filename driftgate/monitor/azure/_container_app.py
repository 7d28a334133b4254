"""``driftgate serve`` on Azure Container Apps, as one template.

One replica: one process writes the telemetry folder, which lies on an Azure Files share; the ledger is PostgreSQL, as
SQLite is not safe on a share. Secrets stay in a key vault and are read by the app's own managed identity.
"""

from __future__ import annotations

from driftgate.monitor.azure._expressions import (
    Expression,
    Parameter,
    Resource,
    Template,
    call,
    identifier,
    parameter,
)

PORT = 8321
SECRETS = {
    "DRIFTGATE_TOKEN": "driftgate-token",
    "DRIFTGATE_LEDGER": "driftgate-ledger",
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "applicationinsights-connection-string",
}
"""Variables of the container, and what each is called in the key vault."""
TELEMETRY = "/workspace/.driftgate"
"""Where the share is mounted."""

_SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"  # the built-in role Key Vault Secrets User
_VERSION = "2026-07-01"


def container_app() -> Template:
    """The template.

    Examples
    --------
    >>> [resource.symbol for resource in container_app().resources if not resource.existing]
    ['identity', 'reads', 'appEnvironment', 'share', 'app']
    """
    return Template(
        parameters=_PARAMETERS,
        variables={},
        resources=(_VAULT, _IDENTITY, _READS, _ENVIRONMENT, _SHARE, _APP),
        outputs={"principalId": _of_identity("principalId"), "address": _ADDRESS},
    )


_PARAMETERS = (
    Parameter("name", "string", "What the app, its environment and its identity are called.", "driftgate"),
    Parameter("location", "string", "Region.", call("resourceGroup").location),
    Parameter("image", "string", "The container image, REGISTRY/NAME:TAG."),
    Parameter("registry", "string", "The registry's server, which the identity has to be allowed to pull from."),
    Parameter("logCustomerId", "string", "Workspace id (a GUID) of the Log Analytics workspace for the app's output."),
    Parameter("logKey", "securestring", "Its key."),
    Parameter("keyVaultName", "string", f"Key vault in this resource group with {', '.join(SECRETS.values())}."),
    Parameter("storageAccountName", "string", "Storage account in this resource group with the share."),
    Parameter("shareName", "string", "Azure Files share for the telemetry folder.", "driftgate"),
    Parameter("external", "bool", "Whether it is reached from outside its environment.", False),
)

_VAULT = Resource("vault", "Microsoft.KeyVault/vaults", "2023-07-01", parameter("keyVaultName"), {}, existing=True)
_IDENTITY = Resource(
    "identity",
    "Microsoft.ManagedIdentity/userAssignedIdentities",
    "2023-01-31",
    parameter("name"),
    {"location": parameter("location")},
)


def _of_identity(name: str) -> Expression:
    return Expression(
        f"reference({identifier(_IDENTITY).json}, '{_IDENTITY.version}').{name}", f"identity.properties.{name}"
    )


_READS = Resource(
    "reads",
    "Microsoft.Authorization/roleAssignments",
    "2022-04-01",
    call("guid", call("resourceGroup").id, parameter("keyVaultName"), parameter("name")),
    {
        "scope": Expression(identifier(_VAULT).json, "vault"),
        "properties": {
            "principalId": _of_identity("principalId"),
            "principalType": "ServicePrincipal",
            "roleDefinitionId": call(
                "subscriptionResourceId", "Microsoft.Authorization/roleDefinitions", _SECRETS_USER
            ),
        },
    },
    after=("identity",),
)
_ENVIRONMENT = Resource(
    "appEnvironment",
    "Microsoft.App/managedEnvironments",
    _VERSION,
    parameter("name"),
    {
        "location": parameter("location"),
        "properties": {
            "appLogsConfiguration": {
                "destination": "log-analytics",
                "logAnalyticsConfiguration": {
                    "customerId": parameter("logCustomerId"),
                    "sharedKey": parameter("logKey"),
                },
            }
        },
    },
)
_STORAGE_KEYS = "listKeys(resourceId('Microsoft.Storage/storageAccounts', {}), '2023-05-01').keys[0].value"
_SHARE = Resource(
    "share",
    "Microsoft.App/managedEnvironments/storages",
    _VERSION,
    call("concat", parameter("name"), "/telemetry"),
    {
        "properties": {
            "azureFile": {
                "accountName": parameter("storageAccountName"),
                "accountKey": Expression(
                    _STORAGE_KEYS.format("parameters('storageAccountName')"),
                    _STORAGE_KEYS.format("storageAccountName"),
                ),
                "shareName": parameter("shareName"),
                "accessMode": "ReadWrite",
            }
        }
    },
    after=("appEnvironment",),
)


def _secret(name: str) -> dict[str, object]:
    address = call(
        "concat",
        Expression(f"reference({identifier(_VAULT).json}, '{_VAULT.version}').vaultUri", "vault.properties.vaultUri"),
        f"secrets/{name}",
    )
    return {"name": name, "keyVaultUrl": address, "identity": identifier(_IDENTITY)}


def _probe(kind: str, failures: int) -> dict[str, object]:
    path = "/readyz" if kind == "Readiness" else "/livez"
    asked = {"path": path, "port": PORT, "scheme": "HTTP"}
    return {"type": kind, "httpGet": asked, "periodSeconds": 10, "failureThreshold": failures}


_APP = Resource(
    "app",
    "Microsoft.App/containerApps",
    _VERSION,
    parameter("name"),
    {
        "location": parameter("location"),
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {identifier(_IDENTITY): {}}},
        "properties": {
            "environmentId": identifier(_ENVIRONMENT),
            "configuration": {
                "activeRevisionsMode": "Single",
                "ingress": {
                    "external": parameter("external"),
                    "targetPort": PORT,
                    "transport": "auto",
                    "allowInsecure": False,
                },
                "registries": [{"server": parameter("registry"), "identity": identifier(_IDENTITY)}],
                "secrets": [_secret(name) for name in SECRETS.values()],
            },
            "template": {
                "terminationGracePeriodSeconds": 30,
                "containers": [
                    {
                        "name": "driftgate",
                        "image": parameter("image"),
                        "resources": {"cpu": call("json", "1.0"), "memory": "2Gi"},
                        "env": [
                            {"name": "AZURE_CLIENT_ID", "value": _of_identity("clientId")},
                            *({"name": name, "secretRef": secret} for name, secret in SECRETS.items()),
                        ],
                        "volumeMounts": [{"volumeName": "telemetry", "mountPath": TELEMETRY}],
                        "probes": [_probe("Startup", 30), _probe("Liveness", 3), _probe("Readiness", 3)],
                    }
                ],
                "volumes": [{"name": "telemetry", "storageType": "AzureFile", "storageName": "telemetry"}],
                "scale": {"minReplicas": 1, "maxReplicas": 1},
            },
        },
    },
    after=("share", "reads"),
)
_ADDRESS = Expression(
    f"reference({identifier(_APP).json}, '{_VERSION}').configuration.ingress.fqdn",
    "app.properties.configuration.ingress.fqdn",
)
