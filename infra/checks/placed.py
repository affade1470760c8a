"""Names within the rules of their types, in the place of the deployment, and known before it."""

import re

import grants
from compiler import SUBSCRIPTION
from people import BUILT_IN_ROLES


# "Naming rules and restrictions for Azure resources", of the last part of a name.
NAMES = {
    "Microsoft.Resources/resourceGroups": r"[\w().-]{0,89}[\w()-]",
    "Microsoft.ManagedIdentity/userAssignedIdentities": r"[A-Za-z0-9][\w-]{2,127}",
    "Microsoft.OperationalInsights/workspaces": r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]",
    "Microsoft.Insights/components": r"[^%&\\?/]{0,259}[^%&\\?/. ]",
    "Microsoft.Insights/actionGroups": r"[^:<>+/&%\\?|]{0,259}[^:<>+/&%\\?|. ]",
    "Microsoft.Insights/scheduledQueryRules": r"[^*<>?\"&#:\\/{}|]{0,259}[^*<>?\"&#:\\/{}|. ]",
    "Microsoft.Insights/workbooks": grants.GUID,
    "Microsoft.Insights/diagnosticSettings": r"[^*<>?\"&#:\\/]{1,260}",
    "Microsoft.Storage/storageAccounts": r"[a-z0-9]{3,24}",
    "Microsoft.Storage/storageAccounts/blobServices": "default",
    "Microsoft.Storage/storageAccounts/queueServices": "default",
    "Microsoft.Storage/storageAccounts/tableServices": "default",
    "Microsoft.Storage/storageAccounts/blobServices/containers": r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*",
    "Microsoft.Storage/storageAccounts/queueServices/queues": r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*",
    "Microsoft.Storage/storageAccounts/tableServices/tables": r"[A-Za-z][A-Za-z0-9]{2,62}",
    "Microsoft.KeyVault/vaults": r"(?=.{3,24}$)[A-Za-z](-?[A-Za-z0-9])*",
    "Microsoft.KeyVault/vaults/secrets": r"[A-Za-z0-9-]{1,127}",
    "Microsoft.Web/serverfarms": r"[A-Za-z0-9-]{1,60}",
    "Microsoft.Web/sites": r"[A-Za-z0-9][A-Za-z0-9-]{0,58}[A-Za-z0-9]",
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": "ftp|scm",
    "Microsoft.Network/virtualNetworks": r"[A-Za-z0-9][\w.-]{0,62}\w",
    "Microsoft.Network/privateEndpoints": r"[A-Za-z0-9][\w.-]{0,62}\w",
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": r"[A-Za-z0-9][\w.-]{0,78}\w",
    "Microsoft.Network/privateDnsZones": r"privatelink\.(blob|queue|table)\.core\.windows\.net|privatelink\.vaultcore\.azure\.net",
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": r"[A-Za-z0-9][\w.-]{0,78}\w",
    "Microsoft.Authorization/roleDefinitions": grants.GUID,
    "Microsoft.Authorization/roleAssignments": grants.GUID,
}

# An expression that stands for an id which only the deployment knows.
_IDENTITY = r"reference\('/subscriptions/[^']+/userAssignedIdentities/[^']+', '[\d-]+'\)\.principalId"
LATE = re.compile(rf"\[(?:{_IDENTITY}|deployer\(\)\.objectId)\]")


def names(snapshot):
    """Names within the rules of their types."""
    for one in snapshot.resources:
        if one["type"].startswith("Microsoft.Graph/"):
            continue
        last = one["name"].rsplit("/", 1)[-1]
        if one["type"] not in NAMES:
            yield f"{one['type']}: no rule for its names is written"
        elif one["name"].startswith("[") and one["type"] == "Microsoft.Authorization/roleAssignments":
            continue  # Rule `assignments` reads it.
        elif not re.fullmatch(NAMES[one["type"]], last):
            yield f"{one['type']}: Azure takes no {last!r} for a name"
        if one["type"].endswith("/queues") and len(last.removesuffix("-poison")) > 56:
            yield f"{one['type']}: the poison queue of {last} has too long a name"


def scopes(snapshot):
    """Everything is where the deployment is, or in the subscriptions that it was given."""
    group = {"app": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-team/", "landing-zone": "/providers/Microsoft.Management/managementGroups/mg-landing/"}
    for one in snapshot.resources:
        if one["type"].startswith("Microsoft.Graph/"):
            continue
        id_ = re.sub(r"^\[extensionResourceId\('", "", one["id"])
        where = group.get(snapshot.template, f"/subscriptions/{SUBSCRIPTION}/")
        if snapshot.template == "grants":
            where = "/subscriptions/"
            if not re.fullmatch(rf"/subscriptions/{grants.GUID}/providers/Microsoft\.Authorization/role\w+/{grants.GUID}", id_):
                yield f"{one['type']}: {id_} is not on a subscription"
        if not id_.startswith(where):
            yield f"{one['type']}: {id_} is not in {where}"
        if snapshot.template in ("main", "identity") and one["type"] != "Microsoft.Resources/resourceGroups":
            made = snapshot.one("Microsoft.Resources/resourceGroups")["id"]
            if not id_.startswith(f"{made}/"):
                yield f"{one['type']}: {id_} is not in the resource group of the deployment"


def known(snapshot):
    """What a deployment can be told before it is made: only the object id of its own identity and of whoever deploys is left open."""
    for one in snapshot.resources:
        late = one["name"].startswith("[") if "name" in one else False
        if late and one["type"] != "Microsoft.Authorization/roleAssignments":
            yield f"{one['type']}: its name {one['name'][:100]} is not known before the deployment"


def assignments(snapshot):
    """Each is of a role that is meant, and is named after scope, principal and role, so that a second deployment makes nothing twice."""
    for one in snapshot.of_type("Microsoft.Authorization/roleAssignments"):
        properties = one["properties"]
        role, principal = properties["roleDefinitionId"].rsplit("/", 1)[-1], properties["principalId"]
        scope = grants.scope(one)
        if snapshot.template in ("main", "app") and role not in BUILT_IN_ROLES.values():
            yield f"{scope}: {role} is no built-in role that is meant here"
        if LATE.fullmatch(principal):
            if one["name"] != f"[guid('{scope}', {principal[1:-1]}, '{role}')]":
                yield f"{scope}: an assignment is named {one['name'][:120]}, which is not computed from scope, principal and role"
        elif not re.fullmatch(grants.GUID, principal):
            yield f"{scope}: {principal[:80]!r} is no principal"
        elif one["name"] != grants.guid(scope, principal, role):
            yield f"{scope}: an assignment is named {one['name']}, which is not computed from scope, principal and role"
