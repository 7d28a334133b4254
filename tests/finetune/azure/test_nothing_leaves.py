"""The net under these tests: what would leave the machine is refused and on record."""

from __future__ import annotations

import pytest
import requests
from azure_services import Cloud

from driftgate.finetune._azure import AzureMLWorkspace, ml_client


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_a_host_that_nobody_serves_is_refused_and_recorded(cloud: Cloud, scheme: str) -> None:
    with pytest.raises(requests.exceptions.ConnectionError if scheme == "https" else AssertionError):
        reply = requests.get(f"{scheme}://dc.services.visualstudio.test/v2/track", timeout=5)
        assert reply.ok
    assert [host.split("/")[2] if "/" in host else host for host in cloud.net.refused] == [
        "dc.services.visualstudio.test"
    ]
    cloud.net.refused.clear()


def test_the_client_is_asked_not_to_send_telemetry(cloud: Cloud, address: AzureMLWorkspace) -> None:
    client = ml_client(address)
    assert client._operation_config.enable_telemetry is False
    assert client.workspaces.get("ws").location == "koreacentral"
    assert {request.host for request in cloud.net.requests} == {"identity.loopback.test", "management.azure.com"}
