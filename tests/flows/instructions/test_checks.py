"""Every instruction decides as its words say, on replies that keep it and on replies that do not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgate.flows.evaluators.instructions import instructions
from driftgate.flows.instructions import FAMILIES, Instruction

CASES: dict[str, tuple[dict[str, Any], list[str], list[str]]] = {
    # Parameters, replies that keep the instruction, replies that do not.
    "keywords:existence": (
        {"keywords": ["사과", "C++"]},
        ["사과를 C++로 셉니다.", "사과나무와 c++"],
        ["배와 C++", "사과와 C"],
    ),
    "keywords:frequency": (
        {"keyword": "봄", "frequency": 2, "relation": "at least"},
        ["봄이 오면 봄꽃이"],
        ["봄이 온다", "가을"],
    ),
    "keywords:forbidden_words": (
        {"forbidden_words": ["사과", "art"]},
        ["배를 먹었다", "이제 start 합니다"],
        ["사과를 먹었다", "Art는 길다"],
    ),
    "keywords:letter_frequency": (
        {"letter": "o", "let_frequency": 3, "let_relation": "less than"},
        ["Oslo", "없음"],
        ["Oslo too"],
    ),
    "length_constraints:number_words": (
        {"num_words": 3, "relation": "at least"},
        ["봄이 오고 꽃이 핀다"],
        ["봄이 - 온다", "봄이 온다"],
    ),
    "length_constraints:number_sentences": (
        {"num_sentences": 2, "relation": "미만"},
        ["3.5점입니다.", "1. 사과\n2. 배", "Dr. Kim은 의사다."],
        ["네. 그렇습니다.", "정말요? 네"],
    ),
    "length_constraints:number_paragraphs": (
        {"num_paragraphs": 2},
        ["하나\n***\n둘", "하나 *** 둘 ***"],
        ["하나", "하나\n***\n\n***\n둘"],
    ),
    "length_constraints:nth_paragraph_first_word": (
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "회사"},
        ["하나\n\n회사는 큽니다.", '하나\n \n"회사"라 했다'],
        ["회사는 큽니다.", "회사\n\n하나", "하나\n\n둘\n\n회사"],
    ),
    "detectable_content:number_placeholders": (
        {"num_placeholders": 2},
        ["[이름] [주소]"],
        ["[이름] [", "[이름] []"],
    ),
    "detectable_content:postscript": (
        {"postscript_marker": "P.S."},
        ["끝.\nP.S. 안녕", "p. s. 안녕"],
        ["P.P.S 안녕", "PSA", "추신"],
    ),
    "detectable_format:number_bullet_lists": (
        {"num_bullets": 2},
        ["* 하나\n* 둘", "- 하나\n---\n- 둘"],
        ["* 하나", "* 하나\n* 둘\n- 셋", "**하나**\n**둘**"],
    ),
    "detectable_format:number_highlighted_sections": (
        {"num_highlights": 2},
        ["*하나* **둘**"],
        ["**하나**", "* *  ****"],
    ),
    "detectable_format:multiple_sections": (
        {"section_spliter": "섹션", "num_sections": 2},
        ["섹션 1\n봄\n섹션 2\n가을", "섹션1 섹션2"],
        ["섹션 하나 섹션 둘", "섹션 1"],
    ),
    "detectable_format:title": ({}, ["<<봄>>\n꽃"], ["<봄>", "<<>>", "<< >>", "<<봄\n>>"]),
    "detectable_format:json_format": (
        {},
        ['{"a": 1}', "```json\n[1]\n```"],
        ["{'a': 1}", '답: {"a": 1}', "[" * 100_000],
    ),
    "detectable_format:constrained_response": (
        {},
        ["제 답변은 예입니다.", "My answer is no."],
        ["예", "제 답변은 예입니다. 제 답변은 아니요입니다."],
    ),
    "combination:two_responses": (
        {},
        ["봄 ****** 가을"],
        ["봄 ****** 봄", "봄", "봄 ****** 가을 ****** 겨울", "봄 ******"],
    ),
    "combination:repeat_prompt": ({"prompt_to_repeat": "봄을 써라."}, ["봄을  써라. 봄은"], ["봄은", "네! 봄을 써라."]),
    "startend:end_checker": ({"end_phrase": "이상입니다."}, ["봄. 이상입니다. ", '"이상입니다."'], ["이상입니다. 네"]),
    "startend:quotation": ({}, ['"봄"', "“봄”"], ['"봄', "'봄'", '""', '"']),
    "punctuation:no_comma": ({}, ["봄 가을"], ["봄, 가을", "봄、가을", "봄，가을"]),
    "language:response_language": (
        {"language": "ko"},
        ["오늘은 봄입니다.", "API를 호출합니다."],
        ["This is spring and it is warm.", "12345", "春が来ました。"],
    ),
    "change_case:capital_word_frequency": (
        {"capital_frequency": 2, "capital_relation": "at least"},
        ["NEW YORK", "A WELL-KNOWN town"],
        ["NEW york", "WELL-KNOWN"],
    ),
    "change_case:english_capital": ({}, ["THIS IS SPRING AND IT IS WARM"], ["This is spring", "봄"]),
    "change_case:english_lowercase": ({}, ["this is spring and it is warm"], ["This is spring", "봄"]),
}


def test_every_check_has_its_cases() -> None:
    known = {f"{family}:{name}" for family in FAMILIES.names() for name in FAMILIES.get(family)}
    assert known == set(CASES)


@pytest.mark.parametrize("id", CASES)
def test_a_reply_keeps_an_instruction_or_does_not(id: str) -> None:
    parameters, keep, do_not = CASES[id]
    instruction = Instruction.read(id, parameters)
    assert [reply for reply in keep if not instruction.kept(reply)] == []
    assert [reply for reply in do_not if instruction.kept(reply)] == []
    assert not instruction.kept("") and not instruction.kept(" \n\t")


@given(st.sampled_from(sorted(CASES)), st.text(max_size=200))
def test_any_reply_is_decided_and_loosely_kept_where_strictly(id: str, reply: str) -> None:
    found = instructions(text=reply, instructions=[{"id": id, "parameters": CASES[id][0]}])
    assert found["followed"] in (0.0, 1.0) and found["followed"] <= found["followed_loosely"]
    assert found["broken"] == ("" if found["followed"] else id)
