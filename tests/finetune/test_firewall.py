from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.perf.firewall_table import CUT, EDITS, edited
from driftgate.benchmarks.datasets import load_dataset, make_sample, parse_config
from driftgate.finetune.firewall import Firewall, text_of

DATA = Path("../shared/data")


@pytest.fixture(scope="module")
def own():
    return load_dataset("sample", parse_config({"kind": "sample"}), Path()).samples


@pytest.fixture(scope="module")
def firewall(own):
    return Firewall(own)


@pytest.mark.parametrize("name", [name for name in EDITS if name != "question only"])
def test_edited_copies_are_refused_and_traced(name, own, firewall):
    refused = firewall.refuse(edited(own, EDITS[name]))
    assert len(refused.places) >= 0.97 * len(own)
    assert all(refusal.sample == own[refusal.item].key for refusal in refused.refusals)


@pytest.mark.parametrize("name", CUT)
def test_half_a_question_with_its_choices_is_that_question(name, own, firewall):
    refused = firewall.refuse(edited(own, CUT[name]))
    assert len(refused.places) >= 0.9 * len(own)
    assert all(refusal.sample == own[refusal.item].key for refusal in refused.refusals)


def test_other_questions_about_the_same_choices_are_new():
    """A team's own categories, or the names of an exam, stand in many questions."""
    choices = ["고구려의 옛 땅", "백제의 옛 땅", "신라의 옛 땅", "가야의 옛 땅"]
    question = "광개토 대왕의 비석이 서 있는 지안은 어느 나라의 도읍이었으며, 그 나라의 왕들은 어느 산기슭에 묻혔는가?"
    firewall = Firewall([make_sample("d", "test", 0, {"question": question, "choices": choices})])
    for half in ("광개토 대왕의 비석이 서 있는 지안은", "그 나라의 왕들은 어느 산기슭에"):
        assert firewall.refuse([{"question": half, "choices": choices}]).by_rule == {"choices": 1}
    for new in (
        "무령왕릉의 벽돌에 새겨진 무늬로 보아 어느 나라의 것과 닮았는가?",
        "왕들은 어느 때에 이 땅에서 물러났는가?",
    ):
        assert not firewall.refuse([{"question": new, "choices": choices}])


def test_a_form_of_words_is_no_question_where_the_choices_are_others():
    form = "에 대한 설명으로 옳지 않은 것은 무엇인가? (다툼이 있는 경우 헌법재판소 결정에 의함)"
    choices = [
        "음란한 표현도 헌법이 정한 보호의 영역 안에 들어 있다고 새기는 것이 옳다",
        "의료 광고를 미리 심의하게 하는 법률은 검열을 금한 원칙에 어긋난다",
        "선거 기간에 여론 조사의 결과를 알리지 못하게 하는 일은 지나친 제한이 아니다",
        "신문을 내려는 이에게 시설을 등록하게 하는 것은 허가를 받게 하는 것이 아니다",
    ]
    benchmark = {"question": f"표현의 자유{form}", "choices": choices}
    others = ["모이는 데 허가를 받는다", "알리지 않고 모인다", "밤에는 모이지 못한다"]
    new = {"question": f"집회의 자유{form}", "choices": others}
    firewall = Firewall([make_sample("d", "test", 0, benchmark)])
    assert not firewall.refuse([new])
    assert firewall.refuse([new | {"question": benchmark["question"]}]).by_rule == {"question": 1}
    assert firewall.refuse([f"표현의 자유{form}"]).by_rule == {"question": 1}


def test_a_verbatim_copy_is_exact(own, firewall):
    refused = firewall.refuse([own[5].data])
    assert [(r.rule, r.share, r.sample) for r in refused.refusals] == [("exact", 1.0, own[5].key)]
    assert refused
    assert refused.by_rule == {"exact": 1}


MARKUP = {
    "tags": lambda text: "".join(f"<b>{letter}</b>" for letter in text),
    "tags with attributes": lambda text: "".join(f'<span class="x{n}">{c}</span>' for n, c in enumerate(text)),
    "comments": lambda text: "<!-- note -->".join(text),
    "references": lambda text: "".join(f"&#{ord(letter)};" for letter in text),
    "emphasis": lambda text: "".join(f"**{letter}** " for letter in text),
    "marks": lambda text: "~".join(text),
    "brackets": lambda text: "".join(f"[b]{letter}[/b]" for letter in text),
}


@pytest.mark.parametrize("name", MARKUP)
def test_markup_between_the_letters_hides_no_question(name, own, firewall):
    marked = MARKUP[name]
    copies = [
        {"question": marked(s.data["question"]), "choices": [marked(choice) for choice in s.data["choices"]]}
        for s in own
    ]
    refused = firewall.refuse(copies)
    assert len(refused.places) >= 0.97 * len(own)
    assert all(refusal.sample == own[refusal.item].key for refusal in refused.refusals)


