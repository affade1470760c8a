"""What no compiler says: it takes any text for a runtime, a role's action, a condition, a query; Azure, or nobody, refuses it later."""

import json
import re

import grants
import signals
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
    "Network Contributor": "4d97b98b-1d4f-4787-a291-c67834d212e7",
}
# Flex Consumption answers 51021 to these in siteConfig, or ignores them, by region.
REFUSED_SITE_CONFIG = {
    "alwaysOn", "ftpsState", "functionAppScaleLimit", "functionsRuntimeScaleMonitoringEnabled", "linuxFxVersion",
    "netFrameworkVersion", "preWarmedInstanceCount", "use32BitWorkerProcess",
}
REFUSED_SETTINGS = re.compile("FUNCTIONS_WORKER_RUNTIME|FUNCTIONS_EXTENSION_VERSION|WEBSITE_RUN_FROM_PACKAGE|WEBSITE_CONTENT.*|SCM_DO_BUILD.*|ENABLE_ORYX.*")
GUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
QUEUE = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")


def queues(files):
    """Queues and tables, in the templates as in the code."""
    declared, tables = (files["shared.bicep"].variable(name) for name in ("queues", "tables"))
    texts = {path: json.loads(path.read_text()) for path in (ROOT / "functions").rglob("function.json")}
    read = {one["queueName"] for text in texts.values() for one in text["bindings"] if "queueName" in one}
    for name in sorted(read - set(declared)):
        yield f"shared.bicep: queue {name} triggers a function, and is not made"
    for name in sorted(set(declared) - read):
        yield f"shared.bicep: queue {name} triggers no function"
    for name in declared:
        if not QUEUE.fullmatch(name) or not QUEUE.fullmatch(f"{name}-poison"):
            yield f"shared.bicep: {name} or {name}-poison is no name of a queue"
    if len(set(declared)) != len(declared):
        yield "shared.bicep: a queue is there twice"
    sources = [path.read_text() for path in (ROOT / "functions" / "store").rglob("*.rs")]
    used = {name for text in sources for name in re.findall(r'^const (?:TABLE|VPCS): &str = "(\w+)";', text, re.MULTILINE)}
    for name in sorted(used ^ set(tables)):
        yield f"shared.bicep: table {name} is only {'in the code' if name in used else 'there'}"
    storage = files["modules/storage.bicep"]
    made = storage.vars["allQueues"].text.decode()
    if made != "concat(queues, map(queues, base => '${base}-poison'))":
        yield f"modules/storage.bicep: allQueues is {made}, not every queue with its poison queue"


def site(files):
    """The app, as Flex Consumption wants it."""
    app = _resource(files, "Microsoft.Web/sites")
    properties, plan = app.body["properties"], _resource(files, "Microsoft.Web/serverfarms").body
    config = properties.get("functionAppConfig", {})
    if config.get("runtime") != {"name": "custom", "version": "1.0"}:
        yield f"{app}: runtime is {config.get('runtime')}; Azure takes anything, and only custom 1.0 starts"
    storage = config.get("deployment", {}).get("storage", {})
    if storage.get("type") != "blobContainer" or storage.get("authentication", {}).get("type") != "UserAssignedIdentity":
        yield f"{app}: the package is not fetched from a container with the identity"
    if set(config.get("scaleAndConcurrency", {})) != {"instanceMemoryMB", "maximumInstanceCount", "alwaysReady"}:
        yield f"{app}: scaleAndConcurrency is not whole"
    for name in sorted(set(properties["siteConfig"]) & REFUSED_SITE_CONFIG):
        yield f"{app}: Flex Consumption refuses siteConfig.{name} (51021)"
    for name in files["modules/function.bicep"].variable("settings"):
        if REFUSED_SETTINGS.fullmatch(name):
            yield f"{app}: Flex Consumption refuses setting {name}"
    if properties["siteConfig"].get("minTlsVersion") not in ("1.2", "1.3") or properties.get("httpsOnly") is not True:
        yield f"{app}: TLS 1.2 is not required"
    if plan["sku"] != {"name": "FC1", "tier": "FlexConsumption"} or plan["properties"].get("reserved") is not True:
        yield "the plan is not Flex Consumption on Linux"
    for subnet in _resource(files, "Microsoft.Network/virtualNetworks").body["properties"]["subnets"]:
        names = [one["properties"]["serviceName"] for one in subnet["properties"].get("delegations", [])]
        if names != ["Microsoft.App/environments"] or "_" in subnet["name"]:
            yield f"subnet {subnet['name']} cannot take a Flex Consumption app"


