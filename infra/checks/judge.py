"""What no compiler says: it takes any text for a name, a runtime, a role's action, a condition, a query; Azure, or nobody, refuses it later.

Every rule reads the kept predictions as plain JSON, so that it holds on any machine.
"""

import json
import re
from functools import cache

import grants
import signals
from compiler import SUBSCRIPTION, TENANT
from tooling import INFRA, ROOT

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
# Flex Consumption answers 51021 to these in siteConfig, or ignores them, by region.
REFUSED_SITE_CONFIG = {
    "alwaysOn", "ftpsState", "functionAppScaleLimit", "functionsRuntimeScaleMonitoringEnabled", "linuxFxVersion",
    "netFrameworkVersion", "preWarmedInstanceCount", "use32BitWorkerProcess",
}
REFUSED_SETTINGS = re.compile("FUNCTIONS_WORKER_RUNTIME|FUNCTIONS_EXTENSION_VERSION|WEBSITE_RUN_FROM_PACKAGE|WEBSITE_CONTENT.*|SCM_DO_BUILD.*|ENABLE_ORYX.*")
# What has to be so in every deployment: no keys, no old TLS, nothing public, nothing gone for good.
LOCKS = {
    "Microsoft.Storage/storageAccounts": {
        "allowSharedKeyAccess": False, "allowBlobPublicAccess": False, "allowCrossTenantReplication": False,
        "minimumTlsVersion": "TLS1_2", "supportsHttpsTrafficOnly": True, "networkAcls.bypass": "AzureServices"},
    "Microsoft.Storage/storageAccounts/blobServices/containers": {"publicAccess": "None"},
    "Microsoft.KeyVault/vaults": {
        "enableRbacAuthorization": True, "enableSoftDelete": True, "enablePurgeProtection": True, "tenantId": TENANT},
    "Microsoft.KeyVault/vaults/secrets": {"contentType": "text/plain"},
    "Microsoft.Insights/components": {"DisableLocalAuth": True},
    "Microsoft.OperationalInsights/workspaces": {"features.disableLocalAuth": True},
    "Microsoft.Web/sites": {"httpsOnly": True, "siteConfig.minTlsVersion": "1.2", "siteConfig.remoteDebuggingEnabled": None, "siteConfig.cors": None},
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": {"allow": False},
}
# What the sets of parameters have in the place of secrets.
SECRETS = ("check-aiven-token", "check-webhook-key", "check-setting-value")
# An expression that stands for an id which only the deployment knows.
_IDENTITY = r"reference\('/subscriptions/[^']+/userAssignedIdentities/[^']+', '[\d-]+'\)\.principalId"
_LATE = re.compile(rf"\[(?:{_IDENTITY}|deployer\(\)\.objectId)\]")


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


def assignments(snapshot):
    """Each is of a role that is meant, and is named after scope, principal and role, so that a second deployment makes nothing twice."""
    for one in snapshot.of_type("Microsoft.Authorization/roleAssignments"):
        properties = one["properties"]
        role, principal = properties["roleDefinitionId"].rsplit("/", 1)[-1], properties["principalId"]
        scope = grants.scope(one)
        if snapshot.template in ("main", "app") and role not in BUILT_IN_ROLES.values():
            yield f"{scope}: {role} is no built-in role that is meant here"
        if _LATE.fullmatch(principal):
            if one["name"] != f"[guid('{scope}', {principal[1:-1]}, '{role}')]":
                yield f"{scope}: an assignment is named {one['name'][:120]}, which is not computed from scope, principal and role"
        elif not re.fullmatch(grants.GUID, principal):
            yield f"{scope}: {principal[:80]!r} is no principal"
        elif one["name"] != grants.guid(scope, principal, role):
            yield f"{scope}: an assignment is named {one['name']}, which is not computed from scope, principal and role"


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
    secret = "Key Vault Secrets Officer" if _settings(snapshot)["CREDENTIAL"] == "secret" else "Key Vault Secrets User"
    expected = {
        (account, "Storage Blob Data Owner"), (account, "Storage Queue Data Contributor"), (account, "Storage Table Data Contributor"),
        (vault, secret), (snapshot.one("Microsoft.Insights/components")["id"], "Monitoring Metrics Publisher")}
    for row in sorted({row[:2] for row in app} ^ expected, key=str):
        yield f"the identity of the app: {row} is {'too much' if row not in expected else 'missing'}"


