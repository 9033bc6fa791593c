"""The page of an evidence pack, `report.html`: one file that needs nothing else to be read.

HTML without scripts, WCAG 2.2 AA, for screens of any width and for paper.
"""

from archiver.evidence.page.page import render_page

__all__ = ["render_page"]
