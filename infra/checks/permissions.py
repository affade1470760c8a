"""Who may do what, where and why: one page, written from the templates and the code, and stale as soon as either changes."""

import re

import bicep
from grants import SAMPLE
from rules import BUILT_IN_ROLES
from tooling import INFRA, ROOT

PAGE = INFRA / "PERMISSIONS.md"
# Each action with what it is for, and the functions of the code's Resource Manager client that need it.
REASONS = {
    "Microsoft.Resources/subscriptions/read": ("is the subscription there, and of our tenant?", ["subscription"]),
    "Microsoft.Network/virtualNetworks/read": ("address space, health and peerings of a VNet", ["vnet", "vnets"]),
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/read": ("state of a peering", ["peering"]),
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write": ("make a VNet's half, and follow changed address spaces", ["put_peering", "sync_peering"]),
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/delete": ("remove the half that was made", ["delete_peering"]),
    "Microsoft.Network/virtualNetworks/peer/action": ("let the other network's half point here", ["put_peering"]),
    "Microsoft.Network/locations/operations/read": ("see how a write ends", ["operation"]),
    "Microsoft.Network/locations/operationResults/read": ("see how a removal ends", ["operation"]),
    "Microsoft.Authorization/roleDefinitions/read": ("are the two roles there, and as they should be?", ["role_definition", "role_definitions_named"]),
    "Microsoft.Authorization/roleAssignments/read": ("who has them on a VNet already?", ["role_assignments"]),
    "Microsoft.Authorization/roleAssignments/write": ("give them on a VNet: the condition below", ["put_role_assignment"]),
    "Microsoft.Authorization/roleAssignments/delete": ("take them back: the condition below", ["delete_role_assignment"]),
}
# Roles on the resources of the app: whoever has them, with what for.
USES = {
    "Storage Blob Data Owner": "the package, and the host's locks and timers",
    "Storage Queue Data Contributor": "take, renew, give back and send messages; the host moves failed ones to poison queues",
    "Storage Table Data Contributor": "records and journal",
    "Storage Queue Data Message Sender": "send requests",
    "Storage Table Data Reader": "read status and journal",
    "Key Vault Secrets User": "read the Aiven token",
    "Key Vault Secrets Officer": "set the Aiven token",
    "Monitoring Metrics Publisher": "publish telemetry",
}
_WHO = {"identityPrincipalId": "the app's identity", "publisherPrincipalId": "the app's identity", "id": "operators"}


def page(files):
    """The page's text."""
    grant = bicep.File(INFRA / "modules" / "grant.bicep", INFRA, files["modules/grant.bicep"].source.decode(), SAMPLE)
    made = {one.symbol: one.body for one in grant.resources}
    text = [
        "# Who may do what, where and why", "",
        "Written by `infra/checks/run permissions` from the templates and the code; `infra/checks/run` fails when it is stale.", "",
        "## The app's managed identity, in each subscription whose VNets it peers", "",
        "Custom role *automation* of `grants.bicep`, on the subscription. It makes no role and edits none, and has no right in the directory.", "",
        *_actions(made["automationRole"]), "",
        "Its right to assign roles is narrowed by a condition: two roles, to two service principals.", "",
        "```text", _placeholders(made["automation"]["properties"]["condition"], made).replace(") AND ((", ")\nAND\n(("), "```", "",
        "## Our application, on each VNet that was asked for", "",
        "Custom role *peering writer*; or with `peeringRole` = `network-contributor` the built-in one, as the published runbooks do.", "",
        *_actions(made["writerRole"]), "",
        "## Aiven's application, on the same VNets", "", "Custom role *peer only*: to the VNet, not from it.", "",
        *_actions(made["peerOnlyRole"]), "",
        "## On the resources of the app", "", "| who | role | on | why |", "|---|---|---|---|", *_assignments(files), "",
        "Operators are whom `operatorPrincipalIds` names.", "",
        "## In the directory", "",
        "The app: nothing (with `credential` = `secret` it needs Application.ReadWrite.OwnedBy and to own the application, which nothing"
        " here gives it). An Application Administrator makes these once, with `identity.bicep` or `identity.sh`:", "",
        *_directory(files), "",
        "## Whoever deploys", "",
        "| deployment | needs |", "|---|---|",
        "| `identity` | Application Administrator in the directory; Contributor in the subscription of the app |",
        "| `main` | Contributor and Role Based Access Control Administrator in the subscription of the app |",
        "| `grants` | Owner or User Access Administrator of each subscription whose VNets are peered |", "",
    ]
    return "\n".join(text)


