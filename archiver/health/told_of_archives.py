"""What a snapshot says of what was decided about archives: how many are due to be reviewed, which were
disposed of and are not gone yet, of which an erasing has left the key; and which host keeps the vault."""

from collections.abc import Mapping

from archiver.claims.holder import TAKE_OVER, load_claims, load_signers
from archiver.disposal import finish_hint
from archiver.health.more import Seen
from archiver.health.vaults import Trouble
from archiver.retention.due import retention_due_count
from archiver.vault import readable

Told = tuple[Mapping[str, object], list[Trouble]]


def tell_of_retention(seen: Seen) -> Told:
    """How many archives are due for review or disposal. That is no trouble: nothing happens by itself."""
    manifests = [one.manifest for one in readable(seen.archives)]
    return {"disposal_due": retention_due_count(seen.settings, manifests, seen.now_ms)}, []


def tell_of_unfinished_disposals(seen: Seen) -> Told:
    """Archives with a certificate that they were disposed of, whose key is still there."""
    if seen.vault is None:
        return {}, []
    left = seen.vault.half_disposed(seen.archives)
    troubles = [
        Trouble(f"archive {name} was disposed of, and its key is still there", finish_hint(name))
        for name in left
    ]
    return {"disposals_unfinished": len(left)}, troubles


def tell_of_unfinished_erasures(seen: Seen) -> Told:
    """Archives whose place another has taken, without what was to be erased, and that were not disposed of:
    their key still opens all of it. So it is for as long as an erasing takes, and after one that was cut
    off."""
    successors = {one.manifest.replaces: one.name for one in seen.archives if one.manifest.replaces}
    left = [one.name for one in seen.archives if one.disposed is None and one.name in successors]
    troubles = [
        Trouble(
            f"archive {name} is replaced by {successors[name]} and its key is still there: an erasing was"
            " cut off",
            "finish it: archiver erase, the same command",
        )
        for name in left
    ]
    return {} if seen.vault is None else {"erasures_unfinished": len(left)}, troubles


def tell_of_holder(seen: Seen) -> Told:
    """Which host keeps the vault, and since when. On another one that collects that is a trouble: what is due
    there is refused."""
    if seen.vault is None:
        return {}, []
    claims = load_claims(seen.vault.store, seen.vault.id, load_signers(seen.vault.store))
    if not claims:
        return {}, []
    said, settings = claims[-1].claim, seen.settings
    facts = {"kept_by": said.host, "kept_since": said.at}
    if said.host == settings.host_name or not settings.spool_identity.exists():
        return facts, []
    what = (
        f"the host {said.host} keeps this vault since {said.at[:10]}, and nothing is collected into it here"
    )
    return facts, [Trouble(what, f"take out what starts archiver run here, or: {TAKE_OVER}")]
