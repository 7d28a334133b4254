from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.perf.privacy_table import measure, own_cases, parse_case
from driftgate.finetune.privacy import RULES, Rule, redact

CASES = own_cases()
# What cannot be told: spelt-out digits, a name that everybody knows.
KNOWN_MISSES = {"공일공-1234-5678", "0 1 0-1234-5678로 주세요", "제가 이순신인데요"}


def test_the_set_is_as_large_as_it_claims_to_be():
    kinds = {kind for case in CASES for kind, _, _ in case.expected}
    assert len(kinds) == 13
    assert sum(len(case.expected) for case in CASES) >= 140
    assert sum(not case.expected for case in CASES) >= 90
    assert len({case.text for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", [case for case in CASES if case.text not in KNOWN_MISSES], ids=lambda case: case.text)
def test_exactly_what_is_marked_is_found(case):
    assert case.found == case.expected


def test_known_misses_are_counted_as_missed():
    table = measure([case for case in CASES if case.text in KNOWN_MISSES])
    assert {kind: quality.missed for kind, quality in table.items()} == {"PERSON": 1, "PHONE_MOBILE": 2}
    assert table["PERSON"].recall == 0


def test_only_the_value_is_replaced():
    redacted = redact("김민수님,\n메일은 minsu12@naver.com로   보내주세요① ㎡")
    assert redacted.text == "<PERSON>님,\n메일은 <EMAIL_ADDRESS>로   보내주세요① ㎡"
    assert redacted.counts == {"PERSON": 1, "EMAIL_ADDRESS": 1}


def test_findings_do_not_hold_the_value():
    finding = redact("카드는 4539-1488-0343-6467").findings[0]
    assert (finding.kind, finding.start, finding.end, finding.score) == ("CREDIT_CARD", 4, 23, 1.0)
    assert "4539" not in repr(finding)


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_the_unicode_form_hides_nothing(form):
    text = unicodedata.normalize(form, "이영희 씨 주소는 서울시 강남구 테헤란로 152입니다")
    redacted = redact(text)
    assert [finding.kind for finding in redacted.findings] == ["PERSON", "STREET_ADDRESS"]
    assert redacted.text == unicodedata.normalize(form, "<PERSON> 씨 주소는 <STREET_ADDRESS>입니다")


@pytest.mark.parametrize(
    "hidden", ["010\u200b-1234-5678", "010‑1234‑5678", "٠١٠-١٢٣٤-٥٦٧٨", "010\u00ad-1234-56\ufeff78"]
)
def test_invisible_and_foreign_characters_hide_nothing(hidden):
    assert redact(f"번호 {hidden}입니다").text == "번호 <PHONE_MOBILE>입니다"


@pytest.mark.parametrize("mark", "\u034f\u061c\u200e\u200f\u2066\u3164\uffa0\ufe0f\u20e3\u0336")
def test_nothing_between_digits_hides_a_number(mark):
    number = "".join(letter + mark if letter.isdigit() else letter for letter in "010-1234-5678").rstrip(mark)
    assert redact(f"번호 {number}입니다").text == "번호 <PHONE_MOBILE>입니다"
    assert redact(f"no. {number}").text == "no. <PHONE_MOBILE>"


@pytest.mark.parametrize("end", ["\n", "\r\n", " \n  "])
def test_a_number_may_go_on_in_the_next_line(end):
    assert redact(f"call 010-{end}1234-{end}5678 now").text == "call <PHONE_MOBILE> now"
    assert redact(f"번호 900101-{end}1234568 확인").text == "번호 <KR_RRN> 확인"
    assert redact(f"가-{end}나 1-2").text == f"가-{end}나 1-2"


def test_a_proven_check_digit_outweighs_the_words_before_it():
    assert redact("주문자 확인 900101-1234568").text == "주문자 확인 <KR_RRN>"
    assert redact("주문번호 240115-1023457").text == "주문번호 240115-1023457"


def test_a_team_adds_its_own_rule():
    member = Rule("MEMBER_NUMBER", sure=(r"HM-\d{6}",))
    assert redact("회원 HM-123456은", (*RULES, member)).text == "회원 <MEMBER_NUMBER>은"
    assert redact("회원 HM-123456은").text == "회원 HM-123456은"


def test_a_rule_that_needs_its_context_is_silent_without_it():
    licence = replace(next(rule for rule in RULES if rule.kind == "KR_DRIVER_LICENSE"), sure=())
    assert not redact("110312345611을 넣었어요", (licence,)).findings
    assert redact("면허 110312345611을 넣었어요", (licence,)).counts == {"KR_DRIVER_LICENSE": 1}


@given(st.text(max_size=80) | st.lists(st.sampled_from(CASES), max_size=3).map(lambda c: " ".join(x.text for x in c)))
@settings(max_examples=120, deadline=None)
def test_the_text_around_findings_stays_and_nothing_is_found_twice(text):
    redacted = redact(text)
    rest, place = "", 0
    for finding in redacted.findings:
        assert place <= finding.start < finding.end <= len(text)
        rest += text[place : finding.start] + f"<{finding.kind}>"
        place = finding.end
    assert redacted.text == rest + text[place:]


def test_marks_become_spans():
    assert parse_case("PERSON", "«김민수»와 «이영희»님").expected == (("PERSON", 0, 3), ("PERSON", 5, 8))
