"""A folder with one of everything: what is read, and the reason of whatever is not."""

from __future__ import annotations

import os
import socket
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pdf_files import bomb, pdf

from driftgate.flows.documents import Ingest, Limits, Piece, read_folder
from driftgate.flows.documents._decoding import Undecodable, decode
from driftgate.flows.errors import DriftgateError

LEAVE = "연차휴가는 해마다 17일이고, 남은 날은 다음 해 3월 말까지 쓴다. 신청은 사흘 전에 한다."
PAGE = """<html><head><meta charset="euc-kr"><title>제목</title><script>var x = "숨은 글";</script></head><body>
<nav>메뉴</nav><h1>휴가 <b>규정</b></h1><p>연차<b>휴가</b>는
 17일이다.</p><ul><li>하나</li><li>둘</li></ul>
<table><tr><th>사유</th><th>일수</th></tr><tr><td>결혼</td><td>5일</td></tr></table>
<pre>a = 1
  b = 2

# c</pre><div style="display: none">안 보임</div><p>끝.</p></body></html>"""


def one_of_everything(folder: Path) -> Path:
    """A folder that holds a file of every kind that has given trouble."""
    files: dict[str, bytes] = {
        "utf8.md": f"# 휴가\n\n{LEAVE}".encode(),
        "bom.txt": "\ufeff주차비는 한 달에 6만 원이다.".encode(),
        "cp949.txt": "출장비는 일주일 안에 정산한다. 영수증을 붙인다.".encode("cp949"),
        "utf16.txt": "건강검진은 2년에 한 번 받는다.".encode("utf-16"),
        "utf16-without-mark.txt": "구내식당은 11시 30분에 문을 연다.\n저녁은 18시다.".encode("utf-16-le"),
        "copy/same.txt": LEAVE.encode(),
        "copy/again.md": f"{LEAVE}\n".encode(),
        "copy/nearly.md": f"{LEAVE} 끝.".encode(),
        "empty.md": b"",
        "blank.txt": b" \n\n",
        "headings.md": "# 제목\n\n## 또 제목\n".encode(),
        "no-text.txt": bytes(range(256)) * 4,
        "report.docx": b"PK\x03\x04",
        ".hidden.md": b"x",
        "ok.pdf": pdf(["육아휴직은 1년 6개월까지다.\n신청은 30일 전에 한다.", "", "배우자 출산 휴가는 20일이다."]),
        "scan.pdf": pdf(["", ""]),
        "locked.pdf": pdf(["비밀"], encrypted=True),
        "fonts.pdf": pdf(["연차휴가는 17일"], to_unicode=False),
        "broken.pdf": b"%PDF-1.7\nnothing",
        "bomb.pdf": bomb(300),
        "page.html": PAGE.encode("cp949"),
        "script.html": b"<html><body><div id=root></div><script>1</script><script>2</script></body></html>",
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / unicodedata.normalize("NFD", "인사")).mkdir()
    (folder / unicodedata.normalize("NFD", "인사/평가.md")).write_text("등급은 다섯 단계다.", "utf-8")
    return folder


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> tuple[tuple[Piece, ...], Ingest]:
    return read_folder(one_of_everything(tmp_path_factory.mktemp("docs")), 400)


def test_every_file_is_read_or_named_with_the_reason(read: tuple[tuple[Piece, ...], Ingest]) -> None:
    _, ingest = read
    said = {one.path: one.reason for one in (*ingest.skipped, *ingest.empty)}
    expected = {
        "empty.md": "nothing stands in it",
        "blank.txt": "nothing stands in it",
        "headings.md": "only headings stand in it",
        "no-text.txt": "it is no text in UTF-8, UTF-16 or CP949",
        "report.docx": "files of the kind '.docx' are not read",
        ".hidden.md": "it is hidden",
        "scan.pdf": "there is no text on its 2 pages: they are pictures, such as of a scan",
        "locked.pdf": "it is encrypted, and opens with a password only",
        "fonts.pdf": "its fonts do not say which characters they show",
        "script.html": "there is no text in it: 2 scripts would make it",
    }
    assert {name: said[name] for name in expected} == expected
    assert said["broken.pdf"].startswith("it is no PDF, or a broken one (")
    assert set(said) == {*expected, "broken.pdf", "bomb.pdf"}
    assert len(ingest.read) + len(said) == 23


