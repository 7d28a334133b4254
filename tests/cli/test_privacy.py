"""The commands about the privacy of training data, as a person uses them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from command_line import Cli


def lines(path: Path, rows: list[object]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.core
def test_a_file_is_measured_and_the_exit_code_is_the_verdict(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "space"
    folder.mkdir()
    own = {"version": 1, "ledger": ".driftgate/ledger.db"}
    (folder / "driftgate.yaml").write_text(yaml.safe_dump(own), encoding="utf-8")
    canaries = cli("privacy", "canaries", "3", "--seed", "5").out
    assert len(canaries.splitlines()) == 3
    (folder / "canaries.txt").write_text(canaries, encoding="utf-8")
    sources = folder / "docs"
    sources.mkdir()
    for place in range(40):
        (sources / f"{place}.txt").write_text(f"{place}번 창고의 문은 {place + 3}시에 닫는다.", encoding="utf-8")
    (sources / "planted.txt").write_text(canaries, encoding="utf-8")
    leaking = lines(folder / "leaking.jsonl", [{"prompt": "무엇?", "target": canaries.splitlines()[1]}])
    with_name = lines(folder / "name.jsonl", [{"prompt": "누가?", "target": "박서준이 맡았다"}])
    where = ("--sources", sources, "--canaries", folder / "canaries.txt", "-w", folder)

    found = cli("privacy", "check", leaking, *where, "--json", folder / "found.json")
    assert found.code == 1 and "canaries 2" in found.out, found.err
    told = json.loads((folder / "found.json").read_text("utf-8"))
    verdicts = {figure["name"]: figure["verdict"] for figure in told["figures"]}
    assert (told["verdict"], verdicts["canaries"], verdicts["closer_share"]) == ("fail", "fail", "unmeasurable")
    named = cli("privacy", "check", with_name, *where)
    assert named.code == 1 and "PERSON 1" in named.out and "박서준" not in named.out
    clean = lines(folder / "clean.jsonl", [{"prompt": "언제?", "target": "내일"}])
    assert cli("privacy", "check", clean, *where).code == 4
    assert cli("privacy", "check", clean, "--recipe", "none", *where).code == 2
    assert cli("privacy", "check", folder / "absent.jsonl", *where).code == 2


def test_the_command_reads_every_text_and_refuses_an_item_without_one(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "driftgate.yaml").write_text("version: 1\nledger: .driftgate/ledger.db\n", encoding="utf-8")
    (tmp_path / "canaries.txt").write_text("내부 확인 문구 마머허-2033", encoding="utf-8")
    (tmp_path / "source.txt").write_text("원래 글. 내부 확인 문구 마머허-2033", encoding="utf-8")
    where = ("--sources", tmp_path / "source.txt", "--canaries", tmp_path / "canaries.txt", "-w", tmp_path)

    def said(text: str) -> list[dict[str, str]]:
        return [{"role": "assistant", "content": text}]

    secret = "010-1234-5678, 내부 확인 문구 마머허-2033"
    rows: list[object] = [{"input": "왜?", "preferred_output": said("네"), "non_preferred_output": said(secret)}]
    found = cli("privacy", "check", lines(tmp_path / "items.jsonl", rows), *where)
    assert found.code == 1 and "PHONE_MOBILE 1" in found.out and "canaries 1" in found.out and "1234" not in found.out
    assert cli("privacy", "check", lines(tmp_path / "keys.jsonl", [{"a": "나", "010-1234-5678": 2}]), *where).code == 1
    mute = cli("privacy", "check", lines(tmp_path / "mute.jsonl", [{"a": "나"}, {"foo": 1, "bar": None}]), *where)
    assert mute.code == 2 and "line 2 holds no text" in mute.err and "foo, bar" in mute.err


def test_a_hold_out_is_sealed_once(cli: Cli, tmp_path: Path) -> None:
    config = {"version": 1, "datasets": {"exam": {"kind": "sample"}}}
    (tmp_path / "driftgate.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    first, again = (cli("privacy", "seal", "exam", "-w", tmp_path) for _ in range(2))
    assert first.code == again.code == 0 and first.out == again.out and "176 samples" in first.out
    assert cli("privacy", "seal", "other", "-w", tmp_path).code == 2
