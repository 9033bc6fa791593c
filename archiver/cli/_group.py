"""The command `archiver`: commands imported only when they run, errors to messages and exit codes."""

import difflib
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import click

from archiver import __version__
from archiver.cli._events import ENVIRONMENT
from archiver.cli._session import (
    Session,
    ask_new_passphrase,
    ask_passphrase,
    pass_session,
    print_error,
    store_option,
)
from archiver.cli._signals import interruption
from archiver.errors import ArchiverError, UsageError

__all__ = [
    "Session",
    "add_common_options",
    "ask_new_passphrase",
    "ask_passphrase",
    "examples",
    "pass_session",
    "run",
    "store_option",
]

BROKEN_PIPE = 141
"""128 + SIGPIPE, as shells count."""

COMMANDS = {
    "init": ("init", "Make a folder with settings, keys and an empty vault."),
    "import": ("import_", "Take exports into the spool."),
    "login": ("login", "Let X give this program a token of its own; no password."),
    "collect": ("collect", "Ask X for what is new, through its interface."),
    "seal": ("seal", "Seal the spool into one new archive."),
    "backup": ("backup", "Import the inbox, collect from X, seal it and verify."),
    "run": ("run", "Do what is due of all that; the one line for cron."),
    "schedule": ("schedule", "Start all of it by cron or systemd, on one host."),
    "moderate": ("moderate", "Record an inappropriate post, then hide, remove or mute it."),
    "moderation": ("moderation", "List, correct, reverse, import and export moderation records."),
    "search": ("search", "Search every archive without restoring anything."),
    "show": ("show", "Show one record with all its versions."),
    "restrict": ("restrict", "Keep records and show them no more, until released."),
    "erase": ("erase", "Erase a record for good, out of every archive that holds it."),
    "evidence": ("evidence", "Make and check packs of records for a court or a complaint."),
    "verify": ("verify", "Check every archive; needs no private key."),
    "repair": ("repair", "Put back what is damaged or missing, from another store."),
    "log": ("log", "Say who did what, and check that nothing of that is missing."),
    "restore": ("restore", "Write an archive's database and media to a folder, decrypted."),
    "drill": ("drill", "Try to restore, in memory, and compare with what was captured."),
    "rebuild": ("rebuild", "Derive the records again from the captures and compare."),
    "sync": ("sync", "Give every store each archive that it lacks."),
    "hold": ("hold", "Keep archives from being disposed of, by name, query or case."),
    "retention": ("retention", "Say what is due, record who decided, and dispose of it."),
    "keys": ("keys", "Make keys; add, remove and list keyholders."),
    "status": ("status", "Say whether all is well, what was archived, and what waits."),
    "doctor": ("doctor", "Look for what could keep the next run from its work."),
    "notices": ("notices", "Try the ways by which notices go out; show the monthly one."),
    "stores": ("stores", "Prove that each store can do what is asked of it."),
    "config": ("config", "Check the settings."),
    "demo": ("demo", "Run all of it once on a built-in sample export."),
}
"""Command to its module here, which has it as `command`, and its line in the help."""


