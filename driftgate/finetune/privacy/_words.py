"""Rules for what names a person or a place in words: names, addresses, e-mail and network addresses."""

from __future__ import annotations

import ipaddress

from driftgate.finetune.privacy._no_names import NO_NAMES
from driftgate.finetune.privacy._romanised import ROMANISED
from driftgate.finetune.privacy._rule import Rule

_SURNAME = (
    "(?:남궁|황보|제갈|선우|사공|서문|독고|"
    "[김이박최정강조윤장임한오서신권황안송전홍유고문양손배백허남심노하곽성차주우구민류나진지엄채원천방공현함변염여추도소석선설마길연위표명기반라왕금옥육인맹제모탁국어은편용])"
)
_GIVEN = rf"(?!(?:{NO_NAMES}))"
_PARTICLE = (
    r"(?:입니다|이에요|예요|이예요|이고|인데|이라고|라고|이며|에게서?|한테서?|께서?"
    r"|으로|이|가|은|는|을|를|의|와|과|도|만|랑)"
)
_WORD_END = rf"(?=(?:{_PARTICLE})?(?![가-힣]))"
_NAME_3 = rf"(?<![가-힣]){_GIVEN}{_SURNAME}[가-힣]{{2}}"
_LABEL = "이름|성명|성함|예금주|수취인|수령인|주문자|신청인|고객명|환자명"
_TITLE = (
    "고객|회원|기사|선생|교수|과장|대리|부장|차장|사원|팀장|실장|대표|이사|원장|변호사|간호사|주임|매니저"
    "|상무|전무|선수"
)

SURE_NAME = 0.55
"""Score of a name by its syllables: below what has a form."""

_PROVINCE = (
    "(?:서울|부산|대구|인천|광주|대전|울산|세종|경기|강원|충북|충남|전북|전남|경북|경남|제주|충청북|충청남|전라북|전라남|경상북|경상남)"
    "(?:특별자치시|특별자치도|특별시|광역시|시|도)?"
)
_DISTRICT = "[가-힣]{1,5}(?:시|군|구)"
_ADMIN = rf"(?:{_PROVINCE}\s+(?:{_DISTRICT}\s+){{0,2}}|(?:{_DISTRICT}\s+){{1,2}})(?:[가-힣]{{1,5}}[읍면]\s+)?"
_NO_ROAD = "문자|카드|전화|메일|버스|택시|지하철|현금|할인|별도|바로|새로|서로|따로|다시|코드|번호"
_ROAD = rf"(?!(?:{_NO_ROAD})로)[가-힣0-9·]{{1,12}}(?:대로|로|길)(?:\s?\d+번?[가-힣]?길)?\s?\d+(?:-\d+)?"
_LOT = r"[가-힣0-9]{1,6}(?:동|리|가)\s?(?:산\s?)?\d+(?:-\d+)?(?:번지)?"
_NO_COUNT = (
    r"(?!\d|[.,:]\d|%|\s?(?:분|번(?!지)|개|통|년|월|일|시(?!\s)|원|명|회|배|차|대|건|점|위|초"
    r"|곳|주|절|항|조|학년|학기|층|권|km|m|만|천|억|여))"
)
_UNIT = (
    r"(?:(?:,?\s*\(?[가-힣A-Za-z0-9]{1,12}(?:아파트|빌라|오피스텔|타워|빌딩|맨션|APT)\)?)?"
    r"(?:,?\s*(?:지하\s?)?[\dA-Z]{1,4}(?:동|층|호))*)?"
)
_PLACE = r"주소|배송지|거주|(?<![가-힣])(?:사는|살고|살아)|이사|집은|댁|도로명|수거지|받을|보내"


def _routable(text: str) -> bool | None:
    """Whether it is a network address that may belong to someone."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_multicast or address.is_reserved)


def _named(text: str) -> list[tuple[int, int, float]]:
    """Names in running text; what is below certainty yields to a number or an address that overlaps."""
    from driftgate.finetune.privacy._foreign_names import find_foreign_names
    from driftgate.finetune.privacy._names import find_names

    found = [*find_names(text), *find_foreign_names(text)]
    return [(name.start, name.end, SURE_NAME) for name in found]


WORDS = (
    Rule(
        "EMAIL_ADDRESS",
        sure=(
            r"(?<![A-Za-z0-9._%+-])(?!git@)[A-Za-z0-9_][A-Za-z0-9._%+'-]{0,63} ?(?:@|\(at\)|\[at\]) ?"
            r"(?:[A-Za-z0-9-]{1,63}\.){1,5}(?!(?:png|jpe?g|gif|svg|webp)(?![A-Za-z]))[A-Za-z]{2,24}(?![A-Za-z0-9])",
            r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._%+'-]{0,63}@[A-Za-z0-9가-힣-]{1,63}\.(?:한국|닷컴|닷넷)",
        ),
    ),
    Rule(
        "IP_ADDRESS",
        sure=(
            r"(?<![\w.-])\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\d|/\d|\s?(?:절|장|항|조|버전|판))",
            r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:/])",
        ),
        against=r"버전|펌웨어|빌드|릴리스|(?i:version|ver|build|release|firmware)|제\s?$",
        check=_routable,
    ),
    Rule(
        "PERSON",
        sure=(
            rf"{_NAME_3}(?<![글솜날불말맵])(?=\s?(?:씨(?!앗|름|알|줄|족|암|방)|님))",
            rf"{_NAME_3}(?<![한의던된할에도만는을])(?=\s?(?:{_TITLE})님)",
            rf"(?<=(?:{_LABEL}|(?:받는|보내는) ?(?:분|사람))\s?:\s?)"
            rf"{_GIVEN}{_SURNAME} ?[가-힣](?: ?[가-힣])?{_WORD_END}",
            rf"(?<=(?:예금주|수취인|수령인|주문자|성명)(?:은|는|이)?\s)(?:{_NAME_3}){_WORD_END}",
            rf"(?<=(?:이름은|성함은|저는|나는|안녕하세요,?|안녕하십니까,?)\s){_NAME_3}"
            r"(?=입니다|이에요|예요|이라고|라고|이라 합니다)",
        ),
    ),
    Rule("PERSON", finder=_named),
    Rule("PERSON", sure=ROMANISED),
    Rule(
        "STREET_ADDRESS",
        sure=(
            rf"(?<![가-힣]){_ADMIN}(?:{_ROAD}|[가-힣]{{1,5}}(?:동|가)\s+{_ROAD}|{_LOT}){_NO_COUNT}{_UNIT}",
            r"(?<![\d가-힣-])(?:[가-힣A-Za-z0-9]{1,12}(?:아파트|빌라|맨션|APT)\s)?\d{2,4}동\s?\d{2,4}호",
        ),
        in_context=(rf"(?<![가-힣\d]){_ROAD}{_NO_COUNT}{_UNIT}", rf"(?<![가-힣\d]){_LOT}{_NO_COUNT}{_UNIT}"),
        context=_PLACE,
    ),
)
