"""A record's files into the spool: what the item shows, and the screenshots that a person gives.

The caller is within `Spool.appending`, so that no sealing takes a file for one that a killed run left.
"""

from collections.abc import Sequence

from archiver.errors import ArchiverError
from archiver.moderation.connecting import Connections
from archiver.moderation.screenshots import Screenshot, open_screenshot
from archiver.records import Attachment, MediaReference
from archiver.settings import AccountSettings
from archiver.sources.x_api.media import MediaSource, NotFetchedError
from archiver.spool import Spool


def fetch_pictures(
    spool: Spool, connections: Connections, account: AccountSettings, pictures: Sequence[MediaReference]
) -> list[Attachment]:
    """The pictures and videos of an item; what cannot be had is named with the reason."""
    if not pictures or account.api is None:
        return []
    media = connections.open_media(account.api)
    try:
        return [_fetch(spool, account.id, media, one) for one in pictures]
    finally:
        media.close()


def _fetch(spool: Spool, account: str, media: MediaSource, reference: MediaReference) -> Attachment:
    """One of them, unless the spool has it already."""
    name = reference.file_name
    found = spool.find_media(account, name)
    sha256, missing = (found.sha256, None) if found and found.missing is None else (None, None)
    if sha256 is None:
        try:
            size, sha256 = media.fetch(reference, lambda stream: spool.write_media(account, name, stream))
            sha256 = spool.name_media(account, name, size, sha256)
        except NotFetchedError as error:
            missing = str(error)
    return Attachment(
        role="media",
        file_name=name,
        media_type=reference.media_type,
        url=reference.url,
        alt_text=reference.alt_text,
        sha256=sha256,
        missing=missing,
    )


def take_screenshots(
    spool: Spool, account: str, made_by: str, screenshots: Sequence[Screenshot]
) -> list[Attachment]:
    """The screenshots among the files of an account, named after what brings them: a record's id, or one of
    their own. Raise UsageError for one that has changed since it was
    looked at."""
    taken = []
    for number, one in enumerate(screenshots, start=1):
        name = f"screenshot-{made_by}-{number}.{one.ending}"
        with open_screenshot(one) as file:
            spool.add_media(account, name, file)
        found = spool.find_media(account, name)
        if found is None or found.sha256 is None:
            raise ArchiverError(f"{one.path} could not be kept", "run the command again")
        taken.append(
            Attachment(role="screenshot", file_name=name, media_type=one.media_type, sha256=found.sha256)
        )
    return taken