def locks(files):
    """No keys, no old TLS, nothing public; every assignment is of a role that is meant."""
    wanted = {
        "Microsoft.Storage/storageAccounts": {
            "allowSharedKeyAccess": False, "allowBlobPublicAccess": False, "minimumTlsVersion": "TLS1_2", "supportsHttpsTrafficOnly": True},
        "Microsoft.KeyVault/vaults": {"enableRbacAuthorization": True, "enablePurgeProtection": True},
        "Microsoft.Insights/components": {"DisableLocalAuth": True},
    }
    for type_, properties in wanted.items():
        one = _resource(files, type_)
        for name, value in properties.items():
            if one.body["properties"].get(name) is not value and one.body["properties"].get(name) != value:
                yield f"{one}: {name} is not {value}"
    if _resource(files, "Microsoft.OperationalInsights/workspaces").body["properties"].get("features") != {"disableLocalAuth": True}:
        yield "the workspace has local authentication"
    known = {*BUILT_IN_ROLES.values(), _aiven_application()}
    for path, file in files.items():
        for found in GUID.findall(file.source.decode()):
            if found not in known:
                yield f"{path}: {found} is no built-in role that is meant here"


def deterministic(files):
    """A second deployment makes nothing twice."""
    for path, file in files.items():
        for found in re.findall(r"\b(utcNow|newGuid|dateTimeAdd)\(", file.source.decode()):
            yield f"{path}: {found}() is another one at every deployment"
        for given in re.findall(r"readEnvironmentVariable\(([^)]*)\)", file.source.decode()):
            if not re.fullmatch(r"'[A-Z_]+'(, '[^']*')?", given):
                yield f"{path}: readEnvironmentVariable({given}) is no constant to the compiler"
        for one in file.resources:
            if one.type == "Microsoft.Authorization/roleAssignments" and not re.search(r"^guid\(.*[iI]d, .*\)$", getattr(one.body["name"], "text", "")):
                yield f"{one}: its name is not computed from scope, principal and role"
    bodies = [_resource({path: files[path]}, "Microsoft.Resources/resourceGroups").body for path in ("identity.bicep", "main.bicep")]
    if repr(bodies[0]) != repr(bodies[1]):
        yield "identity.bicep and main.bicep make different resource groups"


def _aiven_application():
    text = (ROOT / "functions" / "settings.rs").read_text()
    return re.search(r'AIVEN_APPLICATION: &str = "([0-9a-f-]{36})"', text).group(1)


def directory(files):
    """Application and credential are those that the code looks for; the script makes the same."""
    made = {one.symbol: one.body for one in files["identity.bicep"].resources}
    script = (INFRA / "identity.sh").read_text()
    source = "".join(path.read_text() for path in (ROOT / "functions" / "create").rglob("*.rs"))
    if 'format!("aiven-azure-peering-{}", ' not in source or getattr(made["application"]["uniqueName"], "text", "") != "'aiven-azure-peering-${installation}'":
        yield "identity.bicep: the application has another uniqueName than the code looks for"
    if made["application"]["signInAudience"] != "AzureADMultipleOrgs":
        yield "identity.bicep: Aiven cannot admit the application"
    if made["credential"]["audiences"] != ["api://AzureADTokenExchange"] or '"api://AzureADTokenExchange"' not in source:
        yield "identity.bicep: the credential has another audience than the code asks for"
    if not made["credential"]["issuer"].text.endswith("${tenant().tenantId}/v2.0'"):
        yield "identity.bicep: the credential has another issuer than the code asks for"
    for text in (_aiven_application(), "APPLICATION_NAME=aiven-azure-peering-$INSTALLATION", "AzureADMultipleOrgs", "api://AzureADTokenExchange", "name=id-$AZURE_ENV_NAME"):
        if text not in script:
            yield f"identity.sh does not have {text}, which identity.bicep has"
    outputs = set(re.findall(r"^([A-Z_]+)=\$", script, re.MULTILINE)) - {"INSTALLATION", "AIVEN_APPLICATION_ID", "COMPLAINT", "GRAPH", "LOGIN"}
    if outputs != set(files["identity.bicep"].outputs):
        yield f"identity.sh gives {sorted(outputs)}, identity.bicep {sorted(files['identity.bicep'].outputs)}"


def _resource(files, type_):
    return next(one for file in files.values() for one in file.resources if one.type == type_ and not one.existing)


ALL = [queues, site, locks, deterministic, grants.roles, directory, signals.telemetry]


def check(files):
    """Returns (faults, names of the rules)."""
    return [fault for rule in ALL for fault in rule(files)], [rule.__name__ for rule in ALL]
