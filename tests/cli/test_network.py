"""What a workspace says of the network holds for its commands, and a hostile service is one sentence to them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_endpoint import ChatEndpoint
from command_line import Cli, Make
from hostile_endpoint import HostileEndpoint

import driftgate
from driftgate.flows.network import in_force

PRICES = {"input": 30.0, "output": 30.0}


@pytest.fixture
def hostile() -> Iterator[HostileEndpoint]:
    served = HostileEndpoint(size=32 * 2**20)
    served.start()
    yield served
    served.stop()


@pytest.mark.parametrize(
    ("kind", "code", "words", "outcome"),
    [
        ("redirect", 2, "model 'tested' is redirected from 127.0.0.1 to evil.example", None),
        ("long", 4, "the reply is longer than 8 MB, and was not read to its end (it says it has 34 MB)", "failed"),
        ("gzip", 4, "the reply is longer than 8 MB, and was not read to its end", "failed"),
        ("deep", 4, "the reply is not a chat completion", "failed"),
        ("drip", 4, "no reply within 0.", "failed"),
        ("1e400", 0, "", "answered"),
        ("negative", 0, "", "answered"),
    ],
)
def test_a_hostile_service_is_one_sentence(
    cli: Cli, make: Make, hostile: HostileEndpoint, kind: str, code: int, words: str, outcome: str | None
) -> None:
    def change(config: dict[str, Any]) -> None:
        config["models"]["tested"] |= {
            "endpoint": hostile.url(kind),
            "timeout": 0.4 if kind == "drip" else 20.0,
            "prices": PRICES,
        }
        config["gates"] = config["nightly"] = {}
        del config["suites"]["small"]["max_failed"]

    folder = make(6, change)
    done = cli("bench", "small", "--workspace", folder)
    assert done.code == code and "Traceback" not in done.out + done.err, done.out + done.err
    assert words in " ".join((done.out + done.err).split()), done.out + done.err
    with driftgate.open(folder) as workspace:
        frame = workspace.runs()[0].samples()
        assert outcome is None or set(frame["outcome"]) == {outcome}
        if kind not in ("redirect", "drip"):  # of a reply nobody knows what it cost, and it is not minus 30,000
            assert frame["cost"].isna().all()


def test_a_limit_on_cost_ends_a_run_whose_service_counts_backwards(
    cli: Cli, make: Make, hostile: HostileEndpoint
) -> None:
    def change(config: dict[str, Any]) -> None:
        config["models"]["tested"] |= {"endpoint": hostile.url("negative"), "prices": PRICES, "in_flight": 1}
        config["suites"]["small"]["max_cost"] = 1.0

    done = cli("bench", "small", "--workspace", make(12, change))
    assert done.code == 2 and "the limit of 1 on cost cannot be kept" in " ".join(done.err.split()), done.err
    assert hostile.asked["negative"] < 12


def test_a_host_that_is_not_named_is_refused_before_it_is_asked(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    folder = make(6, lambda config: config.update(network={"allow": ["*.openai.azure.com"]}))
    done = cli("bench", "small", "--workspace", folder)
    said = " ".join(done.err.split())
    assert done.code == 2 and "model 'tested': the host 127.0.0.1 may not be asked" in said and "network.allow" in said
    found = cli("doctor", "--workspace", folder)
    told = " ".join((found.out + found.err).split())
    assert found.code == 2 and "only *.openai.azure.com may be asked" in told
    assert "the host 127.0.0.1 may not be asked" in told
    assert not endpoint.requests


def test_doctor_finds_addresses_of_every_part(cli: Cli, make: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        config["network"] = {"allow": ["127.0.0.1"]}
        base = {"base_url": "https://evil.example/v1"}
        config["connections"] = {"own": {"type": "open_ai", "configs": base, "secrets": {"api_key": "${env:PATH}"}}}

    found = cli("doctor", "--workspace", make(6, change))
    told = " ".join((found.out + found.err).split())
    assert found.code == 2 and "connections.own.configs.base_url" in told and "the host evil.example may not" in told


def test_certificates_that_are_none_are_found_beforehand(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    def change(config: dict[str, Any]) -> None:
        config["network"] = {"ca_file": "data/own.csv"}

    done = cli("bench", "small", "--workspace", make(6, change))
    assert done.code == 2 and "own.csv cannot be read as certificates" in " ".join(done.err.split())
    assert not endpoint.requests


def test_two_workspaces_in_one_process_keep_to_their_own(make: Make, tmp_path: Path, endpoint: ChatEndpoint) -> None:
    folder = make(6, lambda config: config.update(network={"allow": ["elsewhere.test"]}))
    with driftgate.open(folder) as closed:
        (tmp_path / "other").mkdir()
        (tmp_path / "other/driftgate.yaml").write_text("version: 1\n", "utf-8")
        with driftgate.open(tmp_path / "other"):
            assert in_force().config.allow is None
            with pytest.raises(driftgate.DriftgateError, match=r"the host 127\.0\.0\.1 may not be asked"):
                closed.bench("small")
    assert not endpoint.requests


def test_a_dataset_of_the_hub_is_not_fetched_where_the_hub_is_not_named(
    cli: Cli, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))

    def change(config: dict[str, Any]) -> None:
        config["network"] = {"allow": ["127.0.0.1"]}
        config["datasets"]["own"] = {"kind": "kmmlu"}

    done = cli("bench", "small", "--workspace", make(6, change))
    assert done.code == 2 and "the host huggingface.co may not be asked" in " ".join(done.err.split()), done.err
