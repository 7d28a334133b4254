"""Rules for numbers that name a person or an account: registrations, licences, telephones, accounts, cards."""

from __future__ import annotations

from functools import cache
from typing import Any

from driftgate.finetune.privacy._rule import Rule

SECRET_FORMS = (
    r"(?<![A-Za-z0-9])(?:sk|pk|rk)[-_](?:[a-z]+[-_])*(?=[A-Za-z0-9_-]*\d)[A-Za-z0-9_-]{16,}",
    r"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|hf_[A-Za-z0-9]{20,}"
    r"|xox[abeprs]-[A-Za-z0-9-]{10,}|A(?:KIA|SIA)[A-Z0-9]{16}|AIza[A-Za-z0-9_-]{30,}|dgk_[0-9a-f]{8}_[A-Za-z0-9_-]{20,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?)",
    r"(?<=(?i:AccountKey|SharedAccessKey|api[-_]?key|client[-_]secret|access[-_]token|password|passwd|pwd|비밀번호|암호)"
    r"[\"']?\s?[=:]\s?[\"']?)(?=[^\s\"'가-힣]*\d)[^\s\"'&;,<>(){}가-힣]{8,}",
)
"""Keys to services: who has one acts as its owner."""

_DATE = r"\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_ALONE = r"(?<![A-Za-z\d])(?<!\d[-.])"
_END = r"(?!\d)(?!-\d)"
_SEP = r"[ .·-]{0,3}"
_DOT = r"[ .·/-]?"
_GAP = r"(?: ?[-.·/] ?| )?"
_OTHER_NUMBER = (
    r"송장|등기|택배|주문|예약|접수|승인|관리\s?번호|문서|공고|예산|과목|코드|품번|모델|버전|시리얼|바코드|ISBN"
)
_BORN = r"(?:[이인입으]|[\s,.()]|$)"
_MONTH, _DAY = r"(?:1[0-2]|0?[1-9])", r"(?:3[01]|[12]\d|0?[1-9])"
_PLATE_LETTERS = "가나다라마거너더러머버서어저고노도로모보소오조구누두루무부수우주하허호배바사아자"
"""Letters of Korean number plates (Enforcement Rules of the Motor Vehicle Management Act, notice of plates)."""
_PLATE_REGIONS = "서울|부산|대구|인천|광주|대전|울산|세종|경기|강원|충북|충남|전북|전남|경북|경남|제주"
_CALLED_OTHERWISE = rf"(?:{_OTHER_NUMBER})\s?(?:번호|코드|(?i:no)\.?)?(?:은|는|이|가)?\s?[:#]?\s?$"
_BANK = (
    r"은행|뱅크|카뱅|케뱅|농협|수협|신협|새마을|우체국|계좌|통장|예금주|입금|송금"
    r"|이체|부쳐|국민|신한|기업|(?i:account|acct|bank|KB|IBK|NH|SC제일)"
)
_CARD = r"카드|비씨|아멕스|결제|승인|할부|현대|롯데|삼성|하나|우리|(?i:card|pan|visa|master|amex|BC|JCB)"


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
        # Thirteen digits that begin like a date of birth are one number of thirty: few are anything else.
        sure=(rf"(?<![\d-]){_DATE}{_GAP}[1-4]\d{{6}}{_END}",),
        against=_CALLED_OTHERWISE,
        check=_resident,  # numbers issued since October 2020 carry no check digit, so a failed one proves nothing
        proves=True,
    ),
    Rule(
        "KR_FRN",
        sure=(rf"(?<![\d-]){_DATE}{_GAP}[5-8]\d{{6}}{_END}",),
        against=_CALLED_OTHERWISE,
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
        in_context=(rf"{_ALONE}(?:\d{{2,6}}(?:(?: ?- ?| )\d{{1,7}}){{1,4}}|\d{{10,16}}){_END}(?!\s?원)",),
        context=_BANK,
        against=rf"{_OTHER_NUMBER}|사업자",
        check=_account_length,
    ),
    Rule(
        "CREDIT_CARD",
        sure=(
            rf"(?<![\d-])[2-69]\d{{3}}{_DOT}\d{{4}}{_DOT}\d{{4}}{_DOT}\d{{4}}{_END}",
            rf"(?<![\d-])3[47]\d{{2}}{_DOT}\d{{6}}{_DOT}\d{{5}}{_END}",
        ),
        against=_OTHER_NUMBER,
        check=_luhn,
        proves=True,
    ),
    Rule(
        # Misheard, mistyped or of a scheme without a check digit: what is grouped as on a card, or called one, is one.
        "CREDIT_CARD",
        sure=(
            r"(?<![\d-])[2-69]\d{3}(?P<gap> ?[-.·/] ?| )\d{4}(?P=gap)\d{4}(?P=gap)\d{4}" + _END,
            r"(?<![\d-])3[47]\d{2}(?P<gap> ?[-.·/] ?| )\d{6}(?P=gap)\d{5}" + _END,
        ),
        in_context=(rf"(?<![\d-])(?:[2-69]\d{{15}}|3[47]\d{{13}}){_END}(?!\s?원)",),
        context=_CARD,
        against=rf"{_OTHER_NUMBER}|계좌",
    ),
    Rule(
        "VEHICLE_PLATE",
        sure=(
            rf"(?<![\d가-힣-])(?:(?:{_PLATE_REGIONS})\s?)?\d{{2,3}}\s?[{_PLATE_LETTERS}]\s?\d{{4}}"
            r"(?!\d|\s?(?:년|원|명|개|건|만|천|억|번지|호|kg|km|m|g|%))",
        ),
        against=r"법률|조항|문서|공고|고시|제\s?$",
    ),
    Rule(
        "BIRTH_DATE",
        sure=(
            rf"(?<!\d)(?:(?:19|20)?\d{{2}}\s?년\s?)?{_MONTH}\s?월\s?{_DAY}\s?일(?=\s?생{_BORN})",
            rf"(?<!\d)(?:19|20)?\d{{2}}\s?년\s?{_MONTH}\s?월(?=\s?생{_BORN})",
        ),
        # A day alone is no personal data: the words around it say whose birthday it is.
        in_context=(
            rf"(?<![\d.-])(?:19|20)?\d{{2}}\s?년\s?{_MONTH}\s?월\s?{_DAY}\s?일",
            rf"(?<![\d.-])(?:19|20)?\d{{2}}\s?[-./]\s?{_MONTH}\s?[-./]\s?{_DAY}(?:\.(?!\d))?(?!\d|[-./]\d)",
            r"(?<![\d.-])(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d|[-./]\d)",
            r"(?<![\d.-])\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?=\s?(?:년?생(?![산성식명각활일기략략])))",
        ),
        context=(
            r"생년월일|생일|생신|낳[았은]|환갑|칠순|돌잔치|출생|태어[나난났]|생년|(?i:birth|born|dob)|\n\s?년?생(?:[이인입으]|[\s,.()]|$)"
        ),
    ),
    Rule("API_KEY", sure=SECRET_FORMS),
)