def test_encodings_are_read_and_said(read: tuple[tuple[Piece, ...], Ingest]) -> None:
    pieces, ingest = read
    by_document = {piece.document: piece.text for piece in pieces}
    assert by_document["cp949"].startswith("출장비는") and by_document["utf16"].startswith("건강검진은")
    assert by_document["utf16-without-mark"] == "구내식당은 11시 30분에 문을 연다. 저녁은 18시다."
    assert by_document["bom"].startswith("주차비")
    assert ingest.encodings == {"UTF-8": 6, "CP949": 2, "UTF-16": 2}
    assert "2 in CP949, 2 in UTF-16" in ingest.summary


def test_ids_are_composed(read: tuple[tuple[Piece, ...], Ingest]) -> None:
    assert "인사/평가" in {piece.document for piece in read[0]}


def test_a_pdf_is_read_and_pages_without_text_are_said(read: tuple[tuple[Piece, ...], Ingest]) -> None:
    pieces, ingest = read
    assert [p.text for p in pieces if p.document == "ok"] == [
        "육아휴직은 1년 6개월까지다. 신청은 30일 전에 한다.",
        "배우자 출산 휴가는 20일이다.",
    ]
    assert {one.document: one.note for one in ingest.read if one.note} == {"ok": "1 of 3 pages hold no text"}


def test_a_page_is_read_without_what_nobody_sees(read: tuple[tuple[Piece, ...], Ingest]) -> None:
    assert [p.text for p in read[0] if p.document == "page"] == [
        "휴가 규정\n연차휴가는 17일이다.",
        "휴가 규정\n하나 둘",
        "휴가 규정\n| 사유 | 일수 |\n|---|---|\n| 결혼 | 5일 |",
        "휴가 규정\n```\na = 1\n  b = 2\n\n# c\n```",
        "휴가 규정\n끝.",
    ]


def test_what_stands_twice_is_said(read: tuple[tuple[Piece, ...], Ingest]) -> None:
    _, ingest = read
    assert ingest.same == [("copy/again", "copy/same")]
    assert {pair[:2] for pair in ingest.alike} >= {("copy/again", "copy/nearly")}
    assert any("the same words" in doubt for doubt in ingest.doubts)


def test_sizes_are_bounded(tmp_path: Path) -> None:
    (tmp_path / "large.txt").write_text("가" * 5000, "utf-8")
    with (tmp_path / "vast.pdf").open("wb") as file:  # a file with a hole: it takes no space
        file.truncate(2**30)
    (tmp_path / "long.pdf").write_bytes(pdf(["휴가는 17일이다. " * 400]))
    (tmp_path / "small.md").write_text("글", "utf-8")
    _, ingest = read_folder(tmp_path, 400, Limits(text=10_000, characters=2000))
    assert {one.path: one.reason for one in ingest.skipped} == {
        "large.txt": "it has 0 MiB, more than 0.009537",
        "vast.pdf": "it has 1,024 MiB, more than 128",
        "long.pdf": "it holds more than 2,000 characters",
    }


def test_a_reader_that_takes_too_much_memory_is_ended_and_the_next_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_bytes(b"<p>" + b"<b>x</b>" * 1_500_000)
    (tmp_path / "b.html").write_bytes("<p>주차비는 6만 원이다.</p>".encode())
    pieces, ingest = read_folder(tmp_path, 400, Limits(memory=160 * 2**20))
    assert [one.path for one in ingest.skipped] == ["a.html"]
    assert [piece.text for piece in pieces] == ["주차비는 6만 원이다."]


def test_a_page_that_is_as_deep_as_it_is_long_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "deep.html").write_bytes(b"<div>" * 200_000 + "깊은 글".encode())
    (tmp_path / "small.md").write_text("글", "utf-8")
    _, ingest = read_folder(tmp_path, 400, Limits(seconds=2.0))
    assert [one.reason for one in ingest.skipped] == ["it was not read within 2 s"]
    (tmp_path / "later.html").write_bytes(b"<p>x</p>")
    with pytest.raises(DriftgateError, match=r"takes more than 1 s \(later\.html was next\)"):
        read_folder(tmp_path, 400, Limits(seconds=1.5, altogether=1.0))


