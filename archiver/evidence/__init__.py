"""Evidence packs: records with all that proves where they come from, for somebody who does not trust us.

`model` is what a pack says of each record; `archiver.evidence.gathering` makes it from a vault, everything
else here writes it down in one form or another.
"""
