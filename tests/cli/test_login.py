"""`archiver login x`: a browser signs in, and only the right account's token is kept."""

import io
import json
import os
import re
import shlex
import socket
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from archiver.disk import Lock
from archiver.sources.x_api.tokens import parse_user_token
from tests.cli.runner import Result, Runner, start_process
from tests.fakes.x_api import FakeX
from tests.fakes.x_faults import Edit

SECRET = "client-horse"
PYTHON = shlex.quote(sys.executable)


@dataclass
class Desk:
    """A folder with settings, and X, where two accounts are."""

    run: Runner
    x: FakeX
    folder: Path
    redirect_uri: str
    police: str
    other: str

    @property
    def token_file(self) -> Path:
        return self.folder / "secret" / "x.token"

    def write(self, *accounts: str, app: str = 'client_id = "app-1"') -> None:
        """Settings with these accounts and what else `[x_api]` says."""
        basic = (self.folder / "archiver.toml").read_text().partition("\n[x_api]")[0]
        table = f'api_base_url = "{self.x.url}"\nauthorize_url = "{self.x.url}/authorize"\n'
        table += f'redirect_uri = "{self.redirect_uri}"\n{app}\n'
        text = "\n".join([basic, "[x_api]", table, *accounts])
        (self.folder / "archiver.toml").write_text(text)

    def account(self, api: str | None = 'token = "file:secret/x.token"', user_id: str | None = None) -> str:
        lines = ["[[account]]", 'platform = "x"', f'id = "{user_id or self.police}"']
        lines += [] if user_id else ['handle = "SpringfieldPD"']
        return "\n".join([*lines, *([] if api is None else ["[account.api]", api]), ""])

    def login(self, *arguments: str | Path) -> Result:
        return self.run("--config", self.folder, "login", "x", *arguments)

    def fails(self, code: int, *arguments: str | Path) -> str:
        return self.run.fails(code, "--config", self.folder, "login", "x", *arguments)

    def sign_in(self, *arguments: str | Path, user_id: str | None = None) -> Result:
        """Run it while a browser, in a thread, opens what it shows."""
        browser = Browser(lambda url: self.x.authorize(url, user_id or self.police))
        result = self.login(*arguments)
        browser.join(timeout=10)
        return result

    def no_secret_in(self, *texts: str) -> None:
        """Everything secret that X has seen, searched for in what was shown."""
        found = {SECRET}
        for record in self.x.requests:
            found |= {record.form.get(name, SECRET) for name in ("code", "code_verifier", "refresh_token")}
            found.add(record.headers.get("authorization", SECRET).partition(" ")[2] or SECRET)
        found |= set(self.x.world.tokens)
        for text in texts:
            assert [one for one in found if one in text] == []


class Browser(threading.Thread):
    """Reads the address off the terminal (standard error as pytest has it) and goes where X sends it."""

    def __init__(self, answer: Callable[[str], str]) -> None:
        super().__init__(daemon=True)
        self._answer = answer
        self._terminal = sys.stderr
        self.start()

    def run(self) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            url = shown_address(self._terminal.getvalue())  # type: ignore[attr-defined]  # pytest's has it
            if url is not None:
                requests.get(self._answer(url), timeout=10)
                return
            time.sleep(0.02)


def shown_address(text: str) -> str | None:
    found = re.search(r"^  (http://\S+/authorize\?\S+)\n", text, re.MULTILINE)
    return found[1] if found else None


class Pasting(io.StringIO):
    """Standard input where somebody pastes what the browser ended at."""

    def __init__(self, answer: Callable[[str], str]) -> None:
        super().__init__()
        self._answer = answer
        self._terminal = sys.stderr

    def readline(self, size: int | None = -1, /) -> str:
        url = shown_address(self._terminal.getvalue())  # type: ignore[attr-defined]  # pytest's has it
        assert url is not None
        return self._answer(url)


@pytest.fixture
def desk(run: Runner, tmp_path: Path) -> Iterator[Desk]:
    assert run("init", tmp_path / "v", "--holder", "records", "--no-passphrase", "--classic").code == 0
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        redirect_uri = f"http://127.0.0.1:{free.getsockname()[1]}/callback"
    with FakeX() as x:
        police, other = x.world.add_user("SpringfieldPD"), x.world.add_user("SomebodyElse")
        x.world.add_client("app-1", redirect_uri)
        desk = Desk(run, x, tmp_path / "v", redirect_uri, police.id, other.id)
        desk.write(desk.account())
        yield desk


