"""Claims of hosts: one holder, whoever claims when; and what harm to them shows."""

import io
import re
import tarfile
import threading

import pytest

from archiver.chain import Head
from archiver.claims.claim import (
    FORMAT,
    NAMESPACE,
    claim_name,
    follow_claims,
    is_claim,
    next_claim,
    parse_claim_name,
    sign_claim,
    unpack_claim,
)
from archiver.claims.holder import Claimant, claim_vault, load_claims, look_for_holder, require_holder
from archiver.claims.verify import verify_claims
from archiver.errors import ConfigurationError, IntegrityError, LockedError, NewerVersionError
from archiver.formats.ssh_signature import AllowedSigners, SigningKey, allowed_signers_line
from archiver.initialise import vault_files
from tests.memory_store import MemoryStore

NOW = 1_793_000_000_000
KEY, OTHER_KEY, STRANGE_KEY = (SigningKey.generate(name) for name in ("collector", "second", "strange"))
ALLOWED = AllowedSigners.parse(
    "\n".join(
        allowed_signers_line(one.comment, one.public_line(), ["archiver-manifest"])
        for one in (KEY, OTHER_KEY)
    )
)
FIRST, SECOND = Claimant("first", KEY), Claimant("second", OTHER_KEY)
VAULT = "a-vault"


def claimed(*claimants: Claimant, is_near: bool = True) -> MemoryStore:
    """A store that these claimed one after the other."""
    store = MemoryStore(is_near=is_near)
    for number, one in enumerate(claimants):
        claim_vault(
            store, VAULT, ALLOWED, one, lambda now=NOW + number: now, reason="moved" if number else None
        )
    return store


def test_the_first_to_claim_is_the_holder_and_claims_once() -> None:
    store = claimed(FIRST, FIRST)
    assert list(store.contents.files) == ["collectors/00000001.tar"]
    (claim,) = load_claims(store, VAULT, ALLOWED)
    assert (claim.claim.host, claim.claim.key, claim.claim.reason) == ("first", KEY.fingerprint(), None)
    assert claim.claim.at == "2026-10-26T07:33:20.000Z"
    assert require_holder(store, VAULT, ALLOWED, FIRST, claim.head) == claim.head


def test_a_second_host_is_refused_with_who_holds_it_and_since_when() -> None:
    store = claimed(FIRST)
    for refused in (
        lambda: require_holder(store, VAULT, ALLOWED, SECOND, None),
        lambda: claim_vault(store, VAULT, ALLOWED, SECOND, lambda: NOW),
    ):
        with pytest.raises(LockedError, match="kept by the host first since 2026-10-26T07:33:20") as caught:
            refused()
        assert "and this is second" in caught.value.message
        assert "archiver schedule take-over" in str(caught.value.hint)
    assert list(store.contents.files) == ["collectors/00000001.tar"]


def test_the_same_host_with_another_key_is_another_holder() -> None:
    with pytest.raises(LockedError, match=re.escape(f"with the signing key {KEY.fingerprint()} since")):
        require_holder(claimed(FIRST), VAULT, ALLOWED, Claimant("first", OTHER_KEY), None)


def test_after_a_take_over_the_old_host_is_refused_and_may_take_over_again() -> None:
    store = claimed(FIRST, SECOND)
    first, second = load_claims(store, VAULT, ALLOWED)
    assert second.claim.previous == first.head.sha256
    assert second.claim.reason == "moved"
    with pytest.raises(LockedError, match="kept by the host second"):
        look_for_holder(add_vault(store), FIRST, first.head)
    again = claimed(FIRST, SECOND, FIRST)
    assert [one.claim.host for one in load_claims(again, VAULT, ALLOWED)] == ["first", "second", "first"]


def add_vault(store: MemoryStore) -> MemoryStore:
    """With a description and a list of signers that names both keys."""
    for name, data in vault_files(KEY, NOW).items():
        store.contents.files[name] = data
    store.contents.files["vault.json"] = store.contents.files["vault.json"].replace(
        store.contents.files["vault.json"].split(b'"vault": "')[1].split(b'"')[0], VAULT.encode()
    )
    lines = [allowed_signers_line(one.comment, one.public_line()) for one in (KEY, OTHER_KEY)]
    store.contents.files["allowed_signers"] = "\n".join(lines).encode()
    return store


def test_a_holder_asks_a_store_far_away_once_and_whoever_knows_nothing_a_few_times() -> None:
    store = add_vault(claimed(FIRST, is_near=False))
    (claim,) = load_claims(store, VAULT, ALLOWED)
    store.forget_counts()
    assert look_for_holder(store, FIRST, claim.head) == claim.head
    assert store.requests == 1
    store.forget_counts()
    assert look_for_holder(store, FIRST, None) == claim.head
    assert store.requests <= 4


def test_nobody_holds_a_vault_that_nobody_claimed() -> None:
    assert look_for_holder(add_vault(MemoryStore()), FIRST, None) is None
    assert look_for_holder(MemoryStore(), FIRST, None) is None


def test_a_claim_that_is_remembered_and_gone_is_no_leave_to_go_on() -> None:
    store = claimed(FIRST)
    (claim,) = load_claims(store, VAULT, ALLOWED)
    store.contents.files.clear()
    with pytest.raises(IntegrityError, match=r"collectors/00000001\.tar, by which this host held the vault"):
        require_holder(store, VAULT, ALLOWED, FIRST, claim.head)


def test_a_key_that_may_not_sign_in_the_vault_claims_nothing() -> None:
    store = MemoryStore()
    with pytest.raises(ConfigurationError, match="may not sign in this vault"):
        claim_vault(store, VAULT, ALLOWED, Claimant("strange", STRANGE_KEY), lambda: NOW)
    assert not store.contents.files


