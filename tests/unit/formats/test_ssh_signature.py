"""OpenSSH signatures: keys, signing, lists of allowed signers, and each way of saying no."""

import base64
import re
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest

from archiver.formats import FormatError
from archiver.formats.ssh_signature import (
    AllowedSigners,
    AllowedSignersError,
    BadSignatureError,
    MalformedKeyError,
    MalformedSignatureError,
    SignatureError,
    Signer,
    SignerNotValidError,
    SigningKey,
    UnknownSignerError,
    WrongNamespaceError,
    allowed_signers_line,
    public_key_fingerprint,
    verify,
)

KEY = SigningKey.generate("collector")
OTHER = SigningKey.generate("other")
NAMESPACE = "archiver-manifest"
MESSAGE = b"the manifest"
SECRET_AT = 15 + 8 + 8 + 4 + 4 + 55  # magic, cipher, key derivation and its options, count, public key
RSA_BLOB = struct.pack(">I", 7) + b"ssh-rsa" + struct.pack(">I3s", 3, b"\1\0\1") + struct.pack(">I", 0)
RSA_LINE = f"ssh-rsa {base64.b64encode(RSA_BLOB).decode()} old"


def strings(*values: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(value)) + value for value in values)


def allowing(options: str = "", key: SigningKey = KEY) -> AllowedSigners:
    return AllowedSigners.parse(f"collector {options} {key.public_line()}\n")


def unarmored(armored: bytes) -> bytes:
    return base64.b64decode(b"".join(armored.splitlines()[1:-1]))


def armored(blob: bytes, kind: str = "SSH SIGNATURE") -> bytes:
    return b"-----BEGIN %b-----\n%b\n-----END %b-----\n" % (
        kind.encode(),
        base64.b64encode(blob),
        kind.encode(),
    )


def signature_blob(
    *,
    preamble: bytes = b"SSHSIG",
    version: int = 1,
    public: bytes | None = None,
    namespace: bytes = NAMESPACE.encode(),
    reserved: bytes = b"",
    hash_name: bytes = b"sha512",
    inner: bytes | None = None,
    end: bytes = b"",
) -> bytes:
    """A signature of KEY over MESSAGE taken apart and put together again, any part of it as asked for."""
    real = unarmored(KEY.sign(MESSAGE, NAMESPACE))
    real_public, real_inner = real[14:65], real[-83:]
    fields = strings(
        real_public if public is None else public,
        namespace,
        reserved,
        hash_name,
        real_inner if inner is None else inner,
    )
    return preamble + struct.pack(">I", version) + fields + end


@pytest.fixture
def kolkata_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine five and a half hours ahead of universal time."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "<+0530>-05:30")
        time.tzset()
        yield
    time.tzset()


class TestSigning:
    def test_a_signature_is_accepted_with_the_name_and_fingerprint_of_its_signer(self) -> None:
        signer = verify(KEY.sign(MESSAGE, NAMESPACE), MESSAGE, NAMESPACE, allowing())
        assert signer == Signer("collector", KEY.fingerprint())

    def test_an_empty_message_is_signed_like_any_other(self) -> None:
        assert verify(KEY.sign(b"", NAMESPACE), b"", NAMESPACE, allowing()).principal == "collector"

    def test_the_armor_has_lines_of_seventy_characters(self) -> None:
        lines = KEY.sign(MESSAGE, NAMESPACE).decode().split("\n")
        assert (lines[0], lines[-2:]) == (
            "-----BEGIN SSH SIGNATURE-----",
            ["-----END SSH SIGNATURE-----", ""],
        )
        assert {len(line) for line in lines[1:-3]} == {70}
        assert 1 <= len(lines[-3]) <= 70

    def test_an_empty_namespace_is_a_callers_mistake(self) -> None:
        with pytest.raises(ValueError, match="namespace"):
            KEY.sign(MESSAGE, "")
        with pytest.raises(ValueError, match="namespace"):
            verify(KEY.sign(MESSAGE, "x"), MESSAGE, "", allowing())


