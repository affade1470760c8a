"""Whether the real clients take the commands: az by its own parser, azd by the table in azd.json."""

import contextlib
import io
import json
import os
import tempfile
from pathlib import Path

AZD = json.loads((Path(__file__).parent / "azd.json").read_text())
TAKEN = 99  # an exit code that az does not have
# What must be refused, or the check sees nothing.
WRONG = [
    "az identity show --resource-group g --nome n",
    "az identity federate --name n",
    "az ad app federated-credential update --id i --parameters {}",
    "az group create --name g --location l --output nine",
    "azd up --locaton l",
    "azd env set NAME",
    "azd env sett NAME value",
]


def check(typed):
    """Returns (faults, figures) for lists of words, each the whole command."""
    unique = {tuple(words) for words in typed if words[0] in ("az", "azd")}
    os.environ.update(AZURE_CONFIG_DIR=tempfile.mkdtemp(), AZURE_CORE_COLLECT_TELEMETRY="0")  # az keeps its caches there.
    faults = [f"{' '.join(words)}: {why}" for words in sorted(unique) if (why := refused(words))]
    faults += [f"{line}: this is wrong, and was taken" for line in WRONG if not refused(tuple(line.split()))]
    counts = {name: len({words for words in unique if words[0] == name}) for name in ("az", "azd")}
    return faults, f"{counts['az']} commands by az's own parser, {counts['azd']} by azd's table, {len(WRONG)} wrong ones refused"


def refused(words):
    """Why the client does not take it; None if it does."""
    return _az(list(words[1:])) if words[0] == "az" else _azd(list(words[1:]))


def _az(words):
    """az itself runs, and is stopped once it has parsed the command."""
    from azure.cli.core import get_default_cli

    cli = get_default_cli()

    class Parser(cli.parser_cls):
        def parse_args(self, *given, **options):
            super().parse_args(*given, **options)
            raise SystemExit(TAKEN)

        def error(self, message):
            raise SystemExit(message)

    cli.parser_cls = Parser
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        try:
            code = cli.invoke(words)
        except SystemExit as end:
            code = end.code
    if code == TAKEN:
        return None
    return f"az does not take it: {code}"


def _azd(words):
    name = next((known for known in AZD["commands"] if words[: len(known.split())] == known.split()), None)
    if name is None:
        return "azd has no such command in azd.json"
    command, rest = AZD["commands"][name], words[len(name.split()):]
    flags = [word for word in rest if word.startswith("-")]
    if unknown := [flag for flag in flags if flag not in command["flags"] + AZD["everywhere"]]:
        return f"azd {name} has no {', '.join(unknown)}"
    values = rest[: rest.index(flags[0])] if flags else rest
    return None if len(values) == command["words"] else f"azd {name} takes {command['words']} words, not {len(values)}"
