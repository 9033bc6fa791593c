"""Proofs that a bucket's lock holds: a probe that is locked as the settings ask, but for a minute only, and
what is then refused."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from archiver.stores.checks import Check
from archiver.stores.s3.probing import RETENTION, Probing

_UNTRIED = "; these credentials may remove no version at all, so that it may not be the lock that kept it"
_IN_PARTS = ", in parts"
_NO_LOCK = 'it can only be had from the bucket\'s making on: use such a bucket, or set object_lock = "none"'


def check_lock(probing: Probing, *, bucket_locks: bool | None) -> Iterator[Check]:
    """The proofs for the lock and the legal hold that are asked for; one that says so where none is."""
    options = probing.options
    if options.object_lock == "none" and not options.legal_hold:
        yield Check("lock", True, "none is asked for: who may delete in the bucket may delete versions")
        return
    if bucket_locks is False:
        yield Check("lock", False, "the bucket has no Object Lock", _NO_LOCK)
        return
    if options.object_lock != "none":
        yield from _check_retention(probing)
    if options.legal_hold:
        yield probing.attempt("legal hold", lambda: _check_hold(probing))


def _check_retention(probing: Probing) -> Iterator[Check]:
    mode = probing.options.object_lock.upper()
    found: dict[str, Any] = {}

    def put() -> Check:
        key, until = probing.new_key(), probing.until()
        answer = probing.put(key, b"locked", ObjectLockMode=mode, ObjectLockRetainUntilDate=until)
        found.update(Key=key, VersionId=answer.get("VersionId", "null"))
        return _check_set(probing, found, mode, until, "lock is set")

    is_set = probing.attempt("lock is set", put)
    yield is_set
    if is_set.ok:
        yield from _check_locked(probing, found)
    found_in_parts: dict[str, Any] = {}
    in_parts = probing.attempt(
        f"lock is set{_IN_PARTS}", lambda: _put_in_parts(probing, mode, found_in_parts)
    )
    yield in_parts
    if in_parts.ok:
        yield probing.attempt(
            f"lock holds{_IN_PARTS}", lambda: _check_kept(probing, found_in_parts, f"lock holds{_IN_PARTS}")
        )
        if mode == "GOVERNANCE":  # whoever may bypass it need not leave the probe there
            probing.refusal("delete_object", **found_in_parts, BypassGovernanceRetention=True)


def _check_locked(probing: Probing, probe: dict[str, Any]) -> Iterator[Check]:
    """What is refused of a probe that is locked."""
    yield probing.attempt("lock holds", lambda: _check_kept(probing, probe, "lock holds"))
    if probing.options.object_lock == "compliance":
        yield probing.attempt("lock cannot be bypassed", lambda: _check_no_bypass(probing, probe))
    else:
        yield probing.attempt("lock and these credentials", lambda: _say_bypass(probing, probe))


def _put_in_parts(probing: Probing, mode: str, found: dict[str, Any]) -> Check:
    """The same where a file comes in parts: its lock is asked for when the upload begins."""
    key, until = probing.new_key(), probing.until()
    answer = probing.put_in_parts(key, b"locked", ObjectLockMode=mode, ObjectLockRetainUntilDate=until)
    found.update(Key=key, VersionId=answer.get("VersionId", "null"))
    return _check_set(probing, found, mode, until, f"lock is set{_IN_PARTS}")


def _check_set(probing: Probing, probe: dict[str, Any], mode: str, until: datetime, what: str) -> Check:
    """That the server says of a probe what was asked for it."""
    head = probing.request("head_object", **probe)
    there = head.get("ObjectLockRetainUntilDate")
    if head.get("ObjectLockMode") != mode or there is None:
        return Check(what, False, "a probe that was put with a lock has none", _NO_LOCK)
    if abs(there - until) > timedelta(seconds=2):
        return Check(what, False, f"until {there:%Y-%m-%d %H:%M:%S}, not {until:%Y-%m-%d %H:%M:%S}")
    return Check(what, True, f"{mode.lower()}, for the probe {RETENTION.seconds} seconds")


def _may_delete(probing: Probing) -> bool:
    """Whether these credentials may remove a version that nothing protects: only then is it the lock that
    was in the way. Where the bucket locks everything by itself there is none to try with."""
    if probing.default_lock:
        return True
    if probing.may_delete is None:
        key = probing.new_key()
        version = probing.put(key, b"free").get("VersionId", "null")
        probing.may_delete = not probing.refusal("delete_object", Key=key, VersionId=version)
    return probing.may_delete


def _is_there(probing: Probing, probe: dict[str, Any]) -> bool:
    return not probing.refusal("head_object", **probe)


def _check_kept(probing: Probing, probe: dict[str, Any], what: str) -> Check:
    code = probing.refusal("delete_object", **probe)
    if code and _is_there(probing, probe):
        said, may = f"removing the locked version was refused ({code})", _may_delete(probing)
        return Check(what, True, said + ("" if may else _UNTRIED), proven=may)
    return Check(what, False, "the locked version could be removed", "this server's lock protects nothing")


def _check_no_bypass(probing: Probing, probe: dict[str, Any]) -> Check:
    what = "lock cannot be bypassed"
    code = probing.refusal("delete_object", **probe, BypassGovernanceRetention=True)
    if code and _is_there(probing, probe):
        said = f"nor with the right to bypass a governance lock ({code})"
        return Check(what, True, said, proven=_may_delete(probing))
    return Check(
        what, False, "with that right the locked version could be removed", "compliance is not what it says"
    )


def _say_bypass(probing: Probing, probe: dict[str, Any]) -> Check:
    """A governance lock is for those who may not bypass it: a collector's credentials should be such."""
    what = "lock and these credentials"
    code = probing.refusal("delete_object", **probe, BypassGovernanceRetention=True)
    if code:
        return Check(what, True, f"they may not bypass it ({code})")
    return Check(
        what, True,
        "THEY MAY BYPASS IT: give the collector credentials without s3:BypassGovernanceRetention,"
        " or use compliance",
    )  # fmt: skip


def _check_hold(probing: Probing) -> Check:
    """That a legal hold keeps a version; then it is lifted, where these credentials may."""
    key = probing.new_key()
    answer = probing.put(key, b"held", ObjectLockLegalHoldStatus="ON")
    probe = {"Key": key, "VersionId": answer.get("VersionId", "null")}
    if probing.request("head_object", **probe).get("ObjectLockLegalHoldStatus") != "ON":
        return Check("legal hold", False, "a probe that was put with a legal hold has none", _NO_LOCK)
    code = probing.refusal("delete_object", **probe)
    if not code or not _is_there(probing, probe):
        return Check("legal hold", False, "the version under a legal hold could be removed")
    lifted = not probing.refusal("put_object_legal_hold", **probe, LegalHold={"Status": "OFF"})
    can = "can lift it" if lifted else "cannot lift it, so that the probe stays until somebody does"
    may = lifted or _may_delete(probing)
    said = f"removing the version was refused ({code}){'' if may else _UNTRIED}; these credentials {can}"
    return Check("legal hold", True, said, proven=may)
