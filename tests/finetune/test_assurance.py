"""Privacy figures of a training set, their verdicts, and what a training asks for."""

from __future__ import annotations

import random
import re
import unicodedata
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftgate.finetune.assurance import (
    Assurance,
    PrivacyLimits,
    _judge,
    _store,
    assure,
    is_outdated,
    make_canaries,
    record_assurance,
    require_assured,
)
from driftgate.finetune.assurance._judge import judge
from driftgate.finetune.assurance._overlap import longest_runs
from driftgate.finetune.privacy import StandIns
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import open_ledger

_WORDS = """
보증 환불 배송 교환 요금 계약 점검 설치 해지 예약 할인 적립 포장 반납 수리 청구 등록 인증 접수 안내
신청한다 확인한다 거절한다 연장한다 변경한다 기록한다 통지한다 보관한다 처리한다 검토한다
당일에 사흘째에 일주일째에 보름째에 다음달에 분기마다 해마다 요청하면 서면으로 전화로
"""
_NOUNS, _VERBS, _WHEN = (line.split() for line in _WORDS.strip().splitlines())


def records(count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    return [
        " ".join(
            f"{rng.choice(_NOUNS)} {rng.choice(_NOUNS)}을 {rng.choice(_WHEN)} {rng.choice(_VERBS)}." for _ in range(5)
        )
        for _ in range(count)
    ]


SOURCES, HELD_OUT, NEW = records(300, 1), records(300, 2), records(300, 3)
CANARIES = make_canaries(5, 0)
PLANTED = [*SOURCES, *CANARIES]
LIMITS = PrivacyLimits(longest_run=60)


def verdicts(assurance: Assurance) -> dict[str, str]:
    return {figure.name: figure.verdict for figure in assurance.figures}


def test_items_that_copy_nothing_pass():
    found = assure(NEW, PLANTED, HELD_OUT, LIMITS, canaries=CANARIES)
    assert found.verdict == "pass", found.figures


def test_copies_of_sources_fail_by_run_nearness_and_membership():
    copied = [text.replace("신청한다", "신청해야 한다") for text in SOURCES[:200]]
    found = verdicts(assure(copied, PLANTED, HELD_OUT, LIMITS, canaries=CANARIES))
    assert found["closer_share"] == found["membership_advantage"] == "fail"
    assert verdicts(assure(SOURCES, PLANTED, HELD_OUT, LIMITS, canaries=CANARIES))["longest_run"] == "fail"


def test_every_canary_is_found_however_it_is_written():
    spread = [canary.replace("-", " ").replace(" ", "  ") for canary in CANARIES]
    found = assure([*NEW, *spread], PLANTED, HELD_OUT, LIMITS, canaries=CANARIES)
    figure = next(figure for figure in found.figures if figure.name == "canaries")
    assert (figure.value, figure.verdict, found.verdict) == (5, "fail", "fail")


def test_canaries_that_were_never_planted_prove_nothing():
    found = verdicts(assure(NEW, SOURCES, HELD_OUT, LIMITS, canaries=CANARIES))
    assert found["canaries"] == "unmeasurable"
    assert verdicts(assure(NEW, SOURCES, HELD_OUT, LIMITS))["canaries"] == "unmeasurable"
    assert "canaries" not in verdicts(assure(NEW, SOURCES, HELD_OUT, PrivacyLimits(canaries=None)))


def test_what_is_not_supplied_is_unmeasurable_and_says_what_to_do():
    found = assure(NEW, [], [], PrivacyLimits(canaries=None))
    assert verdicts(found) == {
        "personal_data": "pass",
        "longest_run": "unmeasurable",
        "closer_share": "unmeasurable",
        "membership_advantage": "unmeasurable",
    }
    assert found.verdict == "unmeasurable" and all(f.told for f in found.figures if f.verdict == "unmeasurable")
    assert assure([], SOURCES, HELD_OUT, LIMITS).verdict == "unmeasurable"
    nothing_asked = PrivacyLimits(
        personal_data=None, longest_run=None, canaries=None, closer_share=None, membership_advantage=None
    )
    assert assure(NEW, SOURCES, HELD_OUT, nothing_asked).verdict == "unmeasurable"


def test_few_items_are_inconclusive():
    found = verdicts(assure(NEW[:20], PLANTED, HELD_OUT, LIMITS, canaries=CANARIES))
    assert found["closer_share"] == "inconclusive"


def test_personal_data_in_a_passage_counts_and_a_stand_in_does_not():
    limits = PrivacyLimits(longest_run=None, canaries=None, closer_share=None, membership_advantage=None)
    row = {"question": "언제 오나요?", "passage": "담당자 김민수 씨에게 010-1234-5678로 물어보세요."}
    assert assure([row], [], [], limits).verdict == "fail"
    stand_ins = StandIns(b"k")
    clean = {**row, "passage": stand_ins.replace(row["passage"]).text}
    assert assure([clean], [], [], limits, stand_ins=stand_ins).verdict == "pass"


def test_no_text_is_told():
    found = assure([*SOURCES, "김민수 씨 010-1234-5678"], PLANTED, HELD_OUT, LIMITS, canaries=CANARIES)
    told = " ".join(figure.told for figure in found.figures)
    assert "김민수" not in told and "010" not in told and SOURCES[0][:10] not in told


@given(st.integers(0, 60), st.integers(0, 2**16))
@settings(max_examples=6, deadline=None)
def test_one_more_copy_never_makes_a_verdict_better(copies: int, seed: int):
    order = ["pass", "inconclusive", "unmeasurable", "fail"]
    items = [*SOURCES[:copies], *NEW[: 80 - copies]]
    worse = [*SOURCES[: copies + 1], *NEW[: 79 - copies]]
    limits = PrivacyLimits(longest_run=60, canaries=None, membership_advantage=None)
    before, after = (verdicts(assure(some, SOURCES, HELD_OUT, limits, seed=seed)) for some in (items, worse))
    assert all(order.index(after[name]) >= order.index(before[name]) for name in before)


@given(st.text(max_size=60), st.text(max_size=60))
@settings(max_examples=100, deadline=None)
def test_the_longest_run_is_the_one_a_slow_search_finds(text: str, source: str):
    bare = ["".join(unicodedata.normalize("NFKC", t).replace("\0", " ").split()).lower() for t in (text, source)]
    slow = max(
        (j - i for i in range(len(bare[0])) for j in range(i + 12, len(bare[0]) + 1) if bare[0][i:j] in bare[1]),
        default=0,
    )
    assert longest_runs([text], [source]) == [slow]


def test_training_is_refused_without_a_pass_for_just_these_items(tmp_path: Path):
    ledger = open_ledger("ledger.db", tmp_path)
    with pytest.raises(DriftgateError, match="never measured"):
        require_assured(ledger, NEW, LIMITS)
    record_assurance(ledger, assure(NEW, PLANTED, HELD_OUT, LIMITS, canaries=CANARIES))
    assert require_assured(ledger, NEW[::-1], LIMITS).verdict == "pass"
    for items, limits in (([*NEW, "한 줄 더"], LIMITS), (NEW, PrivacyLimits(longest_run=50))):
        with pytest.raises(DriftgateError, match="never measured"):
            require_assured(ledger, items, limits)
    ledger.close()


def test_a_pass_of_another_version_of_the_check_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    ledger = open_ledger("ledger.db", tmp_path)
    monkeypatch.setattr(_store, "judge", lambda: "older")
    record_assurance(ledger, assure(NEW, PLANTED, HELD_OUT, LIMITS, canaries=CANARIES))
    assert require_assured(ledger, NEW, LIMITS).verdict == "pass"
    monkeypatch.setattr(_store, "judge", judge)
    assert is_outdated(ledger, NEW, LIMITS)
    assert not is_outdated(ledger, NEW, PrivacyLimits(longest_run=50)), "by other limits it was never measured"
    with pytest.raises(DriftgateError, match="never measured by the recipe's limits and this version of the check"):
        require_assured(ledger, NEW, LIMITS)
    record_assurance(ledger, assure(NEW, PLANTED, HELD_OUT, LIMITS, canaries=CANARIES))
    assert not is_outdated(ledger, NEW, LIMITS)
    assert require_assured(ledger, NEW, LIMITS).verdict == "pass"
    ledger.close()


def test_a_failure_of_another_version_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    ledger = open_ledger("ledger.db", tmp_path)
    limits = PrivacyLimits(longest_run=60, canaries=None, closer_share=None, membership_advantage=None)
    monkeypatch.setattr(_store, "judge", lambda: "older")
    record_assurance(ledger, assure(SOURCES, SOURCES, HELD_OUT, limits))
    monkeypatch.setattr(_store, "judge", judge)
    record_assurance(ledger, assure(SOURCES, NEW, HELD_OUT, limits))
    with pytest.raises(DriftgateError, match="longest_run: fail"):
        require_assured(ledger, SOURCES, limits)
    ledger.close()


def test_the_version_of_the_check_is_that_of_its_files():
    names = {file.name for package in _judge._PACKAGES for file in _judge._files(resources.files(package))}
    assert {"name_words.yaml", "names.npz", "_numbers.py", "_distances.py", "_limits.py"} <= names
    assert re.fullmatch("[0-9a-f]{16}", judge())


def test_a_failure_is_not_washed_away_by_measuring_with_fewer_sources(tmp_path: Path):
    ledger = open_ledger("ledger.db", tmp_path)
    limits = PrivacyLimits(longest_run=60, canaries=None, closer_share=None, membership_advantage=None)
    record_assurance(ledger, assure(SOURCES, SOURCES, HELD_OUT, limits))
    record_assurance(ledger, assure(SOURCES, NEW, HELD_OUT, limits))
    with pytest.raises(DriftgateError, match="longest_run: fail"):
        require_assured(ledger, SOURCES, limits)
    record_assurance(ledger, assure(NEW, [], HELD_OUT, limits))
    with pytest.raises(DriftgateError, match="unmeasurable"):
        require_assured(ledger, NEW, limits)
    record_assurance(ledger, assure(NEW, SOURCES, HELD_OUT, limits))
    assert require_assured(ledger, NEW, limits).verdict == "pass"
    ledger.close()
