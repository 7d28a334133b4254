"""Reading from the hub, against a hub of our own on the loopback interface."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from driftgate.flows.errors import DriftgateError

COMMIT = "0123456789abcdef0123456789abcdef01234567"

ASK = """
import json, sys
from pathlib import Path
from driftgate.benchmarks.datasets import load_dataset, parse_config
from driftgate.flows.errors import DriftgateError
answers = []
for config in json.loads(sys.argv[1]):
    try:
        dataset = load_dataset("mine", parse_config(config), Path("."))
        answers.append({"fingerprint": dataset.fingerprint, "shots": len(dataset.shots), "source": dataset.source})
    except DriftgateError as problem:
        answers.append({"message": problem.message, "remedy": problem.remedy})
print(json.dumps(answers))
"""


class Hub(BaseHTTPRequestHandler):
    """The four answers of the hub's HTTP interface that a snapshot needs."""

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        files: dict[str, bytes] = self.server.files  # type: ignore[attr-defined]
        if "/datasets/team/" not in path:
            return self.reply(401, b"{}", {"X-Error-Code": "RepoNotFound"})
        if "/revision/no-such" in path:
            return self.reply(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        if "/tree/" in path:
            tree = [
                {"type": "file", "path": name, "size": len(body), "oid": hashlib.sha1(body).hexdigest()}
                for name, body in files.items()
            ]
            return self.reply(200, json.dumps(tree).encode())
        if path.startswith("/api/"):
            siblings = [{"rfilename": name} for name in files]
            return self.reply(200, json.dumps({"id": "team/set", "sha": COMMIT, "siblings": siblings}).encode())
        body = files[path.split(f"/resolve/{COMMIT}/")[1]]
        self.server.served.append(path)  # type: ignore[attr-defined]
        return self.reply(200, body, {"ETag": f'"{hashlib.sha1(body).hexdigest()}"', "X-Repo-Commit": COMMIT})

    do_HEAD = do_GET

    def reply(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub(build, tmp_path) -> Iterator[ThreadingHTTPServer]:
    folder = tmp_path / "upstream"
    folder.mkdir()
    build("kmmlu", folder)
    (folder / "data/math-train.csv").write_text("never needed", encoding="utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}  # type: ignore[attr-defined]
    server.served = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def ask(endpoint: str, home: Path, *configs: dict[str, object]) -> list[dict[str, str]]:
    """Load in a process of its own: the hub's client reads its environment when it is imported."""
    environment = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(home), "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    run = subprocess.run(
        [sys.executable, "-c", ASK, json.dumps(configs)],
        cwd=Path(__file__).resolve().parents[3],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    answers: list[dict[str, str]] = json.loads(run.stdout)
    return answers


def test_the_hub_and_the_local_folder_cannot_differ(hub, load, tmp_path):
    pytest.importorskip("huggingface_hub", reason="needs the extra hub")
    local = load({"kind": "kmmlu", "path": "upstream"}, tmp_path)
    endpoint = f"http://127.0.0.1:{hub.server_port}"
    config = {"kind": "kmmlu", "hub": "team/set"}
    found, absent, no_revision, malformed = ask(
        endpoint,
        tmp_path / "home",
        config,
        {"kind": "kmmlu", "hub": "nobody/nothing"},
        {**config, "revision": "no-such"},
        {**config, "hub": "a/b/c"},
    )
    assert found == {"fingerprint": local.fingerprint, "shots": 6, "source": f"team/set@{COMMIT[:12]}"}
    assert not [path for path in hub.served if "train" in path]
    assert "no public dataset 'nobody/nothing'" in absent["message"]
    assert "no revision 'no-such'" in no_revision["message"]
    assert "'a/b/c' is not the name of a hub repository" in malformed["message"]

    hub.shutdown()
    hub.server_close()
    cached, offline = ask(endpoint, tmp_path / "home", config, {**config, "hub": "team/other"})
    assert cached == found
    assert "could not be reached for 'team/other'" in offline["message"]
    assert "path" in offline["remedy"]


def test_without_the_package_the_extra_is_named(load, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(DriftgateError, match="needs the extra 'hub'") as caught:
        load({"kind": "click"}, tmp_path)
    assert "driftgate[hub]" in caught.value.remedy
