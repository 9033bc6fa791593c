"""The custody register: what is written is read, and nothing of it can go or come unseen."""

import itertools
import json
import subprocess
from pathlib import Path

import pytest

from archiver.audit.entry import Entry
from archiver.audit.exchange import exchange_logs
from archiver.audit.names import CUSTODY_KEY, entry_name, signers_line, signers_name
from archiver.audit.verify import Against, verify_log
from archiver.chain import Head
from archiver.custody.entry import (
    MOST_RECORDS,
    MOST_TEXT,
    Draft,
    RecordId,
    Scope,
    parse_custody,
    proof_of,
)
from archiver.custody.key import require_register_key
from archiver.custody.reading import has_custody, load_custody, load_custody_of_all, noted_in
from archiver.errors import IntegrityError, NoKeyError, StoreError, UsageError
from archiver.formats.ssh_signature import SigningKey
from archiver.keyholders import Keyholder, Keyholders
from archiver.keys import new_identity, seal_archive_key
from archiver.rewrap import apply_keyholders, reach_stores
from archiver.stores.local import LocalStore
from archiver.stores.named import NamedStore, OpenedStore
from tests.memory_store import MemoryStore
from tests.programs import require_program
from tests.unit.custody.registers import (
    ANNE,
    BERT,
    FIRST,
    NOW,
    SECOND,
    STRANGER,
    VAULT,
    hold,
    make_store,
    opened,
    register_of,
    release,
)


def problems(store: MemoryStore) -> list[str]:
    return [one.message for one in verify_log(store, Against(VAULT)).problems]


def test_a_vault_in_which_nothing_was_decided_has_an_empty_register_without_a_key() -> None:
    store = make_store()
    assert load_custody(store, []).entries == ()
    assert not has_custody(store)


def test_a_hold_stands_until_its_release(tmp_path: Path) -> None:
    store = make_store()
    register = register_of(store, folder=tmp_path)
    first, second = register.add(hold("2026-11-01", case="C/1")), register.add(hold("2026-12-01"))
    assert [one.id for one in load_custody(store, [ANNE], vault=VAULT).holds()] == sorted(
        [first.id, second.id]
    )
    register.add(release(first))
    (left,) = load_custody(store, [ANNE]).holds()
    assert (left, left.by, left.scope.archives) == (second, "records", ("2026-12-01",))
    assert problems(store) == []


def test_a_record_is_restricted_until_that_very_restriction_is_lifted(tmp_path: Path) -> None:
    store = make_store()
    register = register_of(store, folder=tmp_path)
    both = register.add(Draft(kind="restrict", reason="s.47", scope=Scope(records=(FIRST, SECOND))))
    again = register.add(Draft(kind="restrict", reason="once more", scope=Scope(records=(FIRST,))))
    assert load_custody(store, [ANNE]).restricted() == {FIRST, SECOND}
    register.add(Draft(kind="unrestrict", reason="over", scope=Scope(records=(FIRST, SECOND)), of=(both.id,)))
    custody = load_custody(store, [ANNE])
    assert custody.restricted() == {FIRST}
    assert [(one.id, set(records)) for one, records in custody.restrictions()] == [(again.id, {FIRST})]
    assert all(isinstance(one, RecordId) for one in custody.restricted())


def test_the_latest_review_of_an_archive_counts(tmp_path: Path) -> None:
    store = make_store()
    ticks = itertools.count(NOW, 1000)
    register = register_of(store, folder=tmp_path, clock=lambda: next(ticks))

    def review(decision: str) -> Draft:
        return Draft(
            kind="review", reason="asked", reviewer="A. B. Clerk", decision=decision,  # type: ignore[arg-type]
            scope=Scope(archives=("2026-11-01",)),
        )  # fmt: skip

    for decision in ("dispose", "keep"):
        register.add(review(decision))
    found = load_custody(store, [ANNE]).review_of("2026-11-01")
    assert found is not None
    assert found.decision == "keep"
    assert load_custody(store, [ANNE]).review_of("2026-12-01") is None


