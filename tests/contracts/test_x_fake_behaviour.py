"""The fake of X does what its docstrings say: pages, depths, limits, tokens, faults."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.fakes.x_api import FakeX
from tests.fakes.x_world import User, made_at, snowflake

NOW = 1_790_000_000_000
Query = dict[str, Any]


def get(x: FakeX, path: str, query: Query | None = None, bearer: str = "force") -> requests.Response:
    headers = {"Authorization": f"Bearer {bearer}"}
    return requests.get(x.url + path, params=query, headers=headers, timeout=20, allow_redirects=False)


@pytest.fixture
def x() -> Iterator[FakeX]:
    with FakeX(now_ms=lambda: NOW) as fake:
        yield fake


@pytest.fixture
def force(x: FakeX) -> User:
    """An account whose token is `force`; `app` is an app-only token."""
    user = x.world.add_user("SpringfieldPD", "Springfield Police")
    x.world.add_token("force", user)
    x.world.add_token("app")
    return user


def say(x: FakeX, author: User, number: int, start: int = NOW - 50_000_000) -> list[str]:
    """So many posts, a second apart; their ids, oldest first."""
    return [x.world.add_post(author, f"Post {one}", start + one * 1000).id for one in range(number)]


def pages(x: FakeX, path: str, size: int, **query: str) -> list[list[str]]:
    """The ids of every page."""
    read: list[list[str]] = []
    token: str | None = ""
    while token is not None:
        asked = {**query, "max_results": str(size)} | ({"pagination_token": token} if token else {})
        answer = get(x, path, asked).json()
        read.append([one["id"] for one in answer.get("data", [])])
        assert answer["meta"]["result_count"] == len(read[-1])
        token = answer["meta"].get("next_token")
    return read


# Pages


def test_a_timeline_is_read_to_its_end_in_pages_newest_first(x: FakeX, force: User) -> None:
    ids = say(x, force, 23)
    read = pages(x, f"/2/users/{force.id}/tweets", 10)
    assert [len(page) for page in read] == [10, 10, 3]
    assert [one for page in read for one in page] == ids[::-1]
    assert [(one.status, one.data) for one in x.requests] == [(200, 10), (200, 10), (200, 3)]


def test_posts_made_and_deleted_between_two_pages_make_no_hole_and_no_duplicate(
    x: FakeX, force: User
) -> None:
    ids = say(x, force, 20)
    path = f"/2/users/{force.id}/tweets"
    first = get(x, path, {"max_results": 10}).json()
    say(x, force, 3, NOW)
    x.world.delete_post(ids[10])
    second = get(x, path, {"max_results": 10, "pagination_token": first["meta"]["next_token"]}).json()
    assert [one["id"] for one in first["data"] + second["data"]] == ids[::-1]


def test_a_last_page_can_be_empty(x: FakeX, force: User) -> None:
    say(x, force, 10)
    x.empty_last_page = True
    assert [len(page) for page in pages(x, f"/2/users/{force.id}/tweets", 5)] == [5, 5, 0]


def test_since_and_until_leave_out_the_ids_they_name(x: FakeX, force: User) -> None:
    ids = say(x, force, 10)
    query = {"since_id": ids[2], "until_id": ids[8], "max_results": "100"}
    answer = get(x, f"/2/users/{force.id}/tweets", query).json()
    assert [one["id"] for one in answer["data"]] == ids[3:8][::-1]
    assert answer["meta"] == {"result_count": 5, "newest_id": ids[7], "oldest_id": ids[3]}
    assert get(x, f"/2/users/{force.id}/tweets", {"since_id": ids[9]}).json() == {"meta": {"result_count": 0}}


def test_times_bound_a_timeline(x: FakeX, force: User) -> None:
    ids = say(x, force, 10, start=1_789_000_000_000)
    query = {"start_time": "2026-09-10T00:26:42Z", "end_time": "2026-09-10T00:26:45Z"}
    answer = get(x, f"/2/users/{force.id}/tweets", query).json()
    assert [one["id"] for one in answer["data"]] == ids[2:5][::-1]


def test_a_timeline_ends_at_its_depth(x: FakeX, force: User) -> None:
    person = x.world.add_user("person17")
    ids = say(x, force, 30)
    asking = [x.world.add_post(person, "@SpringfieldPD hello", NOW + number).id for number in range(9)]
    x.post_depth, x.post_depth_without_replies, x.mention_depth = 20, 10, 6
    path = f"/2/users/{force.id}"
    assert pages(x, f"{path}/tweets", 15) == [ids[15:][::-1], ids[10:15][::-1]]
    assert pages(x, f"{path}/tweets", 15, exclude="replies") == [ids[20:][::-1]]
    assert pages(x, f"{path}/mentions", 5) == [asking[4:][::-1], asking[3:4]]


def test_followers_who_come_and_go_between_two_pages_shift_nothing(x: FakeX, force: User) -> None:
    people = [x.world.add_user(f"person{number}") for number in range(8)]
    for person in people:
        x.world.follow(person, force)
    path = f"/2/users/{force.id}/followers"
    first = get(x, path, {"max_results": 4}).json()
    x.world.follow(x.world.add_user("person99"), force)
    second = get(x, path, {"max_results": 4, "pagination_token": first["meta"]["next_token"]}).json()
    assert [one["id"] for one in first["data"] + second["data"]] == [one.id for one in people[::-1]]
    assert "next_token" not in second["meta"]


def test_a_page_token_of_another_path_or_account_is_refused(x: FakeX, force: User) -> None:
    say(x, force, 20)
    token = get(x, f"/2/users/{force.id}/tweets").json()["meta"]["next_token"]
    other = x.world.add_user("person17")
    for path in (f"/2/users/{force.id}/mentions", f"/2/users/{other.id}/tweets"):
        answer = get(x, path, {"pagination_token": token})
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["parameters"] == {"pagination_token": [token]}
    x.forget_page_tokens()
    assert get(x, f"/2/users/{force.id}/tweets", {"pagination_token": token}).status_code == 400


# What is shown


def test_only_what_is_asked_for_is_given(x: FakeX, force: User) -> None:
    post = x.world.add_post(force, "Words", NOW)
    path = f"/2/users/{force.id}/tweets"
    assert get(x, path).json()["data"] == [
        {"id": post.id, "text": "Words", "edit_history_tweet_ids": [post.id]}
    ]
    answer = get(x, path, {"tweet.fields": "lang", "expansions": "author_id"}).json()
    assert set(answer["data"][0]) == {"id", "text", "edit_history_tweet_ids", "lang", "author_id"}
    assert answer["includes"] == {
        "users": [{"id": force.id, "name": "Springfield Police", "username": "SpringfieldPD"}]
    }
    answer = get(x, path, {"post.fields": "lang", "expansions": "edit_history_post_ids"}).json()
    assert set(answer["data"][0]) == {"id", "text", "lang", "edit_history_post_ids"}
    assert [one["id"] for one in answer["includes"]["posts"]] == [post.id]


def test_a_long_post_is_cut_and_whole_in_its_note(x: FakeX, force: User) -> None:
    words = "a word " * 60
    x.world.add_post(force, words, NOW)
    post = get(x, f"/2/users/{force.id}/tweets", {"post.fields": "note_post"}).json()["data"][0]
    assert len(post["text"]) == 280
    assert post["text"].endswith("…")
    assert post["note_post"]["text"] == words


def test_an_edited_post_is_once_in_the_timeline_and_all_versions_can_be_looked_up(
    x: FakeX, force: User
) -> None:
    first = x.world.add_post(force, "Before", NOW)
    second = x.world.edit_post(first, "After", NOW + 60_000)
    timeline = get(x, f"/2/users/{force.id}/tweets").json()["data"]
    assert [(one["id"], one["text"]) for one in timeline] == [(second.id, "After")]
    found = get(x, "/2/tweets", {"ids": f"{first.id},{second.id}"}).json()["data"]
    assert [one["text"] for one in found] == ["Before", "After"]
    assert {tuple(one["edit_history_tweet_ids"]) for one in found} == {(first.id, second.id)}
    x.world.delete_post(first)
    assert "data" not in get(x, f"/2/users/{force.id}/tweets").json()


def test_a_lookup_says_of_each_missing_post_why(x: FakeX, force: User) -> None:
    gone, bad, shy = (x.world.add_user(f"person{number}") for number in range(3))
    posts = [x.world.add_post(one, "Words", NOW) for one in (force, gone, bad, shy)]
    x.world.delete_post(posts[1])
    x.world.suspend(bad)
    x.world.protect(shy)
    answer = get(x, "/2/tweets", {"ids": ",".join(one.id for one in posts)}).json()
    assert [one["id"] for one in answer["data"]] == [posts[0].id]
    assert [(one["title"], one["parameter"], one["resource_id"]) for one in answer["errors"]] == [
        ("Not Found Error", "ids", posts[1].id),
        ("Forbidden", "ids", posts[2].id),
        ("Authorization Error", "ids", posts[3].id),
    ]
    assert answer["errors"][1]["type"].endswith("/resource-not-found")


def test_an_account_that_cannot_be_shown_is_a_200_with_only_errors(x: FakeX, force: User) -> None:
    bad, shy = x.world.add_user("person1"), x.world.add_user("person2")
    x.world.suspend(bad)
    x.world.protect(shy)

    def title(path: str) -> str:
        answer = get(x, path)
        assert answer.status_code == 200
        assert set(answer.json()) == {"errors"}
        return str(answer.json()["errors"][0]["title"])

    assert title("/2/users/999") == title("/2/users/999/tweets") == "Not Found Error"
    assert title(f"/2/users/{bad.id}") == title(f"/2/users/{bad.id}/tweets") == "Forbidden"
    assert title(f"/2/users/{shy.id}/tweets") == "Authorization Error"
    assert get(x, f"/2/users/{shy.id}", {"user.fields": "protected"}).json()["data"]["protected"] is True


def test_counts_are_those_of_the_state_unless_said_otherwise(x: FakeX, force: User) -> None:
    say(x, force, 3)
    x.world.follow(x.world.add_user("person1"), force)
    force.counts["like_count"] = 9
    counts = get(x, "/2/users/me", {"user.fields": "public_metrics"}).json()["data"]["public_metrics"]
    assert counts == {
        "followers_count": 1,
        "following_count": 0,
        "tweet_count": 3,
        "listed_count": 0,
        "like_count": 9,
    }


def test_messages_are_those_of_30_days_and_of_ones_own_conversations(x: FakeX, force: User) -> None:
    person, other = x.world.add_user("person1"), x.world.add_user("person2")
    day = 86_400_000
    x.world.add_message(person, "Too old", [force], NOW - 31 * day)
    old = x.world.add_message(person, "Old", [force], NOW - 29 * day)
    new = x.world.add_message(force, "New", [person], NOW - 1)
    x.world.add_message(person, "Of others", [other], NOW - 1)
    query = {"dm_event.fields": "dm_conversation_id", "expansions": "sender_id"}
    events = get(x, "/2/dm_events", query).json()["data"]
    assert [one["id"] for one in events] == [new.id, old.id]
    assert {one["dm_conversation_id"] for one in events} == {f"{force.id}-{person.id}"}
    assert [one["sender_id"] for one in events] == [force.id, person.id]


def test_a_search_gives_a_conversation_of_the_last_days_newest_first(x: FakeX, force: User) -> None:
    person, shy, day = x.world.add_user("person1"), x.world.add_user("person2"), 86_400_000
    first = x.world.add_post(force, "Words", NOW - 9 * day)
    x.world.add_post(person, "Too old", NOW - 8 * day, reply_to=first)
    replies = [x.world.add_post(person, f"Reply {one}", NOW - day + one, reply_to=first) for one in range(12)]
    x.world.add_post(person, "Of another conversation", NOW)
    edited = x.world.edit_post(replies[3], "Edited", NOW - 5)
    x.world.delete_post(replies[4])
    x.world.add_post(shy, "Protected", NOW, reply_to=first)
    x.world.protect(shy)
    shown = [edited.id, *(one.id for one in replies[::-1] if one not in replies[3:5])]
    query = {"query": f"conversation_id:{first.id}"}
    one = get(x, "/2/tweets/search/recent", query).json()
    assert (one["meta"]["newest_id"], one["meta"]["oldest_id"]) == (shown[0], shown[9])
    for parameter in ("next_token", "pagination_token"):
        two = get(x, "/2/tweets/search/recent", query | {parameter: one["meta"]["next_token"]}).json()
        assert [each["id"] for each in one["data"] + two["data"]] == shown
    bounds = {"since_id": replies[6].id, "until_id": replies[9].id}
    some = get(x, "/2/tweets/search/recent", query | bounds, "app").json()["data"]
    assert [each["id"] for each in some] == [replies[8].id, replies[7].id]
    nothing = get(x, "/2/tweets/search/recent", {"query": "conversation_id:5"}).json()
    assert nothing == {"meta": {"result_count": 0}}


def test_a_search_gives_the_post_that_began_a_conversation_where_it_is_to(x: FakeX, force: User) -> None:
    first = x.world.add_post(force, "Words", NOW - 1000)
    reply = x.world.add_post(force, "More", NOW, reply_to=first)
    query = {"query": f"conversation_id:{first.id}"}
    assert [one["id"] for one in get(x, "/2/tweets/search/recent", query).json()["data"]] == [reply.id]
    x.search_shows_first = True
    found = get(x, "/2/tweets/search/recent", query).json()["data"]
    assert [one["id"] for one in found] == [reply.id, first.id]


def test_an_account_is_found_by_its_handle_in_any_capitals(x: FakeX, force: User) -> None:
    bad = x.world.add_user("person1")
    x.world.suspend(bad)
    path = "/2/users/by/username"
    for bearer in ("force", "app"):
        assert get(x, f"{path}/springfieldpd", bearer=bearer).json()["data"]["id"] == force.id
    for handle, title in (("nobody", "Not Found Error"), ("person1", "Forbidden")):
        answer = get(x, f"{path}/{handle}")
        assert (answer.status_code, set(answer.json())) == (200, {"errors"})
        error = answer.json()["errors"][0]
        assert (error["title"], error["parameter"], error["value"]) == (title, "username", handle)


def test_lists_are_found_by_owner_member_and_follower(x: FakeX, force: User) -> None:
    person = x.world.add_user("person1")
    own = x.world.add_list(force, "Own", [person], private=True)
    about = x.world.add_list(person, "About", [force], followers=[force.id])
    x.world.add_list(person, "Hidden", [force], private=True)

    def found(path: str, bearer: str = "force") -> list[str]:
        return [one["id"] for one in get(x, path, bearer=bearer).json().get("data", [])]

    assert found(f"/2/users/{force.id}/owned_lists") == [own.id]
    assert found(f"/2/users/{force.id}/owned_lists", "app") == []
    assert found(f"/2/users/{force.id}/list_memberships") == [about.id]
    assert found(f"/2/users/{force.id}/followed_lists") == [about.id]
    assert found(f"/2/lists/{own.id}/members") == [person.id]
    assert get(x, f"/2/lists/{own.id}/members", bearer="app").json()["errors"][0]["resource_type"] == "list"


def test_an_id_says_when_it_was_made() -> None:
    assert made_at(snowflake(NOW, 17)) == NOW


# Parameters


def test_parameters_are_refused_as_x_refuses_them(x: FakeX, force: User) -> None:
    path = f"/2/users/{force.id}/tweets"

    def refused(query: Query, at: str = path) -> tuple[list[str], str]:
        answer = get(x, at, query)
        assert answer.status_code == 400
        assert answer.json()["title"] == "Invalid Request"
        assert answer.json()["type"].endswith("/2/problems/invalid-request")
        error = answer.json()["errors"][0]
        return [*error["parameters"]], error["message"]

    x.generation = "tweet"
    parameters, message = refused({"post.fields": "text"})
    assert parameters == ["post.fields"]
    assert message.startswith("The query parameter [post.fields] is not one of [end_time,exclude,expansions,")
    parameters, message = refused({"tweet.fields": "text,foo"})
    assert message.startswith("The `tweet.fields` query parameter value [foo] is not one of [article,")
    x.generation = "post"
    assert refused({"tweet.fields": "text"})[0] == ["tweet.fields"]
    assert refused({"expansions": "referenced_tweets.id"})[0] == ["expansions"]
    assert refused({"post.fields": "author_id"})[0] == ["post.fields"]
    x.refused_fields = {"note_post"}
    assert refused({"post.fields": "note_post"})[0] == ["post.fields"]
    for size in ("4", "101", "many"):
        assert refused({"max_results": size})[0] == ["max_results"]
    assert refused({"since_id": "abc"})[0] == ["since_id"]
    assert refused({"start_time": "yesterday"})[0] == ["start_time"]
    assert refused({}, "/2/users/abc/tweets")[0] == ["id"]
    assert refused({"ids": ",".join(map(str, range(1, 102)))}, "/2/tweets")[0] == ["ids"]
    assert refused({}, "/2/users/by/username/not-a-handle")[0] == ["username"]
    search, query = "/2/tweets/search/recent", {"query": "conversation_id:5"}
    assert refused({}, search)[0] == refused({"query": "road closed"}, search)[0] == ["query"]
    assert refused(query | {"max_results": 9}, search)[0] == ["max_results"]
    assert refused(query | {"next_token": "old"}, search)[0] == ["next_token"]
    assert refused(query | {"next_token": "a", "pagination_token": "a"}, search)[0] == ["next_token"]
    assert refused(query | {"start_time": "2020-01-01T00:00:00Z"}, search)[0] == ["start_time"]


# Tokens and limits


def test_a_token_opens_what_it_may(x: FakeX, force: User) -> None:
    x.world.add_token("old", force, expires_ms=NOW)
    x.world.add_token("narrow", force, {"tweet.read", "users.read"})
    other = x.world.add_user("person1")

    def status(path: str, token: str) -> tuple[int, str]:
        answer = get(x, path, bearer=token)
        return answer.status_code, answer.json().get("title", "")

    assert requests.get(x.url + "/2/users/me", timeout=20).status_code == 401
    assert status("/2/users/me", "unknown") == status("/2/users/me", "old") == (401, "Unauthorized")
    for path in ("me", f"{force.id}/blocking", f"{force.id}/muting"):
        assert status(f"/2/users/{path}", "app") == (403, "Unsupported Authentication")
    assert status("/2/dm_events", "app") == (403, "Unsupported Authentication")
    assert status("/2/dm_events", "narrow") == (403, "Forbidden")
    assert status("/2/users/me", "narrow") == (200, "")
    assert status(f"/2/users/{other.id}/blocking", "force") == (403, "Forbidden")
    x.world.revoke("narrow")
    assert status("/2/users/me", "narrow") == (401, "Unauthorized")


def test_a_limit_holds_for_15_minutes_a_path_and_a_token(x: FakeX, force: User) -> None:
    x.limits["/2/users/{id}"] = (1, 2)
    path = f"/2/users/{force.id}"
    now = [NOW]
    x.now_ms = lambda: now[0]
    answers = [get(x, path) for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert [one.headers["x-rate-limit-remaining"] for one in answers] == ["1", "0", "0"]
    assert answers[2].headers["x-rate-limit-reset"] == str(NOW // 1000 + 900)
    assert answers[2].json()["title"] == "Too Many Requests"
    assert get(x, "/2/users/me").status_code == get(x, path, bearer="app").status_code == 200
    now[0] += 900_000
    assert get(x, path).status_code == 200
