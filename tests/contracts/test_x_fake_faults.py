"""The fake of X fails as it is told to, keeps connections, compresses, and ends cleanly."""

import gzip
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
import requests

from tests.fakes import x_faults
from tests.fakes.x_api import FakeX
from tests.fakes.x_world import PNG, User
from tests.programs import PROJECT

NOW = 1_790_000_000_000


def get(x: FakeX, path: str, query: dict[str, str] | None = None) -> requests.Response:
    headers = {"Authorization": "Bearer force"}
    return requests.get(x.url + path, params=query, headers=headers, timeout=20, allow_redirects=False)


@pytest.fixture
def x() -> Iterator[FakeX]:
    with FakeX(now_ms=lambda: NOW) as fake:
        yield fake


@pytest.fixture
def force(x: FakeX) -> User:
    """An account with 50 posts, whose token is `force`."""
    user = x.world.add_user("SpringfieldPD", "Springfield Police")
    x.world.add_token("force", user)
    for number in range(50):
        x.world.add_post(user, f"Post {number}", NOW - 50_000_000 + number * 1000)
    return user


def test_faults_come_in_order_after_and_as_often_as_said(x: FakeX, force: User) -> None:
    x.faults.add("/users/me$", x_faults.problem(503), times=2, after=1)
    x.faults.add("/users/me$", x_faults.credits_depleted(), after=1)
    x.faults.add("/users/you$", x_faults.problem(500))
    assert [get(x, "/2/users/me").status_code for _ in range(5)] == [200, 503, 503, 402, 200]
    assert x.faults.left == 1


def test_an_answer_can_have_any_status_with_or_without_limits(x: FakeX, force: User) -> None:
    x.faults.add("me", x_faults.rate_limited(reset=17))
    x.faults.add("me", x_faults.rate_limited())
    x.faults.add("me", x_faults.usage_capped())
    x.faults.add("me", x_faults.NotJson())
    x.faults.add("me", x_faults.JsonList(400))
    x.faults.add("me", x_faults.Redirect("http://127.0.0.1:9/elsewhere"))
    reset, bare, capped, page, listed, elsewhere = (get(x, "/2/users/me") for _ in range(6))
    assert (reset.status_code, reset.headers["x-rate-limit-reset"]) == (429, "17")
    assert bare.status_code == 429
    assert not [name for name in bare.headers if name.lower().startswith("x-rate")]
    assert capped.json()["type"].endswith("/usage-capped")
    assert "x-rate-limit-limit" in capped.headers
    assert page.headers["content-type"] == "text/html"
    assert (listed.status_code, type(listed.json())) == (400, list)
    assert elsewhere.headers["location"] == "http://127.0.0.1:9/elsewhere"


def test_a_connection_can_be_cut_or_dropped(x: FakeX, force: User) -> None:
    path = f"/2/users/{force.id}/tweets"
    x.faults.add("tweets", x_faults.Cut())
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        get(x, path, {"max_results": "50"})
    x.faults.add("tweets", x_faults.Drop())
    with pytest.raises(requests.ConnectionError):
        get(x, path)
    assert [one.status for one in x.requests] == [200, 0]


def test_an_answer_can_be_slow_edited_and_preceded_by_a_call(x: FakeX, force: User) -> None:
    seen: list[str] = []
    x.faults.add("me", x_faults.Before(lambda record: seen.append(record.path)))
    x.faults.add("me", x_faults.Slow(0.2))
    x.faults.add("me", x_faults.Edit(lambda document: document["data"].update(id=17)))
    started = time.monotonic()
    assert get(x, "/2/users/me").json()["data"]["id"] == 17
    assert time.monotonic() - started > 0.2
    assert seen == ["/2/users/me"]
    x.faults.add("me", x_faults.Dribble(0.4))
    started = time.monotonic()
    assert get(x, "/2/users/me").json()["data"]["id"] == force.id
    assert time.monotonic() - started > 0.3


def test_media_are_served_and_spoilt(x: FakeX, force: User) -> None:
    key = x.world.add_photo(alt_text="A road")
    x.world.add_post(force, "See", NOW, media_keys=[key])
    query = {"expansions": "attachments.media_keys", "media.fields": "url,alt_text"}
    shown = get(x, f"/2/users/{force.id}/tweets", query).json()["includes"]["media"][0]
    assert shown["alt_text"] == "A road"
    served = requests.get(shown["url"], timeout=20)
    assert (served.content, served.headers["content-type"]) == (PNG, "image/png")
    assert requests.get(x.url + "/media/unknown.png", timeout=20).status_code == 404
    x.faults.add("/media/", x_faults.MediaFault(content_type="text/html", content=b"x" * 9999))
    spoilt = requests.get(shown["url"], timeout=20)
    assert (len(spoilt.content), spoilt.headers["content-type"]) == (9999, "text/html")
    x.faults.add("/media/", x_faults.MediaFault(missing=5))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(shown["url"], timeout=20)


def test_a_connection_is_kept_and_answers_are_compressed_where_taken(x: FakeX, force: User) -> None:
    path = f"{x.url}/2/users/{force.id}/tweets?max_results=50"
    with requests.Session() as session:
        session.headers["Authorization"] = "Bearer force"
        before = threading.active_count()
        for _ in range(3):
            with session.get(path, stream=True, timeout=20) as answer:
                assert answer.headers["content-encoding"] == "gzip"
                packed = answer.raw.read(decode_content=False)
                assert len(json.loads(gzip.decompress(packed))["data"]) == 50
        plain = session.get(path, headers={"Accept-Encoding": "identity"}, timeout=20)
        assert "content-encoding" not in plain.headers
        assert threading.active_count() == before + 1  # one thread serves one connection


def test_nothing_is_left_running_when_it_is_closed() -> None:
    before = threading.active_count()
    with FakeX() as x, requests.Session() as session:
        x.faults.add("me", x_faults.Slow(60))
        session.get(x.url + "/2/users/1", timeout=20)
        with pytest.raises(requests.ReadTimeout):
            requests.get(x.url + "/2/users/me", timeout=0.2)
        started = time.monotonic()
        x.close()
        assert time.monotonic() - started < 5
    assert threading.active_count() == before


def test_it_runs_as_a_program_of_its_own() -> None:
    command = [sys.executable, "-m", "tests.fakes.x_api", "--accounts", "2", "--posts", "120"]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            url = running.stdout.readline().strip()
            crowd = json.loads(running.stdout.readline())
            account = crowd["accounts"][1]
            headers = {"Authorization": f"Bearer {account['token']}"}
            path = f"{url}/2/users/{account['id']}/tweets?max_results=100&expansions=author_id"
            first, again = (requests.get(path, headers=headers, timeout=20).json() for _ in range(2))
            assert first == again
            assert len(first["data"]) == 100
            assert first["includes"]["users"][0]["username"] == account["handle"]
        finally:
            running.kill()
