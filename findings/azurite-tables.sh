#!/usr/bin/env bash
# Azurite 3.37.0, asked by @azure/data-tables 13.3.2: its tables have ways of their own with names and filters.
#
# Names: with a table `Peerings` there, `peerings` cannot be made because it exists, and cannot be read because it does not. Azure compares
# the names of tables without case.
# Edm.Int64: `seq gt 5` finds the row whose seq is 10 and `seq eq 10` does not; `seq eq 10L` does, and so does `seq eq '10'`, though seq is no
# text. Edm.Guid: compared as text, so in upper case it is another id. Edm.DateTime: kept to seven digits, compared by the millisecond.
#
# Output:
#   create peerings: TableAlreadyExists
#   read peerings: TableNotFound
#   seq gt 5: 1
#   seq eq 10: 0
#   seq eq 10L: 1
#   seq eq '10': 1
#   id eq guid'aaaaaaaa-1111-4111-8111-111111111111': 1
#   id eq guid'AAAAAAAA-1111-4111-8111-111111111111': 0
#   at eq datetime'2026-11-29T09:00:00.1239999Z': 1
#   at gt datetime'2026-11-29T09:00:00.1230000Z': 0
set -euo pipefail
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT

cd "$work"
npm install --silent --no-audit --no-fund azurite@3.37.0 @azure/data-tables@13.3.2 2>/dev/null
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
node node_modules/azurite/dist/src/table/main.js --tablePort "$port" --location "$work" --silent --disableTelemetry --skipApiVersionCheck >/dev/null &
until (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do sleep 0.1; done

cat >ask.js <<'JAVASCRIPT'
const { AzureNamedKeyCredential, TableClient } = require("@azure/data-tables");

// The key is the one that every Azurite has.
const key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const account = `http://127.0.0.1:${process.argv[2]}/devstoreaccount1`;
const credential = new AzureNamedKeyCredential("devstoreaccount1", key);
const table = (name) => new TableClient(account, name, credential, { allowInsecureConnection: true });

async function rows(name, filter) {
    let found = 0;
    for await (const _ of table(name).listEntities({ queryOptions: { filter } })) found += 1;
    return found;
}

(async () => {
    await table("Peerings").createTable();
    await table("Peerings").createEntity({
        partitionKey: "p",
        rowKey: "r",
        seq: { type: "Int64", value: "10" },
        id: { type: "Guid", value: "aaaaaaaa-1111-4111-8111-111111111111" },
        at: { type: "DateTime", value: "2026-11-29T09:00:00.1234567Z" },
    });
    // createTable takes a name that is taken for success, so the answer itself is looked at.
    let made;
    await table("peerings").createTable({ onResponse: (response) => (made = response) });
    console.log(`create peerings: ${JSON.parse(made.bodyAsText)["odata.error"].code}`);
    await rows("peerings").catch((error) => console.log(`read peerings: ${error.details.odataError.code}`));
    const filters = [
        "seq gt 5",
        "seq eq 10",
        "seq eq 10L",
        "seq eq '10'",
        "id eq guid'aaaaaaaa-1111-4111-8111-111111111111'",
        "id eq guid'AAAAAAAA-1111-4111-8111-111111111111'",
        "at eq datetime'2026-11-29T09:00:00.1239999Z'",
        "at gt datetime'2026-11-29T09:00:00.1230000Z'",
    ];
    for (const filter of filters) console.log(`${filter}: ${await rows("Peerings", filter)}`);
})();
JAVASCRIPT
node ask.js "$port" | tee seen

diff seen - <<EXPECTED || { echo "CHANGED: see the differences above" >&2; exit 1; }
create peerings: TableAlreadyExists
read peerings: TableNotFound
seq gt 5: 1
seq eq 10: 0
seq eq 10L: 1
seq eq '10': 1
id eq guid'aaaaaaaa-1111-4111-8111-111111111111': 1
id eq guid'AAAAAAAA-1111-4111-8111-111111111111': 0
at eq datetime'2026-11-29T09:00:00.1239999Z': 1
at gt datetime'2026-11-29T09:00:00.1230000Z': 0
EXPECTED
