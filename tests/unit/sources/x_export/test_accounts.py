from pathlib import Path

from archiver.records import Account
from archiver.sources.x_export import XExport
from tests.unit.sources.x_export import builder as make
from tests.unit.sources.x_export.reading_helper import read, record_of

PROFILE = {
    "profile": {
        "description": {
            "bio": "Not for &lt;emergencies&gt;.",
            "website": "https://springfield.example",
            "location": "Springfield",
        },
        "avatarMediaUrl": "https://pbs.twimg.com/profile_images/1/face.jpg",
        "headerMediaUrl": f"https://pbs.twimg.com/profile_banners/{make.ACCOUNT}/1456861812",
    }
}  # fmt: skip
HANDLE_CHANGE = {"changedFrom": "Old", "changedTo": "New"}


def accounts(path: Path) -> dict[str, Account]:
    found = read(path)
    records = {item.id: record_of(found, item) for item in found.of("account")}
    return {key: each for key, each in records.items() if isinstance(each, Account)}


def test_account_and_profile_are_two_aspects(tmp_path: Path) -> None:
    found = accounts(make.export(tmp_path / "x.zip", {"profile": [PROFILE]}))
    own, profile = found[f"{make.ACCOUNT}:account"], found[f"{make.ACCOUNT}:profile"]
    assert (own.handle, own.name, own.platform_id) == (make.HANDLE, make.NAME, make.ACCOUNT)
    assert own.created_ms is not None
    assert (profile.bio, profile.location) == ("Not for <emergencies>.", "Springfield")
    assert profile.website == "https://springfield.example"


def test_the_email_address_is_in_no_record_and_no_version(tmp_path: Path) -> None:
    found = read(make.export(tmp_path / "x.zip", {}))
    (item,) = found.of("account")
    assert b"@" not in item.content
    assert "@" not in repr(record_of(found, item))
    changed = make.export(tmp_path / "y.zip", {"account": [make.account(email="other@springfield.example")]})
    assert read(changed).of("account")[0].content == item.content


def test_pictures_of_the_profile_are_found(tmp_path: Path) -> None:
    path = make.export(
        tmp_path / "x.zip",
        {"profile": [PROFILE]},
        extra={
            f"data/profile_media/{make.ACCOUNT}-face.jpg": b"face",
            f"data/profile_media/{make.ACCOUNT}-1456861812.jpg": b"header",
        },
    )
    media = accounts(path)[f"{make.ACCOUNT}:profile"].media
    with XExport.open(path) as source:
        streams = [source.open_media(each.file_name) for each in media]
        assert [stream.read() for stream in streams if stream] == [b"face", b"header"]


def test_a_picture_already_named_after_the_account_is_found(tmp_path: Path) -> None:
    local = {"profile": {"avatarMediaUrl": f"./data/profile_media/{make.ACCOUNT}-face.jpg"}}
    path = make.export(tmp_path / "x.zip", {"profile": [local]})
    (media,) = accounts(path)[f"{make.ACCOUNT}:profile"].media
    assert media.file_name == f"{make.ACCOUNT}-face.jpg"


def test_changes_of_handle_nested_twice_are_told_apart_by_time(tmp_path: Path) -> None:
    rows = [
        {
            "screenNameChange": {
                "accountId": make.ACCOUNT,
                "screenNameChange": HANDLE_CHANGE | {"changedAt": moment},
            }
        }
        for moment in ("2019-10-29T20:48:48.000Z", "2020-10-29T20:48:48.000Z")
    ]
    found = accounts(make.export(tmp_path / "x.zip", {"screen-name-change": rows}))
    changes = [each for each in found.values() if each.aspect == "handle_change"]
    assert [dict(each.facts)["changed_from"] for each in changes] == ["Old", "Old"]
    assert [each.handle for each in changes] == ["New", "New"]
    assert f"{make.ACCOUNT}:handle_change:2019-10-29T20:48:48Z" in found


def test_verification_suspension_protection_and_label_are_facts(tmp_path: Path) -> None:
    data: dict[str, list[make.Json]] = {
        "verified": [{"verified": {"accountId": make.ACCOUNT, "verified": True}}],
        "account-suspension": [
            {"accountSuspension": {"timeStamp": "2022-11-03T08:50:26.000Z", "action": "Suspended"}}
        ],
        "protected-history": [
            {"protectedHistory": {"protectedAt": "2022-11-03T08:50:26.000Z", "action": "Unprotect"}}
        ],
        "account-label": [{"accountLabel": {"label": "Automated", "managedByScreenName": "SpringfieldGov"}}],
    }
    found = accounts(make.export(tmp_path / "x.zip", data))
    facts = {each.aspect: dict(each.facts) for each in found.values()}
    assert facts["verified"] == {"verified": "true"}
    assert facts["suspension"]["action"] == "Suspended"
    assert facts["protection"]["action"] == "Unprotect"
    assert facts["label"] == {"label": "Automated", "managed_by": "SpringfieldGov"}


def test_an_empty_label_is_no_record_and_no_difference_of_counts(tmp_path: Path) -> None:
    path = make.export(
        tmp_path / "x.zip", {"account-label": [{"accountLabel": {}}]}, counts={"account-label": 0}
    )
    found = read(path)
    assert found.ids("account") == [f"{make.ACCOUNT}:account"]
    assert found.problems == []