def test_two_keyholders_decide_in_chains_of_their_own_and_either_may_release(tmp_path: Path) -> None:
    store = make_store()
    first = register_of(store, folder=tmp_path).add(hold("2026-11-01"))
    register_of(store, folder=tmp_path, name="complaints").add(release(first))
    custody = load_custody(store, [ANNE])
    assert custody.holds() == []
    assert {one.by for one in custody.entries} == {"records", "complaints"}
    assert problems(store) == []


def test_an_entry_is_found_by_the_beginning_of_its_id(tmp_path: Path) -> None:
    store = make_store()
    entry = register_of(store, folder=tmp_path).add(hold("2026-11-01"))
    custody = load_custody(store, [ANNE])
    assert custody.find(entry.id[:8].upper(), kinds=["hold"]) == entry
    for wrong in ("", entry.id[:3], "zzzz"):
        with pytest.raises(UsageError, match="there is no hold"):
            custody.find(wrong, kinds=["hold"])
    with pytest.raises(UsageError, match="there is no restrict"):
        custody.find(entry.id, kinds=["restrict"])


def test_whoever_is_no_keyholder_reads_nothing(tmp_path: Path) -> None:
    store = make_store()
    register_of(store, folder=tmp_path).add(hold("2026-11-01", reason="about a named matter"))
    with pytest.raises(NoKeyError) as caught:
        load_custody(store, [STRANGER])
    assert caught.value.exit_code == 12
    assert all(b"named matter" not in data for data in store.contents.files.values())


def test_a_new_keyholder_reads_what_was_decided_before_and_a_removed_one_nothing(tmp_path: Path) -> None:
    (tmp_path / "vault").mkdir()
    store = LocalStore(tmp_path / "vault")
    store.put_new("vault.json", json.dumps({"vault": VAULT}).encode())
    entry = register_of(store, folder=tmp_path).add(hold("2026-11-01"))
    stores = [NamedStore("vault", True, lambda: store)]
    names = Keyholders().add(Keyholder("records", ANNE.recipient(), "2026-11-01"))
    names = names.add(Keyholder("complaints", BERT.recipient(), "2026-11-01"))
    assert apply_keyholders(reach_stores(stores), tmp_path / "recipients.txt", names, [ANNE]) == 0
    assert load_custody(store, [BERT]).holds() == [entry]
    apply_keyholders(reach_stores(stores), tmp_path / "recipients.txt", names.remove("records"), [BERT])
    with pytest.raises(NoKeyError):
        load_custody(store, [ANNE])


def test_whoever_would_be_shut_out_of_the_register_does_not_remove_himself(tmp_path: Path) -> None:
    store = make_store()
    register_of(store, folder=tmp_path).add(hold("2026-11-01"))
    names = Keyholders().add(Keyholder("complaints", BERT.recipient(), "2026-11-01"))
    stores = reach_stores([NamedStore("vault", True, lambda: store)])
    with pytest.raises(UsageError, match="would be shut out"):
        apply_keyholders(stores, tmp_path / "recipients.txt", names, [ANNE])


def test_an_altered_entry_is_never_passed_over(tmp_path: Path) -> None:
    store = make_store()
    register_of(store, folder=tmp_path).add(hold("2026-11-01"))
    name = entry_name("_custody.records", 1)
    whole = store.contents.files[name]
    for place in range(0, len(whole), 97):
        data = bytearray(whole)
        data[place] ^= 1
        store.contents.files[name] = bytes(data)
        with pytest.raises(IntegrityError) as caught:
            load_custody(store, [ANNE])
        assert caught.value.exit_code == 20
    store.contents.files[name] = whole
    assert len(load_custody(store, [ANNE]).holds()) == 1


def test_a_hole_an_order_that_was_changed_and_a_stranger_in_the_folder_are_refused(tmp_path: Path) -> None:
    store = make_store()
    register = register_of(store, folder=tmp_path)
    for number in range(3):
        register.add(hold(f"2026-11-0{number + 1}"))
    files = store.contents.files
    first, second = (entry_name("_custody.records", number) for number in (1, 2))
    kept = dict(files)
    del files[second]
    with pytest.raises(IntegrityError, match="number 3 where 2 is due"):
        load_custody(store, [ANNE])
    files.update(kept)
    files[first], files[second] = files[second], files[first]
    with pytest.raises(IntegrityError, match="is not where it should be"):
        load_custody(store, [ANNE])
    files.update(kept)
    files["audit/_custody.records/note.txt"] = b"hello"
    with pytest.raises(IntegrityError, match=r"note\.txt is not of the custody register"):
        load_custody(store, [ANNE])


