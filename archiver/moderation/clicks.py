"""What a person does on X where no interface acts: where to go and what to click.

X's words of 2026, in English; the menu is the one with three dots. Blocking and reporting have no interface
outside X's Enterprise plan; the others are here for hosts whose token may only read.
"""

from collections.abc import Mapping
from typing import Final

from archiver.moderation.item import PLATFORM
from archiver.register import Registered

_STEPS: Final[Mapping[str, str]] = {
    "hidden": "open {item}; in its menu choose: Hide reply",
    "unhidden": "open the conversation of {item}, then its hidden replies; in the reply's menu: Unhide reply",
    "removed": "open {item}; in its menu choose: Delete",
    "reinstated": "post it again: X cannot bring a deleted post back; then give its address as --note",
    "blocked": "open {author}; in the account's menu choose: Block",
    "unblocked": "open {author}; choose: Unblock",
    "muted": "open {author}; in the account's menu choose: Mute",
    "unmuted": "open {author}; in the account's menu choose: Unmute",
    "reported": "open {item}; in its menu choose: Report; keep the number that X gives",
    "warned": "open {item} and answer it, or write to the author",
    "replied": "open {item} and answer it",
    "comments_off": "open {item}; in its menu choose: Change who can reply",
    "comments_on": "open {item}; in its menu choose: Change who can reply",
}


def what_to_click(row: Registered) -> str:
    """How a person does what was decided, signed in as the account."""
    item = item_address(row)
    if row.platform != PLATFORM:
        return f"do on {row.platform} what was decided: {row.action}, {item}"
    author = item if row.author_id is None else f"https://x.com/i/user/{row.author_id}"
    steps = _STEPS.get(row.action or "", "do on {item} what was decided")
    return steps.format(item=item, author=author)


def item_address(row: Registered) -> str:
    """Where the item is, by ids alone."""
    if row.platform != PLATFORM:
        return f"{row.platform} item {row.item_id}" if row.item_id else f"an item on {row.platform}"
    if row.item_id is None:
        return "the item, whose number is not known"
    if row.item_type == "user":
        return f"https://x.com/i/user/{row.item_id}"
    if row.item_type == "message":
        return "https://x.com/messages"
    return f"https://x.com/i/status/{row.item_id}"