def site(snapshot):
    """The app, as Flex Consumption wants it."""
    if snapshot.template not in ("main", "app"):
        return
    properties, plan = snapshot.one("Microsoft.Web/sites")["properties"], snapshot.one("Microsoft.Web/serverfarms")
    config = properties.get("functionAppConfig", {})
    if config.get("runtime") != {"name": "custom", "version": "1.0"}:
        yield f"runtime is {config.get('runtime')}; Azure takes anything, and only custom 1.0 starts"
    storage = config.get("deployment", {}).get("storage", {})
    if storage.get("type") != "blobContainer" or storage.get("authentication", {}).get("type") != "UserAssignedIdentity":
        yield "the package is not fetched from a container with the identity"
    if set(config.get("scaleAndConcurrency", {})) != {"instanceMemoryMB", "maximumInstanceCount", "alwaysReady"}:
        yield "scaleAndConcurrency is not whole"
    for name in sorted(set(properties["siteConfig"]) & REFUSED_SITE_CONFIG):
        yield f"Flex Consumption refuses siteConfig.{name} (51021)"
    for name in _settings(snapshot):
        if REFUSED_SETTINGS.fullmatch(name):
            yield f"Flex Consumption refuses setting {name}"
    if plan["sku"] != {"name": "FC1", "tier": "FlexConsumption"} or plan["properties"].get("reserved") is not True:
        yield "the plan is not Flex Consumption on Linux"
    subnet = properties.get("virtualNetworkSubnetId") or ""
    if _settings(snapshot)["APP_VNET"] != "/".join(subnet.split("/")[:9]):
        yield f"APP_VNET is {_settings(snapshot)['APP_VNET']!r}, and the subnet {subnet!r}"


def network(snapshot):
    """Who reaches storage and vault, by what the set of parameters asks for."""
    if snapshot.template not in ("main", "app"):
        return
    for subnet in (inner for one in snapshot.of_type("Microsoft.Network/virtualNetworks") for inner in one["properties"]["subnets"]):
        delegated = [one["properties"]["serviceName"] for one in subnet["properties"].get("delegations", [])]
        if delegated != (["Microsoft.App/environments"] if subnet["name"] == "functions" else []) or "_" in subnet["name"]:
            yield f"subnet {subnet['name']} cannot take what it is for"
    subnet = snapshot.one("Microsoft.Web/sites")["properties"].get("virtualNetworkSubnetId")
    private, deny = "private-endpoints" in snapshot.name, snapshot.name.endswith("-deny")
    for type_ in ("Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults"):
        properties = snapshot.one(type_)["properties"]
        rules = properties["networkAcls"]
        wanted = [{"id": subnet}] if deny else []
        if rules["virtualNetworkRules"] != wanted or rules["defaultAction"] != ("Deny" if deny or private else "Allow"):
            yield f"{type_}: its rules are {rules}"
        if properties["publicNetworkAccess"] != ("Disabled" if private and not rules["ipRules"] else "Enabled"):
            yield f"{type_}: public access is {properties['publicNetworkAccess']}"
    endpoints = snapshot.of_type("Microsoft.Network/privateEndpoints")
    reached = sorted(
        (link["properties"]["privateLinkServiceId"].rsplit("/", 2)[-2], *link["properties"]["groupIds"])
        for one in endpoints for link in one["properties"]["privateLinkServiceConnections"])
    if reached != ([("storageAccounts", "blob"), ("storageAccounts", "queue"), ("storageAccounts", "table"), ("vaults", "vault")] if private else []):
        yield f"private endpoints reach {reached}"
    if any(one["properties"]["subnet"]["id"] == subnet for one in endpoints):
        yield "a private endpoint is in the delegated subnet"
    made = {one["id"] for one in snapshot.of_type("Microsoft.Network/privateDnsZones")}
    for one in snapshot.of_type("Microsoft.Network/privateEndpoints/privateDnsZoneGroups"):
        group = one["id"].split("/privateDnsZoneGroups/")[0].rsplit("-", 1)[-1]
        for zone in (config["properties"]["privateDnsZoneId"] for config in one["properties"]["privateDnsZoneConfigs"]):
            kind = {"vault": "vaultcore"}.get(group, group)
            if f"/privatelink.{kind}." not in zone or (made and zone not in made):
                yield f"the endpoint of {group} is resolved by {zone}"
    linked = {one["id"].split("/virtualNetworkLinks/")[0]: one["properties"]["virtualNetwork"]["id"] for one in snapshot.of_type("Microsoft.Network/privateDnsZones/virtualNetworkLinks")}
    if set(linked) != made or any(vnet != "/".join(subnet.split("/")[:9]) for vnet in linked.values()):
        yield f"zones are linked as {linked}"


