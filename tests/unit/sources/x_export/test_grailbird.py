from pathlib import Path

import pytest

from archiver.records import Account, Post
from archiver.sources.x_export import XExport
from tests.unit.sources.x_export import builder as make
from tests.unit.sources.x_export.reading_helper import read, record_of

MONTHS = {
    "2013_02": [
        make.grailbird_post("297202450000000000", "Road &amp; rail", "Fri Feb 01 04:12:21 +0000 2013"),
        make.grailbird_post(
            "297202460000000000",
            "RT @firebrigade: cut…",
            "Fri Feb 01 04:13:21 +0000 2013",
            retweeted_status={
                "id_str": "9",
                "text": "cut &amp; dried",
                "user": {"screen_name": "FireBrigade"},
            },
        ),
    ],
    "2015_10": [make.grailbird_post("649947000000000000", "New form of time", "2015-10-02 20:15:40 +0000")],
}
OLD_HEADER = (
    '"tweet_id","in_reply_to_status_id","in_reply_to_user_id","retweeted_status_id","retweeted_status_user_id",'
    '"timestamp","source","text","expanded_urls"'
)
NEW_HEADER = (
    '"tweet_id","in_reply_to_status_id","in_reply_to_user_id","timestamp","source","text",'
    '"retweeted_status_id","retweeted_status_user_id","retweeted_status_timestamp","expanded_urls"'
)
OLD_ROW = (
    '"21","5","6","","","2013-02-01 04:12:21 +0000","<a href=""x"">web</a>","Two\nlines, ""quoted""",'
    '"https://example.org/a,b,http://example.org/c"'
)
NEW_ROW = '"22","","","2013-02-01 04:12:21 +0000","web","RT @firebrigade: dry","9","77","",""'


def records(path: Path) -> list[Post]:
    found = read(path)
    posts = [record_of(found, item) for item in found.of("post")]
    return [each for each in posts if isinstance(each, Post)]


def test_months_are_read_and_held_against_the_index(tmp_path: Path) -> None:
    found = read(make.grailbird(tmp_path / "x.zip", MONTHS))
    assert found.ids("post") == ["297202450000000000", "297202460000000000", "649947000000000000"]
    assert found.problems == []
    assert found.absences == {"post"}
    assert [each.expected for each in found.ends.values()] == [None, 2, 1]
    assert {each.layout for each in found.captures.values()} == {"x-grailbird"}


def test_both_forms_of_time_and_the_whole_original_of_a_repost_are_read(tmp_path: Path) -> None:
    first, repost, last = records(make.grailbird(tmp_path / "x.zip", MONTHS))
    assert first.text == "Road & rail"
    assert first.posted_ms == 1_359_691_941_000
    assert last.posted_ms == 1_443_816_940_000
    assert (repost.kind, repost.repost_of_id, repost.repost_of_handle) == ("repost", "9", "FireBrigade")
    assert repost.text == "RT @FireBrigade: cut & dried"
    assert not repost.truncated


def test_the_account_comes_from_user_details(tmp_path: Path) -> None:
    path = make.grailbird(tmp_path / "x.zip", MONTHS)
    found = read(path)
    (item,) = found.of("account")
    record = record_of(found, item)
    assert isinstance(record, Account)
    assert (record.handle, record.name, record.bio) == (make.HANDLE, make.NAME, "Not for emergencies.")
    with XExport.open(path) as source:
        assert (source.account, source.handle, source.generated_ms) == (
            make.ACCOUNT,
            make.HANDLE,
            1_384_077_600_000,
        )


def test_a_month_that_the_index_names_and_is_not_there_is_missing(tmp_path: Path) -> None:
    path = make.grailbird(tmp_path / "x.zip", MONTHS)
    index = make.grailbird(tmp_path / "y.zip", {**MONTHS, "2014_01": [{}]})
    with XExport.open(index) as source:
        body = source._parts[0].read_small(source._parts[0].small["data/js/tweet_index.js"]).decode()
    found = read(make.grailbird(path, MONTHS, extra={"data/js/tweet_index.js": body}))
    assert [(each.what, each.reason) for each in found.problems] == [("data/js/tweets/2014_01.js", "missing")]
    assert found.absences == set()


def test_a_month_with_other_than_its_count_is_reported(tmp_path: Path) -> None:
    index = (
        'var tweet_index = [{"file_name":"data/js/tweets/2015_10.js","tweet_count":5,"year":2015,"month":10}]'
    )
    found = read(
        make.grailbird(
            tmp_path / "x.zip", {"2015_10": MONTHS["2015_10"]}, extra={"data/js/tweet_index.js": index}
        )
    )
    assert found.reasons() == ["count differs"]
    assert found.absences == set()


