"""What has the form of a secret or of personal data, whether anybody registered it or not.

The rules are few and sure, as they read every error and every label: a wrong hit would take away what an engineer
needs. Texts that are generated from and trained on go through :mod:`driftgate.finetune.privacy`, which knows more.
"""

from __future__ import annotations

import re

_SECRETS = (
    re.compile(r"(?i)\b(?:bearer|basic)\s+(?=[^\s]*\d)([A-Za-z0-9._~+/=-]{12,})"),
    re.compile(r"\b(eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?)"),  # JSON Web Token, RFC 7519
    re.compile(
        r"(?<![A-Za-z0-9])((?:sk|pk|rk)[-_](?:[a-z]+[-_])*[A-Za-z0-9_-]{16,}|gh[pousr]_[A-Za-z0-9]{20,}"
        r"|github_pat_\w{20,}|glpat-[\w-]{16,}|hf_[A-Za-z0-9]{20,}|xox[abeprs]-[\w-]{10,}|A(?:KIA|SIA)[A-Z0-9]{16}"
        r"|AIza[\w-]{30,}|dgk_[0-9a-f]{8}_[\w-]{20,})"
    ),
    re.compile(
        r"(?i)\b(?:AccountKey|SharedAccessKey|SharedAccessSignature|InstrumentationKey|api[-_]?key|x-api-key"
        r"|client[-_]secret|access[-_]token|refresh[-_]token|password|passwd|pwd|sig|secret)"
        r"[\"']?\s*[=:]\s*[\"']?(?=[^\s\"']*\d)([^\s\"'&;,<>(){}]{8,})"
    ),
    re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]*://[^/?#\s:@]*:([^/?#\s@]+)@"),
    re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$))"),
    re.compile(r"https?://[^/\s]*(?:hook|discord|slack)[^\s]*?/([A-Za-z0-9_-]{16,})(?=[/?#\s\"',;]|$)"),
)
_HINTS: tuple[str, ...] = (
    "bearer",
    "basic",
    "eyj",
    "ghp",
    "gho",
    "ghu",
    "ghs",
    "ghr",
    "git",
    "glpat",
    "hf_",
    "xox",
    "akia",
    "asia",
)
_HINTS += ("aiza", "k-", "k_", "key", "secret", "token", "passw", "pwd", "sig", "://", "private")
"""One of these stands in lower case in whatever a rule finds."""
_DATE = r"\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_END = r"(?![\d])(?!-\d)"
_PERSONAL = (
    ("EMAIL_ADDRESS", re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}(?![\w-])", re.A)),
    ("KR_RRN", re.compile(rf"(?<![\w-]){_DATE} ?- ?[1-4]\d{{6}}{_END}", re.A)),
    ("KR_FRN", re.compile(rf"(?<![\w-]){_DATE} ?- ?[5-8]\d{{6}}{_END}", re.A)),
    (
        "PHONE_MOBILE",
        re.compile(rf"(?<![\w.-])(?:\+?82[ .-]{{0,2}}1[016789]|01[016789])[ .-]\d{{3,4}}[ .-]\d{{4}}{_END}", re.A),
    ),
)
_CARD = re.compile(rf"(?<![\w-])[2-69]\d{{3}}([ -]?)\d{{4}}\1\d{{4}}\1\d{{4}}{_END}", re.A)
_DIGITS = re.compile(r"\d{4}", re.A)


def without_shapes(text: str, blank: str) -> str:
    """The text without what has the form of a secret or of personal data.

    Examples
    --------
    >>> without_shapes("key sk-proj-abcdefghij0123456789 of 900101-1234568, 010-1234-5678", "***")
    'key *** of <KR_RRN>, <PHONE_MOBILE>'
    >>> without_shapes("run 20261122-231500-nightly-3fa2 has 4,000 samples; Bearer authentication", "***")
    'run 20261122-231500-nightly-3fa2 has 4,000 samples; Bearer authentication'
    """
    lower = text.lower()
    if any(hint in lower for hint in _HINTS):
        for shape in _SECRETS:
            text = shape.sub(lambda match: _blanked(match, blank), text)
    if "@" in text or _DIGITS.search(text):
        for kind, form in _PERSONAL:
            text = form.sub(f"<{kind}>", text)
        text = _CARD.sub(lambda match: "<CREDIT_CARD>" if _luhn(match[0]) else match[0], text)
    return text


def _blanked(match: re.Match[str], blank: str) -> str:
    whole, begin, end = match[0], match.start(1) - match.start(), match.end(1) - match.start()
    return whole if match[1] == blank else whole[:begin] + blank + whole[end:]


def _luhn(number: str) -> bool:
    """The check digit of ISO/IEC 7812-1."""
    digits = [int(digit) for digit in number if digit.isdigit()][::-1]
    return sum(sum(divmod(2 * digit, 10)) if place % 2 else digit for place, digit in enumerate(digits)) % 10 == 0
