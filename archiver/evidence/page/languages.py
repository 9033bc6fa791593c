"""Which language a text is in, as HTML says it, so that it is read aloud and written in the right letters."""

import re
from typing import Final

_REGISTERED: Final = (
    "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv"
    " dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig"
    " ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh"
    " mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru"
    " rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug"
    " uk ur uz ve vi vo wa wo xh yi yo za zh zu ckb chr fil sco"
)
"""ISO 639-1, and what X knows beside it."""
_LANGUAGES: Final = frozenset(_REGISTERED.split())
_OLD: Final = {"iw": "he", "in": "id", "ji": "yi", "msa": "ms"}
_TAG: Final = re.compile(r"([A-Za-z]{2,3})((?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?)")


def language_tag(language: str | None) -> str:
    """A tag of BCP 47 whose language is registered; empty, which HTML reads as unknown, for anything else.
    What the platform calls `und`, `qme` and the like is unknown."""
    match = _TAG.fullmatch(language or "")
    if match is None:
        return ""
    primary = _OLD.get(match[1].lower(), match[1].lower())
    return primary + match[2] if primary in _LANGUAGES else ""