def test_an_index_that_cannot_be_read_is_reported_and_the_months_are_taken(tmp_path: Path) -> None:
    found = read(
        make.grailbird(tmp_path / "x.zip", MONTHS, extra={"data/js/tweet_index.js": "var tweet_index = ["})
    )
    assert len(found.of("post")) == 3
    assert found.reasons() == ["broken"]
    assert found.absences == set()


def test_rows_are_left_unread_where_months_are_there(tmp_path: Path) -> None:
    found = read(
        make.grailbird(tmp_path / "x.zip", MONTHS, extra={"tweets.csv": f"{NEW_HEADER}\n{NEW_ROW}\n"})
    )
    assert "22" not in found.ids("post")
    assert set(found.unread) == {"tweets.csv", "index.html"}


@pytest.mark.parametrize("name", ["tweets.csv", "data/csv/2013_02.csv"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_rows_alone_are_read_in_either_order_of_columns(tmp_path: Path, name: str, newline: str) -> None:
    old = make.grailbird(tmp_path / "old.zip", {}, extra={name: f"{OLD_HEADER}{newline}{OLD_ROW}{newline}"})
    new = make.grailbird(tmp_path / "new.zip", {}, extra={name: f"\ufeff{NEW_HEADER}{newline}{NEW_ROW}"})
    (first,) = records(old)
    assert (first.platform_id, first.text, first.client) == ("21", 'Two\nlines, "quoted"', "web")
    assert (first.kind, first.in_reply_to_id, first.posted_ms) == ("reply", "5", 1_359_691_941_000)
    assert [each.expanded for each in first.links] == ["https://example.org/a,b", "http://example.org/c"]
    (second,) = records(new)
    assert (second.platform_id, second.kind, second.repost_of_id) == ("22", "repost", "9")
    assert next(iter(read(new).captures.values())).layout == "x-grailbird"
    assert read(new).absences == set()


def test_a_row_keeps_its_bytes(tmp_path: Path) -> None:
    found = read(make.grailbird(tmp_path / "x.zip", {}, extra={"tweets.csv": f"{OLD_HEADER}\n{OLD_ROW}\n"}))
    assert found.of("post")[0].slices[0][1].decode() == f"{OLD_ROW}\n"


@pytest.mark.parametrize(
    "body",
    ["", "nonsense\n1,2\n", f'{OLD_HEADER}\n{OLD_ROW}\n"23","never ends', f"{OLD_HEADER}\n,\n{OLD_ROW}\n"],
)
def test_rows_that_cannot_be_read_are_reported(tmp_path: Path, body: str) -> None:
    found = read(make.grailbird(tmp_path / "x.zip", {}, extra={"tweets.csv": body}))
    assert found.reasons() == ["broken"]
    assert found.ids("post") in ([], ["21"])


def test_months_without_any_other_file_do_not_say_whose_they_are(tmp_path: Path) -> None:
    from archiver.errors import SourceError

    path = make.write_zip(
        tmp_path / "x.zip", {"data/js/tweets/2013_02.js": "Grailbird.data.tweets_2013_02 = []"}
    )
    with pytest.raises(SourceError, match="does not say whose account it is"):
        XExport.open(path)


def test_an_index_that_names_no_files_goes_by_year_and_month(tmp_path: Path) -> None:
    index = (
        'var tweet_index = [{"tweet_count":1,"year":2015,"month":10},{"tweet_count":7,"year":2014,"month":2}]'
    )
    months = {"2015_10": MONTHS["2015_10"]}
    found = read(make.grailbird(tmp_path / "x.zip", months, extra={"data/js/tweet_index.js": index}))
    assert [each.what for each in found.problems] == ["data/js/tweets/2014_02.js"]


@pytest.mark.parametrize("row", ['"23"x,"a"', f'"23","{"x" * 200_000}"', '"","no id"'])
def test_one_row_that_cannot_be_read_leaves_the_others(tmp_path: Path, row: str) -> None:
    body = f"{NEW_HEADER}\n{row}\n\n{NEW_ROW}\n"
    found = read(make.grailbird(tmp_path / "x.zip", {}, extra={"tweets.csv": body}))
    assert found.ids("post") == ["22"]
    assert found.reasons() == ["broken"]


def test_a_row_with_a_time_that_is_none_is_kept_and_named(tmp_path: Path) -> None:
    row = NEW_ROW.replace("2013-02-01 04:12:21 +0000", "soon")
    found = read(make.grailbird(tmp_path / "x.zip", {}, extra={"tweets.csv": f"{NEW_HEADER}\n{row}\n"}))
    assert [each.what for each in found.problems] == ["post 22"]
    assert found.of("post")[0].posted_ms == 0
