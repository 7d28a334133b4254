"""Korean names in Latin letters: a surname beside a given name whose syllables are Korean ones."""

from __future__ import annotations

_ONSET = "(?:kk|tt|pp|ss|jj|ch|sh|gy|hy|ky|my|ry|ly|by|gw|hw|kw|[gkndtrlmbpsjhyw])"
_VOWEL = "(?:yeo|yae|you|yoo|wae|woo|eui|eo|eu|ae|oe|oo|ou|ee|ui|ya|ye|yo|yu|wa|we|wi|wo|[aiou])"
_CODA = "(?:ng|n|m|l|k|p|t|b|g|h|r)"
_SYLLABLE = f"(?:{_ONSET}?(?:{_VOWEL}{_CODA}?|e(?:ng|n|m|l|k|p|t|b|g|h|r)))"
_SURNAMES = (
    "kim|lee|yi|park|pak|bak|choi|choe|jung|jeong|chung|kang|cho|yoon|yun|jang|chang|lim|han|oh|seo|shin|kwon|hwang|ahn"
    "|jeon|jun|hong|yoo|yu|ryu|ko|koh|moon|mun|yang|sohn|bae|baek|paik|heo|huh|hur|nam|shim|sim|noh|roh|kwak|gwak|sung|seong"
    "|cha|joo|ju|woo|koo|gu|jin|ji|eom|chae|cheon|chun|bang|kong|gong|hyun|byun|byeon|yeom|yeo|choo|seok|seol"
)
_GIVEN = rf"(?i:{_SYLLABLE}[- ]?{_SYLLABLE})(?![A-Za-z])"
_CAPITAL = "(?=[A-Z][a-z]|[A-Z]{2})"
_TOGETHER = r"(?=[A-Z][A-Za-z]{3,}(?![A-Za-z])|[A-Z][A-Za-z]+-[A-Za-z]+|[A-Z][a-z]+ [A-Z][a-z]+|[A-Z]+ [A-Z]+)"

ROMANISED = (
    rf"(?<![A-Za-z.@/_-]){_CAPITAL}(?i:{_SURNAMES}),? {_TOGETHER}{_GIVEN}(?![@/_-])",
    rf"(?<![A-Za-z.@/_-]){_TOGETHER}(?i:{_SYLLABLE}[- ]?{_SYLLABLE}) {_CAPITAL}(?i:{_SURNAMES})(?![A-Za-z@/_-])",
)
"""Patterns of a name, the surname first or last."""
