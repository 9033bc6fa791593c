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
from archiver.cli._session import (
    Session,
    ask_new_passphrase,
    ask_passphrase,
    pass_session,
    print_error,
    store_option,
)
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

INTERRUPTED = 130
BROKEN_PIPE = 141
"""128 + SIGINT and 128 + SIGPIPE, as shells count."""

COMMANDS = {
    "init": ("init", "Make a folder with settings, keys and an empty vault."),
    "import": ("import_", "Take exports into the spool."),
    "login": ("login", "Let X give this program a token of its own; no password."),
    "collect": ("collect", "Ask X for what is new, through its interface."),
    "seal": ("seal", "Seal the spool into one new archive."),
    "backup": ("backup", "Import the inbox, collect from X, seal it and verify."),
    "schedule": ("schedule", "Start all of it by cron or systemd, on one host."),
    "moderate": ("moderate", "Record an inappropriate post, then hide, remove or mute it."),
    "moderation": ("moderation", "List, correct, reverse, import and export moderation records."),
    "search": ("search", "Search every archive without restoring anything."),
    "show": ("show", "Show one record with all its versions."),
    "evidence": ("evidence", "Make and check packs of records for a court or a complaint."),
    "verify": ("verify", "Check every archive; needs no private key."),
    "repair": ("repair", "Put back what is damaged or missing, from another store."),
    "log": ("log", "Say who did what, and check that nothing of that is missing."),
    "restore": ("restore", "Write an archive's database and media to a folder, decrypted."),
    "rebuild": ("rebuild", "Derive the records again from the captures and compare."),
    "sync": ("sync", "Give every store each archive that it lacks."),
    "keys": ("keys", "Make keys; add, remove and list keyholders."),
    "status": ("status", "Say what was archived, when, and what waits."),
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
    ]


def add_common_options(command: click.Command) -> None:
    """Let a command, and all below it, take `--config` and `--json` too: `archiver search --json word`."""
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
    10 no vault, 11 locked, 12 no key fits, 20 integrity, 130 interrupted."""
    if "_ARCHIVER_COMPLETE" in os.environ:  # a shell asks for completions: click's own protocol
        group.main(prog_name="archiver")
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a TextIO has none
    try:
        code = _invoke(list(arguments))
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has enough. Python flushes again at exit: give it somewhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return BROKEN_PIPE
    return code


def _invoke(arguments: list[str]) -> int:
    try:
        with group.make_context("archiver", arguments, obj=Session(os.environ)) as context:
            result = group.invoke(context)
        return result if isinstance(result, int) else 0
    except ArchiverError as error:
        print_error(error)
        return error.exit_code
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return UsageError.exit_code
    except click.UsageError as error:
        print_error(_translated(error))
        return UsageError.exit_code
    except (KeyboardInterrupt, EOFError, click.Abort):
        click.echo("\narchiver: interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except OSError as error:
        # A module translates its own; this is the last net, so that nobody meets a traceback for a disk.
        where = f"{error.filename}: " if error.filename else ""
        print_error(ArchiverError(f"{where}{(error.strerror or str(error)).lower()}"))
        return ArchiverError.exit_code


def _translated(error: click.UsageError) -> UsageError:
    """Click's usage errors in our two lines."""
    message = error.format_message().strip().removesuffix(".")
    command = error.ctx.command_path if error.ctx else "archiver"
    return UsageError(f"{message[:1].lower()}{message[1:]}", f"see: {command} --help")
