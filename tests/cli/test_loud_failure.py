"""What went wrong is said where people look: terminal, summary, page; too much of it is an exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chat_endpoint import Answer, ChatEndpoint, Status
from command_line import Change, Cli, Make


def failing(endpoint: ChatEndpoint, *numbers: int) -> None:
    """Answer 500 to some questions of ``make``, each time with another id in the words."""
    good = endpoint.default
    assert callable(good)
    told = iter(range(10_000))

    def answer(prompt: str) -> Answer | Status:
        if any(f"문제 {number}번은" in prompt for number in numbers):
            return Status(500, {"error": {"message": f"worker {next(told)} is out of memory"}})
        return good(prompt)

    endpoint.default = answer


def as_by_default(config: dict[str, Any]) -> None:
    """A tenth may fail; other tests let everything fail."""
    del config["suites"]["small"]["max_failed"]


def test_the_commonest_errors_are_counted_everywhere(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    folder = make(20, lambda config: config["suites"]["small"].update(max_failed=0.2))
    failing(endpoint, 3, 7, 11)
    done = cli("bench", "small", "-w", folder)
    assert done.code == 0, done.err
    counted = [line for line in done.out.splitlines() if " of 20 failed" in line]
    assert len(counted) == 1, "errors that differ in a number are one reason"
    assert "out of memory" in counted[0]
    page, summary = (next((folder / "reports").rglob(f"*.{kind}")).read_text("utf-8") for kind in ("html", "md"))
    for text in (page, summary):
        assert "What went wrong" in text
        assert "out of memory" in text


def test_more_failures_than_the_suite_allows_are_unmeasurable(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    folder = make(20, as_by_default)
    failing(endpoint, 3, 7, 11)
    done = cli("bench", "small", "-w", folder)
    assert done.code == 4
    assert "15.0% of the samples failed; the suite allows 10% (max_failed)" in done.out
    assert cli("nightly", "-w", folder).code == 4


def test_what_is_unmeasurable_passes_no_gate(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    """The rule holds whatever the failed answers were; that the service gave so few is no pass all the same."""

    def gate(rule: dict[str, Any]) -> Change:
        def edit(config: dict[str, Any]) -> None:
            as_by_default(config)
            config["gates"]["small"]["rules"] = [rule]

        return edit

    folder = make(20, as_by_default)
    failing(endpoint, 3, 7, 11)
    assert cli("bench", "small", "-w", folder).code == 4
    make(20, gate({"min": 0.2}))
    done = cli("gate", "-w", folder)
    assert done.code == 4
    assert "15.0% of the samples failed, and the suite allows 10% (max_failed)" in " ".join(done.out.split())
    make(20, gate({"max": 0.2}))
    assert cli("gate", "-w", folder).code == 1  # what is shown to be broken stays so


def test_a_tenth_is_allowed_and_nothing_is_said_of_a_good_run(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    folder = make(20, as_by_default)
    assert "max_failed" not in cli("bench", "small", "-w", folder).out
    failing(endpoint, 3, 7)
    done = cli("bench", "small", "-w", folder)
    assert (done.code, "max_failed" in done.out) == (0, False)


def test_evaluators_and_their_errors_stand_in_terminal_and_summary(cli: Cli, make: Make) -> None:
    folder = make(8)
    done = cli("bench", "small", "-w", folder)
    assert "render.prompt.complete 1.000" in done.out
    summary = next((folder / "reports").rglob("*.md")).read_text("utf-8")
    assert "### Evaluators" in summary
    assert "render.prompt.complete" in summary


def test_samples_are_listed_by_what_became_of_them(
    cli: Cli, make: Make, endpoint: ChatEndpoint, tmp_path: Path
) -> None:
    folder = make(12, lambda config: config["suites"]["small"].update(max_failed=1))
    failing(endpoint, 5)
    good = endpoint.default
    assert callable(good)
    endpoint.default = lambda prompt: Answer("D") if "문제 4번은" in prompt else good(prompt)
    assert cli("bench", "small", "-w", folder).code == 0
    wrong = cli("runs", "samples", "--wrong", "-w", folder).out
    assert "문제 4번은?" in wrong
    assert "1 samples" in wrong
    failed = tmp_path / "failed.csv"
    assert "문제 5번은?" in cli("runs", "samples", "--failed", "--csv", failed, "-w", folder).out
    assert "out of memory" in failed.read_text("utf-8")
    everything = tmp_path / "all.csv"
    shown = cli("runs", "samples", "--category", "범주 1", "--limit", "2", "--csv", everything, "-w", folder)
    assert "4 samples; the first 2 are shown" in shown.out
    assert len(everything.read_text("utf-8").splitlines()) == 5
    by_text = cli("runs", "samples", "--text", "문제 4번은", "-w", folder).out
    assert "1 samples" in by_text and "문제 4번은?" in by_text
    assert "0 samples" in cli("runs", "samples", "--text", "stop", "-w", folder).out
    assert "11 samples" in cli("runs", "samples", "--text", "STOP", "--outputs", "-w", folder).out
    assert cli("runs", "samples", "--outputs", "-w", folder).code == 2  # for what?
    unknown = cli("runs", "samples", "--category", "범주 9", "-w", folder)
    assert unknown.code == 2
    assert "no category '범주 9'" in unknown.err


def test_a_gate_says_first_what_a_person_understands(cli: Cli, make: Make) -> None:
    def rules(config: dict[str, Any]) -> None:
        config["gates"]["small"]["rules"] = [{"metric": "accuracy", "min": 0.5}, {"metric": "share.failed", "min": 0.5}]

    folder = make(40, rules)
    assert cli("bench", "small", "-w", folder).code == 0
    before = next((folder / "reports").rglob("*.html")).read_text("utf-8")
    done = cli("gate", "-w", folder)
    lines = done.out.splitlines()
    assert done.code == 1
    assert lines[1].startswith("  fail "), "the worst stands first"
    assert "0.0% is below 50%: surely below" in lines[1]
    assert any("accuracy >= 0.5: 100.0% is above 50%: surely above" in line for line in lines)
    after = next((folder / "reports").rglob("*.html")).read_text("utf-8")
    assert "surely above" not in before
    assert "surely above" in after, "the report says what the gate says now"
