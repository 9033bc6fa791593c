"""Where a pack is written to: a folder, or a ZIP file that may be encrypted.

`new_pack` opens one; a `Sink` takes the pack's files by their paths, several open at once, and tells the
size and the hashes of each when it is closed.
"""

from archiver.evidence.sink.base import Sink, SinkFile
from archiver.evidence.sink.folder import FolderSink
from archiver.evidence.sink.opening import new_pack
from archiver.evidence.sink.zipped import ZipSink

__all__ = ["FolderSink", "Sink", "SinkFile", "ZipSink", "new_pack"]
