"""The list of keyholders, `recipients.txt`."""

import subprocess
from pathlib import Path

import pytest

from archiver.errors import ArchiverError, ConfigurationError, UsageError
from archiver.formats import age
from archiver.keys import Identity, Keyholder, Keyholders, new_identity
from tests.programs import require_program

ANNE, BERT = (new_identity(classic=True) for _ in range(2))
QUANTUM = new_identity()


def keyholders(*pairs: tuple[str, Identity]) -> Keyholders:
    held = Keyholders()
    for name, identity in pairs:
        held = held.add(Keyholder(name, identity.recipient(), "2026-11-01"))
    return held


def test_a_list_of_keyholders_is_saved_and_loaded(tmp_path: Path) -> None:
    held = keyholders(("anne", ANNE), ("bert", BERT))
    held.save(tmp_path / "recipients.txt")
    assert Keyholders.load(tmp_path / "recipients.txt") == held
    assert held.recipients() == [ANNE.recipient(), BERT.recipient()]


def test_the_age_program_encrypts_to_the_list_as_it_is(tmp_path: Path) -> None:
    program = require_program("age")
    keyholders(("anne", ANNE), ("bert", BERT)).save(tmp_path / "recipients.txt")
    sealed = subprocess.run(
        [program, "-R", str(tmp_path / "recipients.txt")], input=b"text", capture_output=True, check=True
    ).stdout
    assert age.decrypt([BERT], sealed) == b"text"


def test_names_and_keys_stand_in_the_list_once() -> None:
    held = keyholders(("anne", ANNE))
    with pytest.raises(UsageError, match="there is a keyholder anne already"):
        held.add(Keyholder("Anne", BERT.recipient(), "2026-11-01"))
    with pytest.raises(UsageError, match="this key is there already, as keyholder anne"):
        held.add(Keyholder("bert", ANNE.recipient(), "2026-11-01"))


@pytest.mark.parametrize("name", ["", "a b", "../a", ".a", "a/b", "ä", "a" * 65, "a\nb", "-a"])
def test_a_name_that_cannot_name_a_file_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a keyholder's name"):
        Keyholders().add(Keyholder(name, ANNE.recipient(), "2026-11-01"))


def test_a_classic_key_never_stands_beside_a_post_quantum_one() -> None:
    with pytest.raises(UsageError, match=r"anne's key is classic \(X25519\) and q's is post-quantum"):
        keyholders(("q", QUANTUM), ("anne", ANNE))
    with pytest.raises(UsageError, match="age encrypts to one kind only"):
        keyholders(("anne", ANNE), ("q", QUANTUM))


def test_the_last_keyholder_is_never_removed() -> None:
    held = keyholders(("anne", ANNE), ("bert", BERT)).remove("anne")
    assert held == keyholders(("bert", BERT))
    with pytest.raises(UsageError, match="bert is the only keyholder"):
        held.remove("bert")
    with pytest.raises(UsageError, match="there is no keyholder anne"):
        held.remove("anne")


def test_a_list_edited_by_hand_is_read() -> None:
    text = (
        "\n# ours\r\n#keyholder: anne ,  added 2026-11-01\r\n# sits in room 2\n\n"
        f"  {ANNE.recipient().encode()}  \n"
    )
    assert Keyholders.parse(text, "here") == keyholders(("anne", ANNE))


OWNER = "# keyholder: anne, added 2026-11-01\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "here has no keyholder"),
        ("# only words\n", "here has no keyholder"),
        (ANNE.recipient().encode(), "here: line 1: nothing says whose key this is"),
        (
            f"{OWNER}{ANNE.recipient().encode()}\n{BERT.recipient().encode()}",
            "here: line 3: nothing says whose",
        ),
        (f"{OWNER}age1nonsense", "here: line 2: "),
        (f"{OWNER}{ANNE.encode()}", "here: line 2: a recipient starts with"),
        (f"{OWNER}{ANNE.recipient().encode()}\n" * 2, "here: line 4: there is a keyholder anne already"),
    ],
)
def test_what_is_wrong_in_a_list_is_named_by_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Keyholders.parse(text, "here")
    assert caught.value.message.startswith(message)
    assert "AGE-SECRET" not in caught.value.message


def test_a_list_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no list of keyholders"):
        Keyholders.load(tmp_path / "absent")
    (tmp_path / "latin").write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match="is not UTF-8 text"):
        Keyholders.load(tmp_path / "latin")
    with pytest.raises(ArchiverError, match="is a directory"):
        Keyholders.load(tmp_path)
