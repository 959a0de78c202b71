"""The program's commands, in the order in which a newcomer meets them."""

from __future__ import annotations

import importlib.metadata
from typing import Annotated, Any

import typer
import typer.main

from masquerade.cli import (
    command_audit,
    command_demo,
    command_desensitize,
    command_encode,
    command_evaluate,
    command_fuse,
    command_inspect,
    command_mask,
    command_run,
    command_sample,
    command_seal,
    command_sweep,
    command_synthesize,
    command_verify,
)
from masquerade.cli.options import examples

__all__ = ["app", "command"]

app = typer.Typer(
    name="masquerade",
    help="Release data without releasing people: new rows, or the same records made safer, and one honest report on either.",
    epilog=examples(
        "masquerade demo",
        "masquerade synthesize bank.csv -o synthetic.csv --report report.html",
    ),
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    """Release data without releasing people: new rows, or the same records made safer, and one honest report on either."""
    if version:
        typer.echo(f"masquerade {importlib.metadata.version('masquerade')}")
        raise typer.Exit(0)
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(0)


app.command("demo", epilog=command_demo.EXAMPLES)(command_demo.demo)
app.command("inspect", epilog=command_inspect.EXAMPLES)(command_inspect.inspect)
app.command("synthesize", epilog=command_synthesize.EXAMPLES)(command_synthesize.synthesize)
app.command("sample", epilog=command_sample.EXAMPLES)(command_sample.sample)
app.command("desensitize", epilog=command_desensitize.EXAMPLES)(command_desensitize.desensitize)
app.command("mask", epilog=command_mask.EXAMPLES)(command_mask.mask)
app.command("fuse", epilog=command_fuse.EXAMPLES)(command_fuse.fuse)
app.command("encode", epilog=command_encode.EXAMPLES)(command_encode.encode)
app.command("evaluate", epilog=command_evaluate.EXAMPLES)(command_evaluate.evaluate)
app.command("audit", epilog=command_audit.EXAMPLES)(command_audit.audit)
app.command("sweep", epilog=command_sweep.EXAMPLES)(command_sweep.sweep)
app.command("run", epilog=command_run.EXAMPLES)(command_run.run)
app.command("seal", epilog=command_seal.EXAMPLES)(command_seal.seal)
app.command("unseal", epilog=command_seal.UNSEALING)(command_seal.unseal)
app.command("verify", epilog=command_verify.EXAMPLES)(command_verify.verify)


def command() -> Any:
    """The whole program as one Click command."""
    return typer.main.get_command(app)