def test_a_measured_question_with_markup_is_known_without_it():
    question = "물이 <sub>영</sub>하 몇 도에서 어는지 묻는 <b>과학</b> 문제로 알맞은 것은?"
    firewall = Firewall([make_sample("d", "test", 0, {"question": question, "choices": ["섭씨 영 도", "섭씨 백 도"]})])
    bare = "물이 영하 몇 도에서 어는지 묻는 과학 문제로 알맞은 것은?"
    assert firewall.refuse([bare, question]).places == {0, 1}


def test_what_looks_like_a_tag_hides_no_question():
    """A comparison may look like a tag: both readings count."""
    question = "부등식 a <b 이고 c> d 일 때 네 수의 순서로 알맞은 것은 무엇인가?"
    data = {"question": question, "choices": ["a < b < c < d", "d < c < b < a"]}
    firewall = Firewall([make_sample("d", "test", 0, data)])
    assert firewall.refuse([data, f"풀어 보세요. {question}"]).places == {0, 1}
    assert not firewall.refuse(["부등식 x <y 이고 z> w 를 푸는 법을 배운다."])


def test_half_of_a_benchmark_does_not_refuse_the_other(own):
    refused = Firewall(own[::2]).refuse([sample.data for sample in own[1::2]])
    assert len(refused.refusals) <= 1


def test_a_long_question_is_known_without_its_choices():
    question = "1443년에 창제되어 1446년에 반포된, 백성을 가르치는 바른 소리라는 뜻의 문자를 만든 조선의 임금은?"
    choices = ["나라를 세운 태조 이성계", "집현전을 둔 세종 이도", "탕평책을 편 영조 이금", "규장각을 둔 정조 이산"]
    firewall = Firewall([make_sample("d", "test", 0, {"question": question, "choices": choices})])
    refused = firewall.refuse([f"참고하세요.\n{question}\n모르겠어요.", "임금은 누구인가?"])
    assert [(r.item, r.rule) for r in refused.refusals] == [(0, "question")]


def test_what_every_item_of_a_small_dataset_shares_refuses_nothing():
    """A routing task has the same choices, rule and products in training and in the hold-out."""
    texts = [
        "배송이 안 와요",
        "환불이 늦어요",
        "비밀번호를 잊었어요",
        "전원이 안 켜져요",
        "소리가 지직거려요",
        "쿠폰이 사라졌어요",
    ]
    teams = ["물류팀", "정산팀", "계정팀", "기술팀"]

    def data(text: str) -> dict[str, object]:
        return {"question": f"하루램프 {text}\n이 문의를 맡을 팀은 어디인가요?", "choices": teams}

    firewall = Firewall(make_sample("holdout", "test", n, data(text)) for n, text in enumerate(texts))
    new = ["색상을 바꾸고 싶어요", "영수증을 다시 받고 싶어요", "회원 탈퇴는 어디에서 하나요"]
    assert not firewall.refuse([data(text) for text in new])
    assert len(firewall.refuse([data(text + " ㅠㅠ") for text in texts]).refusals) == len(texts)


def test_an_item_may_be_a_text_data_or_a_chat():
    question = {"question": "물은 몇 도에서 끓는가?", "choices": ["영하 십 도", "백 도"]}
    chat = {"messages": [{"role": "user", "content": text_of(question)}, {"role": "assistant", "content": "B"}]}
    prompt = {"prompt": f"# user:\n{text_of(question)}", "target": "B"}
    firewall = Firewall([make_sample("d", "test", 0, question)])
    assert firewall.refuse([question, chat, prompt, text_of(question)]).places == {0, 1, 2, 3}


@pytest.mark.parametrize("samples", [[], [make_sample("d", "test", 0, {"question": "", "choices": []})]])
def test_an_empty_index_refuses_nothing(samples):
    assert not Firewall(samples).refuse(["아무 말", "", {"question": ""}])


def test_no_items_is_no_refusal(firewall):
    assert firewall.refuse([]).asked == 0


@pytest.mark.core
@pytest.mark.skipif(not (DATA / "kmmlu").is_dir(), reason="needs KMMLU in ../shared/data")
def test_planted_kmmlu_items_are_refused_among_new_ones(own):
    kmmlu = load_dataset(
        "kmmlu", parse_config({"kind": "kmmlu", "path": str((DATA / "kmmlu").resolve())}), Path()
    ).samples
    planted = random.Random(11).sample(list(kmmlu), 100)
    firewall = Firewall(kmmlu)
    for name, edit in EDITS.items():
        items = [sample.data for sample in own] + edited(planted, edit, seed=2)
        places = firewall.refuse(items).places
        # The project's own questions are new, but one of them asks what a KMMLU item asks, among the same choices.
        assert len(places & set(range(len(own)))) <= 1, name
        assert len(places) >= (75 if name == "question only" else 99), name
