"""A store in a bucket of an S3 server, Amazon's or another's."""

from archiver.stores.s3.options import S3Options
from archiver.stores.s3.store import S3Store

__all__ = ["S3Options", "S3Store"]