def test_an_end_that_was_cut_off_shows_by_the_manifests_and_by_the_other_chains(tmp_path: Path) -> None:
    store = make_store()
    register = register_of(store, folder=tmp_path)
    register.add(hold("2026-11-01"))
    entry = register.add(hold("2026-12-01"))
    name = entry_name("_custody.records", 2)
    logs = verify_log(store, Against(VAULT)).heads
    assert logs["_custody.records"].sequence == 2
    noted = noted_in([("2027-01-01", logs)])
    assert len(noted) == 1  # the log's own chains are none of the register's
    assert entry in load_custody(store, [ANNE], noted=noted).holds()
    data = store.contents.files.pop(name)
    assert len(load_custody(store, [ANNE]).holds()) == 1  # nothing else is known
    with pytest.raises(IntegrityError, match=r"archives/2027-01-01/manifest\.json has noted entry 2"):
        load_custody(store, [ANNE], noted=noted)
    store.contents.files[name] = data
    register_of(store, folder=tmp_path, name="complaints").add(hold("2026-11-01"))
    del store.contents.files[name]
    with pytest.raises(IntegrityError, match="its end was cut off"):
        load_custody(store, [ANNE])
    for left in [one for one in store.contents.files if one.startswith("audit/_custody")]:
        del store.contents.files[left]
    with pytest.raises(IntegrityError, match="ends at entry 0"):
        load_custody(store, [ANNE], noted=noted)


def test_another_entry_under_a_number_that_was_noted_is_refused(tmp_path: Path) -> None:
    store = make_store()
    register_of(store, folder=tmp_path).add(hold("2026-11-01"))
    noted = noted_in([("2027-01-01", {"_custody.records": Head(1, "0" * 64)})])
    with pytest.raises(IntegrityError, match="is not the one that archives/2027-01-01"):
        load_custody(store, [ANNE], noted=noted)


def test_a_chain_that_a_stranger_puts_there_is_refused(tmp_path: Path) -> None:
    """Somebody who can write to the store, and knows every public key, but opens nothing."""
    store = make_store()
    held = register_of(store, folder=tmp_path).add(hold("2026-11-01"))
    (tmp_path / "b").mkdir()
    forger = SigningKey.generate("complaints")
    own = make_store()
    faked = register_of(own, folder=tmp_path / "b", name="complaints", key=forger)
    faked.add(release(held))
    for name, data in own.contents.files.items():
        if "complaints" in name:
            store.put_new(name, data)
    with pytest.raises(IntegrityError, match="is not sealed to the custody register's key"):
        load_custody(store, [ANNE])


def test_a_chain_sealed_to_the_right_key_by_one_who_could_not_open_it_is_refused(tmp_path: Path) -> None:
    store = make_store()
    register = register_of(store, folder=tmp_path)
    held = register.add(hold("2026-11-01"))
    register._key = new_identity(classic=True)  # the recipient is known, the identity is not
    register.add(release(held))
    with pytest.raises(IntegrityError, match="who could not open the register's key"):
        load_custody(store, [ANNE])


def test_a_list_of_signers_that_names_a_key_which_does_not_sign_the_keyholders_log_is_refused(
    tmp_path: Path,
) -> None:
    store = make_store()
    register_of(store, folder=tmp_path).add(hold("2026-11-01"))
    name = signers_name("_custody.records")
    stranger = SigningKey.generate("records")
    store.contents.files[name] += signers_line("_custody.records", stranger.public_line())
    with pytest.raises(IntegrityError, match="names a key that does not sign the log of records"):
        load_custody(store, [ANNE])
    assert any("does not sign the log of records" in one for one in problems(store))
    del store.contents.files[name]
    with pytest.raises(IntegrityError, match="allowed_signers is missing"):
        load_custody(store, [ANNE])