def _actions(role):
    rows = ["| action | why |", "|---|---|"]
    return rows + [f"| `{action}` | {REASONS[action][0]} |" for action in role["properties"]["permissions"][0]["actions"]]


def _placeholders(condition, made):
    names = {
        made["writerRole"]["name"]: "<peering writer>", made["peerOnlyRole"]["name"]: "<peer only>",
        SAMPLE["applicationPrincipalId"]: "<our application>", SAMPLE["aivenPrincipalId"]: "<Aiven's application>",
    }
    for id_, name in names.items():
        condition = condition.replace(id_, name)
    return condition


def _assignments(files):
    by_id = {id_: name for name, id_ in BUILT_IN_ROLES.items()}
    rows = set()
    for path in ("modules/storage.bicep", "modules/vault.bicep", "modules/monitoring.bicep"):
        for one in files[path].resources:
            if one.type != "Microsoft.Authorization/roleAssignments":
                continue
            who = _WHO[one.body["properties"]["principalId"].text or "id"]
            expression = one.body["properties"]["roleDefinitionId"].text
            variable = re.search(r"roleDefinitions', ([\w.]+)\)", expression).group(1)
            roles = files[path].variable("appRoles").values() if variable == "role.value" else files[path].variable(variable)
            where = {"account": "storage account", "vault": "key vault", "component": "Application Insights"}[one.body["scope"].text]
            for role in bicep.everything(roles if isinstance(roles, bicep.Choice) else list(roles) if not isinstance(roles, str) else roles):
                if isinstance(role, str):
                    name = by_id[role]
                    use = "only with `credential` = `secret`: keep the secret of our application, too" if name.endswith("Officer") and who != "operators" else USES[name]
                    rows.add(f"| {who} | {name} | {where} | {use} |")
    return sorted(rows, key=lambda row: (row.split("|")[3], row))


def _directory(files):
    made = {one.symbol: one.body for one in files["identity.bicep"].resources}
    yield f"- an application `aiven-azure-peering-<installation>` ({made['application']['signInAudience']}), without any permission or secret"
    yield f"- its federated credential, for the app's identity and audience `{made['credential']['audiences'][0]}`"
    yield "- its service principal, and that of Aiven's application, both without any permission in the directory"


def check(files):
    """The page is as it would be written now, and what it says of the code is there."""
    source = "".join(path.read_text() for path in (ROOT / "functions" / "cloud" / "arm").rglob("*.rs"))
    for action, (_, functions) in REASONS.items():
        for function in functions:
            if f"pub async fn {function}(" not in source:
                yield f"permissions.py: {action} is said to be for {function}, which the code no longer has"
    used = set(re.findall(r"pub async fn (\w+)\(", source)) - {name for _, names in REASONS.values() for name in names}
    # Whose subscription it is, is told to anybody. Lists are read as their items are. Roles the app is not to make: it has no right to.
    for function in sorted(used - {"tenant_of", "put_role_definition", "role_definitions", "assignments_of"}):
        yield f"permissions.py: which right does {function} of the code need?"
    if not PAGE.exists() or PAGE.read_text() != page(files):
        yield "PERMISSIONS.md is stale: run infra/checks/run permissions"
