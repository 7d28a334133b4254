"""The words of the sign-in page, in Korean and English."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Request

_WORDS = {
    "en": {
        "title": "Sign in",
        "with": "Sign in with your organisation",
        "or": "or with a key",
        "key": "Key or operator token",
        "enter": "Sign in",
        "wrong": "The key is wrong, has expired or was revoked.",
        "wait": "Too many wrong keys came from this address. Try again in a while.",
        "refused": "You were not signed in. Whoever runs this service finds the reason in the audit log.",
        "issuer": "The identity provider cannot be reached now.",
    },
    "ko": {
        "title": "로그인",
        "with": "조직 계정으로 로그인",
        "or": "또는 키로 로그인",
        "key": "키 또는 운영자 토큰",
        "enter": "로그인",
        "wrong": "키가 틀렸거나, 만료되었거나, 폐기되었습니다.",
        "wait": "이 주소에서 틀린 키가 너무 많이 왔습니다. 잠시 뒤에 다시 시도하십시오.",
        "refused": "로그인하지 못했습니다. 이유는 운영자가 감사 기록에서 볼 수 있습니다.",
        "issuer": "지금은 인증 서버에 연결할 수 없습니다.",
    },
}


def language(request: Request) -> str:
    """The language of a page: of ``?lang=``, of the console's cookie, or the browser's."""
    accepted = request.headers.get("accept-language", "")[:200].split(",")
    stated = [request.query_params.get("lang", ""), request.cookies.get("driftgate_lang", ""), *accepted]
    return next((found for one in stated if (found := one.strip()[:2].lower()) in _WORDS), "en")


def words(language: str) -> Mapping[str, str]:
    """What a page says in a language."""
    return _WORDS[language]