class TestKeys:
    def test_a_written_key_is_read_back_whole(self) -> None:
        read = SigningKey.parse(KEY.to_openssh())
        assert read.public_line() == KEY.public_line()
        assert read.sign(MESSAGE, NAMESPACE) == KEY.sign(MESSAGE, NAMESPACE)

    @pytest.mark.parametrize("length", range(9))
    def test_every_length_of_comment_is_kept(self, length: int) -> None:
        key = SigningKey.generate("ü" + "c" * length if length else "")
        assert SigningKey.parse(key.to_openssh()).comment == key.comment

    def test_a_key_with_windows_line_ends_is_read(self) -> None:
        data = KEY.to_openssh().replace(b"\n", b"\r\n")
        assert SigningKey.parse(data).fingerprint() == KEY.fingerprint()

    def test_the_public_line_names_type_key_and_comment_and_has_the_same_fingerprint(self) -> None:
        kind, blob, comment = KEY.public_line().split(" ")
        assert (kind, comment) == ("ssh-ed25519", "collector")
        assert base64.b64decode(blob)[:15] == strings(b"ssh-ed25519")
        assert public_key_fingerprint(KEY.public_line() + "\n") == KEY.fingerprint()
        assert KEY.fingerprint().startswith("SHA256:")
        assert len(KEY.fingerprint()) == 7 + 43

    def test_without_a_comment_the_public_line_ends_with_the_key(self) -> None:
        assert len(SigningKey.generate().public_line().split(" ")) == 2

    def test_showing_a_key_shows_its_fingerprint_only(self) -> None:
        assert repr(KEY) == str(KEY) == f"<SigningKey {KEY.fingerprint()}>"

    @pytest.mark.parametrize("comment", ["two\nlines", "tab\t", "nul\0", "\ud800"])
    def test_a_comment_that_could_break_a_line_is_refused(self, comment: str) -> None:
        with pytest.raises(MalformedKeyError, match="printable"):
            SigningKey.generate(comment)

    def test_a_foreign_comment_with_control_characters_is_read_without_them(self) -> None:
        blob = unarmored(KEY.to_openssh()).replace(b"collector", b"coll\ncto\xff")
        read = SigningKey.parse(armored(blob, "OPENSSH PRIVATE KEY"))
        assert read.comment == "coll?cto\ufffd"

    @pytest.mark.parametrize(
        ("data", "sentence"),
        [
            (b"", "not between"),
            (
                b"-----BEGIN OPENSSH PRIVATE KEY-----\n-----END OPENSSH PRIVATE KEY-----\n",
                "not between|too early",
            ),
            (b"-----BEGIN OPENSSH PRIVATE KEY-----\n!!!!\n-----END OPENSSH PRIVATE KEY-----\n", "base64"),
            (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "not between"),
            (KEY.to_openssh() + b"more", "not between"),
            (b"x" * 100_000, "100000 bytes are more"),
            (armored(b"openssh-key-v2\0", "OPENSSH PRIVATE KEY"), "not where it should be"),
        ],
    )
    def test_what_is_no_private_key_is_refused(self, data: bytes, sentence: str) -> None:
        with pytest.raises(MalformedKeyError, match=sentence):
            SigningKey.parse(data)

    def test_a_public_half_of_another_key_is_refused(self) -> None:
        blob, other = unarmored(KEY.to_openssh()), unarmored(OTHER.to_openssh())
        place = blob.index(strings(b"ssh-ed25519")) + 15
        public, wrong = blob[place + 4 : place + 36], other[place + 4 : place + 36]
        assert blob.count(public) == 3
        in_pair_only = wrong.join(blob.rsplit(public, 1))
        in_head_only = blob.replace(public, wrong, 1)
        everywhere = blob.replace(public, wrong)
        for changed in (everywhere, in_pair_only, in_head_only):
            with pytest.raises(MalformedKeyError):
                SigningKey.parse(armored(changed, "OPENSSH PRIVATE KEY"))

    @pytest.mark.parametrize(("position", "sentence"), [(-1, "padding"), (SECRET_AT + 4, "check numbers")])
    def test_a_damaged_private_part_is_refused(self, position: int, sentence: str) -> None:
        blob = bytearray(unarmored(SigningKey.generate("c" * 3).to_openssh()))
        blob[position] ^= 1
        with pytest.raises(MalformedKeyError, match=sentence):
            SigningKey.parse(armored(bytes(blob), "OPENSSH PRIVATE KEY"))

    def test_padding_without_end_is_refused(self) -> None:
        blob = unarmored(KEY.to_openssh())
        secret = blob[SECRET_AT + 4 :] + bytes(300)
        with pytest.raises(MalformedKeyError, match="padding"):
            SigningKey.parse(armored(blob[:SECRET_AT] + strings(secret), "OPENSSH PRIVATE KEY"))

    @pytest.mark.parametrize(
        "line", ["", "ssh-ed25519", "ssh-ed25519 ????", "ssh-ed25519 AAAA", f"x {KEY.public_line()}"]
    )
    def test_what_is_no_public_key_line_has_no_fingerprint(self, line: str) -> None:
        with pytest.raises(MalformedKeyError, match="not a public key line"):
            public_key_fingerprint(line)

    def test_a_public_key_of_another_type_or_length_is_refused(self) -> None:
        with pytest.raises(MalformedKeyError, match="only Ed25519"):
            public_key_fingerprint(RSA_LINE)
        for public in (bytes(31), bytes(33)):
            blob = base64.b64encode(strings(b"ssh-ed25519", public)).decode()
            with pytest.raises(MalformedKeyError, match="32 bytes"):
                public_key_fingerprint(f"ssh-ed25519 {blob}")

    def test_importing_the_module_does_not_import_the_slow_serialization_of_ssh_keys(self) -> None:
        code = (
            "import sys; import archiver.formats.ssh_signature as s; k = s.SigningKey.generate();"
            "s.SigningKey.parse(k.to_openssh()).sign(b'', 'n');"
            "sys.exit('cryptography.hazmat.primitives.serialization.ssh' in sys.modules)"
        )
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TestRefusedSignatures:
    def refuse(
        self,
        error: type[SignatureError],
        sentence: str,
        signature: bytes,
        message: bytes = MESSAGE,
        namespace: str = NAMESPACE,
    ) -> None:
        with pytest.raises(error, match=sentence) as caught:
            verify(signature, message, namespace, allowing())
        assert type(caught.value) is error
        assert isinstance(caught.value, FormatError)

    def test_taken_apart_and_put_together_unchanged_a_signature_is_accepted(self) -> None:
        verify(armored(signature_blob()), MESSAGE, NAMESPACE, allowing())

    def test_what_the_reserved_field_holds_is_ignored(self) -> None:
        verify(armored(signature_blob(reserved=b"later")), MESSAGE, NAMESPACE, allowing())

    def test_an_altered_message(self) -> None:
        self.refuse(BadSignatureError, "does not fit", KEY.sign(MESSAGE, NAMESPACE), MESSAGE + b" ")

    def test_another_namespace(self) -> None:
        self.refuse(WrongNamespaceError, "b'archiver-audit'", KEY.sign(MESSAGE, "archiver-audit"))

    def test_a_namespace_rewritten_to_the_one_expected(self) -> None:
        self.refuse(
            BadSignatureError, "does not fit", armored(signature_blob(namespace=b"other")), namespace="other"
        )

    def test_a_key_that_is_not_on_the_list(self) -> None:
        self.refuse(UnknownSignerError, re.escape(OTHER.fingerprint()), OTHER.sign(MESSAGE, NAMESPACE))

    def test_a_listed_key_put_over_another_keys_signature(self) -> None:
        inner = unarmored(OTHER.sign(MESSAGE, NAMESPACE))[-83:]
        self.refuse(BadSignatureError, "does not fit", armored(signature_blob(inner=inner)))

    def test_another_hash_than_the_one_signed(self) -> None:
        self.refuse(BadSignatureError, "does not fit", armored(signature_blob(hash_name=b"sha256")))

    def test_a_hash_that_is_not_known(self) -> None:
        self.refuse(MalformedSignatureError, "sha1", armored(signature_blob(hash_name=b"sha1")))

    @pytest.mark.parametrize("version", [0, 2, 0xFFFFFFFF])
    def test_another_version(self, version: int) -> None:
        self.refuse(MalformedSignatureError, "where it should", armored(signature_blob(version=version)))

    def test_another_preamble(self) -> None:
        self.refuse(MalformedSignatureError, "SSHSIG", armored(signature_blob(preamble=b"SSHSIX")))

    def test_a_key_of_another_type(self) -> None:
        self.refuse(MalformedSignatureError, "only Ed25519 keys", armored(signature_blob(public=RSA_BLOB)))

    def test_a_signature_of_another_type(self) -> None:
        inner = strings(b"rsa-sha2-512", bytes(64))
        self.refuse(MalformedSignatureError, "rsa-sha2-512", armored(signature_blob(inner=inner)))

    @pytest.mark.parametrize("length", [0, 63, 65])
    def test_a_signature_of_another_length(self, length: int) -> None:
        inner = strings(b"ssh-ed25519", bytes(length))
        self.refuse(MalformedSignatureError, "only Ed25519", armored(signature_blob(inner=inner)))

    def test_a_public_key_that_is_no_point(self) -> None:
        public = strings(b"ssh-ed25519", b"\xff" * 32)
        self.refuse(BadSignatureError, "does not fit", armored(signature_blob(public=public)))

    def test_anything_after_a_field(self) -> None:
        self.refuse(MalformedSignatureError, "follows its end", armored(signature_blob(end=b"!")))
        real = unarmored(KEY.sign(MESSAGE, NAMESPACE))
        for blob in (
            signature_blob(public=real[14:65] + b"!"),
            signature_blob(inner=real[-83:] + b"!"),
        ):
            self.refuse(MalformedSignatureError, "follows its end", armored(blob))

    def test_every_cut(self) -> None:
        blob = signature_blob()
        for length in range(len(blob)):
            self.refuse(MalformedSignatureError, "too early|not between", armored(blob[:length]))

    def test_every_cut_of_the_armor(self) -> None:
        text = KEY.sign(MESSAGE, NAMESPACE)
        for length in range(len(text) - 1):
            self.refuse(MalformedSignatureError, "not between", text[:length])

    def test_text_before_and_after_the_armor(self) -> None:
        text = KEY.sign(MESSAGE, NAMESPACE)
        self.refuse(MalformedSignatureError, "not between", b" " + text)
        self.refuse(MalformedSignatureError, "not between", text + b"signed by somebody else")
        self.refuse(MalformedSignatureError, "base64", text + text)

    def test_an_armor_of_megabytes(self) -> None:
        self.refuse(
            MalformedSignatureError, "more than it can have", KEY.sign(MESSAGE, NAMESPACE) + b"\n" * 100_000
        )

    def test_every_flipped_bit_of_the_blob(self) -> None:
        blob = signature_blob()
        for position in range(len(blob)):
            for bit in range(8):
                flipped = bytearray(blob)
                flipped[position] ^= 1 << bit
                with pytest.raises(SignatureError):
                    verify(armored(bytes(flipped)), MESSAGE, NAMESPACE, allowing())


