"""A name that nothing has is a mistake, and finding nothing of it no good news; nor is that nobody is told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

import driftgate
from driftgate.ledger import finish_run, start_run
from driftgate.monitor.incidents import IncidentsConfig, Sign, settle

SIGN = Sign("gone", "of-a", "endpoint_down", "high", "canaries", "nothing answers", "start it")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOOK_SECRET", "a-secret-that-both-have")
    hook = {"kind": "webhook", "url": "http://127.0.0.1:9/", "secret": "${env:HOOK_SECRET}"}
    (tmp_path / "q.jsonl").write_text('{"question": "1+1?", "answer": "2"}\n')
    config = {
        "version": 1,
        "models": {"live": {"provider": "openai", "endpoint": "http://127.0.0.1:9/v1", "model": "m"}},
        "datasets": {"q": {"kind": "jsonl", "path": "q.jsonl"}},
        "suites": {"nightly": {"models": ["live"], "datasets": ["q"]}},
        "notifications": {"channels": {"hook": hook}},
    }
    (tmp_path / "driftgate.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return tmp_path


def test_a_misspelt_name_is_a_mistake_and_a_known_one_that_has_nothing_is_none(cli, folder: Path) -> None:
    with driftgate.open(folder) as ws:
        finish_run(ws.ledger, start_run(ws.ledger, "old", {"cells": []}, "hash", 0, "0.1").id)
        settle(ws.ledger, "of-", [SIGN], datetime.now(UTC), IncidentsConfig(), over="")
        ws.create_key("app", ["read"])
    for arguments, code, says in (
        (("incidents", "--monitor", "gon"), 2, "there is no monitor 'gon' did you mean 'gone'?"),
        (("incidents", "--monitor", "gone"), 1, "nothing answers"),
        (("runs", "list", "--suite", "nightl"), 2, "did you mean 'nightly'?"),
        (("runs", "list", "--suite", "nightly"), 0, "no such run"),
        (("runs", "list", "--limit", "0"), 2, ""),
        (("audit", "--action", "keys"), 2, "did you mean 'key'?"),
        (("audit", "--action", "key"), 0, "key.create"),
        (("audit", "--action", "champion"), 0, "nothing is recorded"),
        (("audit", "--who", "nobody-at-all"), 2, "nothing is recorded that 'nobody-at-all' did"),
    ):
        done = cli(*arguments, "-w", folder)
        told = " ".join((done.out + done.err).split())
        assert (done.code, says in told) == (code, True), (arguments, told)


def test_a_silence_of_no_length_is_refused(cli, folder: Path) -> None:
    with driftgate.open(folder) as ws:
        settle(ws.ledger, "of-", [SIGN], datetime.now(UTC), IncidentsConfig(), over="")
    for arguments in (("--for", "0h"), ("--for", "-1h"), ("--until", "2020-01-01T00:00")):
        refused = cli("incidents", "silence", "latest", *arguments, "-w", folder)
        assert refused.code == 2, refused.out
    assert cli("incidents", "silence", "latest", "--for", "1h", "-w", folder).code == 0
    shown = cli("incidents", "show", "latest", "-w", folder).out
    assert "silenced" in shown and "+00:00" not in shown  # as every other time is written
    assert cli("incidents", "silence", "latest", "--until", "2020-01-01T00:00", "-w", folder).code == 0  # ends it
    assert cli("incidents", "-w", folder).code == 1


def test_a_channel_that_takes_nothing_is_no_good_news(cli, folder: Path) -> None:
    with driftgate.open(folder) as ws:
        settle(ws.ledger, "of-", [SIGN], datetime.now(UTC), IncidentsConfig(), over="")
        ws.tell()
        ws.acknowledge("latest")
    listed = cli("incidents", "-w", folder)
    assert (listed.code, "channel hook fails, 1 message waits" in listed.out) == (4, True), listed.out
    assert cli("notify", "status", "-w", folder).code == 1


def test_other_signs_in_a_name_are_said_in_words(cli, folder: Path) -> None:
    file = folder / "driftgate.yaml"
    config = yaml.safe_load(file.read_text("utf-8"))
    file.write_text(yaml.safe_dump({**config, "name": "our desk"}), encoding="utf-8")
    refused = cli("doctor", "-w", folder)
    assert "'our desk' has other signs than letters from a to z, digits, '_', '.' and '-'" in " ".join(
        (refused.out + refused.err).split()
    )


def test_a_template_is_of_the_kind_that_its_file_is_called(cli, folder: Path) -> None:
    for name, code, begins in (("x.bicep", 0, "param"), ("x.json", 0, "{")):
        done = cli("azure", "render", folder / name, "-w", folder)
        assert (done.code, "written" in done.out) == (code, True)
        assert begins in (folder / name).read_text("utf-8")[:2000]
    refused = cli("azure", "render", folder / "y.json", "--bicep", "-w", folder)
    assert refused.code == 2 and not (folder / "y.json").exists() and "y.bicep" in refused.err
