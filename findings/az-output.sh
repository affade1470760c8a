#!/usr/bin/env bash
# azure-cli 2.91.0: what `--output tsv` and `--output table` make of a value depends on where it stands and what its column is called.
#
# tsv: true is `True` in a row of several values and `true` on a line of its own; null is `None` in a row, and so in a script no empty text;
# an object is an empty cell, and a list is the number of its elements.
# table: a column named id, etag or type in the query is left out without a word, and so are nulls and objects.
# Neither needs a login: the built-in list of clouds is asked.
#
# Output:
#   row: AzureCloud|True|None||2
#   alone: true
#   table: Name Active
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile azure-cli==2.91.0

export HOME=$work AZURE_CONFIG_DIR=$work/azure AZURE_CORE_COLLECT_TELEMETRY=0
clouds() { "$work/venv/bin/az" cloud list --query "[?name=='AzureCloud'] | $1" --output "$2"; }
{
    echo "row: $(clouds '[].[name, isActive, nothing, endpoints, [name, name]]' tsv | tr '\t' '|')"
    echo "alone: $(clouds '[0].isActive' tsv)"
    echo "table: $(clouds '[].{name: name, id: name, etag: name, type: name, active: isActive, none: nothing, object: endpoints}' table | head -n 1 | xargs)"
} | tee "$work/seen"

diff "$work/seen" - <<EXPECTED || { echo "CHANGED: see the differences above" >&2; exit 1; }
row: AzureCloud|True|None||2
alone: true
table: Name Active
EXPECTED