def test_a_browser_signs_in_and_the_token_is_kept_for_the_owner_only(desk: Desk) -> None:
    result = desk.sign_in()
    assert result.code == 0
    assert result.output == (
        f"X lets this program read as @SpringfieldPD ({desk.police}). "
        f"The token is kept in {desk.token_file}.\n"
    )
    token = parse_user_token(desk.token_file.read_text())
    assert (token.user_id, token.handle) == (desk.police, "SpringfieldPD")
    assert set(token.scopes) == {
        "block.read", "dm.read", "follows.read", "mute.read", "offline.access", "tweet.read", "users.read",
    }  # fmt: skip
    assert stat.S_IMODE(desk.token_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(desk.token_file.parent.stat().st_mode) == 0o700
    desk.no_secret_in(result.output, result.errors)


def test_what_is_asked_for_is_said_in_words_before_the_address(desk: Desk) -> None:
    desk.write(desk.account('token = "file:secret/x.token"\nkinds = ["posts", "messages"]'))
    errors = desk.sign_in().errors
    words, _, rest = errors.partition("\n\nOpen this in a browser")
    assert words == (
        f"X will be asked to let this program, as @SpringfieldPD ({desk.police}):\n"
        "  - read its direct messages\n"
        "  - see posts, its own and those it may see\n"
        "  - see profiles\n"
        "  - go on doing so until this is withdrawn in the account's settings at X\n"
        "It cannot post, delete or change anything."
    )
    assert "Never type the account's password anywhere but on X's own page" in rest
    assert "scope=dm.read+offline.access+tweet.read+users.read&" in rest


def test_what_moderation_may_do_is_asked_for_and_said_in_words(desk: Desk) -> None:
    acts = 'token = "file:secret/x.token"\nkinds = ["posts"]\nacts = ["hide", "mute", "remove"]'
    desk.write(desk.account(acts))
    result = desk.sign_in()
    words, _, rest = result.errors.partition("\n\nOpen this in a browser")
    assert words == (
        f"X will be asked to let this program, as @SpringfieldPD ({desk.police}):\n"
        "  - mute others for it, and unmute them\n"
        "  - hide replies to its posts, and show them again\n"
        "  - see posts, its own and those it may see\n"
        "  - remove its own posts (for X that is one permission with writing posts, which this program"
        " never does)\n"
        "  - see profiles\n"
        "  - go on doing so until this is withdrawn in the account's settings at X\n"
        "It changes something on X only where somebody asks for that: archiver moderate."
    )
    assert "cannot post, delete or change" not in result.errors
    scopes = "mute.write offline.access tweet.moderate.write tweet.read tweet.write users.read"
    assert f"scope={scopes.replace(' ', '+')}&" in rest
    assert set(parse_user_token(desk.token_file.read_text()).scopes) == set(scopes.split())
    assert result.output.startswith(
        f"X lets this program read and moderate as @SpringfieldPD ({desk.police})"
    )
    desk.no_secret_in(result.output, result.errors)


@pytest.mark.parametrize(
    ("act", "scope"), [("hide", "tweet.moderate.write"), ("mute", "mute.write"), ("remove", "tweet.write")]
)
def test_each_act_asks_for_its_own_permission_and_no_other(desk: Desk, act: str, scope: str) -> None:
    desk.write(desk.account(f'token = "file:secret/x.token"\nkinds = ["posts"]\nacts = ["{act}"]'))
    desk.x.faults.add("/token$", Edit(lambda document: document.update(scope="tweet.read users.read")))
    errors = desk.sign_in().errors
    assert f"X did not grant: {', '.join(sorted(['offline.access', scope]))}\n" in errors


def test_a_token_is_not_kept_while_another_process_renews_the_one_before(desk: Desk) -> None:
    """Else that process would put a token in its place which may less."""
    desk.token_file.parent.mkdir(mode=0o700)
    held = threading.Event()
    kept: list[bool] = []

    def hold() -> None:
        with Lock(desk.token_file.with_name(".x.token.lock")):
            held.set()
            time.sleep(1)
            kept.append(desk.token_file.exists())

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(10)
    assert desk.sign_in().code == 0
    holder.join()
    assert kept == [False]
    assert desk.token_file.exists()


def test_it_is_printed_as_json(desk: Desk) -> None:
    result = desk.sign_in("--json")
    (line,) = result.json_lines()
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT[\d:.]+Z", str(line.pop("expires")))
    assert line == {
        "type": "login",
        "account": desk.police,
        "handle": "SpringfieldPD",
        "scopes": list(parse_user_token(desk.token_file.read_text()).scopes),
    }
    desk.no_secret_in(result.output, result.errors)


def test_it_works_as_a_process_of_its_own(desk: Desk) -> None:
    process = start_process("--config", desk.folder, "login", "x", "--timeout", "60")
    with process:
        assert process.stderr is not None
        assert process.stdout is not None
        shown = ""
        while (url := shown_address(shown)) is None:
            line = process.stderr.readline()
            assert line, shown
            shown += line
        requests.get(desk.x.authorize(url, desk.police), timeout=10)
        output, errors = process.stdout.read(), shown + process.stderr.read()
    assert process.returncode == 0
    assert parse_user_token(desk.token_file.read_text()).user_id == desk.police
    desk.no_secret_in(output, errors)


def test_the_address_is_pasted_where_the_browser_is_elsewhere(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin = Pasting(lambda url: f"  {desk.x.authorize(url, desk.police)}\n")
    monkeypatch.setattr(sys, "stdin", stdin)
    result = desk.login("--paste")
    assert result.code == 0
    assert "paste it here" in result.errors
    assert parse_user_token(desk.token_file.read_text()).user_id == desk.police
    desk.no_secret_in(result.output, result.errors)


@pytest.mark.parametrize(
    ("pasted", "words"),
    [
        ("\n", "nothing was pasted"),
        ("", "nothing was pasted"),
        ("my-password-horse\n", "this is not the address that X sent the browser to"),
        ("http://127.0.0.1/callback?state=horse&code=horse\n", "this is the answer to another sign-in"),
    ],
)
def test_what_else_is_pasted_is_not_repeated(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, pasted: str, words: str
) -> None:
    monkeypatch.setattr(sys, "stdin", Pasting(lambda _: pasted))
    result = desk.login("--paste")
    assert result.code == 1
    assert f"archiver: error: {words}" in result.errors
    assert "horse" not in result.errors
    assert not desk.token_file.exists()


def test_another_account_that_is_signed_in_is_refused_and_nothing_is_kept(desk: Desk) -> None:
    result = desk.sign_in(user_id=desk.other)
    assert (result.code, result.output) == (1, "")
    assert (
        f"archiver: error: you are signed in to X as @SomebodyElse ({desk.other}); "
        f"the settings name @SpringfieldPD ({desk.police}); nothing was kept\n"
    ) in result.errors
    assert not desk.token_file.parent.exists()
    desk.no_secret_in(result.output, result.errors)


def test_access_that_is_declined_keeps_nothing(desk: Desk) -> None:
    def decline(url: str) -> str:
        state = re.search(r"state=([\w-]+)", url)
        assert state
        return f"{desk.redirect_uri}?error=access_denied&state={state[1]}"

    browser = Browser(decline)
    result = desk.login()
    browser.join(timeout=10)
    assert result.code == 1
    assert "archiver: error: access was declined on X's page; nothing was kept" in result.errors
    assert not desk.token_file.exists()


def test_a_code_that_comes_too_late_is_told_without_it(desk: Desk) -> None:
    def dawdle(url: str) -> str:
        address = desk.x.authorize(url, desk.police)
        later = time.time_ns() // 1_000_000 + 31_000
        desk.x.now_ms = lambda: later
        return address

    browser = Browser(dawdle)
    result = desk.login()
    browser.join(timeout=10)
    assert result.code == 1
    assert "archiver: error: X did not take this sign-in (400, invalid_request" in result.errors
    desk.no_secret_in(result.errors)


def test_a_browser_that_does_not_come_and_a_port_that_is_taken_end_it(desk: Desk) -> None:
    result = desk.login("--timeout", "1")
    assert result.code == 1
    assert "within 1 seconds" in result.errors
    port = int(desk.redirect_uri.split(":")[2].partition("/")[0])
    with socket.create_server(("127.0.0.1", port)):
        text = desk.fails(1)
    assert f"cannot listen at {desk.redirect_uri}" in text
    assert "archiver login x --paste" in text


def test_what_x_does_not_grant_is_named(desk: Desk) -> None:
    desk.x.faults.add("/token$", Edit(lambda document: document.update(scope="tweet.read users.read")))
    desk.x.faults.add("/token$", Edit(lambda document: document.pop("refresh_token") and document))
    result = desk.sign_in()
    assert "X did not grant: block.read, dm.read, follows.read, mute.read, offline.access" in result.errors


def test_a_token_that_cannot_be_renewed_is_told(desk: Desk) -> None:
    def shorten(document: dict[str, object]) -> None:
        del document["refresh_token"], document["expires_in"]

    desk.x.faults.add("/token$", Edit(shorten))
    result = desk.sign_in("--json")
    assert "X gave nothing to renew this token with" in result.errors
    assert result.json_lines()[0]["expires"] is None


def test_a_token_is_given_to_a_program_where_the_settings_name_one(desk: Desk) -> None:
    kept = desk.folder / "kept"
    code = f"import sys; open({str(kept)!r}, 'w').write(sys.stdin.read())"
    store = json.dumps(f"command:{PYTHON} -c {shlex.quote(code)}")
    desk.write(desk.account(f'token = "command:pass x"\ntoken_store = {store}'))
    result = desk.sign_in()
    assert result.code == 0
    assert result.output.endswith("is kept by the program of account.api.token_store.\n")
    assert parse_user_token(kept.read_text()).user_id == desk.police

    desk.write(desk.account('token = "command:pass x"\ntoken_store = "command:false"'))
    result = desk.sign_in()
    assert (result.code, result.output) == (2, "")
    assert "the new token could not be kept: the program false" in result.errors
    desk.no_secret_in(result.output, result.errors)


def test_an_app_with_a_secret_signs_in_with_it(desk: Desk) -> None:
    desk.x.world.add_client("app-1", desk.redirect_uri, SECRET)
    desk.write(desk.account(), app='client_id = "app-1"\nclient_secret = "file:client"')
    descriptor = os.open(desk.folder / "client", os.O_CREAT | os.O_WRONLY, 0o600)
    os.write(descriptor, SECRET.encode())
    os.close(descriptor)
    result = desk.sign_in()
    assert result.code == 0
    desk.no_secret_in(result.output, result.errors)
    (desk.folder / "client").chmod(0o644)
    assert f"{desk.folder}/client can be read by others" in desk.fails(2)


def test_of_several_accounts_one_is_named_by_its_id_or_its_handle(desk: Desk) -> None:
    desk.write(desk.account('token = "file:secret/x.token"'), desk.account(None, desk.other))
    assert desk.fails(2).startswith(f"{desk.folder}/archiver.toml names 2 accounts of X\n")
    for named in (desk.police, "springfieldpd", "@SpringfieldPD"):
        assert desk.sign_in("--account", named).code == 0
        desk.token_file.unlink()
    assert desk.fails(2, "--account", "nobody").startswith(
        f"{desk.folder}/archiver.toml names no account of X nobody\n"
    )
    desk.write()
    assert "names no account of X\n" in desk.fails(2)


def test_an_account_that_is_not_asked_for_is_answered_with_the_lines_to_add(desk: Desk) -> None:
    desk.write(desk.account(None))
    text = desk.fails(2)
    assert text.startswith(
        f"{desk.folder}/archiver.toml does not let X be asked for @SpringfieldPD ({desk.police})"
    )
    lines = text.partition("after its id:\n")[2]
    assert lines.startswith(f'[account.api]\ntoken = "file:collector/x-{desk.police}.token"')
    desk.write(desk.account(None), lines)
    assert desk.sign_in().code == 0
    assert (desk.folder / "collector" / f"x-{desk.police}.token").is_file()


def test_settings_with_which_no_token_could_be_had_or_kept_are_refused_before_x_is_asked(desk: Desk) -> None:
    for api, app, words in (
        ('token = "env:T"', 'client_id = "app-1"', "a new token could not be kept where account.api.token"),
        ('bearer_token = "env:T"', 'client_id = "app-1"', "names other keys for @SpringfieldPD"),
        ('token = "file:t"', "", "x_api.client_id is missing\narchiver: hint: it is in X's developer portal"),
    ):
        desk.write(desk.account(api), app=app)
        assert words in desk.fails(2)
    assert desk.redirect_uri in desk.fails(2)
    assert desk.x.requests == []