def locks(snapshot):
    """Table LOCKS."""
    for type_, properties in LOCKS.items():
        for one in snapshot.of_type(type_):
            for name, wanted in properties.items():
                value = one["properties"]
                for part in name.split("."):
                    value = value.get(part) if isinstance(value, dict) else None
                if value != wanted or type(value) is not type(wanted):
                    yield f"{type_}: {name} is {value!r}, not {wanted!r}"


def secrets(snapshot):
    """No secret is in an output, nor anywhere in what is predicted: secure parameters stay parameters."""
    text = json.dumps(snapshot.outputs)
    for found in re.findall(r"listKeys|listSecrets|parameters\('[^']+'\)|\.primaryKey|accountKey", text, re.IGNORECASE):
        yield f"an output has {found}"
    everything = text + json.dumps(snapshot.resources)
    for secret in SECRETS:
        if secret in everything:
            yield f"{secret} is in clear text in the prediction, so its parameter is not secure"
    for one in snapshot.of_type("Microsoft.KeyVault/vaults/secrets"):
        if one["properties"]["value"] != "[parameters('aivenToken')]" and not one["properties"]["value"].startswith("[parameters("):
            yield "the secret of the vault is not the parameter's"


def code(snapshot):
    """Queues and tables, as in the code."""
    if snapshot.template not in ("main", "app"):
        return
    made = {one["name"].rsplit("/", 1)[-1] for one in snapshot.of_type("Microsoft.Storage/storageAccounts/queueServices/queues")}
    texts = [json.loads(path.read_text()) for path in (ROOT / "functions").rglob("function.json")]
    read = {one["queueName"] for text in texts for one in text["bindings"] if "queueName" in one}
    for name in sorted(made ^ (read | {f"{name}-poison" for name in read})):
        yield f"queue {name} is only {'made' if name in made else 'read'}"
    tables = {one["name"].rsplit("/", 1)[-1] for one in snapshot.of_type("Microsoft.Storage/storageAccounts/tableServices/tables")}
    used = set(re.findall(r'\bconst (?:\w*TABLE|VPCS): &str = "(\w+)";', _code()))
    for name in sorted(used ^ tables):
        yield f"table {name} is only {'in the code' if name in used else 'made'}"


@cache
def _code():
    return "".join(path.read_text() for path in sorted((ROOT / "functions").rglob("*.rs")))


