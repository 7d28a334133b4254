from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

POLICY = """# 환불 규정

구매한 날부터 7일 안에는 전액을 환불합니다. 포장을 뜯은 상품은 배송비 3,000원을 뺍니다.
환불 금액은 접수한 날부터 3영업일 안에 입금됩니다. 해외 주문은 14일이 걸립니다.

# 보증

모든 제품은 24개월 동안 보증합니다. 배터리는 12개월까지만 보증합니다. 수리 비용의 30%를 먼저 냅니다.
같은 고장이 3회 되풀이되면 새 제품으로 바꿉니다. 담당은 홍길순님, 010-1234-5678입니다.
"""
DELIVERY = """배송은 2일에서 5일이 걸립니다. 주문 금액이 50,000원을 넘으면 배송비가 없습니다.
도서 지역은 6,000원이 더 붙습니다. 오후 2시 전에 주문하면 그날 보냅니다. 오전 9시에 출고를 시작합니다.
한 번에 20개까지 주문할 수 있습니다. 부재중이면 2회까지 다시 찾아갑니다.
"""
TEAMS = {"delivery": "물류팀", "payment": "정산팀", "device": "기술팀"}
TICKETS = [
    ("택배가 안 와요", "delivery", "배송"),
    ("송장 번호가 조회되지 않습니다", "delivery", "배송"),
    ("두 번 결제됐어요", "payment", "배송"),
    ("환불이 아직 안 들어왔습니다. 제 번호는 010-9876-5432예요", "payment", "환불"),
    ("영수증을 다시 받고 싶습니다", "payment", "환불"),
    ("전원이 켜지지 않아요", "device", "환불"),
    ("소리가 지직거립니다", "device", "배송"),
]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Documents, tickets and ready questions of a made-up shop."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "refund.md").write_text(POLICY, encoding="utf-8")
    (docs / "delivery.txt").write_text("\ufeff" + DELIVERY, encoding="utf-8")
    rows = ({"text": text, "label": label, "slice": slice} for text, label, slice in TICKETS)
    write_lines(tmp_path / "tickets.jsonl", rows)
    return tmp_path


def write_lines(path: Path, rows: Iterable[Any]) -> None:
    path.write_text("\ufeff" + "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")


@pytest.fixture
def lines() -> Callable[[Path, Iterable[Any]], None]:
    return write_lines


@pytest.fixture
def templates() -> dict[str, Any]:
    """A templates source."""
    return {
        "kind": "templates",
        "slice": "새 제품",
        "question": "{text}\n맡을 팀은?",
        "passage": "전화가 오면 물류팀이 맡는다.",
        "labels": TEAMS,
        "slots": {"p": ["하루램프", "하루버즈", "하루패드"]},
        "templates": {
            "delivery": ["{p} 상자가 안 와요.", "{p} 주소를 바꿔 주세요.", "주문한 {p} 수량이 모자라요."],
            "payment": ["{p} 값이 두 번 빠져나갔어요.", "{p} 쿠폰이 먹지 않아요.", "{p} 세금계산서를 주세요."],
            "device": ["{p} 전원이 꺼져요.", "{p} 화면이 까매요.", "물에 빠진 {p} 고칠 수 있나요?"],
        },
    }