def test_another_vaults_register_is_refused(tmp_path: Path) -> None:
    store = make_store()
    register_of(store, folder=tmp_path).add(hold("2026-11-01"))
    with pytest.raises(IntegrityError, match="belongs to the vault"):
        load_custody(store, [ANNE], vault="another")


def test_a_decision_on_which_the_key_is_missing_or_another_is_refused(tmp_path: Path) -> None:
    store = make_store()
    register_of(store, folder=tmp_path).add(hold("2026-11-01"))
    own = store.contents.files.pop(CUSTODY_KEY)
    with pytest.raises(IntegrityError, match=r"_custody/key\.age is missing"):
        load_custody(store, [ANNE])
    assert problems(store) == ["audit/_custody/key.age is missing"]
    with pytest.raises(IntegrityError, match="holds decisions of the custody register"):
        require_register_key(opened(store), [ANNE], [ANNE.recipient()])
    store.contents.files[CUSTODY_KEY] = seal_archive_key(STRANGER, [ANNE.recipient()])
    with pytest.raises(IntegrityError, match="not sealed to the custody register"):
        load_custody(store, [ANNE])
    for wrong in (b"", b"nonsense", own[:-1]):
        store.contents.files[CUSTODY_KEY] = wrong
        with pytest.raises(IntegrityError, match=r"_custody/key\.age"):
            load_custody(store, [ANNE])


@pytest.mark.parametrize("damaged", [b"", b"nonsense", b"age-encryption.org/v1\n" + bytes(300)])
def test_a_key_of_the_register_that_is_damaged_is_found_without_a_key_and_given_to_no_other_store(
    tmp_path: Path, damaged: bytes
) -> None:
    store, other = make_store(), make_store()
    register_of(store, folder=tmp_path).add(hold("2026-11-01"))
    store.contents.files[CUSTODY_KEY] = damaged
    assert problems(store) == ["audit/_custody/key.age is not an age file"]
    holders = exchange_logs([("one", store), ("two", other)], vault=VAULT)
    assert [one.message for one in holders[0].problems] == ["audit/_custody/key.age is not an age file"]
    assert CUSTODY_KEY not in other.contents.files


def test_the_register_is_not_begun_while_a_required_store_is_away() -> None:
    store = make_store()
    away = OpenedStore("second", True, StoreError("it is away"))
    with pytest.raises(StoreError, match="begun while store second is away"):
        require_register_key([*opened(store), away], [ANNE], [ANNE.recipient()])
    assert CUSTODY_KEY not in store.contents.files
    optional = OpenedStore("third", False, StoreError("it is away"))
    require_register_key([*opened(store), optional], [ANNE], [ANNE.recipient()])
    require_register_key([*opened(store), away], [ANNE], [ANNE.recipient()])  # it is begun


def test_two_stores_with_other_keys_of_a_register_are_refused() -> None:
    first, second = make_store(), make_store()
    for store in (first, second):
        require_register_key(opened(store), [ANNE], [ANNE.recipient()])
    with pytest.raises(IntegrityError, match="is another one than in"):
        require_register_key(opened(first, second), [ANNE], [ANNE.recipient()])


def test_a_store_that_was_away_is_given_the_register_and_until_then_both_count(tmp_path: Path) -> None:
    first, second = make_store(), make_store()
    entry = register_of(first, folder=tmp_path).add(hold("2026-11-01"))
    assert load_custody_of_all([second, first], [ANNE]).holds() == [entry]
    noted = noted_in([("2027-01-01", verify_log(first, Against(VAULT)).heads)])
    assert load_custody_of_all([second, first], [ANNE], noted=noted).holds() == [entry]
    with pytest.raises(IntegrityError, match="cut off"):
        load_custody(second, [ANNE], noted=noted)
    holders = exchange_logs([("first", first), ("second", second)], vault=VAULT)
    assert [one.problems for one in holders] == [[], []]
    assert load_custody(second, [ANNE], noted=noted).holds() == [entry]
    assert problems(second) == []