class TestAllowedSigners:
    def test_comments_blank_lines_and_several_signers_are_read(self) -> None:
        text = f"# ours\n\n  \t\r\ncollector {KEY.public_line()}\r\n  # more\n\tothers {OTHER.public_line()}"
        allowed = AllowedSigners.parse(text)
        assert [entry.principal for entry in allowed.entries] == ["collector", "others"]
        assert verify(OTHER.sign(MESSAGE, NAMESPACE), MESSAGE, NAMESPACE, allowed).principal == "others"

    def test_an_empty_list_allows_nobody(self) -> None:
        with pytest.raises(UnknownSignerError):
            verify(KEY.sign(MESSAGE, NAMESPACE), MESSAGE, NAMESPACE, AllowedSigners.parse(""))

    @pytest.mark.parametrize(
        ("written", "principal"),
        [
            ("a,b", "a,b"),
            ('"a b,c"', "a b,c"),
            ('"a#b"', "a#b"),
            ('a,"b c"', "a,b c"),
        ],
    )
    def test_names_are_read_with_openssh_quotes(self, written: str, principal: str) -> None:
        assert AllowedSigners.parse(f"{written} {KEY.public_line()}").entries[0].principal == principal

    @pytest.mark.parametrize(
        ("namespaces", "good"),
        [
            (NAMESPACE, True),
            ("file," + NAMESPACE, True),
            ("archiver-*", True),
            ("archiver-manifes?", True),
            ("*,!archiver-manifest", False),
            ("!archiver-manifest,*", False),
            ("!other,*", True),
            ("file", False),
            ("archiver", False),
            ("[a]rchiver-manifest", False),
            ("ARCHIVER-MANIFEST", False),
            ("", False),
        ],
    )
    def test_the_namespaces_option_allows_what_its_patterns_do(self, namespaces: str, good: bool) -> None:
        allowed = allowing(f'namespaces="{namespaces}"')
        if good:
            verify(KEY.sign(MESSAGE, NAMESPACE), MESSAGE, NAMESPACE, allowed)
        else:
            with pytest.raises(WrongNamespaceError, match="collector may not sign"):
                verify(KEY.sign(MESSAGE, NAMESPACE), MESSAGE, NAMESPACE, allowed)

    def test_a_key_is_valid_from_and_to_the_seconds_given(self) -> None:
        allowed = allowing('valid-after="20261101120000Z",valid-before="20261201Z"')
        start, end = datetime(2026, 11, 1, 12, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
        signature = KEY.sign(MESSAGE, NAMESPACE)
        for at in (start, end, start.astimezone(timezone(timedelta(hours=5)))):
            verify(signature, MESSAGE, NAMESPACE, allowed, at=at)
        with pytest.raises(SignerNotValidError, match="only after 2026-11-01 12:00:00"):
            verify(signature, MESSAGE, NAMESPACE, allowed, at=start - timedelta(seconds=1))
        with pytest.raises(SignerNotValidError, match="only before 2026-12-01 00:00:00"):
            verify(signature, MESSAGE, NAMESPACE, allowed, at=end + timedelta(seconds=1))

    def test_without_a_time_the_present_counts(self) -> None:
        signature = KEY.sign(MESSAGE, NAMESPACE)
        verify(signature, MESSAGE, NAMESPACE, allowing('valid-after="20200101Z"'))
        with pytest.raises(SignerNotValidError):
            verify(signature, MESSAGE, NAMESPACE, allowing('valid-before="20200101Z"'))

    def test_a_time_without_zone_to_verify_at_is_a_callers_mistake(self) -> None:
        naive = datetime(2026, 11, 1, tzinfo=UTC).replace(tzinfo=None)
        with pytest.raises(ValueError, match="time zone"):
            verify(KEY.sign(MESSAGE, NAMESPACE), MESSAGE, NAMESPACE, allowing(), at=naive)

    @pytest.mark.parametrize(
        ("text", "hour", "minute", "second"),
        [("20261101Z", 0, 0, 0), ("202611011530z", 15, 30, 0), ("20261101153045utc", 15, 30, 45)],
    )
    def test_times_in_universal_time_are_read(self, text: str, hour: int, minute: int, second: int) -> None:
        entry = allowing(f'valid-after="{text}"').entries[0]
        assert entry.valid_after == datetime(2026, 11, 1, hour, minute, second, tzinfo=UTC)

    def test_times_without_zone_are_the_machines(self, kolkata_time: None) -> None:
        entry = allowing('valid-after="20260701"').entries[0]
        assert entry.valid_after == datetime(2026, 6, 30, 18, 30, tzinfo=UTC)

    def test_a_second_line_for_a_key_may_allow_what_the_first_does_not(self) -> None:
        text = f'old namespaces="file" {KEY.public_line()}\nnew namespaces="{NAMESPACE}" {KEY.public_line()}'
        signature = KEY.sign(MESSAGE, NAMESPACE)
        assert verify(signature, MESSAGE, NAMESPACE, AllowedSigners.parse(text)).principal == "new"

    def test_keys_of_other_types_are_passed_over(self) -> None:
        allowed = AllowedSigners.parse(f"old {RSA_LINE}\ncollector {KEY.public_line()}")
        assert verify(KEY.sign(MESSAGE, NAMESPACE), MESSAGE, NAMESPACE, allowed).principal == "collector"

    def test_option_names_are_read_in_any_case_and_values_may_hold_blanks(self) -> None:
        entry = allowing('NAMESPACES="a b,c",Valid-After="20260101Z"').entries[0]
        assert (entry.namespaces, entry.valid_after) == ("a b,c", datetime(2026, 1, 1, tzinfo=UTC))

    @pytest.mark.parametrize(
        ("line", "sentence"),
        [
            ("collector", "a name and a key"),
            ('"collector ' + KEY.public_line(), "a name and a key"),
            ('"" ' + KEY.public_line(), "a name and a key"),
            ("collector ssh-ed25519", "no key"),
            ("collector ssh-ed25519 AAAA", "no key"),
            ("collector ssh-rsa " + KEY.public_line().split()[1], "no key"),
            ("collector namespaces " + KEY.public_line(), "unknown option"),
            ("collector namespaces=file " + KEY.public_line(), "unknown option"),
            ('collector namespaces="file ' + KEY.public_line(), "no key"),
            ('collector no-touch-required,namespaces="a" ' + KEY.public_line(), "unknown option"),
            ('collector namespaces="a", ' + KEY.public_line(), "unknown option"),
            ('collector namespaces="a",namespaces="b" ' + KEY.public_line(), "namespaces is there twice"),
            ("collector cert-authority " + KEY.public_line(), "certificate authorities"),
            ('collector namespaces="a",cert-authority ' + KEY.public_line(), "certificate authorities"),
            ('collector valid-after="2026" ' + KEY.public_line(), "not a time"),
            ('collector valid-after="20261301Z" ' + KEY.public_line(), "not a time"),
            ('collector valid-after="00000101" ' + KEY.public_line(), "not a time"),
            ('collector valid-after="19690101Z" ' + KEY.public_line(), "before 1970"),
            ('collector valid-after="20260102Z",valid-before="20260102Z" ' + KEY.public_line(), "not later"),
        ],
    )
    def test_a_line_that_cannot_be_read_is_refused_by_its_number(self, line: str, sentence: str) -> None:
        with pytest.raises(AllowedSignersError, match=f"line 2: .*{sentence}"):
            AllowedSigners.parse(f"# first\n{line}\n")

    def test_a_made_line_is_read_as_what_it_was_made_of(self) -> None:
        line = allowed_signers_line(
            "collector-1@host", KEY.public_line() + "\n", ["archiver-manifest", "file"]
        )
        entry = AllowedSigners.parse(line).entries[0]
        assert (entry.principal, entry.namespaces) == ("collector-1@host", "archiver-manifest,file")
        assert (
            AllowedSigners.parse(allowed_signers_line("x", KEY.public_line())).entries[0].namespaces is None
        )

    def test_an_empty_list_of_namespaces_allows_none_rather_than_all(self) -> None:
        allowed = AllowedSigners.parse(allowed_signers_line("x", KEY.public_line(), []))
        with pytest.raises(WrongNamespaceError):
            verify(KEY.sign(MESSAGE, NAMESPACE), MESSAGE, NAMESPACE, allowed)

    @pytest.mark.parametrize(
        "name", ["", "a b", 'a"b', "#a", "a,b", "a\nb", "*", "a?", "!a", "a\\", "a\0b", "\ud800"]
    )
    def test_a_name_the_list_cannot_hold_is_refused(self, name: str) -> None:
        with pytest.raises(AllowedSignersError, match="cannot be a name"):
            allowed_signers_line(name, KEY.public_line())
        with pytest.raises(AllowedSignersError, match="cannot be a name"):
            allowed_signers_line("collector", KEY.public_line(), [name])

    @pytest.mark.parametrize("line", ["", RSA_LINE, KEY.public_line() + "\nintruder " + OTHER.public_line()])
    def test_a_made_line_never_holds_another_key_or_a_second_line(self, line: str) -> None:
        with pytest.raises(MalformedKeyError):
            allowed_signers_line("collector", line)
