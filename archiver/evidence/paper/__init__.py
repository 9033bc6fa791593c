"""`report.pdf` of an evidence pack: PDF/A-2a and PDF/UA-1, set by typst in memory.

`fonts` finds what is installed; `characters` and `pictures` make what others wrote safe to print; `blocks`,
`front`, `record`, `history`, `media` and `moderation` say what is in the report, `report.typ` how it looks.
"""

from archiver.evidence.paper.fonts import Fonts
from archiver.evidence.paper.render import PaperFile, render_paper

__all__ = ["Fonts", "PaperFile", "render_paper"]
