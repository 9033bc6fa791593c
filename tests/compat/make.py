"""Makes `tests/compat/made_by/0.N.tar.zst`: a folder as each earlier version left it, by that version's own
program. `README.md` beside them says what is in each.

    .venv/bin/python -m tests.compat.make 0.3        # one, or all without a name

Each version is checked out beside the others (`git worktree`) and runs there with its own sample and its own
fake of X. Keys and ids are made at random, so that the bytes differ each time; what is in them does not.
"""

import datetime as dt
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

VERSIONS = {
    "0.1": "8b176709d7b45e93e29339d52b41a9a5549e5b1f",
    "0.2": "09e06514aba147249476a01e868581cb52771158",
    "0.3": "de603b308a5ec297de3aa4e43e1dae3a3340ec6a",
    "0.4": "282a55d90dfc0985be7acc6857cf7c14835c98ab",
    "0.5": "86dbaae5da8ccf9ff7d986bf2d95d06d647a0098",
    "0.6": "944f9bd2763c12c68622b9ee3f8038d5b6be6185",
}
"""The last commit of each version, before the work on the next began."""
MADE_BY = Path(__file__).parent / "made_by"
PROJECT = Path(__file__).resolve().parent.parent.parent
HOLDER = "records"
SEALED_UNTIL, WAITING_UNTIL = dt.date(2026, 9, 30), dt.date(2026, 10, 31)
TOKEN = "token-of-a-fake-of-X"  # of a server that has ended
Run = Callable[..., None]


