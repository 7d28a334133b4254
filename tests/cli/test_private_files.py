"""Whatever the umask is, what driftgate writes is its owner's alone; what others can read is said."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from chat_endpoint import ChatEndpoint
from command_line import Cli, Make
from fastapi.testclient import TestClient
from planted_secrets import open_to_others

from driftgate.api.workspace import open_workspace
from driftgate.ledger import open_ledger, readers_of
from driftgate.monitor.telemetry import ModelCall, Store
from driftgate.service._make import make_service

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has no modes")


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """The umask that most systems begin with: files are everybody's to read."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def watched(config: dict[str, Any]) -> None:
    config["champions"] = {"live": "tested"}
    canaries = {"dataset": "own", "variant": "terse"}
    config["monitors"] = {"watch": {"champion": "live", "canaries": canaries, "traffic": {}}}
    config["telemetry"] = [{"source": "files", "folder": "calls"}]
    config["keep"] = {"details_days": 1}
    config["service"] = {"token": "${env:SERVICE_TOKEN}"}


def use(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Do in a workspace what makes files, and return those that the test made itself."""
    begun = datetime.now(UTC) - timedelta(hours=3)
    rows = [{"time": (begun + timedelta(seconds=n)).isoformat(), "latency": 1.0, "slice": "a"} for n in range(50)]
    (folder / "calls").mkdir()
    (folder / "calls/today.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    own = list(folder.rglob("*"))
    for command in (
        ("bench", "small"),
        ("gate", "--junit", folder / "out/j.xml", "--json", folder / "out/v.json", "--summary", folder / "out/v.md"),
        ("report",),
        ("runs", "samples", "latest", "--csv", folder / "out/s.csv"),
        ("baseline", "export", "latest", folder / "out/base.json"),
        ("monitor", "collect"),
        ("monitor", "check", "watch"),
        ("nightly",),
    ):
        (folder / "out").mkdir(exist_ok=True)
        cli(*command, "-w", folder)
    monkeypatch.setenv("SERVICE_TOKEN", "a-token-for-this-test-77")
    ledger = open_ledger(".driftgate/ledger.db", folder)
    with TestClient(make_service(open_workspace(folder), ledger)) as client:
        client.get("/", headers={"Authorization": "Bearer a-token-for-this-test-77"})
    ledger.close()
    with Store(folder / ".driftgate/telemetry") as store:
        store.append([ModelCall(begun, "5b" * 16, "ee" * 8)])
        store.compact()
        store.append([ModelCall(begun, "5c" * 16, "ee" * 8)])
    return [*own, folder / "out"]


def test_everything_that_is_written_is_private(
    cli: Cli, make: Make, endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make(40, watched)
    own = use(cli, folder, monkeypatch)
    ledger = open_ledger(".driftgate/ledger.db", folder)
    with ledger.read() as connection:  # while it is open, the files beside the ledger are there
        connection.exec_driver_sql("SELECT count(*) FROM runs")
        written = {path.name for path in folder.rglob("*")}
        assert open_to_others(folder, own=own) == []
    ledger.close()
    assert {"ledger.db", "j.xml", "v.json", "v.md", "s.csv", "base.json", "writer.lock"} <= written
    assert any(name.endswith(".html") for name in written) and any(name.endswith(".parquet") for name in written)
    assert any(name.endswith(".spool") for name in written) and "ledger.db-wal" in written
    assert "can be read by" not in cli("doctor", "-w", folder).out


def test_a_team_shares_with_its_group_and_with_nobody_else(
    cli: Cli, make: Make, endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make(12, lambda config: (watched(config), config.update(files="group")))
    own = {path.resolve() for path in use(cli, folder, monkeypatch)}
    made = [path for path in folder.rglob("*") if path.resolve() not in own]
    assert {path.stat().st_mode & 0o777 for path in made if path.is_file()} == {0o660}
    assert {path.stat().st_mode & 0o777 for path in made if path.is_dir()} == {0o770}


def test_the_doctor_says_what_others_can_read(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    folder = make(12)
    cli("bench", "small", "-w", folder)
    (folder / ".driftgate/ledger.db").chmod(0o644)
    (folder / "reports").chmod(0o750)
    out = " ".join(cli("doctor", "-w", folder).out.split())
    assert "ledger.db can be read by everybody on this machine" in out and "chmod go-rwx" in out
    assert "reports can be read by its group" in out


def test_a_file_that_somebody_opened_keeps_its_rights_and_a_pipe_is_written_to(
    cli: Cli, make: Make, endpoint: ChatEndpoint, tmp_path: Path
) -> None:
    folder = make(12)
    cli("bench", "small", "-w", folder)
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert cli("gate", "--json", tmp_path / "pipe", "-w", folder).code in (0, 1)
        assert json.loads(os.read(reader, 1 << 20))[0]["gate"] == "small"
    finally:
        os.close(reader)


def test_another_role_reads_nothing_of_a_ledger_on_postgresql(postgres: Any, tmp_path: Path) -> None:
    url = postgres()
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC")
        owner.execute("DROP ROLE IF EXISTS reader")
        owner.execute("CREATE ROLE reader")
    ledger = open_ledger(url, tmp_path)
    with psycopg.connect(url, autocommit=True) as connection:
        tables = [
            row[0]
            for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        ]
        assert "outcomes" in tables and "samples" in tables
        assert readers_of(ledger) == []
        connection.execute("SET ROLE reader")
        for table in tables:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT * FROM {table}")
        connection.execute("RESET ROLE")
        connection.execute("GRANT SELECT ON samples TO PUBLIC")
    ((what, who, remedy),) = readers_of(ledger)
    assert (what, who) == ("samples", "every role of the database") and "REVOKE ALL ON samples FROM PUBLIC" in remedy
    ledger.close()
