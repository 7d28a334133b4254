"""Personal data in running Korean text: floors for the held-out sentences, and what stands in for a value."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.perf.pii_text import Sentence, development, sentences, spans
from driftgate.finetune.privacy import StandIns, redact
from driftgate.finetune.privacy._names import find_names

HELD_OUT = list(sentences("held_out", 480, seed=7))
STAND_INS = StandIns(b"a key of the workspace")


def test_held_out_sentences_lose_nearly_all_of_their_personal_data():
    planted: Counter[bool] = Counter()
    found: Counter[bool] = Counter()
    for sentence in HELD_OUT:
        findings = [(finding.start, finding.end) for finding in redact(sentence.text).findings]
        for value in sentence.planted:
            planted[value.kind == "person"] += 1
            found[value.kind == "person"] += spans(findings, value)
    assert planted[True] > 200 and planted[False] > 200
    assert found[True] / planted[True] >= 0.95
    assert found[False] / planted[False] >= 0.99


def test_sentences_of_another_hand_lose_their_names_and_ordinary_ones_nothing():
    named = found = ordinary = touched = 0
    for sentence in development("second"):
        findings = [(finding.start, finding.end) for finding in redact(sentence.text).findings]
        named += len(sentence.planted)
        found += sum(spans(findings, value) for value in sentence.planted)
        ordinary += not sentence.planted
        touched += bool(findings) and not sentence.planted
    assert named > 90 and found / named >= 0.8
    assert ordinary > 120 and touched <= 3


@pytest.mark.parametrize(
    "text",
    [
        "이용자가 조정을 신청하면 위원회는 정상적으로 심사한다.",
        "한국의 주식시장은 정부의 고용정책에 영향을 받는다.",
        "유기산은 신진대사에 관여하며 전해질을 조절한다.",
        "다음 중 조선시대의 신분제도에 관한 설명으로 옳은 것은?",
        "회의는 2024년 3월 4일에 열린다.",
        "제품 번호 9788932917245를 확인하세요.",
        "임진왜란 때 이순신이 이끈 수군과 김유정의 소설, 정약용의 책",
    ],
)
def test_ordinary_sentences_stay_as_they_are(text: str):
    assert redact(text).text == text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("보고서는 박서준이 썼다", "박서준"),
        ("피고 강필립을 불러", "강필립"),
        ("독고영재의 집", "독고영재"),
        ("박찬 과장이 답했다", "박찬"),
    ],
)
def test_a_name_is_found_without_its_particle(text: str, name: str):
    assert [text[found.start : found.end] for found in find_names(text)] == [name]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("성명: 이 슬 기", "이 슬 기"),
        ("박 지민 님께서 신청하신 환급금", "박 지민"),
        ("김민수과장님이 결재했다", "김민수"),
        ("이국주하고는 말이 안 통해", "이국주"),
        ("태현 씨는 오늘 결석입니다", "태현"),
        ("수빈이가 감기에 걸렸어요", "수빈"),
        ("미숙 이모가 반찬을 보내 주셨다", "미숙"),
        ("강사 마이클 존슨이 쉰다", "마이클 존슨"),
        ("응우옌 티 흐엉 씨가 신고했다", "응우옌 티 흐엉"),
        ("Please contact Kim Minsu today", "Kim Minsu"),
        ("담당자 Park Ji-hoon에게 회신 바랍니다", "Park Ji-hoon"),
        ("여권상 이름은 JI HOON PARK입니다", "JI HOON PARK"),
    ],
)
def test_a_name_is_found_however_it_is_written(text: str, name: str):
    assert [text[found.start : found.end] for found in redact(text).findings] == [name]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("저는 95년 3월생입니다", "저는 <BIRTH_DATE>생입니다"),
        ("12월 25일생 아이", "<BIRTH_DATE>생 아이"),
        ("할머니 생신은 1944년 5월 2일이다", "할머니 생신은 <BIRTH_DATE>이다"),
    ],
)
def test_a_birthday_is_found_without_its_day_or_its_year(text: str, left: str):
    assert redact(text).text == left


@pytest.mark.parametrize(
    "text",
    [
        "선생님께 여쭤보세요",
        "회원님이 신청하셨다",
        "아이가 운다",
        "Hong Kong and Park Lane",
        "애국가 1절의 가사",
        "IP 대역은 10.0.0.0/8",
        "서브넷은 255.255.255.0",
        "3월 5일 생산",
    ],
)
def test_a_title_alone_a_place_or_a_network_is_left(text: str):
    assert redact(text).text == text


def test_a_stand_in_is_written_in_the_letters_of_the_name():
    assert re.fullmatch(r"[A-Z][a-z]+ [A-Z][a-z]+", STAND_INS.stand_in("PERSON", "Park Ji-hoon"))
    assert re.fullmatch(r"[A-Z]+ [A-Z]+", STAND_INS.stand_in("PERSON", "LEE SOYEON"))
    assert re.fullmatch(r"[가-힣]{3}", STAND_INS.stand_in("PERSON", "김 철수"))


def test_a_word_that_is_a_name_elsewhere_in_the_text_is_one_everywhere():
    weak = "어제 도하은을 봤다"
    assert len(find_names(f"담당자 도하은 씨. {weak}")) == 2


@pytest.mark.parametrize("sentence", HELD_OUT[:96], ids=lambda sentence: sentence.text)
def test_nothing_of_a_value_is_left_when_it_is_replaced(sentence: Sentence):
    findings = [(finding.start, finding.end) for finding in redact(sentence.text).findings]
    replaced = STAND_INS.replace(sentence.text).text
    for value in sentence.planted:
        if spans(findings, value):
            assert sentence.text[value.start : value.end] not in replaced


def test_one_value_has_one_stand_in_however_it_is_written():
    one = STAND_INS.stand_in("PHONE_MOBILE", "010-1234-5678")
    other = STAND_INS.stand_in("PHONE_MOBILE", "010 1234 5678")
    assert one.replace("-", "") == other.replace(" ", "") and re.fullmatch(r"010-0\d{3}-\d{4}", one)
    assert STAND_INS.stand_in("PERSON", "김민수") == StandIns(b"a key of the workspace").stand_in("PERSON", "김민수")
    assert StandIns(b"another").stand_in("KR_RRN", "900101-1234568") != STAND_INS.stand_in("KR_RRN", "900101-1234568")


def test_a_number_of_abroad_and_a_date_in_words_are_the_same_value():
    digits = "".join
    mobile = [STAND_INS.stand_in("PHONE_MOBILE", one) for one in ("010-1234-5678", "+82 10-1234-5678")]
    assert digits(filter(str.isdigit, mobile[0]))[-8:] == digits(filter(str.isdigit, mobile[1]))[-8:]
    dates = [STAND_INS.stand_in("BIRTH_DATE", one) for one in ("1990년 1월 2일", "1990-01-02", "1990. 1. 2.", "900102")]
    assert len({tuple(int(part) for part in re.findall(r"\d+", one)) for one in dates[:3]}) == 1
    assert dates[3] == dates[1].replace("-", "")[2:]


def test_the_particle_behind_a_stand_in_fits():
    for name in ("김민수", "박건", "남궁민수", "이서연", "최지훈"):
        made = STAND_INS.stand_in("PERSON", name)
        assert len(made) == len(name) and made != name
        assert bool((ord(made[-1]) - 0xAC00) % 28) == bool((ord(name[-1]) - 0xAC00) % 28)


@pytest.mark.parametrize(
    ("kind", "value", "form"),
    [
        ("KR_RRN", "9001011234568", r"[5-9]\d(0[1-9]|1[0-2])(0[1-9]|1\d|2[0-8])1\d{6}"),
        ("CREDIT_CARD", "4984.6346.4848.5066", r"0\d{3}(\.\d{4}){3}"),
        ("PHONE_LANDLINE", "(051) 234-5678", r"\(051\) 0\d\d-\d{4}"),
        ("BIRTH_DATE", "1987. 3. 4.", r"(19|20)\d\d\. \d{1,2}\. \d{1,2}\."),
        ("BIRTH_DATE", "19870304", r"(19|20)\d\d(0[1-9]|1[0-2])[0-2]\d"),
        ("BIRTH_DATE", "95년 3월", r"\d\d년 \d{1,2}월"),
        ("BIRTH_DATE", "12월 25일", r"\d{1,2}월 \d{1,2}일"),
        ("VEHICLE_PLATE", "715소 2611", r"\d{3}[가-힣] \d{4}"),
        ("IP_ADDRESS", "213.140.65.211", r"(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+"),
        ("API_KEY", "ghp_aEVhkGtpQbHIAd86Nhviq3IEZYdwomhI40hk", r"ghp_[A-Za-z0-9]{36}"),
        ("STREET_ADDRESS", "대전 유성구 대학로 291, 114동 246호", r".+ \d+, \d{3}동 \d{3}호"),
        ("EMAIL_ADDRESS", "minsu@naver.com", r"user-[a-z0-9]{6}@example\.com"),
    ],
)
def test_a_stand_in_keeps_the_form(kind: str, value: str, form: str):
    made = STAND_INS.stand_in(kind, value)
    assert re.fullmatch(form, made) and made != value


@pytest.mark.parametrize(
    "text",
    [
        "새로 받은 5521-8803-4496-1027로 결제해 주세요.",  # none of these passes Luhn's check
        "체크카드 번호가 6243 0511 9927 4806인데 해외에서 쓸 수 있나요?",
        "비씨 9420610738825547로 세 번 시도했어요.",
        "pan=4092.1735.8860.2219",
        "아멕스 3791-448205-61837입니다",
    ],
)
def test_a_card_is_one_whatever_its_check_digit(text: str):
    assert redact(text).counts["CREDIT_CARD"] == 1


@pytest.mark.parametrize("text", ["송장 5521-8803-4496-1027", "주문 9420610738825547건", "5521-8803-4496-1027-1"])
def test_another_number_of_sixteen_digits_is_no_card(text: str):
    assert "CREDIT_CARD" not in redact(text).counts


def test_a_stand_in_of_a_card_or_registration_is_given_to_nobody():
    card = StandIns(b"k").stand_in("CREDIT_CARD", "4984-6346-4848-5066")
    assert "CREDIT_CARD" not in redact(f"카드 {card}").counts
    number = StandIns(b"k").stand_in("KR_RRN", "900101-1234568").replace("-", "")
    weighed = sum(int(d) * w for d, w in zip(number, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), strict=False))
    assert (11 - weighed % 11) % 10 != int(number[-1])


def test_stand_ins_are_not_personal_data_and_others_are():
    own = StandIns(b"k")
    text = own.replace("주문자 김민수, 연락처 010-1234-5678").text
    assert own.foreign(text) == ()
    assert [finding.kind for finding in own.foreign(f"{text} 그리고 010-9999-8888")] == ["PHONE_MOBILE"]
    assert StandIns(b"k").foreign(text), "only what it made itself is known"


@given(st.lists(st.sampled_from(HELD_OUT), max_size=3), st.text(max_size=20), st.sampled_from(["NFC", "NFD", "NFKC"]))
@settings(max_examples=60, deadline=None)
def test_replacing_never_fails_and_keeps_what_stands_around(chosen: list[Sentence], noise: str, form: str):
    text = unicodedata.normalize(form, noise.join(sentence.text for sentence in chosen))
    replaced, redacted = STAND_INS.replace(text), redact(text)
    assert replaced.findings == redacted.findings
    rest = [text[a:b] for a, b in pairwise([0, *(p for f in replaced.findings for p in (f.start, f.end)), len(text)])]
    assert replaced.text.startswith(rest[0]) and replaced.text.endswith(rest[-1])


def test_full_width_digits_are_replaced():
    assert re.fullmatch(r"570123-1\d{6}", StandIns(b"k").stand_in("KR_RRN", "９００１０１-１２３４５６８"))