def test_two_files_with_one_id_are_both_named(tmp_path: Path) -> None:
    for suffix in ("md", "txt"):
        (tmp_path / f"a.{suffix}").write_text("글", encoding="utf-8")
    with pytest.raises(DriftgateError, match=r"a\.md and a\.txt share an id, a"):
        read_folder(tmp_path, 400)


def test_a_link_out_of_the_folder_is_refused_and_one_to_a_folder_is_named(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    (docs / "real").mkdir(parents=True)
    (docs / "real/a.md").write_text("글", "utf-8")
    (docs / "linked").symlink_to(docs / "real", target_is_directory=True)
    _, ingest = read_folder(docs, 400)
    assert [(one.path, one.reason) for one in ingest.skipped] == [
        ("linked", "it is a link to a folder, which is not followed")
    ]
    (tmp_path / "private.txt").write_text("비밀", "utf-8")
    (docs / "out.txt").symlink_to(tmp_path / "private.txt")
    with pytest.raises(DriftgateError, match="link out of its folder"):
        read_folder(docs, 400)


@pytest.mark.skipif(os.name != "posix", reason="pipes and sockets in folders are POSIX's")
@pytest.mark.timeout(30)
def test_what_is_no_file_is_named_and_waited_for_by_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    docs = Path("docs")
    docs.mkdir()
    (docs / "a.md").write_text("글", "utf-8")
    for name in ("pipe.txt", "pipe.pdf", "pipe.html"):
        os.mkfifo(docs / name)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("docs/socket.md")
    (docs / "to_pipe.txt").symlink_to("pipe.txt")
    (docs / "nowhere.txt").symlink_to("gone.txt")
    (docs / "round.txt").symlink_to("round.txt")
    with (docs / "hole.txt").open("wb") as file:
        file.truncate(3 * 2**30)
    (docs / "folder.txt").mkdir()
    _, ingest = read_folder(docs, 400)
    assert [one.path for one in ingest.read] == ["a.md"] and not ingest.empty
    reasons = {one.path: one.reason for one in ingest.skipped}
    assert [reasons.pop(name) for name in ("pipe.txt", "pipe.pdf", "pipe.html", "to_pipe.txt")] == [
        "it is no file but a pipe"
    ] * 4
    assert reasons.pop("socket.md") == "it is no file but a socket"
    assert reasons.pop("hole.txt") == "it has 3,072 MiB, more than 16"
    assert {*reasons} == {"nowhere.txt", "round.txt"}
    assert all(reason.startswith("it cannot be opened") for reason in reasons.values())


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="whoever is root may open everything")
def test_a_folder_and_a_file_that_cannot_be_opened_are_named(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir()
    for name in ("a.md", "secret.md", "locked/b.md"):
        (tmp_path / name).write_text("글", "utf-8")
    (tmp_path / "secret.md").chmod(0)
    (tmp_path / "locked").chmod(0)
    try:
        _, ingest = read_folder(tmp_path, 400)
    finally:
        (tmp_path / "locked").chmod(0o700)
    assert {one.path: one.reason for one in ingest.skipped} == {
        "locked": "the folder cannot be opened (Permission denied)",
        "secret.md": "it cannot be opened (Permission denied)",
    }


KOREAN = st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3) | st.sampled_from(" .,0123\n"), min_size=4)


@given(KOREAN, st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_what_is_written_in_an_encoding_is_read_in_it(text: str, codec: str) -> None:
    assert decode(text.encode(codec)).text == text


@pytest.mark.parametrize("codec", ["cp949", "euc-kr", "utf-16-le", "utf-16-be"])
def test_korean_text_of_offices_is_read_in_any_usual_encoding(codec: str) -> None:
    text = f"{LEAVE}\n제1조(목적) 이 규정은 ㈜가온의 휴가를 정한다. — 2026년"
    plain = text.replace("—", "-")
    assert decode(plain.encode(codec)).text == plain


@pytest.mark.parametrize("codec", ["shift_jis", "gb18030"])
def test_another_language_in_another_encoding_is_not_taken_for_korean(codec: str) -> None:
    texts = {"shift_jis": "有給休暇は年に十七日である。三日前に申請する。", "gb18030": "年假为十七天，须提前三天申请。"}
    with pytest.raises(Undecodable):
        decode((texts[codec] * 5).encode(codec))
