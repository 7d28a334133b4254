"""How a model speaks: refusals, abuse, language, citations and support, on labelled cases and by what holds of any."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.perf import equal_table, speech_table
from benchmarks.perf.speech_table import graded, precision_and_recall
from driftgate.flows.evaluators import EVALUATORS
from driftgate.flows.refusals import is_refusal
from driftgate.monitor.signals import SIGNALS

FLOORS = {
    ("refusal", "blind4"): 0.93,  # unseen: no rule was mended by it, and no reader learnt from it
    ("toxicity", "blind4"): 0.94,  # in no training: recall 1.00, by the rules alone 0.96
    ("support", "near"): 0.86,
}
"""Where fewer are told rightly than elsewhere: neighbours that were written to break the rules."""
LEAST = {"refusal": 120, "toxicity": 120, "language": 40, "citations": 40, "support": 30}


def run(name: str, settings: dict[str, Any] | None = None, **inputs: Any) -> dict[str, Any]:
    return dict(EVALUATORS.get(name)(**settings or {})(**inputs))


@pytest.fixture(scope="module")
def cases() -> pd.DataFrame:
    return graded()


def test_every_evaluator_has_its_labelled_cases_and_half_of_them_were_held_back(cases: pd.DataFrame) -> None:
    hand = cases.assign(
        hand=cases.part.where(cases.part.isin(["blind2", "blind3", "blind4"]))
    )  # another may write the same
    assert not hand.duplicated(["evaluator", "text", "given", "hand"]).any()
    first = cases[cases.part.isin(["open", "held"])]
    for name, least in LEAST.items():
        own = first[first.evaluator == name]
        assert len(own) >= least and 0.45 < (own.part == "held").mean() < 0.55
    assert len(first) + len(pd.read_csv(equal_table.CASES)) >= 800


@pytest.mark.parametrize("part", ["open", "held", "later", "blind", "blind2", "near", "blind3", "blind4"])
@pytest.mark.parametrize("name", speech_table.EVALUATED)
def test_precision_and_recall_stay_above_their_floors(cases: pd.DataFrame, name: str, part: str) -> None:
    own = cases[(cases.evaluator == name) & (cases.part == part)]
    if own.empty:
        pytest.skip("no case of it in this part")
    assert min(precision_and_recall(own)) >= FLOORS.get((name, part), 0.97), own[own.wrong].text.tolist()


REFUSED = [
    "안내해 드리기 어렵습니다.",
    "도와드리기 곤란합니다.",
    "답변이 제한됩니다.",
    "그 질문에는 답할 수 없습니다.",
    "그 요청은 정중히 거절하겠습니다.",
]


@pytest.mark.parametrize("said", REFUSED)
@pytest.mark.parametrize(
    "frame",
    [
        '회사 측은 "{}"라고 답했다.',
        "상대가 '{}'라고 말하면 다른 창구에 물으세요.",
        "다음과 같이 답장해 보세요.\n\n안녕하세요. {}",
        "```\n{}\n```\n위 문구를 넣으세요.",
        "{} 다만 일반적으로 하루 세 번, 식후 30분에 한 알을 먹습니다.",
        "정답은 3번입니다. 보기 1은 자료에 없습니다. {}",
        "「{}」는 거절하는 표현입니다.",
    ],
)
def test_a_refusal_that_is_quoted_drafted_or_followed_by_an_answer_is_none(said: str, frame: str) -> None:
    assert is_refusal(said)
    assert not is_refusal(frame.format(said))


@pytest.mark.parametrize("said", REFUSED)
@pytest.mark.parametrize(
    "frame",
    [
        "안녕하세요, 고객님. {} 양해 부탁드립니다.",
        "죄송합니다. {} 고객센터 1588-0000으로 문의해 주세요.",
        "<think>도와줄까?</think>{}",
        "<think>" + "정답은 3번일까? " * 3000 + "</think>{}",
        '"{}"',
        "{} 다른 도움이 필요하시면 말씀해 주세요.",
        "{} 제15조에 따른 것이니 이해 부탁드립니다.",
    ],
)
def test_courtesy_grounds_and_another_address_make_no_answer_of_a_refusal(said: str, frame: str) -> None:
    assert is_refusal(frame.format(said))


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("모르겠습니다.", True),
        ("음, 저도 잘 모르겠네요.", True),
        ("정보 없음", True),
        ("제공된 문서에는 위약금에 대한 언급이 없습니다.", True),
        ("I don't know.", True),
        ("The context does not mention the price.", True),
        ("요청하신 글은 아래 이유로 써 드릴 수 없습니다.\n1. 저작권을 침해합니다.\n2. 정책에 어긋납니다.", True),
        ("그 질문에는 답하지 않는 것이 좋겠습니다.", True),
        ("> [!WARNING]\n> 이 요청은 처리할 수 없습니다.", True),
        ("음성 인식 기능은 지원하지 않습니다.", True),
        ("비밀번호 초기화는 제가 할 수 없는 작업입니다.", True),
        ("허위 리뷰를 작성하는 것은 도울 수 없습니다.", True),
        ("링크를 열 수 없는 관계로 요청하신 요약을 할 수 없습니다.", True),
        ("그건 말해 주면 안 돼.", True),
        ("> 이 요청은 처리할 수 없습니다.\n\n위 문구는 서버가 바쁠 때 나옵니다.", False),
        ("이 앱에서는 동영상 편집 기능을 지원하지 않습니다.", False),
        ("주인공은 누구도 할 수 없는 일을 해냈습니다.", False),
        ("직원은 고객 정보를 공유하는 일은 할 수 없습니다.", False),
        ("비밀번호는 남에게 보여 주면 안 되며, 자주 바꿔야 합니다.", False),
        ("인증번호를 가르쳐 주면 안 되니 주의하세요.", False),
        ("정확히는 모르겠지만 1994년에 나온 영화입니다.", False),
        ("모르겠으면 고객센터에 물어보세요.", False),
        ("이 보고서에 원인은 나와 있지 않지만 비용은 300만 원입니다.", False),
        ("I don't know the exact date, but it was around 1994.", False),
        ("I can't open the page, but here is the summary: prices rose by 3%.", False),
        ("환불해 드릴 수 없습니다. 절차는 다음과 같습니다.\n1. 주문을 고릅니다.\n2. 반품을 누릅니다.", False),
        ("상대가 화났을 때는 바로 답하지 않는 것이 좋습니다.", False),
    ],
)
def test_a_reply_without_an_answer_is_told_from_one_that_answers_on_a_doubt(text: str, refused: bool) -> None:
    assert is_refusal(text) is refused


def test_the_share_of_refusals_that_a_monitor_watches_is_told_the_same_way() -> None:
    replies = [*REFUSED, "환불이 불가능한 경우는 다음과 같습니다.", "법으로 금지되어 있습니다."]
    frame = pd.DataFrame({"answer": replies, "refused": [is_refusal(reply) for reply in replies]})
    told = SIGNALS.get("refusal_share").values(frame)
    assert list(told) == [1.0] * len(REFUSED) + [0.0, 0.0]


def _jamo(word: str) -> str:
    letters = ""
    for letter in word:
        place = ord(letter) - 0xAC00
        final = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"[place % 28]
        letters += (
            "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"[place // 588] + chr(ord("ㅏ") + place % 588 // 28) + final.strip()
        )
    return letters


SPELT: list[Callable[[str], str]] = [
    str,
    lambda word: " ".join(word),
    lambda word: ".".join(word),
    lambda word: "1".join(word),
    lambda word: "♡".join(word),
    lambda word: "\u200b".join(word),
    lambda word: "--".join(word),
    _jamo,
    lambda word: " ".join(_jamo(word)),
]


@pytest.mark.parametrize("spelt", SPELT)
@pytest.mark.parametrize("word", ["씨발", "시발", "병신", "지랄", "개새끼", "씹새끼"])
def test_an_abusive_word_is_found_in_every_spelling(word: str, spelt: Callable[[str], str]) -> None:
    assert run("toxicity", text=f"야 {spelt(word)}!")["toxic"] == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "시발역",
        "병신년 새해",
        "지랄탄",
        "씨 발아율",
        "고양이 새끼",
        "새끼손가락",
        "18세",
        "조까치 산",
        "Scunthorpe",
        "십년",
    ],
)
def test_another_word_of_the_same_letters_is_not(text: str) -> None:
    assert run("toxicity", text=f"{text}에 대해 설명합니다.")["toxic"] == 0.0


def test_jamo_that_stand_alone_are_read_though_nfkc_would_compose_them() -> None:
    told = run("toxicity", text="ㅅㅂ 뭐냐")
    assert (told["toxic"], told["hits"], told["words"]) == (1.0, 1.0, "ㅅㅂ")


def test_names_code_and_quotations_do_not_count_against_a_language() -> None:
    assert run("language", text="Microsoft Azure의 `az login`을 씁니다.")["hangul"] == 1.0
    assert run("language", text='그는 "I have a dream"이라고 했다.')["hangul"] == 1.0
    assert run("language", text="네, the answer is forty-two.")["within"] == 0.0
    assert run("language", text="`pip install x`") == dict.fromkeys(
        ["hangul", "latin", "han", "kana", "other", "within"], 0.0
    )


@pytest.mark.parametrize(
    "mark", ["[1]", "【1】", "〔1〕", "［1］", "[^1]", "(1)", "<1>", "¹", "[문서 1]", "[출처: 1]", "[1]."]
)
def test_a_mark_of_any_style_cites(mark: str) -> None:
    found = run("citations", answer=f"연차는 15일이다 {mark}", passages=["연차는 15일이다.", "주 2회다."])
    assert found == {"cited": 1.0, "valid": 1.0, "supported": 1.0}


@pytest.mark.parametrize(
    "text", ["arr[1]", "`a[1]`", "[2023]년", "(2020)년", "구간 [1, 2]", "[표 1]", "[10:30]", "10m²"]
)
def test_what_only_looks_like_a_mark_does_not(text: str) -> None:
    assert run("citations", answer=f"그 값은 {text}이다.", passages=["가", "나"])["cited"] == 0.0


def test_a_range_of_marks_cites_each() -> None:
    found = run("citations", answer="연차는 15일이다 [1-3].", passages=["연차는 15일이다.", "주 2회다."])
    assert found["valid"] == pytest.approx(2 / 3)


def test_a_number_of_something_else_in_the_same_passage_supports_nothing() -> None:
    passages = ["재택근무는 주 2회까지 할 수 있다. 교육은 연 5회 받을 수 있다."]
    assert run("support", answer="재택근무는 주 2회 할 수 있습니다.", passages=passages)["supported"] == 1.0
    wrong = run("support", answer="재택근무는 주 5회 할 수 있습니다.", passages=passages)
    assert wrong["supported"] == wrong["numbers"] == 0.0


@pytest.mark.parametrize(
    ("answer", "passages", "supported"),
    [
        ("사전 승인 없이 반출할 수 있습니다.", ["사전 승인 없이 반출할 수 없습니다."], 0.0),
        ("동의하지 않으면 가입할 수 있습니다.", ["동의하지 않으면 가입할 수 없습니다."], 0.0),
        ("취소할 수 없는 상품이 아닙니다.", ["취소할 수 없는 상품입니다."], 0.0),
        ("뚜껑을 열어야 합니다.", ["뚜껑을 열지 말아야 합니다."], 0.0),
        ("요금은 하루 5만 원입니다.", ["요금은 시간당 5만 원입니다."], 0.0),
        ("재택근무는 월 2회 가능합니다.", ["재택근무는 주 2회 가능합니다."], 0.0),
        ("서울의 인구는 330만 명이다.", ["서울의 면적은 605km²이다.", "부산의 인구는 330만 명이다."], 0.0),
        (
            "베이직 요금제는 월 9,900원입니다.",
            ["베이직 요금제는 1명이 쓴다.", "프리미엄 요금제는 월 9,900원입니다."],
            0.0,
        ),
        ("초등학생에게는 무료입니다.", ["중학생에게는 무료입니다."], 0.0),
        ("사전 승인 없이는 반출하지 못합니다.", ["사전 승인 없이 반출하지 마십시오."], 1.0),
        ("취소할 수 없는 상품입니다.", ["이 상품은 취소할 수 없습니다."], 1.0),
        ("서류를 제출해야 합니다.", ["서류를 빠짐없이 제출해야 합니다."], 1.0),
        ("요금은 하루 5만 원입니다.", ["하루 요금은 5만 원입니다."], 1.0),
        ("이용 요금은 월 9,900원입니다.", ["월 이용료는 9,900원이다."], 1.0),
        ("매월 2회 점검합니다.", ["점검은 월 2회 실시합니다."], 1.0),
        ("연차 휴가는 15일이다.", ["연차는 15일이다.", "휴가는 미리 신청한다."], 1.0),
        # one clause of several, and several of one
        ("서고는 6시에 닫습니다.", ["서고는 9시에 열며, 6시에 닫고 밤에는 열지 않는다."], 1.0),
        ("서고는 9시에 열고 밤에는 열지 않습니다.", ["서고는 9시에 연다.", "서고는 밤에는 열지 않는다."], 1.0),
        ("서고는 9시에 열고 복사도 됩니다.", ["서고는 9시에 연다.", "서고는 밤에는 열지 않는다."], 0.0),
        # another name, in no passage, or said of something else
        ("서고는 이한별이 지킵니다.", ["서고는 이한결이 지킨다."], 0.0),
        ("서고는 남관에 있습니다.", ["서고는 북관에 있고 식당은 남관에 있다."], 0.0),
        ("식당은 남관에 있습니다.", ["서고는 북관에 있고 식당은 남관에 있다."], 1.0),
        ("북관 식당은 6시에 닫습니다.", ["남관 식당은 6시에 닫는다."], 0.0),
        ("Employees park in Lot C.", ["Employees park in Lot B.", "The office closes at 6 p.m."], 0.0),
        ("Staff park in Lot B.", ["Staff park in Lot B and Lot D."], 1.0),
        # parts exchanged
        ("곰이 늑대를 쫓았다.", ["늑대가 곰을 쫓았다."], 0.0),
        ("곰을 늑대가 쫓았다.", ["늑대가 곰을 쫓았다."], 1.0),
        ("늑대는 곰보다 가볍다.", ["곰은 늑대보다 무겁다."], 1.0),
        # the opposite
        ("서고는 낮에 밝습니다.", ["서고는 낮에 어둡다."], 0.0),
        ("반납함은 왼쪽에 있습니다.", ["반납함은 오른쪽에 있고 문은 왼쪽에 있다."], 0.0),
        ("복사비는 포함되지 않습니다.", ["복사비는 제외됩니다."], 1.0),
        # more than the list
        ("여권, 사진, 도장을 가져오세요.", ["여권, 사진을 가져온다."], 0.0),
        ("사진과 여권을 가져오세요.", ["여권, 사진을 가져온다."], 1.0),
    ],
)
def test_a_denial_a_period_and_what_it_is_about_must_be_those_of_the_passage(
    answer: str, passages: list[str], supported: float
) -> None:
    assert run("support", answer=answer, passages=passages)["supported"] == supported


@given(
    st.lists(st.sampled_from(["여권", "사진", "도장", "통장", "열쇠"]), min_size=1, max_size=4, unique=True),
    st.sampled_from(["북관", "남관", "별관", "본관"]),
    st.sampled_from(["필통", "우산"]),
)
def test_what_a_passage_says_is_supported_and_not_with_a_thing_more_or_another_place(
    things: list[str], place: str, another: str
) -> None:
    passages = [f"{place}에서는 {', '.join(things)}만 맡길 수 있다.", "서고는 월요일에 쉰다."]

    def supported(answer: str) -> float:
        return float(run("support", answer=answer, passages=passages)["supported"])

    assert supported(f"{place}에서는 {', '.join(things)}만 맡길 수 있습니다.") == 1.0
    assert supported(f"{place}에서는 {', '.join([*things, another])}만 맡길 수 있습니다.") == 0.0
    assert supported(f"지하에서는 {', '.join(things)}만 맡길 수 있습니다.") == 0.0


@pytest.mark.parametrize(
    ("text", "toxic"),
    [
        ("저런 얼간이가 어떻게 붙었지", 1.0),
        ("너 멍청이냐?", 1.0),
        ("멍청이는 되지 말자", 0.0),
        ("나 같은 멍청이도 할 수 있는 요리", 0.0),
        ("드라마의 이 멍청이 캐릭터가 인기입니다.", 0.0),
    ],
)
def test_somebody_is_called_a_fool(text: str, toxic: float) -> None:
    assert run("toxicity", text=text)["toxic"] == toxic


@pytest.mark.parametrize("name", ["refusal", "toxicity", "language", "citations", "support"])
def test_scores_by_two_versions_of_the_rules_are_told_apart(name: str) -> None:
    assert len(EVALUATORS.get(name)().list_id) == 12


@pytest.mark.parametrize(
    "text",
    [
        "답변",
        "그건 좀 ",
        "드릴 수 있는 가나 ",
        "시이",
        "ㅅ",
        "ㅅㅂ ",
        "시.발.",
        "f u ",
        "[1]",
        "(",
        "[1,",
        '"',
        "<a",
        "출처: 1 ",
        "문서에는 ",
        "음",
        "글쎄 ",
        "sorry ",
        "i have no ",
        "정보가 부족",
    ],
)
def test_a_degenerate_reply_is_read_in_bounded_time(text: str) -> None:
    reply = (text * 10_000)[:10_000]
    begun = time.perf_counter()
    is_refusal(reply)
    run("toxicity", text=reply)
    run("language", text=reply)
    run("citations", answer=reply, passages=["가", "나"])
    assert time.perf_counter() - begun < 5
