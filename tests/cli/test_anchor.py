"""An anchor stays where it is: small steps that each pass add up to what it sees."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from chat_endpoint import Answer, ChatEndpoint, Status
from command_line import Cli, Make

from driftgate.ledger import latest_runs, open_ledger

COUNT = 60
MOVING = {"no_worse_than": "previous", "margin": 0.2}
STAYING = {"no_worse_than": "anchor", "margin": 0.2}


def set_gate(folder: Path, *rules: dict[str, Any], anchor: str | None = None) -> None:
    path = folder / "driftgate.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    gate: dict[str, Any] = {"suite": "small", "first_run": "pass", "rules": list(rules)}
    config["gates"]["small"] = gate if anchor is None else gate | {"anchor": anchor}
    path.write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False), encoding="utf-8")


def bench(cli: Cli, folder: Path, endpoint: ChatEndpoint, wrong: int) -> str:
    """Run the suite with so many questions answered wrongly; returns the run's id."""

    def answer(prompt: str) -> Answer:
        number = int(re.findall(r"문제 (\d+)번은", prompt)[-1])
        return Answer("ABCD"[(number + (number < wrong)) % 4])

    endpoint.default = answer
    done = cli("bench", "-w", folder, "--json", folder / "bench.json")
    assert done.code == 0, done.err
    return str(json.loads((folder / "bench.json").read_text(encoding="utf-8"))["run"])


def judged(cli: Cli, folder: Path) -> tuple[int, str, dict[str, Any]]:
    done = cli("gate", "latest", "-w", folder, "--json", folder / "gate.json", "--summary", folder / "gate.md")
    found = json.loads((folder / "gate.json").read_text(encoding="utf-8"))
    (only,) = found
    return done.code, done.out + done.err, only


def test_small_steps_pass_the_previous_run_and_not_the_anchor(make: Make, endpoint: ChatEndpoint, cli: Cli) -> None:
    folder = make(COUNT)
    first = bench(cli, folder, endpoint, 0)
    codes = []
    for step in range(1, 5):
        bench(cli, folder, endpoint, 5 * step)
        set_gate(folder, MOVING)
        before = judged(cli, folder)[0]
        set_gate(folder, MOVING, STAYING, anchor=first)
        codes.append((before, judged(cli, folder)[0]))
    assert [before for before, _ in codes] == [0, 0, 0, 0]
    assert codes[0][1] == 0 and codes[-1][1] in (1, 3)
    assert codes == sorted(codes, key=lambda code: code[1] != 0)  # no later step passes again


def test_the_drift_since_the_anchor_is_told_wherever_the_verdict_is(
    make: Make, endpoint: ChatEndpoint, cli: Cli
) -> None:
    folder = make(COUNT)
    first = bench(cli, folder, endpoint, 0)
    bench(cli, folder, endpoint, 10)
    bench(cli, folder, endpoint, 12)
    set_gate(folder, MOVING, {"metric": "output_tokens", **MOVING}, anchor=first)
    code, out, found = judged(cli, folder)
    assert code == 0
    told = f"accuracy since the anchor {first}: -20.0 points, between "
    assert told in out
    assert f"output_tokens since the anchor {first}: 1 times" in out
    assert [round(since["value"], 3) for since in found["drift"]] == [-0.2, 1.0]
    assert told in (folder / "gate.md").read_text(encoding="utf-8").replace("\\", "")
    assert cli("report", "latest", "-w", folder).code == 0
    pages = [page.read_text(encoding="utf-8") for page in (folder / "reports").rglob("*.html")]
    assert any(told in page for page in pages)


def test_an_anchor_may_be_a_baseline_or_another_model_of_a_run(
    make: Make, endpoint: ChatEndpoint, cli: Cli, tmp_path: Path
) -> None:
    folder = make(COUNT)
    first = bench(cli, folder, endpoint, 0)
    assert cli("baseline", "export", first, tmp_path / "b.json", "-w", folder).code == 0
    assert cli("baseline", "import", tmp_path / "b.json", "--name", "good", "-w", folder).code == 0
    bench(cli, folder, endpoint, 40)
    for anchor in ("baseline:good", f"{first}/tested"):
        set_gate(folder, STAYING, anchor=anchor)
        code, out, _ = judged(cli, folder)
        assert code == 1, out
    set_gate(folder, STAYING, anchor=f"{first}/other")
    code, out, _ = judged(cli, folder)
    assert code == 4 and "has no cell of other on own" in out and "only of tested" in out


@pytest.mark.parametrize(
    ("anchor", "said"),
    [
        ("nowhere", "0 runs fit 'nowhere'"),
        ("baseline:nowhere", "the ledger has no baseline 'nowhere'"),
        ("latest", "the anchor 'latest' moves"),
        ("latest:small", "the anchor 'latest:small' moves"),
        (" ", "the anchor ' ' moves"),
        (None, "a rule compares with the anchor, and the gate has none"),
    ],
)
def test_an_anchor_that_is_not_there_never_passes(
    make: Make, endpoint: ChatEndpoint, cli: Cli, anchor: str | None, said: str
) -> None:
    folder = make(12)
    bench(cli, folder, endpoint, 0)
    set_gate(folder, STAYING, anchor=anchor)
    done = cli("gate", "latest", "-w", folder)
    assert done.code in (2, 4) and said in done.out + done.err
    done = cli("doctor", "-w", folder)
    assert (
        done.code != 0 and (said if anchor != "baseline:nowhere" else "the baseline 'nowhere'") in done.out + done.err
    )


def test_an_anchor_that_measured_nothing_is_unmeasurable(make: Make, endpoint: ChatEndpoint, cli: Cli) -> None:
    folder = make(12)
    text = (folder / "driftgate.yaml").read_text(encoding="utf-8")
    (folder / "driftgate.yaml").write_text(text.replace("max_failed: 1.0", "max_failed: 0.5"), encoding="utf-8")
    first = bench(cli, folder, endpoint, 0)
    set_gate(folder, STAYING, anchor=first)
    code, out, _ = judged(cli, folder)
    assert code == 0 and "the run is the anchor itself" in out
    endpoint.default = Status(500, {"error": {"message": "boom"}})
    assert cli("bench", "-w", folder).code != 0
    ledger = open_ledger(".driftgate/ledger.db", folder)
    (outage_id,) = {run.id for run in latest_runs(ledger, 5)} - {first}
    ledger.close()
    bench(cli, folder, endpoint, 0)
    set_gate(folder, STAYING, anchor=outage_id)
    code, out, _ = judged(cli, folder)
    assert code == 4 and "cannot be compared with" in out
