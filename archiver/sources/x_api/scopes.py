"""What X must have granted, for what is read and for what is done (X API v2, "Authentication mapping")."""

from collections.abc import Iterable, Mapping

from archiver.settings.api import COLLECT_KINDS, Act, CollectKind

_ALWAYS = frozenset({"tweet.read", "users.read"})
SCOPES: Mapping[CollectKind, frozenset[str]] = {
    **dict.fromkeys(COLLECT_KINDS, _ALWAYS),
    "messages": _ALWAYS | {"dm.read"},
    "followers": _ALWAYS | {"follows.read"},
    "following": _ALWAYS | {"follows.read"},
    "blocks": _ALWAYS | {"block.read"},
    "mutes": _ALWAYS | {"mute.read"},
    "likes": _ALWAYS | {"like.read"},
    "lists": _ALWAYS | {"list.read"},
}
ACT_SCOPES: Mapping[Act, frozenset[str]] = {
    "hide": _ALWAYS | {"tweet.moderate.write"},
    "mute": _ALWAYS | {"mute.write"},
    "remove": _ALWAYS | {"tweet.write"},
}
"""Each is good for undoing the act as well, where X lets it be undone."""
OFFLINE = "offline.access"
"""With it a token can be renewed."""


def scopes_for(kinds: Iterable[CollectKind], acts: Iterable[Act] = ()) -> tuple[str, ...]:
    """What to ask X to grant, sorted."""
    needed = [*(SCOPES[kind] for kind in kinds), *(ACT_SCOPES[act] for act in acts)]
    return tuple(sorted({OFFLINE, *_ALWAYS}.union(*needed)))
