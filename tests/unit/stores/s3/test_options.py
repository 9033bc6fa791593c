import logging
import re
import traceback
from dataclasses import replace

import pytest

from archiver.errors import ArchiverError, StoreError
from archiver.stores.s3 import S3Options, S3Store


def test_a_place_is_told_with_its_server_and_without_a_password() -> None:
    assert S3Options("bucket").location == "s3://bucket"
    assert S3Options("bucket", "a/b/").location == "s3://bucket/a/b"
    options = S3Options("bucket", endpoint="https://user:word@s3.example:9000/path")
    assert options.location == "s3://bucket at s3.example:9000"
    assert repr(S3Store(options)) == "S3Store('s3://bucket at s3.example:9000')"


def test_the_keys_are_in_no_text(caplog: pytest.LogCaptureFixture) -> None:
    keys = ("KEY1", "KEY2", "KEY3")
    options = S3Options("b", "p/", "http://u:KEY4@127.0.0.1:9", "r", "path", None, *keys, tries=1)
    with caplog.at_level(logging.INFO):
        logging.getLogger(__name__).warning("%s %r %s", options, options, replace(options, prefix="q/"))
        with pytest.raises(StoreError) as caught:
            S3Store(options).put_new("a", b"data")
    own = [
        "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
        for error in (caught.value, StoreError(f"{options}"))
    ]
    assert "options = S3Options(" in own[0], "what a frame holds is in the text"
    for text in (repr(options), str(options), f"{options}", caplog.text, repr(S3Store(options))):
        assert not any(word in text for word in keys)
    for text in own:
        frames_of_ours = re.findall(r"^ +(?:options|self) = .*$", text, re.MULTILINE)
        assert not any(word in line for line in frames_of_ours for word in keys)
    assert "KEY4" not in str(caught.value)


def test_a_prefix_ends_in_a_slash() -> None:
    with pytest.raises(ValueError, match="ends in a slash"):
        S3Options("bucket", "force")
    assert S3Options("bucket", "force/").key("a/b") == "force/a/b"
    with pytest.raises(ArchiverError, match="cannot be a file's name"):
        S3Options("bucket", "force/").key("../b")


def test_making_a_store_asks_nothing_of_a_server() -> None:
    store = S3Store(S3Options("bucket", endpoint="http://127.0.0.1:9"))
    assert not store.is_near