def make(version: str) -> Path:
    """Check the version out, let it make its folder, and keep that; where."""
    with tempfile.TemporaryDirectory() as temporary:
        tree, home = Path(temporary) / "tree", Path(temporary) / "home"
        git = ["git", "-C", str(PROJECT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", tree, VERSIONS[version]], check=True)
        try:
            environ = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
            inside = [sys.executable, __file__, "--inside", version, str(home)]
            subprocess.run(inside, check=True, cwd=tree, env=environ)
        finally:
            subprocess.run([*git, "remove", "--force", tree], check=True)
        target = MADE_BY / f"{version}.tar.zst"
        target.write_bytes(_packed(home))
        return target


def _packed(home: Path) -> bytes:
    """The folder as an archive, without this machine's names and times."""
    import zstandard

    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.add(home, "home", filter=_nobodys)
    return zstandard.ZstdCompressor(level=19).compress(plain.getvalue())


def _nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member


# What follows runs in the checkout of a version, with all of it imported from there


def make_inside(version: str, home: Path) -> None:
    """Make the folder with what the version knows: an export sealed; a later one in the spool; what came
    through X's interface both ways; moderation records; a second store; a log and an exhibit."""
    from archiver import __version__
    from archiver.sample import write_sample_export

    if not __version__.startswith(f"{version}."):
        raise SystemExit(f"this is {__version__}")
    number = int(version.partition(".")[2])
    run = _runner(home)
    run("init", home, "--holder", HOLDER, "--no-passphrase", *(["--classic"] if number % 2 else []))
    settings = home / "archiver.toml"
    if number >= 4:
        _add_second_store(settings)
    write_sample_export(home / "one.zip", until=SEALED_UNTIL, months=1)
    run("import", "--add-account", home / "one.zip")
    if number >= 2:
        _use_interface(run, settings, number)
    else:
        run("seal")
    write_sample_export(home / "two.zip", until=WAITING_UNTIL, months=2)
    run("import", home / "two.zip")
    for name in ("one.zip", "two.zip"):
        (home / name).unlink()
    if number >= 6:
        run("search", "burglary", "--reason", "upgrade test")
        pack = (
            "--case",
            "1",
            "--exhibit",
            "ABC",
            "--produced-by",
            "Springfield Police",
            "--format",
            "csv",
            "-o",
        )
        run("evidence", "export", "burglary", *pack, home.parent / "pack")


def _runner(home: Path) -> Run:
    """Runs a command of the version in a process of its own: 0 and 3 are as it should be."""

    def run(*words: str | Path) -> None:
        begin = [] if words[0] == "init" else ["--config", str(home)]
        code = "import sys; from archiver.cli import main; sys.exit(main())"
        command = [sys.executable, "-c", code, *begin, *map(str, words)]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        if done.returncode not in (0, 3):
            raise SystemExit(f"{words}: {done.returncode}")

    return run


def _add_second_store(settings: Path) -> None:
    (settings.parent / "second").mkdir()
    second = '[[store]]\nname = "vault"\nkind = "local"\npath = "vault"\n\n'
    second += '[[store]]\nname = "second"\nkind = "local"\npath = "second"\nrequired = true\n'
    text = settings.read_text().replace('vault = "vault"\n', "", 1)
    settings.write_text(f"{text}\n{second}")


def _use_interface(run: Run, settings: Path, number: int) -> None:
    """Collect what the fake of X holds, seal it, and collect once more, for the spool; from 0.3 on with
    moderation records in both."""
    from tests.fakes.x_api import FakeX

    with FakeX() as x:
        x.limits = dict.fromkeys(x.limits, (1_000_000, 1_000_000))
        force, rude = _populate(x)
        _write_api_settings(settings, x.url, force.id, may_hide=number >= 3)
        run("collect")
        if number >= 3:
            run("moderate", rude[0], "--reason", "abusive", "--action", "hide")
        run("seal")
        x.world.add_post(force, "Main Street is open again. #traffic")
        run("collect", "--kind", "posts")
        if number >= 3:
            run("moderate", rude[1], "--reason", "abusive", "--action", "block")


def _populate(x: object) -> tuple[object, Sequence[str]]:
    """The fictional force of the sample on the fake of X, a few posts, and two replies that break rules."""
    from archiver.sample.people import FORCE

    world = x.world
    force = world.add_user(FORCE.handle, FORCE.name, id=FORCE.user_id)
    people = [world.add_user(f"resident_{number}", f"Resident {number}") for number in range(3)]
    world.add_token(TOKEN, force)
    then = world.now_ms() - 6 * 3_600_000
    posts = [
        world.add_post(force, f"Notice {number}: Main Street is closed. #traffic", then + number * 60_000)
        for number in range(5)
    ]
    rude = [
        world.add_post(one, f"@{FORCE.handle} you are all idle", then + 3_600_000, reply_to=posts[0])
        for one in people[:2]
    ]
    for one in people:
        world.follow(one, force)
        world.add_message(one, "A tip about Main Street", [force], then)
    return force, [f"https://x.com/resident_{number}/status/{one.id}" for number, one in enumerate(rude)]


def _write_api_settings(settings: Path, url: str, account: str, *, may_hide: bool) -> None:
    token = settings.parent / "collector" / "x.token"
    document = {"format": "archiver-x-token-1", "access_token": TOKEN, "user_id": account, "scopes": []}
    token.write_text(json.dumps(document))
    token.chmod(0o600)
    table = f'[account.api]\ntoken = "file:collector/{token.name}"\n'
    table += 'acts = ["hide"]\n' if may_hide else ""
    text = settings.read_text()
    head, account_line, rest = text.partition(f'id = "{account}"\n')
    if not account_line:
        raise SystemExit(f"{text}\nhas no account")
    host = url.removeprefix("http://")
    x_api = f'\n[x_api]\napi_base_url = "{url}"\nmedia_hosts = ["{host}"]\n'
    settings.write_text(f"{head}{account_line}{rest.rstrip()}\n{table}{x_api}")


def main(arguments: Sequence[str]) -> None:
    if arguments[:1] == ["--inside"]:
        make_inside(arguments[1], Path(arguments[2]))
        return
    for version in arguments or VERSIONS:
        made = make(version)
        print(f"{made.name}: {made.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