def examples(*lines: str) -> str:
    """Text for a command's `epilog`: each line is a command to copy."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


class LazyGroup(click.Group):
    """Imports a command's module when it is asked for: `--version` and `--help` import none.

    `modules`: a command to its module in `package`, which has it as `command`, and its line in the help."""

    package = "archiver.cli"
    modules: ClassVar[Mapping[str, tuple[str, str]]] = COMMANDS

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.modules:
            return None
        module = importlib.import_module(f"{self.package}.{self.modules[cmd_name][0]}")
        command = module.command
        if not isinstance(command, click.Command):
            raise TypeError(f"{module.__name__}.command is no command")
        add_common_options(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        words = [word for word in args if word != "--json"]
        if words[:2] == ["moderate", "done"]:  # what a person is told to type; no item is called so
            args = ["moderation", *args[args.index("moderate") + 1 :]]
        if args and args[0] not in self.modules and not args[0].startswith("-"):
            close = difflib.get_close_matches(args[0], self.modules, n=1)
            path = ctx.command_path
            hint = f"did you mean: {path} {close[0]}" if close else f"see all of them: {path} --help"
            raise UsageError(f"there is no command {args[0]}", hint)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.modules.items()])


def _set_config(ctx: click.Context, _: click.Parameter, value: Path | None) -> None:
    if value is not None:
        ctx.ensure_object(Session).config = value


def _set_json(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.ensure_object(Session).json = True


def _set_log(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.ensure_object(Session).events.path = value


def _common_options() -> list[click.Option]:
    return [
        click.Option(
            ["--config"],
            type=click.Path(path_type=Path, readable=False),  # reading says what is in the way
            metavar="FILE",
            expose_value=False,
            callback=_set_config,
            help="The settings, or their folder; else ARCHIVER_CONFIG, else ./archiver.toml.",
        ),
        click.Option(
            ["--json"],
            is_flag=True,
            expose_value=False,
            callback=_set_json,
            help="Print one JSON object a line.",
        ),
        click.Option(
            ["--log"],
            is_eager=True,  # so that it is told of what is wrong with the others
            metavar="FILE",
            expose_value=False,
            callback=_set_log,
            help="Append what is done to FILE, as JSON lines; - is standard error. Else ARCHIVER_LOG.",
        ),
    ]


def add_common_options(command: click.Command) -> None:
    """Let a command, and all below it, take `--config`, `--json` and `--log` too: `archiver search --json
    word`."""
    taken = {name for parameter in command.params for name in parameter.opts}
    command.params += [option for option in _common_options() if not taken & set(option.opts)]
    if isinstance(command, click.Group) and not isinstance(command, LazyGroup):
        for below in command.commands.values():
            add_common_options(below)


@click.group(
    cls=LazyGroup,
    params=list(_common_options()),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples(
        "archiver init police-archive --holder records",
        "archiver --config police-archive import --add-account twitter-2026-11-01.zip",
        "archiver --config police-archive collect --dry-run",
        "archiver --config police-archive backup",
        "archiver --config police-archive search '\"road closed\" since:2026-10-01'",
    ),
)
@click.version_option(__version__, prog_name="archiver", message="%(prog)s %(version)s")
def group() -> None:
    """Take social-media accounts into encrypted, searchable archives that open without this program."""


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 usage or settings, 3 incomplete,
    10 no vault, 11 locked, 12 no key fits, 20 integrity, 130 interrupted, 143 stopped by SIGTERM."""
    if "_ARCHIVER_COMPLETE" in os.environ:  # a shell asks for completions: click's own protocol
        group.main(prog_name="archiver")
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a TextIO has none
    session = Session(os.environ)
    session.events.path = os.environ.get(ENVIRONMENT) or None
    interruption.on_give_up = session.events.end
    code = 1
    try:
        code = _invoke(session, list(arguments))
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has enough. Python flushes again at exit: give it somewhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = BROKEN_PIPE
    except Exception as error:
        session.events.defect(error)
        raise
    finally:
        session.events.end(code)
    return code


def _invoke(session: Session, arguments: list[str]) -> int:
    """Run it. What a program that is being stopped finds broken, as a worker process that was stopped with
    it, is no failure of its own."""
    try:
        return _run(session, arguments)
    except (KeyboardInterrupt, EOFError, click.Abort):
        pass
    except Exception:
        if interruption.number is None:
            raise
    click.echo("\narchiver: interrupted", err=True)
    return interruption.exit_code


def _run(session: Session, arguments: list[str]) -> int:
    def failed(error: ArchiverError) -> int:
        if interruption.number is not None:
            raise KeyboardInterrupt from error
        session.events.error(error, ends=True)
        print_error(error)
        return error.exit_code

    try:
        with group.make_context("archiver", arguments, obj=session) as context:
            result = group.invoke(context)
        return result if isinstance(result, int) else 0
    except ArchiverError as error:
        return failed(error)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return UsageError.exit_code
    except click.UsageError as error:
        return failed(_translated(error))
    except BrokenPipeError:
        raise
    except OSError as error:
        # A module translates its own; this is the last net, so that nobody meets a traceback for a disk.
        where = f"{error.filename}: " if error.filename else ""
        return failed(ArchiverError(f"{where}{(error.strerror or str(error)).lower()}"))


def _translated(error: click.UsageError) -> UsageError:
    """Click's usage errors in our two lines."""
    message = error.format_message().strip().removesuffix(".")
    command = error.ctx.command_path if error.ctx else "archiver"
    return UsageError(f"{message[:1].lower()}{message[1:]}", f"see: {command} --help")
