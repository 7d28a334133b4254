"""Runs are listed from the ledger alone."""

from __future__ import annotations

from command_line import Cli, Make


def test_runs_are_listed_while_the_rest_of_the_file_is_being_changed(cli: Cli, make: Make) -> None:
    folder = make(4)
    assert cli("bench", "-w", folder).code == 0
    file = folder / "driftgate.yaml"
    file.write_text(file.read_text("utf-8") + "suits: {}\n", "utf-8")
    done = cli("runs", "list", "-w", folder)
    assert (done.code, "small" in done.out) == (0, True)
    assert cli("gate", "-w", folder).code == 2


def test_a_ledger_that_is_no_place_is_refused_with_its_line(cli: Cli, make: Make) -> None:
    folder = make(4, lambda config: config.update(ledger=["a"]))
    done = cli("runs", "list", "-w", folder)
    line = (folder / "driftgate.yaml").read_text("utf-8").splitlines().index("ledger:") + 1
    assert done.code == 2
    assert f"driftgate.yaml, line {line}" in done.err


def test_the_suite_and_the_number_are_obeyed(cli: Cli, make: Make) -> None:
    folder = make(4)
    assert "no run yet" in cli("runs", "list", "-w", folder).out
    for _ in range(2):
        assert cli("bench", "-w", folder).code == 0
    assert cli("runs", "list", "-w", folder, "--limit", "1").out.count("complete") == 1
    assert cli("runs", "list", "-w", folder, "--suite", "small").out.count("complete") == 2
    other = cli("runs", "list", "-w", folder, "--suite", "other")
    assert other.code == 2 and "there is no suite 'other'" in other.err
