"""How long a person waits for a command: medians of five, beside ``python -c "import pandas"``.

Run from the project's root::

    python -m benchmarks.perf.startup

It makes a workspace in a temporary folder whose model is a loopback endpoint in this process, and runs each command in
a process of its own. The processor time beside the wall time says how far a busy machine is to blame.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median

TIMES = 5
WORKSPACE = """\
version: 1
models: {{tested: {{provider: openai, endpoint: "{endpoint}/v1", model: none}}}}
datasets: {{sample: {{kind: sample}}}}
suites: {{ten: {{models: [tested], datasets: [sample], variants: [terse], limit: 10}}}}
gates: {{ten: {{suite: ten, rules: [{{metric: share.failed, max: 0.9}}]}}}}
"""


class Answers(BaseHTTPRequestHandler):
    """Answers every chat completion with one letter."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer."""
        self.rfile.read(int(self.headers["Content-Length"]))
        choice = {"message": {"role": "assistant", "content": "A"}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 50, "completion_tokens": 1}
        body = json.dumps({"model": "none", "choices": [choice], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged."""


@contextmanager
def endpoint(answers: type[Answers] = Answers) -> Iterator[str]:
    """The endpoint's address, while it listens."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def took(arguments: Sequence[str], folder: Path) -> tuple[float, float]:
    """Seconds and processor seconds of one call of Python."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print one line a command."""
    command = ("-m", "driftgate")
    calls = {
        "`python -c 'import pandas'`": ("-c", "import pandas"),
        "`driftgate --help`": (*command, "--help"),
        "`driftgate runs list`": (*command, "runs", "list"),
        "`driftgate bench`, ten samples": (*command, "bench"),
        "`driftgate gate`": (*command, "gate"),
    }
    with tempfile.TemporaryDirectory() as name, endpoint() as address:
        folder = Path(name)
        (folder / "driftgate.yaml").write_text(WORKSPACE.format(endpoint=address), encoding="utf-8")
        took((*command, "bench"), folder)  # so that there is a run to be listed, and the files are in the page cache
        print(f"| medians of {TIMES} | wall | processor |\n|---|---|---|")
        for words, arguments in calls.items():
            found = [took(arguments, folder) for _ in range(TIMES)]
            wall, processor = (median(values) for values in zip(*found, strict=True))
            print(f"| {words} | {wall:.2f} s | {processor:.2f} s |")


if __name__ == "__main__":
    main()
