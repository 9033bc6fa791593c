"""The README's way to X's interface, followed as written: only the addresses are those of a server here."""

import re
import socket
import time
from pathlib import Path

import requests

from archiver.cli import main
from tests.cli.runner import start_process
from tests.docs.documents import blocks
from tests.fakes.x_api import FakeX
from tests.programs import PROJECT

README = PROJECT / "README.md"
HEADING = "Every day, through X's interface"


def block(language: str) -> str:
    (text,) = [one.text for one in blocks(README) if one.heading == HEADING and one.language == language]
    return text


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def sign_in(x: FakeX, arguments: list[str], user: str) -> None:
    """`archiver login x` with somebody who opens the address it shows and says yes."""
    process = start_process(*arguments)
    try:
        assert process.stderr is not None
        deadline = time.monotonic() + 30
        address = None
        while address is None and time.monotonic() < deadline:
            found = re.search(r"https?://\S+/i/oauth2/authorize\S+", process.stderr.readline())
            address = found[0] if found else None
        assert address is not None
        shown = requests.get(x.authorize(address, user), timeout=10)
        assert shown.status_code == 200
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.communicate()


def test_the_settings_and_commands_for_x_work_as_written(tmp_path: Path) -> None:
    folder = tmp_path / "police-archive"
    assert main(["init", str(folder), "--holder", "records", "--no-passphrase"]) == 0
    settings = block("toml")
    commands = [line.split()[1:] for line in block("console").splitlines()]
    assert [one[2] for one in commands] == ["login", "collect", "collect"]
    with FakeX() as x:
        force = x.world.add_user("SpringfieldPD", "Springfield Police", id="1234567890")
        x.world.add_post(force, "The road is closed", at=x.now_ms() - 3_600_000)
        redirect = f"http://127.0.0.1:{free_port()}/callback"
        x.world.add_client("CLIENT-ID-OF-YOUR-APP", redirect)
        here = f'api_base_url = "{x.url}"\nauthorize_url = "{x.url}/i/oauth2/authorize"\n'
        here += f'redirect_uri = "{redirect}"\nmedia_hosts = ["{x.url.removeprefix("http://")}"]\n'
        with (folder / "archiver.toml").open("a") as file:
            file.write("\n" + settings.replace("[x_api]\n", f"[x_api]\n{here}"))
        arguments = [
            [str(folder) if word == "police-archive" else word for word in command] for command in commands
        ]
        sign_in(x, arguments[0], force.id)
        asked = len(x.requests)
        assert main(arguments[1]) == 0
        assert len(x.requests) == asked
        assert main(arguments[2]) == 0
    assert main(["--config", str(folder), "backup"]) == 0
    assert main(["--config", str(folder), "search", "road"]) == 0


def test_what_it_says_of_reach_and_prices_is_what_the_program_goes_by() -> None:
    from archiver.settings.api import DEFAULT_PRICES, ApiSettings
    from archiver.sources.x_api.endpoints import MENTIONS_DEPTH, MESSAGE_DAYS, POSTS_DEPTH

    text = " ".join(README.read_text().split())
    assert f"{POSTS_DEPTH:,} posts, {MENTIONS_DEPTH} mentions and {MESSAGE_DAYS} days of messages" in text
    assert DEFAULT_PRICES["posts"] == 5_000  # "about half a cent a post"
    assert ApiSettings().redirect_uri in text
