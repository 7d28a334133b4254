"""schemathesis asks the whole HTTP interface by its OpenAPI document: no 5xx, and nothing without a key.

schemathesis pins packages otherwise than driftgate's lock does, so that it has an environment of its own; where that
cannot be made, or ``DRIFTGATE_SCHEMATHESIS`` names none, the test is skipped.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import DRIFTGATE
from .test_service import TOKEN, free_port, serving, until_it_answers

VERSION = "4.32.5"


@pytest.fixture(scope="module")
def schemathesis(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The command, from an environment of its own."""
    if stated := os.environ.get("DRIFTGATE_SCHEMATHESIS"):
        return stated
    folder = tmp_path_factory.mktemp("schemathesis")
    for command in (["-m", "venv", str(folder)], ["-m", "pip", "install", "-q", f"schemathesis=={VERSION}"]):
        python = sys.executable if "venv" in command else str(folder / "bin/python")
        done = subprocess.run([python, *command], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"schemathesis cannot be installed here: {done.stderr[-200:]}")
    return str(folder / "bin/schemathesis")


def test_no_request_by_the_document_is_answered_with_an_error_of_ours(
    tmp_path: Path, schemathesis: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, port = tmp_path / "space", free_port()
    folder.mkdir()
    (folder / "driftgate.yaml").write_text(
        f"version: 1\nservice: {{port: {port}, limits: {{requests_per_second: 1e6, burst: 1000000, refusals: 100000}}}}"
    )
    checks = (
        "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,ignored_auth"
    )
    with serving(folder):
        until_it_answers(port)
        made = subprocess.run(
            [*DRIFTGATE, "keys", "create", "all", "--scope", "read", "--scope", "ingest", "--scope", "operate"],
            cwd=folder, env=os.environ | {"DRIFTGATE_TOKEN": TOKEN}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        key = made.stdout.split()[-1]
        done = subprocess.run(
            [schemathesis, "run", f"http://127.0.0.1:{port}/openapi.json", "-H", f"Authorization: Bearer {key}",
             "--checks", checks, "--max-examples", "50", "--seed", "1", "--no-color"],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
    with capsys.disabled():
        print(done.stdout[done.stdout.rfind("API Operations:") :])
    assert done.returncode == 0, done.stdout
