"""Rules for numbers that name a person or an account: registrations, licences, telephones, accounts, cards."""

from __future__ import annotations

from functools import cache
from typing import Any

from driftgate.finetune.privacy._rule import Rule

_DATE = r"\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_ALONE = r"(?<![A-Za-z\d])(?<!\d[-.])"
_END = r"(?!\d)(?!-\d)"
_SEP = r"[ .·-]{0,3}"
_OTHER_NUMBER = (
    r"송장|등기|택배|주문|예약|접수|승인|관리\s?번호|문서|공고|예산|과목|코드|품번|모델|버전|시리얼|바코드|ISBN"
)
_BANK = (
    r"은행|뱅크|카뱅|케뱅|농협|수협|신협|새마을|우체국|계좌|통장|예금주|입금|송금"
    r"|이체|부쳐|국민|신한|기업|(?i:account|bank|KB|IBK|NH|SC제일)"
)


@cache
def _presidio(name: str) -> Any:
    """One of presidio's own recognisers, for the check digit it knows."""
    from presidio_analyzer import predefined_recognizers

    return getattr(predefined_recognizers, name)()


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def _resident(text: str) -> bool | None:
    verdict: bool | None = _presidio("KrRrnRecognizer").validate_result(_digits(text))
    return verdict


def _foreigner(text: str) -> bool | None:
    verdict: bool | None = _presidio("KrFrnRecognizer").validate_result(_digits(text))
    return verdict


def _business(text: str) -> bool | None:
    verdict: bool | None = _presidio("KrBrnRecognizer").validate_result(_digits(text))
    return verdict


def _licence(text: str) -> bool | None:
    verdict: bool | None = _presidio("KrDriverLicenseRecognizer").validate_result(_digits(text))
    return verdict


def _luhn(text: str) -> bool | None:
    verdict: bool | None = _presidio("CreditCardRecognizer").validate_result(_digits(text))
    return verdict


def _account_length(text: str) -> bool | None:
    return 10 <= len(_digits(text)) <= 16


NUMBERS = (
    Rule(
        "KR_RRN",
        sure=(rf"(?<![\d-]){_DATE} ?- ?[1-4]\d{{6}}{_END}",),
        in_context=(rf"(?<![\d-]){_DATE} ?[1-4]\d{{6}}{_END}",),
        context=r"주민|등록\s?번호|생년월일|실명|(?i:rrn|resident)",
        against=_OTHER_NUMBER,
        check=_resident,  # numbers issued since October 2020 carry no check digit, so a failed one proves nothing
        proves=True,
    ),
    Rule(
        "KR_FRN",
        sure=(rf"(?<![\d-]){_DATE} ?- ?[5-8]\d{{6}}{_END}",),
        in_context=(rf"(?<![\d-]){_DATE} ?[5-8]\d{{6}}{_END}",),
        context=r"외국인|등록\s?번호|거소|(?i:frn|foreigner|alien)",
        against=_OTHER_NUMBER,
        check=_foreigner,
        proves=True,
    ),
    Rule(
        "KR_BRN",
        sure=(rf"(?<![\d-])\d{{3}}-\d{{2}}-\d{{5}}{_END}",),
        in_context=(rf"(?<![\d-])\d{{10}}{_END}",),
        context=r"사업자|(?i:brn|business)",
        against=_OTHER_NUMBER,
        check=_business,
    ),
    Rule(
        "KR_DRIVER_LICENSE",
        sure=(rf"(?<![\d-])\d{{2}}-\d{{2}}-\d{{6}}-\d{{2}}{_END}",),
        in_context=(rf"(?<![\d-])\d{{2}} ?\d{{2}} ?\d{{6}} ?\d{{2}}{_END}",),
        context=r"면허|(?i:licen[cs]e)",
        against=_OTHER_NUMBER,
        check=_licence,
    ),
    Rule(
        "KR_DRIVER_LICENSE",  # as written before 2012, the region in words
        sure=(
            r"(?<![가-힣])(?:서울|부산|경기|강원|충북|충남|전북|전남|경북|경남|제주|대구|인천|광주|대전|울산)"
            rf" ?\d{{2}}-\d{{6}}-\d{{2}}{_END}",
        ),
    ),
    Rule(
        "KR_PASSPORT",
        sure=(r"(?<![A-Za-z0-9-])[MSROD]\d{3}[A-Z]\d{4}(?![A-Za-z0-9-])",),
        in_context=(r"(?<![A-Za-z0-9-])(?i:[MSRODG][A-Z]?\d{7,8}|[MSRODG]\d{3}[A-Z]\d{4})(?![A-Za-z0-9-])",),
        context=r"여권|(?i:passport)",
        against=rf"{_OTHER_NUMBER}|제품|부품|(?i:s/n|serial|model)",
    ),
    Rule(
        "PHONE_MOBILE",
        sure=(
            rf"{_ALONE}(?:\+?82{_SEP}(?:\(0\) ?)?1[016789]|\(?01[016789]\)|01[016789])"
            rf"{_SEP}\d{{3,4}}{_SEP}\d{{4}}{_END}",
        ),
        against=r"송장|등기|예산|과목|품번|모델|버전|바코드",
    ),
    Rule(
        "PHONE_LANDLINE",
        sure=(
            rf"{_ALONE}(?:\+82[ .-]{{0,2}}|0)(?:2|3[1-3]|4[1-4]|5[1-5]|6[1-4]|70|50[2-8]?)"
            rf"[ .-]{{1,3}}\d{{3,4}}[ .-]{{1,3}}\d{{4}}{_END}",
            rf"{_ALONE}\(?0(?:2|3[1-3]|4[1-4]|5[1-5]|6[1-4]|70)\){_SEP}\d{{3,4}}{_SEP}\d{{4}}{_END}",
        ),
        in_context=(rf"{_ALONE}0(?:2|3[1-3]|4[1-4]|5[1-5]|6[1-4]|70)\d{{7,8}}{_END}",),
        context=r"전화|연락처|집|사무실|팩스|(?i:tel|fax|phone)",
        against=r"예산|과목|코드|문서|공고|버전|송장|품번|모델|계정",
    ),
    Rule(
        "BANK_ACCOUNT",
        sure=(
            rf"{_ALONE}(?:\d{{3}}-\d{{3}}-\d{{6}}|\d{{6}}-\d{{2}}-\d{{6}}|\d{{4}}-\d{{2}}-\d{{7}}|\d{{3}}-\d{{6}}-\d{{5}}"
            rf"|\d{{3}}-\d{{4}}-\d{{4}}-\d{{2}}|\d{{4}}-\d{{3}}-\d{{6}}|\d{{3}}-\d{{6}}-\d{{3}}|\d{{3}}-\d{{6}}-\d{{2}}-\d{{3}}){_END}",
        ),
        in_context=(rf"{_ALONE}(?:\d{{2,6}}(?:[- ]\d{{1,7}}){{1,4}}|\d{{10,16}}){_END}(?!\s?원)",),
        context=_BANK,
        against=rf"{_OTHER_NUMBER}|사업자",
        check=_account_length,
    ),
    Rule(
        "CREDIT_CARD",
        sure=(
            rf"(?<![\d-])[2-69]\d{{3}}[ -]?\d{{4}}[ -]?\d{{4}}[ -]?\d{{4}}{_END}",
            rf"(?<![\d-])3[47]\d{{2}}[ -]?\d{{6}}[ -]?\d{{5}}{_END}",
        ),
        against=_OTHER_NUMBER,
        check=_luhn,
        proves=True,
    ),
)
