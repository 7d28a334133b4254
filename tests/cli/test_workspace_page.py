"""The workspace that docs/workspace.md shows is one that runs."""

from __future__ import annotations

import re
from pathlib import Path

from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli

PAGE = Path(__file__).parents[2] / "docs/workspace.md"
_BLOCK = re.compile(r"^```(?:yaml|python)\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_page_s_workspace_runs(tmp_path: Path, cli: Cli, endpoint: ChatEndpoint) -> None:
    endpoint.default = Answer("답은 B입니다.")
    blocks = dict(_BLOCK.findall(PAGE.read_text(encoding="utf-8")))
    assert {"driftgate.yaml", "my_eval.py", "flows/ours/ask.py"} <= set(blocks)
    rows = "".join(f"문제 {n}번은?,가{n},나{n},B\n" for n in range(20))
    for path, text in {**blocks, "data/ours.csv": f"question,A,B,answer\n{rows}"}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text.replace("http://127.0.0.1:8000", endpoint.url), encoding="utf-8")
    for command in (["doctor"], ["bench", "ours"], ["gate", "latest"]):
        done = cli(*command, "-w", tmp_path)
        assert done.code == 0, done.out + done.err
    assert sorted(endpoint.asked) == sorted(f"문제 {n}번은? A 또는 B로만 답해 주세요." for n in range(20))
