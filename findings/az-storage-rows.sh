#!/usr/bin/env bash
# azure-cli 2.91.0 on Azurite 3.37.0: a 64-bit number of a table row is lost on the way to a script.
#
# `az storage entity query` shows an Edm.Int64 as {"edm_type", "value"}: `--output table` has no column for it, `--output tsv` an empty cell,
# and neither says so; `seq.value` in the query is what it takes. `--output table` with `--select` of anything but both keys ends with exit
# code 1, with the row found. The other way round, `entity insert` makes a number of n=5 and a text of ok=true.
#
# Output:
#   tsv: r||5|x
#   table: PartitionKey RowKey Status
#   table with --select status: exit code 1, ERROR: Table output unavailable. Use the --query option to specify an appropriate query. Use --debug for more info.
#   inserted: 5 "true"
set -euo pipefail
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT

(cd "$work" && npm install --silent --no-audit --no-fund azurite@3.37.0 2>/dev/null)
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile azure-cli==2.91.0

port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
tables=$(port)
node "$work/node_modules/azurite/dist/src/table/main.js" --tablePort "$tables" --location "$work" --silent --disableTelemetry --skipApiVersionCheck >/dev/null &
until (: <"/dev/tcp/127.0.0.1/$tables") 2>/dev/null; do sleep 0.1; done

# The key is the one that every Azurite has.
key=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==
export AZURE_STORAGE_CONNECTION_STRING="AccountName=devstoreaccount1;AccountKey=$key;TableEndpoint=http://127.0.0.1:$tables/devstoreaccount1;"
export HOME=$work AZURE_CONFIG_DIR=$work/azure AZURE_CORE_COLLECT_TELEMETRY=0 AZURE_CORE_ONLY_SHOW_ERRORS=1 COLUMNS=300
az() { "$work/venv/bin/az" "$@"; }

az storage table create --name rows --output none
az storage entity insert --table-name rows --entity PartitionKey=p RowKey=r status=x seq=5 seq@odata.type=Edm.Int64 --output none
az storage entity insert --table-name rows --entity PartitionKey=q RowKey=r n=5 ok=true --output none
query() { az storage entity query --table-name rows --filter "PartitionKey eq '$1'" "${@:2}"; }
{
    echo "tsv: $(query p --query 'items[].[RowKey, seq, seq.value, status]' --output tsv | tr '\t' '|')"
    echo "table: $(query p --output table | head -n 1 | xargs)"
    code=0
    query p --select status --output table >"$work/out" 2>&1 || code=$?
    echo "table with --select status: exit code $code, $(cat "$work/out")"
    echo "inserted: $(query q --query 'items[0].[n, ok]' --output json | tr -d ' \n[]' | tr ',' ' ')"
} | tee "$work/seen"

diff "$work/seen" - <<EXPECTED || { echo "CHANGED: see the differences above" >&2; exit 1; }
tsv: r||5|x
table: PartitionKey RowKey Status
table with --select status: exit code 1, ERROR: Table output unavailable. Use the --query option to specify an appropriate query. Use --debug for more info.
inserted: 5 "true"
EXPECTED
