"""Which action makes sense of which item: said before anything is recorded, and before X is asked."""

from typing import Final

from archiver.errors import UsageError
from archiver.moderation.item import ItemName
from archiver.records import MODERATION_VERBS, ModerationAction

_OF_KIND: Final[dict[str, tuple[ModerationAction, ...]]] = {
    "post": (
        "hidden", "removed", "blocked", "muted", "reported", "warned", "replied", "comments_off", "none",
    ),
    "user": ("blocked", "muted", "reported", "warned", "none"),
    "message": ("blocked", "muted", "reported", "warned", "replied", "none"),
}  # fmt: skip
"""What can be done about a post, an account, a direct message."""
_ON_OTHERS: Final = ("hidden", "blocked", "muted", "reported", "warned")


def check_fits(name: ItemName, action: ModerationAction, *, is_own: bool | None) -> None:
    """Raise UsageError for an action that the item does not allow, saying which would. `is_own`: whether our
    account wrote the item, or is it; None as long as nothing is known of its author."""
    if action not in _OF_KIND[name.kind]:
        allowed = [_verb_of(one) for one in _OF_KIND[name.kind]]
        what = {"user": "an account", "message": "a direct message"}.get(name.kind, "a post")
        raise UsageError(f"{what} cannot be {_words(action)}", f"--action with one of: {', '.join(allowed)}")
    if is_own is None:
        return
    if action in _ON_OTHERS and is_own:
        raise UsageError(f"{name.words} is the account's own", "use --action remove for an own post, or none")
    if action == "removed" and not is_own:
        raise UsageError(
            "only its author, or X itself, can remove a post of others",
            "take it out of sight with --action hide, or tell X with --action report",
        )
    if action == "comments_off" and not is_own:
        raise UsageError(
            "only under its own posts can an account say who may reply", "name the own post, or --action hide"
        )


def _verb_of(action: ModerationAction) -> str:
    return next(verb for verb, code in MODERATION_VERBS.items() if code == action)


def _words(action: ModerationAction) -> str:
    return {"comments_off": "closed to replies", "replied": "replied to"}.get(action, action)
