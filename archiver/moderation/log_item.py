"""Who and what a row of a log is about: the platform, the account of ours, the item, and who wrote it."""

import re
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from archiver.errors import UsageError
from archiver.moderation.item import parse_item_name
from archiver.moderation.log_cells import Cells
from archiver.moderation.mapping import PLATFORM_HINT, PLATFORM_NAME
from archiver.settings import PLATFORMS, AccountSettings

_X: Final = "x"
_SITES_OF_X: Final = ("x.com", "twitter.com", "t.co", "twimg.com")
_SHORTENED: Final = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]{1,2}")
_ADDRESS: Final = re.compile(r"https?://[^\s/]+\S*", re.IGNORECASE)


def item_fields(cells: Cells, accounts: Sequence[AccountSettings], account: str | None) -> dict[str, Any]:
    """The fields of an entry; what is wrong goes to the cells' problems. `accounts`: those of the settings.
    `account`: by its id or handle, the one that is meant where a row does not say."""
    return _Item(cells, accounts, account).fields()


class _Item:
    def __init__(self, cells: Cells, accounts: Sequence[AccountSettings], account: str | None) -> None:
        self._cells = cells
        self._accounts = accounts
        self._default = account
        self._platform = cells.translated("platform") or cells.mapping.platform or _X

    def fields(self) -> dict[str, Any]:
        if not PLATFORM_NAME.fullmatch(self._platform):
            self._cells.problem("platform", f"{self._platform!r} is no platform's name: {PLATFORM_HINT}")
        account, handle = self._account()
        url = self._url()
        return {
            "platform": self._platform,
            "account": account,
            "account_handle": self._cells.name("account_handle") if self._cells.is_export else handle,
            "item_id": self._item_id(url),
            "item_url": url,
            "author_id": self._id("author_id"),
            "author_handle": self._author_handle(),
        }

    def _account(self) -> tuple[str, str | None]:
        """An account of the settings by its id or handle, or the only one they have; of a platform they know
        nothing of, any."""
        name = self._cells.translated("account") or self._default or self._cells.mapping.account
        mine = [one for one in self._accounts if one.platform == self._platform]
        if name is None:
            if len(mine) == len(self._accounts) == 1:
                return mine[0].id, mine[0].handle
            self._cells.problem("account", "this is missing; give --account, or account in the mapping")
            return "", None
        for one in mine:
            if name == one.id or (one.handle and name.removeprefix("@").casefold() == one.handle.casefold()):
                return one.id, one.handle
        if self._platform in PLATFORMS:
            known = ", ".join(f"@{one.handle}" if one.handle else one.id for one in mine) or "none"
            what = f"{name!r} is no {self._platform} account of the settings, which have: {known}"
            self._cells.problem("account", what)
        return name, None

    def _url(self) -> str | None:
        """The item's address; a row of X whose address is of another site was meant for another platform."""
        url = self._cells.cell("item_url")
        if url is None:
            return None
        host = _host(url)
        if host is None:
            self._cells.problem("item_url", f"{url!r} is no address: it begins with https://")
        elif self._platform == _X and not _is_of_x(host):
            self._cells.problem(
                "item_url", f"it leads to {host}, and the row's platform is x: set its platform"
            )
        return url

    def _item_id(self, url: str | None) -> str | None:
        given = self._id("item_id")
        if self._platform != _X or url is None:
            return given
        try:
            found = parse_item_name(url).id
        except UsageError:  # an address of something else on X
            return given
        if given is not None and found is not None and given != found:
            self._cells.problem("item_id", f"{given} is not the post that item_url leads to, {found}")
        return given or found

    def _id(self, field: str) -> str | None:
        cell = self._cells.cell(field)
        if cell is None or self._platform != _X or PLATFORMS[_X].account_id.fullmatch(cell):
            return cell
        if _SHORTENED.fullmatch(cell):
            what = f"{cell!r} was shortened by a spreadsheet: export the log with this column as text"
        else:
            what = f"{cell!r} is no id of X, which is a number"
        self._cells.problem(field, what)
        return None

    def _author_handle(self) -> str | None:
        cell = self._cells.cell("author_handle")
        if cell is None:
            return None
        handle = cell if self._cells.is_export else cell.removeprefix("@")
        if self._platform == _X and not PLATFORMS[_X].handle.fullmatch(handle):
            what = f"{cell!r} is no handle of X; a name belongs in author_name"
            self._cells.problem("author_handle", what)
        return handle


def _host(url: str) -> str | None:
    """The name in an address of the web; None for what is no address."""
    if not _ADDRESS.fullmatch(url):
        return None
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return None
    return host.removesuffix(".") if host else None


def _is_of_x(host: str) -> bool:
    return any(host == site or host.endswith(f".{site}") for site in _SITES_OF_X)
