"""YAML is read at one place and within bounds, whatever file holds it."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from command_line import Cli
from hypothesis import given
from hypothesis import strategies as st

import driftgate
from driftgate.api.workspace import open_workspace
from driftgate.flows.definition import load_flow
from driftgate.flows.errors import DriftgateError
from driftgate.flows.yaml_text import LONGEST, MOST, parse

_TENFOLD = [f"{one}: &{one} [{', '.join([f'*{of}'] * 10)}]" for of, one in zip("abcdefgh", "bcdefghi", strict=True)]
BOMB = "\n".join(["a: &a [x, x, x, x, x, x, x, x, x, x]", *_TENFOLD]) + "\n"
MERGES = [f"{one}: &{one} {{<<: [{', '.join([f'*{of}'] * 10)}]}}" for of, one in zip("abcdef", "bcdefg", strict=True)]
HEAVY = {
    "an alias bomb": (BOMB, "line 5 is too much: it stands for more than 50,000 values"),
    "a bomb of merges": ("\n".join(["a: &a {" + ", ".join(f"k{n}: 1" for n in range(10)) + "}", *MERGES]), "too much"),
    "lists in lists": ("a: " + "[" * 50_000, "nested more than 64 deep"),
    "dashes": ("- " * 50_000, "nested more than 64 deep"),
    "mappings in mappings": ("{a: " * 5_000, "nested more than 64 deep"),
    "many values": ("a: [" + "1, " * (MOST + 9) + "]", "more than 50,000 values"),
    "a long file": ("#" * (LONGEST + 1), "characters, at most"),
    "a long number": ("a: " + "9" * 5_000, "is no number of at most 100 digits"),
    "a number by sixties": ("a: " + "1:" * 100_000 + "1", "is no number of at most 100 digits"),
    "a number of 65 bits": ("a: 18446744073709551616", "is a number of more than 64 bits"),
    "no day": ("a: 2026-13-45", "line 1: '2026-13-45' is no timestamp"),
    "no number": ("a: !!int x", "'x' is no int"),
    "no time": ("a: !!timestamp x", "'x' is no timestamp"),
    "neither true nor false": ("a: !!bool maybe", "'maybe' is no bool"),
    "its own alias": ("a: &a [*a]", "the anchor 'a' refers to itself"),
}


@pytest.mark.parametrize("text, said", HEAVY.values(), ids=HEAVY)
def test_what_no_person_writes_is_refused_at_once(text: str, said: str) -> None:
    began = time.process_time()
    with pytest.raises(DriftgateError, match=re.escape(said)):
        parse(text, "x.yaml")
    assert time.process_time() - began < 15


@pytest.mark.parametrize("text", [BOMB, "a: " + "[" * 5_000, "a: &a [*a]", "a: 2026-13-45"])
def test_every_file_of_a_workspace_is_read_so(tmp_path: Path, text: str) -> None:
    flow = tmp_path / "flows/mine"
    flow.mkdir(parents=True)
    nodes = "nodes: [{name: a, type: prompt, source: {type: code, path: a.jinja2}, inputs: {}}]\n"
    (flow / "a.jinja2").write_text("x")
    workspace, more, dag = tmp_path / "driftgate.yaml", tmp_path / "more.yaml", flow / "flow.dag.yaml"

    def refused(file: Path, content: str, said: str = "") -> None:
        for path, usual in {workspace: "version: 1\ninclude: [more.yaml]\n", more: "suites: {}\n", dag: nodes}.items():
            path.write_text(content if path == file else usual)
        if file not in (workspace, more, dag):
            dag.unlink()
            file.write_text(content)
        with pytest.raises(DriftgateError, match=said or rf"{file.name}, line \d"):
            open_workspace(tmp_path)
            load_flow("ask.prompty" if file.suffix == ".prompty" else "mine", tmp_path)

    refused(workspace, f"version: 1\n{text}")
    refused(more, text)
    refused(dag, nodes + text)
    refused(flow / "flow.flex.yaml", f"entry: a:b\n{text}")
    front = f"---\nname: a\n{text}\n---\nsystem:\nx\n"
    refused(tmp_path / "ask.prompty", front, r"the front matter of .*ask\.prompty, line \d")


def test_a_bomb_is_one_sentence_on_the_command_line(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "driftgate.yaml").write_text(f"version: 1\n{BOMB}")
    done = cli("runs", "list", "-w", tmp_path)
    assert done.code == 2 and "driftgate.yaml, line 6 is too much" in done.err and "defect" not in done.err


@given(st.text(alphabet="ab&*[]{}:,-?!|>'\"#%@ \n\t<0x1.e~", max_size=60))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        parse(text, "x.yaml")
    except DriftgateError as refused:
        assert refused.message.startswith("x.yaml") and refused.remedy


def test_yaml_is_read_nowhere_else() -> None:
    package = Path(driftgate.__file__).parent
    reads = re.compile(r"yaml\.(?:\w*load\w*|compose\w*|parse|scan)\(")
    found = [path.name for path in package.rglob("*.py") if reads.search(path.read_text(encoding="utf-8"))]
    assert found == []
