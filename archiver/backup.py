"""The main job's first part: exports into the spool. Both names are `archiver.inbox.exports`'s."""

from archiver.inbox.exports import Imported as Imported
from archiver.inbox.exports import import_exports as import_exports
