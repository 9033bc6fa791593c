"""What is in the stores after a sealing."""

from collections.abc import Sequence

from archiver.chain import Head
from archiver.cli._progress import clear_progress, step_progress
from archiver.cli._session import Session
from archiver.cli._verification import report_stores_verification, report_verification
from archiver.sync import Filled
from archiver.vault import Vault
from archiver.verification import Depth, verify_vault
from archiver.verification.agreement import verify_stores
from archiver.wiring.stores import named_stores


def verify_after_sealing(session: Session, vault: Vault, head: Head | None, copies: Sequence[Filled]) -> int:
    """Check every store that sealing could write to, and say so; what failed of the others was told."""
    progress = step_progress(session)
    stores = named_stores(session.settings)
    authorities = session.settings.timestamps
    if len(stores) == 1:
        result = verify_vault(vault, known_head=head, authorities=authorities, progress=progress)
        clear_progress(session)
        return report_verification(session, result)
    failed = {one.name for one in copies if one.error is not None}
    reached = [one for one in stores if one.name not in failed]
    depth = Depth(authorities=authorities)
    results = verify_stores(reached, known_head=head, depth=depth, progress=progress)
    clear_progress(session)
    return report_stores_verification(session, results)
