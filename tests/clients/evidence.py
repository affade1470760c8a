"""What our functions do where a runbook has a trap: each line is read from a run, and wrong if the run does not show it."""

from azure_side import AIVEN_APPLICATION
from terminal import Unexpected


def evidence(one, two):
    """By the trap's key: what our status says. `one` was asked for one peering, `two` for two."""
    facts, connection, application = one.facts(), one.state["connections"][0], _application(one)
    asked_networks = two.state["connections"][0]["cidrs"]
    waits = [row["note"] for row in one.journal if row["outcome"] == "wait"]
    own = [p["id"] for p in one.state["service_principals"] if (p["app_id"], p["tenant"]) == (application["app_id"], "home")]
    admitted = [p for p in two.state["service_principals"] if (p["app_id"], p["tenant"]) == (AIVEN_APPLICATION, "home")]
    shared = _application(two)
    refused = [call for call in two.calls if call["status"] == 409]
    into_aiven = f"/{two.scene['aiven_tenant']}/oauth2/v2.0/token"
    tokens = [call["status"] for call in two.calls if call["service"] == "entra" and call["path"] == into_aiven]
    denied = [status for status in tokens if status != 200]
    names = {role["role_name"] for role in two.state["role_definitions"]}
    both = [row["status"] for row in two.records]
    directory = [note for note in waits if "not visible everywhere yet" in note]
    settling = [note for note in waits if "honour the role assignment" in note]
    lines = {
        "vpc": (f"{', '.join(one.while_pending)} while PENDING_PEER; Active only when both clouds agree",
                one.while_pending and "Active" not in one.while_pending),
        "ids": ("both are kept in the record's facts the moment that they are shown",
                (facts["aiven_tenant"], facts["aiven_vnet"]) == (one.scene["aiven_tenant"], one.scene["aiven_vnet"])),
        "create": ("the record keeps the id", facts["connection"] == connection["id"]),
        "networks": (f"asked for in the message, Aiven has {asked_networks}", asked_networks == ["10.77.0.0/24"]),
        "case": (f"asked for as {one.scene['vnet'].split('/')[4]}, found as {connection['resource_group']}",
                 one.scene["vnet"].split("/")[4] != connection["resource_group"]),
        "group": ("the record keeps all three names of the VNet", _keeps_names(one)),
        "flag": (f"no client between: signInAudience is sent as {application['audience']}",
                 application["audience"] == "AzureADMultipleOrgs"),
        "field": ("the object id is read from Graph's own `id`", own == [facts["principal"]]),
        "directory": (f"waits for Azure by itself, and says why ({len(directory)} times in this run)", directory),
        "role": (f"waits for Azure before it tries: {settling[0] if settling else 'nothing'!r}", settling),
        "kept": (f"each try asks: {len(denied)} refused, {len(tokens) - len(denied)} granted, no person in between",
                 denied and both == ["Active", "Active"]),
        "reset": (f"two peerings share the application: {shared['passwords']} passwords, "
                  f"{len(shared['federated_credentials'])} federated credential",
                  (shared["passwords"], len(shared["federated_credentials"])) == (0, 1)),
        "admitted": (f"looks first: two peerings {', '.join(both)}, {len(admitted)} service principal",
                     both == ["Active", "Active"] and len(admitted) == 1),
        "defined": (f"names hold the subscription: {len(names)} roles for two subscriptions, {len(refused)} refusals",
                    len(names) == len(two.state["role_definitions"]) == 4 and not refused),
    }
    wrong = {key: line for key, (line, shown) in lines.items() if not shown}
    if wrong:
        raise Unexpected(f"our own status has a trap: {wrong}")
    return {key: line for key, (line, _) in lines.items()}


def _application(run):
    administrator = run.scene["administrator"]["app_id"]
    return next(a for a in run.state["applications"] if a["app_id"] != administrator)


def _keeps_names(run):
    parts = run.scene["vnet"].lower().split("/")
    return all(part in run.records[0]["key"] for part in (parts[2], parts[4], parts[8]))
