"""Sends a request and reads record and journal with Microsoft's own clients, which know nothing of this project."""
import json, os, time
from azure.data.tables import TableClient
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

connection, request = os.environ["CONNECTION"], os.environ["REQUEST"]
queue = QueueClient.from_connection_string(connection, "peering-requests", message_encode_policy=TextBase64EncodePolicy())
queue.send_message(request, time_to_live=-1)

table = TableClient.from_connection_string(connection, "peerings")
for _ in range(600):
    try:
        records = [row for row in table.list_entities() if row["RowKey"].startswith("peering|")]
    except Exception:  # The table is made with the first record.
        records = []
    if records and records[0]["status"] == "Active":
        break
    time.sleep(0.1)
(record,) = records
assert record["status"] == "Active", record
for column in ["schema", "id", "vnet", "wanted", "step", "seq", "due", "options", "facts", "provenance", "times"]:
    assert column in record, f"{column} is missing: {record}"
assert record["reference"] == json.loads(request)["reference"], record
assert json.loads(record["provenance"]) == {"aiven": "created", "azure": "created"}, record

journal = [row for row in table.list_entities() if row["RowKey"].startswith("journal|")]
entity = lambda value: getattr(value, "value", value)
assert len(journal) == int(entity(record["seq"])), "one entry a commit"
for row in journal:
    for column in ["at", "step", "outcome", "note", "duration_ms"]:
        assert column in row, f"{column} is missing: {row}"
print(json.dumps({"id": record["id"], "status": record["status"], "journal": len(journal)}))
