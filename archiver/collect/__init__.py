"""Source to spool: what exports bring, and what X's interface answers."""

from archiver.collect.exports import CollectReport, Progress, collect

__all__ = ["CollectReport", "Progress", "collect"]
