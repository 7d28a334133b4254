"""One retriever of every kind, over the same four passages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from search_endpoint import SearchEndpoint

TEXTS = {
    "leave#1": "연차휴가는 해마다 17일이다.",
    "leave#2": "병가는 해마다 12일이다.",
    "parking#1": "주차비는 한 달에 6만 원이다.",
    "rules/travel#1": "출장비는 일주일 안에 정산한다.",
}
KEY = "s3cret-query-key"


@pytest.fixture
def search(monkeypatch: pytest.MonkeyPatch) -> Iterator[SearchEndpoint]:
    monkeypatch.setenv("TEST_SEARCH_KEY", KEY)
    served = SearchEndpoint(TEXTS)
    served.start()
    yield served
    served.stop()


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """The passages as files: one document of two paragraphs, one in a folder of its own."""
    files: dict[str, list[str]] = {}
    for name, text in TEXTS.items():
        files.setdefault(name.split("#")[0], []).append(text)
    for name, paragraphs in files.items():
        path = tmp_path / "docs" / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n\n".join(paragraphs), encoding="utf-8")
    return tmp_path


@pytest.fixture
def configs(documents: Path, search: SearchEndpoint) -> dict[str, dict[str, Any]]:
    """A working part of a workspace file by kind; a new kind needs its own."""
    return {
        "bm25": {"kind": "bm25", "folder": "docs", "count": 2},
        "hybrid": {"kind": "hybrid", "folder": "docs", "count": 2},
        "azure_ai_search": {
            "kind": "azure_ai_search",
            "endpoint": search.url,
            "index": "handbook",
            "api_key": "${env:TEST_SEARCH_KEY}",
            "document_field": "doc",
            "count": 2,
        },
    }
