import pytest

from archiver.sources.x.times import parse_milliseconds, parse_time, snowflake_ms, to_iso


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("Thu Nov 03 08:50:26 +0000 2022", "2022-11-03T08:50:26Z"),
        ("Fri Feb 01 04:12:21 +0000 2013", "2013-02-01T04:12:21Z"),
        ("Fri Feb 01 04:12:21 +0200 2013", "2013-02-01T02:12:21Z"),
        ("2015-10-02 20:15:40 +0000", "2015-10-02T20:15:40Z"),
        ("2015-10-02 20:15:40 -0330", "2015-10-02T23:45:40Z"),
        ("2022-11-14T18:44:55.824Z", "2022-11-14T18:44:55Z"),
        ("2022-11-14T18:44:55Z", "2022-11-14T18:44:55Z"),
        ("Mon Feb 29 23:59:59 +0000 2016", "2016-02-29T23:59:59Z"),
    ],
)
def test_every_form_x_has_used_is_read(text: str, iso: str) -> None:
    found = parse_time(text)
    assert found is not None
    assert to_iso(found) == iso


def test_milliseconds_are_kept() -> None:
    assert parse_time("2022-11-14T18:44:55.824Z") == 1_668_451_495_824


@pytest.mark.parametrize(
    "text",
    [
        None, "", "yesterday", "Thu Nov 31 08:50:26 +0000 2022", "Thu Nov 03 24:00:00 +0000 2022",
        "Thu Nov 03 08:61:26 +0000 2022", "Thu Nov 03 08:50:60 +0000 2022", "Thu Xxx 03 08:50:26 +0000 2022",
        "Thu Nov 03 08:50:26 +0000 1999", "Thu Nov 03 08:50:26 +0000 2100", "Thu Nov 03 08-50-26 +0000 2022",
        "9999-12-31T23:59:59.999999999Z", "2022-11-03T08:50:26+9999", "Thu Nov 03 08:50:26 +0000 20x2",
        "2005-12-31T23:59:59Z", "2022-13-01", "0000-00-00",
    ],
)  # fmt: skip
def test_what_is_no_time_between_2006_and_2100_is_none(text: str | None) -> None:
    assert parse_time(text) is None


def test_an_id_since_november_2010_holds_its_time() -> None:
    assert snowflake_ms("1588091220244369409") == 1_667_465_426_871


@pytest.mark.parametrize("platform_id", ["", "21", "29699999999", "99999999999999999999", "x", "-5", "١٢"])
def test_an_older_id_or_none_holds_no_time(platform_id: str) -> None:
    assert snowflake_ms(platform_id) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [("1667465426000", 1_667_465_426_000), ("1", None), ("x", None), (None, None), ("9" * 30, None)],
)
def test_articles_times_are_milliseconds(text: str | None, found: int | None) -> None:
    assert parse_milliseconds(text) == found