@pytest.mark.parametrize("before", [(), (FIRST,)], ids=["a vault without claims", "a vault that is held"])
def test_of_many_that_claim_at_once_one_wins_and_the_others_learn_who(before: tuple[Claimant, ...]) -> None:
    store = claimed(*before)
    hosts = [Claimant(f"host-{number}", KEY) for number in range(8)]
    reason = "moved" if before else None
    start, results = threading.Barrier(len(hosts)), dict[str, object]()

    def claim(host: Claimant) -> None:
        start.wait()
        try:
            results[host.host] = claim_vault(store, VAULT, ALLOWED, host, lambda: NOW, reason=reason)
        except LockedError as error:
            results[host.host] = error

    threads = [threading.Thread(target=claim, args=(host,)) for host in hosts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    claims = load_claims(store, VAULT, ALLOWED)
    heads = [one for one in results.values() if isinstance(one, Head)]
    assert len(results) == len(hosts)
    if before:  # each takes over from the one before, or gives up where others are quicker
        assert set(heads) <= {one.head for one in claims[1:]}
        assert heads
    else:
        assert [one.head for one in claims] == heads
    assert (
        require_holder(store, VAULT, ALLOWED, Claimant(claims[-1].claim.host, KEY), None) == claims[-1].head
    )


# What harm shows


def problems_of(store: MemoryStore, **noted: Head) -> list[str]:
    return [one.message for one in verify_claims(store, VAULT, ALLOWED, noted)[1]]


def test_whole_claims_have_no_problem_and_tell_who_came_when() -> None:
    store = claimed(FIRST, SECOND)
    claims, problems = verify_claims(store, VAULT, ALLOWED, {})
    assert problems == []
    assert [one.claim.host for one in claims] == ["first", "second"]
    assert problems_of(store, manifest=claims[0].head) == []
    assert verify_claims(MemoryStore(), VAULT, ALLOWED, {}) == ([], [])


def test_a_claim_that_is_altered_moved_missing_or_of_another_vault_is_named() -> None:
    whole = claimed(FIRST, SECOND).contents.files
    one, two = sorted(whole)
    for files, said in (
        ({one: whole[one].replace(b'"first"', b'"forst"'), two: whole[two]}, f"{one}: "),
        ({two: whole[two]}, f"{two} has number 2 where 1 is due"),
        ({one: whole[one], "collectors/00000003.tar": whole[two]}, "collectors/00000003.tar is no claim"),
        ({one: whole[two]}, f"{one} is no claim"),
        ({one: b""}, f"{one} has 0 bytes"),
        ({one: whole[one], "collectors/x": b""}, "collectors/x is no claim of a host"),
        ({one: whole[one], "collectors/a/00000001.tar": b""}, "collectors/a/00000001.tar is no claim"),
    ):
        store = MemoryStore()
        store.contents.files = files
        (problem,) = problems_of(store)
        assert problem.startswith(said), problem
    other = MemoryStore()
    claim_vault(other, "another", ALLOWED, FIRST, lambda: NOW)
    assert problems_of(other) == [f"{one} belongs to the vault 'another'"]


def test_a_claim_signed_by_nobody_allowed_or_by_another_than_it_names_is_named() -> None:
    claim = next_claim(
        None, vault=VAULT, host="first", key=KEY.fingerprint(), now_ms=NOW, reason=None, tool="t"
    )
    for key, said in ((STRANGE_KEY, "is signed by somebody else"), (OTHER_KEY, "and says otherwise")):
        store = MemoryStore()
        store.contents.files[claim_name(1)] = sign_claim(claim, key)
        (problem,) = problems_of(store)
        assert said in problem


def test_an_end_that_was_cut_off_shows_against_what_was_noted() -> None:
    store = claimed(FIRST, SECOND)
    noted = load_claims(store, VAULT, ALLOWED)[-1].head
    del store.contents.files[claim_name(2)]
    assert problems_of(store, manifest=noted) == [f"{claim_name(2)} is missing, which manifest has noted"]
    anew = claimed(FIRST, FIRST, Claimant("third", KEY))
    assert problems_of(anew, manifest=noted) == [f"{claim_name(2)} is another one, which manifest has noted"]


def test_a_claim_of_a_later_format_is_told_as_such() -> None:
    data = next(iter(claimed(FIRST).contents.files.values()))
    later = data.replace(FORMAT.encode(), b"archiver-collector-2")
    with pytest.raises(NewerVersionError, match="made by a newer version"):
        unpack_claim(later, claim_name(1))


def test_any_program_takes_a_claim_apart_and_only_ours_are_read() -> None:
    data = next(iter(claimed(FIRST).contents.files.values()))
    with tarfile.open(fileobj=io.BytesIO(data)) as opened:
        assert opened.getnames() == ["00000001.json", "00000001.json.sig"]
    assert is_claim(claim_name(1), data)
    assert not is_claim(claim_name(2), data)
    assert not is_claim("collectors/1.tar", data)
    for place in range(0, len(data), 61):
        changed = bytearray(data)
        changed[place] ^= 1
        try:
            (found,) = follow_claims([unpack_claim(bytes(changed), claim_name(1))], ALLOWED, VAULT)
        except (IntegrityError, NewerVersionError):
            continue
        pytest.fail(f"byte {place} was changed, and {found} was read")


def test_names_are_numbers_of_eight_digits_from_one_on() -> None:
    assert parse_claim_name(claim_name(12)) == 12
    for name in ("collectors/00000000.tar", "collectors/1.tar", "collectors/000000001.tar", "00000001.tar"):
        assert parse_claim_name(name) is None
    assert NAMESPACE != "archiver-manifest"