def test_two_stores_with_other_entries_under_one_name_are_refused(tmp_path: Path) -> None:
    first, second = make_store(), make_store()
    key = require_register_key(opened(first, second), [ANNE], [ANNE.recipient()])
    assert key
    for folder, store in (("a", first), ("b", second)):
        (tmp_path / folder).mkdir()
        register_of(store, folder=tmp_path / folder).add(hold("2026-11-01"))
    with pytest.raises(IntegrityError, match="is another one in another store"):
        load_custody_of_all([first, second], [ANNE])


def test_what_is_too_long_or_says_no_reason_is_refused_and_nothing_is_cut(tmp_path: Path) -> None:
    store = make_store()
    register = register_of(store, folder=tmp_path)
    many = tuple(RecordId("x", "post", f"{number:019d}") for number in range(MOST_RECORDS))
    entry = register.add(Draft(kind="restrict", reason="x" * MOST_TEXT, scope=Scope(records=many)))
    assert load_custody(store, [ANNE]).restricted() == set(many)
    assert load_custody(store, [ANNE]).entries == (entry,)
    for wrong in (
        Draft(kind="restrict", reason="x", scope=Scope(records=(*many, FIRST))),
        hold("2026-11-01", reason="x" * (MOST_TEXT + 1)),
        hold("2026-11-01", reason=" \n"),
        hold("2026-11-01", reason="\ud800"),
        Draft(kind="hold", reason="x", detail={"number": float("nan")}),
    ):
        with pytest.raises(UsageError):
            register.add(wrong)
    assert len(load_custody(store, [ANNE]).entries) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"number": float("nan")}, {"text": "\ud800"}, {}, {"id": 1}, [], None,
        {"format": "archiver-custody-2"},
    ],
)  # fmt: skip
def test_whatever_somebody_who_may_writes_it_is_a_decision_or_damage(fields: object) -> None:
    """Somebody who signs and opens the register, with a program that is not ours."""
    key = new_identity(classic=True)
    try:
        proof = proof_of(fields, "_custody.records", key) if isinstance(fields, dict) else "0" * 64
    except ValueError:
        proof = "0" * 64
    entry = Entry(
        nonce="0", sequence=1, at="2026-11-01T00:00:00.000Z", phase="end", verb="hold", command="hold",
        system_account="a", host="h", tool="t", configuration="c",
        detail={"custody": fields, "proof": proof},
    )  # fmt: skip
    with pytest.raises(IntegrityError) as caught:
        parse_custody(entry, "_custody.records", "records", key, "00000001.tar")
    assert "00000001.tar" in caught.value.message


def test_other_programs_read_a_decision(tmp_path: Path) -> None:
    ssh_keygen, tar, age = (require_program(one) for one in ("ssh-keygen", "tar", "age"))
    (tmp_path / "vault").mkdir()
    store = LocalStore(tmp_path / "vault")
    store.put_new("vault.json", json.dumps({"vault": VAULT}).encode())
    entry = register_of(store, folder=tmp_path).add(hold("2026-11-01", case="C/1"))
    audit = tmp_path / "vault/audit"
    (tmp_path / "identity").write_text(ANNE.encode() + "\n")

    def run(*command: str | Path, **how: object) -> bytes:
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, **how).stdout  # type: ignore[call-overload, no-any-return]

    (tmp_path / "register").write_bytes(run(age, "-d", "-i", "identity", audit / "_custody/key.age"))
    run(tar, "-xf", audit / "_custody.records/00000001.tar")
    signers = audit / "_custody.records/allowed_signers"
    run(
        ssh_keygen, "-Y", "verify", "-f", signers, "-I", "_custody.records", "-n", "archiver-log",
        "-s", "00000001.json.sig", input=(tmp_path / "00000001.json").read_bytes(),
    )  # fmt: skip
    said = json.loads(run(age, "-d", "-i", "register", "00000001.json.age"))
    assert said["verb"] == "hold"
    assert said["detail"]["custody"]["id"] == entry.id
    assert said["detail"]["custody"]["scope"] == {"archives": ["2026-11-01"]}