def directory(snapshot):
    """Application and credential are those that the code looks for; the script makes the same, and so does the command that stands in for it."""
    if snapshot.template != "identity":
        return
    script = (INFRA / "identity.sh").read_text()
    source = _code()
    aiven = re.search(r'AIVEN_APPLICATION: &str = "([0-9a-f-]{36})"', source).group(1)
    application = snapshot.one("Microsoft.Graph/applications@v1.0")["properties"]
    installation = "team-a" if snapshot.name == "identity-without-credential" else "default"
    if application["uniqueName"] != f"aiven-azure-peering-{installation}" or 'format!("aiven-azure-peering-{}", ' not in source:
        yield "the application has another uniqueName than the code looks for"
    if application["signInAudience"] != "AzureADMultipleOrgs":
        yield "Aiven cannot admit the application"
    if aiven not in {one["properties"]["appId"] for one in snapshot.of_type("Microsoft.Graph/servicePrincipals@v1.0")}:
        yield "the principal of Aiven is another one than the code looks for"
    command = snapshot.outputs["CREDENTIAL_COMMAND"]
    credentials = [one["properties"] for one in snapshot.of_type("Microsoft.Graph/applications/federatedIdentityCredentials@v1.0")]
    if len(credentials) != (0 if snapshot.name == "identity-without-credential" else 1):
        yield f"{len(credentials)} federated credentials"
    for one in credentials:
        if one["audiences"] != ["api://AzureADTokenExchange"] or '"api://AzureADTokenExchange"' not in source:
            yield "the credential has another audience than the code asks for"
        if f"/v2.0', environment().authentication.loginEndpoint, '{TENANT}')" not in one["issuer"]:
            yield "the credential has another issuer than the code asks for"
        if not _LATE.fullmatch(one["subject"]):
            yield "the credential trusts somebody else than the identity of the app"
        for value in (one["name"].split("/")[-1], one["issuer"][1:-1], one["subject"][1:-1], one["audiences"][0]):
            if value not in command:
                yield f"CREDENTIAL_COMMAND makes another credential than the template: it lacks {value}"
    for text in (aiven, "APPLICATION_NAME=aiven-azure-peering-$INSTALLATION", "AzureADMultipleOrgs", "api://AzureADTokenExchange", "name=id-$AZURE_ENV_NAME"):
        if text not in script:
            yield f"identity.sh does not have {text}"
    for name in ("IDENTITY_PRINCIPAL_ID", "APPLICATION_ID", "APPLICATION_PRINCIPAL_ID", "AIVEN_PRINCIPAL_ID"):
        if name not in snapshot.outputs or f"\n{name}=$" not in script:
            yield f"template and script do not both give {name}"


def known(snapshot):
    """What a deployment can be told before it is made: only the object id of its own identity and of whoever deploys is left open."""
    for one in snapshot.resources:
        late = one["name"].startswith("[") if "name" in one else False
        if late and one["type"] != "Microsoft.Authorization/roleAssignments":
            yield f"{one['type']}: its name {one['name'][:100]} is not known before the deployment"


def _settings(snapshot):
    listed = snapshot.one("Microsoft.Web/sites")["properties"]["siteConfig"]["appSettings"]
    return {one["name"]: one["value"] for one in listed}


EACH = [names, scopes, known, assignments, people, site, network, locks, secrets, code, directory, grants.roles]


def pairs(snapshots):
    """What two sets have in common, or not."""
    one, other = (_settings(snapshots[name])["AzureWebJobsStorage__accountName"] for name in ("main", "main-names"))
    if one != other:
        yield f"main-names: RG-Prod has another storage account ({other}) than rg-prod ({one})"
    groups = [snapshots[name].one("Microsoft.Resources/resourceGroups") for name in ("main", "identity")]
    identities = [snapshots[name].one("Microsoft.ManagedIdentity/userAssignedIdentities") for name in ("main", "identity")]
    if groups[0] != groups[1] or identities[0] != identities[1]:
        yield "identity and main make different resource groups or identities"
    if len(snapshots) < 20:
        yield f"only {len(snapshots)} sets of parameters are judged"


ALL = [pairs, signals.telemetry, signals.fired]


def check(judged, everything=None):
    """Every fault of these sets, and of all of them together, with the set and the rule that it is of."""
    faults = [f"{name}: {rule.__name__}: {fault}" for name, one in judged.items() for rule in EACH for fault in rule(one)]
    return faults + [f"{rule.__name__}: {fault}" for rule in ALL for fault in rule(everything or judged)]
