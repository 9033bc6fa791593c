"""The pack as a BagIt bag (RFC 8493, version 1.0): what is written for it, and the check of one.

`finish_bag` writes the bag's own files when all others are in the sink; `open_pack` and `verify_bag` check a
bag, in a folder or in a ZIP file, as strictly as it was written.
"""

from archiver.evidence.bag.info import make_bag_info
from archiver.evidence.bag.source import FolderSource, PackEntry, PackSource, ZipSource, open_pack
from archiver.evidence.bag.verify import Problem, verify_bag
from archiver.evidence.bag.writing import PROFILE, TAG_MANIFESTS, finish_bag

__all__ = [
    "PROFILE",
    "TAG_MANIFESTS",
    "FolderSource",
    "PackEntry",
    "PackSource",
    "Problem",
    "ZipSource",
    "finish_bag",
    "make_bag_info",
    "open_pack",
    "verify_bag",
]
