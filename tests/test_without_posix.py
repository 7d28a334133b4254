"""What a CI job and a laptop need does not rest on what only Linux and macOS have.

Windows is not at hand. This takes away what Python does not have there, and runs the commands without it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from chat_endpoint import Answer, ChatEndpoint

WITHOUT = """
import os, sys
for name in ("fcntl", "grp", "pty", "pwd", "resource", "termios", "tty"):
    sys.modules[name] = None
for name in ("fork", "getuid", "geteuid", "getgid", "killpg", "setsid"):
    if hasattr(os, name):
        delattr(os, name)
os.environ["USERNAME"] = "me"
from driftgate.cli import main
main()
"""


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def space(tmp_path: Path, endpoint: ChatEndpoint) -> Path:
    endpoint.default = Answer("A")
    bound = {
        "evaluator": "exact_match",
        "inputs": {"response": "${nodes.reply.output}", "ground_truth": "${data.answer}"},
    }
    config = {
        "version": 1,
        "models": {"m": {"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "m"}},
        "datasets": {"own": {"kind": "csv", "path": "own.csv"}},
        "suites": {
            "own": {
                "models": ["m"],
                "datasets": ["own"],
                "prompt": "{{ question }}",
                "evaluators": {"reply": {"right": bound}},
                "primary": "reply.right.match",
            }
        },
        "gates": {"own": {"suite": "own", "rules": [{"min": 0.5}]}},
        "champions": {"place": "m"},
    }
    (tmp_path / "driftgate.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    rows = "".join(f"{n} + {n}?,A\n" for n in range(20))
    (tmp_path / "own.csv").write_text(f"question,answer\n{rows}", encoding="utf-8")
    return tmp_path


def test_the_daily_commands_run(space: Path) -> None:
    here = ("-w", space)
    for arguments in (
        ("--help",),
        ("schema",),
        ("schema", "--reference"),
        ("init", space / "new"),
        ("init", space, "--ci", "github"),
        ("doctor", *here),
        ("bench", *here),
        ("gate", *here),
        ("report", *here),
        ("runs", "show", *here),
        ("champion", "list", *here),
        ("baseline", "export", "latest", space / "b.json", *here),
        ("baseline", "import", space / "b.json", *here),
        ("ledger", "check", *here),
    ):
        done = run(*arguments)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"


def test_training_here_says_what_it_needs(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['fcntl'] = None\n"
        "from pathlib import Path\n"
        "from driftgate.finetune.train.local import _locked\n"
        "with _locked(Path(sys.argv[1])): pass\n"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "the trainer 'local' needs the file locks of Linux or macOS" in done.stderr
