"""Who gets which data-plane role, where."""

import grants
from function_app import settings


BUILT_IN_ROLES = {
    "Storage Blob Data Owner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Storage Queue Data Contributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "Storage Queue Data Message Sender": "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a",
    "Storage Table Data Contributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    "Storage Table Data Reader": "76199698-9eea-4c19-bc75-cec21354c6b6",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Key Vault Secrets Officer": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    "Monitoring Metrics Publisher": "3913510d-42f4-4e42-8a64-420c390055eb",
}


def people(snapshot):
    """Requesters send to the two public queues and nothing else, readers read tables, officers handle secrets; the app has its own roles."""
    if snapshot.template not in ("main", "app"):
        return
    account, vault = (snapshot.one(type_)["id"] for type_ in ("Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults"))
    queues = [f"{account}/queueServices/default/queues/{name}" for name in ("peering-requests", "vpc-requests")]
    lists = dict.fromkeys(("requester", "reader", "officer"), "[deployer().objectId]")
    if snapshot.name == "main-people":
        lists = {name: grants.sample(digit) for name, digit in (("requester", "5"), ("reader", "8"), ("officer", "9"))}
    wanted = {(one, "Storage Queue Data Message Sender", lists["requester"]) for one in queues}
    wanted |= {(account, "Storage Table Data Reader", lists["reader"]), (vault, "Key Vault Secrets Officer", lists["officer"])}
    role_of = {id_: name for name, id_ in BUILT_IN_ROLES.items()}
    given, app = set(), set()
    for one in snapshot.of_type("Microsoft.Authorization/roleAssignments"):
        row = (grants.scope(one), role_of.get(one["properties"]["roleDefinitionId"].rsplit("/", 1)[-1]), one["properties"]["principalId"])
        (app if row[2].startswith("[reference(") else given).add(row)
    for row in sorted(given ^ wanted, key=str):
        yield f"people: {row} is {'given to somebody who must not have it' if row in given else 'missing'}"
    secret = "Key Vault Secrets Officer" if settings(snapshot)["CREDENTIAL"] == "secret" else "Key Vault Secrets User"
    expected = {
        (account, "Storage Blob Data Owner"), (account, "Storage Queue Data Contributor"), (account, "Storage Table Data Contributor"),
        (vault, secret), (snapshot.one("Microsoft.Insights/components")["id"], "Monitoring Metrics Publisher")}
    for row in sorted({row[:2] for row in app} ^ expected, key=str):
        yield f"the identity of the app: {row} is {'too much' if row not in expected else 'missing'}"
