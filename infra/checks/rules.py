"""What no compiler says: it takes any text for a runtime, a role's action, a condition, a query; Azure, or nobody, refuses it later."""

import json
import re

import bicep
import kql
from condition import Condition
from tooling import INFRA, ROOT

# Queues and functions that the templates know before the code has them; nothing else may be in one and not in the other.
AHEAD = {
    "vpc-requests", "await-vpc", "verify-connectivity", "reconcile-vpc", "reconcile",
}
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
# Of the actions that Azure documents (Azure permissions for Networking, Management and governance) those that a role here may have.
ACTIONS = {
    "Microsoft.Authorization/roleAssignments/delete",
    "Microsoft.Authorization/roleAssignments/read",
    "Microsoft.Authorization/roleAssignments/write",
    "Microsoft.Authorization/roleDefinitions/read",
    "Microsoft.Network/locations/operationResults/read",
    "Microsoft.Network/locations/operations/read",
    "Microsoft.Network/virtualNetworks/peer/action",
    "Microsoft.Network/virtualNetworks/read",
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/delete",
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/read",
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write",
    "Microsoft.Resources/subscriptions/read",
}
# Flex Consumption answers 51021 to these in siteConfig, or ignores them, by region.
REFUSED_SITE_CONFIG = {
    "alwaysOn", "ftpsState", "functionAppScaleLimit", "functionsRuntimeScaleMonitoringEnabled", "linuxFxVersion",
    "netFrameworkVersion", "preWarmedInstanceCount", "use32BitWorkerProcess",
}
REFUSED_SETTINGS = re.compile("FUNCTIONS_WORKER_RUNTIME|FUNCTIONS_EXTENSION_VERSION|WEBSITE_RUN_FROM_PACKAGE|WEBSITE_CONTENT.*|SCM_DO_BUILD.*|ENABLE_ORYX.*")
GUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
QUEUE = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")
SAMPLE = {
    "subscription().id": "/subscriptions/33333333-3333-4333-8333-333333333333",
    "subscription().subscriptionId": "33333333-3333-4333-8333-333333333333",
    "installation": "default",
    "peeringRole": "minimal",
    "identityPrincipalId": "11111111-1111-4111-8111-111111111111",
    "applicationPrincipalId": "22222222-2222-4222-8222-222222222222",
    "aivenPrincipalId": "44444444-4444-4444-8444-444444444444",
}


def queues(files):
    """Queues and tables, in the templates as in the code."""
    declared, tables = (files["shared.bicep"].variable(name) for name in ("queues", "tables"))
    texts = {path: json.loads(path.read_text()) for path in (ROOT / "functions").rglob("function.json")}
    read = {one["queueName"] for text in texts.values() for one in text["bindings"] if "queueName" in one}
    for name in sorted(read - set(declared)):
        yield f"shared.bicep: queue {name} triggers a function, and is not made"
    for name in sorted(set(declared) - read - AHEAD):
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


def ahead():
    """What of AHEAD the code has by now."""
    folders = {path.parent.name.replace("_", "-") for path in (ROOT / "functions").rglob("function.json")}
    return sorted(AHEAD & (folders | {"vpc-requests"} if "create-vpc" in folders else folders))


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


def roles(files):
    """The two roles that may be given away are what the code computes; the identity's own right goes no further."""
    if bicep.guid("foo", "bar", "baz") != "2ed86837-7c7c-5eaa-9864-dd077fd19b0d":
        yield "guid() is not computed as the compiler does"
    grant = bicep.File(INFRA / "modules" / "grant.bicep", INFRA, files["modules/grant.bicep"].source.decode(), SAMPLE)
    made = {one.symbol: one.body for one in grant.resources}
    code = _roles_of_the_code()
    for symbol, purpose in (("writerRole", "peering writer"), ("peerOnlyRole", "peer only")):
        body, properties = made[symbol], made[symbol]["properties"]
        seed = (SAMPLE["subscription().id"], "aiven-peering", "default", purpose.replace(" ", "-"))
        if body["name"] != bicep.guid(*seed):
            yield f"grant.bicep: {symbol} has another id than the code computes"
        if properties["roleName"] != f"Aiven peering default: {purpose} ({SAMPLE['subscription().subscriptionId']})":
            yield f"grant.bicep: {symbol} is called {properties['roleName']}"
        if properties["permissions"][0]["actions"] != code.get(purpose):
            yield f"grant.bicep: {symbol} allows {properties['permissions'][0]['actions']}, the code wants {code.get(purpose)}"
    for symbol, body in made.items():
        for action in body["properties"].get("permissions", [{}])[0].get("actions", []):
            if action not in ACTIONS:
                yield f"grant.bicep: {symbol}: {action} is not among the documented actions that a role here may have"
    yield from _condition(made)
    yield from _as_tried(made)


def _condition(made):
    """Tried with each action, role and principal, as Azure would."""
    text = made["automation"]["properties"]["condition"]
    writer, peer_only = made["writerRole"]["name"], made["peerOnlyRole"]["name"]
    other = "99999999-9999-4999-8999-999999999999"
    roles_, principals = {writer, peer_only}, {SAMPLE["applicationPrincipalId"], SAMPLE["aivenPrincipalId"]}
    try:
        condition = Condition(text)
    except ValueError as error:
        yield f"grant.bicep: the condition is malformed: {error}"
        return
    for verb, source in (("write", "Request"), ("delete", "Resource")):
        for role in (*sorted(roles_), made["automationRole"]["name"], other):
            for principal in (*sorted(principals), SAMPLE["identityPrincipalId"], other):
                met = condition.met(f"Microsoft.Authorization/roleAssignments/{verb}", source, role, principal)
                if met != (role in roles_ and principal in principals):
                    yield f"grant.bicep: the condition {'lets' if met else 'keeps'} the app {verb} an assignment of {role} to {principal}"
    if not condition.met("Microsoft.Network/virtualNetworks/read", "Resource", other, other):
        yield "grant.bicep: the condition is in the way of reading"
    if made["automation"]["properties"].get("conditionVersion") != "2.0":
        yield "grant.bicep: the condition is not of version 2.0"


def _as_tried(made):
    """The least-privileged app of the tests has just these rights: what holds there would say nothing otherwise."""
    path = ROOT / "tests" / "emulator" / "clouds" / "world" / "delegation.rs"
    text = re.sub(r"\\\n\s*", "", path.read_text())
    lists = dict(re.findall(r"^const (\w+): &\[&str\] = &\[(.*?)^\];", text, re.MULTILINE | re.DOTALL))
    peer = re.search(r'const PEER: &str = "([^"]+)"', text).group(1)
    for symbol, name in (("writerRole", "PEERING_WRITER"), ("automationRole", "AUTOMATION")):
        tried = {*re.findall(r'"([^"]+)"', lists[name]), *([peer] if re.search(r"^\s+PEER,", lists[name], re.MULTILINE) else [])}
        given = set(made[symbol]["properties"]["permissions"][0]["actions"])
        if tried != given:
            yield f"grant.bicep: {symbol} and the tests' {name} differ by {sorted(tried ^ given)}"
    half = "".join(re.search(r'"(\(\(!\(ActionMatches.*?)",\n', text).group(1))
    sets = [", ".join((made["writerRole"]["name"], made["peerOnlyRole"]["name"])), ", ".join((SAMPLE["applicationPrincipalId"], SAMPLE["aivenPrincipalId"]))]
    halves = []
    for action, source in (("write", "Request"), ("delete", "Resource")):
        filled = half.replace("{action}", action).replace("{attribute}", f"@{source}[Microsoft.Authorization/roleAssignments")
        for members in sets:
            filled = filled.replace("{{{}}}", "{" + members + "}", 1)
        halves.append(filled.replace("{{", "{").replace("}}", "}"))
    if " AND ".join(halves) != made["automation"]["properties"]["condition"]:
        yield "grant.bicep: its condition is another than the one that the tests try"


def _roles_of_the_code():
    """Actions by purpose, from the sources of the steps."""
    found = {}
    for path in (ROOT / "functions" / "create").rglob("*.rs"):
        text = path.read_text()
        for purpose in re.findall(r'purpose: "([a-z ]+)"', text):
            found[purpose] = list(dict.fromkeys(re.findall(r'"(Microsoft\.[A-Za-z/]+)"', text)))
    return found


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


def telemetry(files):
    """Queries of alerts and workbook name only what the app writes, and every event that needs a person has an alert."""
    words = json.loads((INFRA / "telemetry.json").read_text())
    functions = {path.parent.name for path in (ROOT / "functions").rglob("function.json")} | {name.replace("-", "_") for name in AHEAD}
    alerts = {one["name"]: one for one in files["modules/alerts.bicep"].variable("rules")}
    queries = {f"alert {name}": one["query"] for name, one in alerts.items()}
    book = json.loads((INFRA / "modules" / "workbook.json").read_text())
    queries.update({f"workbook {one['name']}": one["content"]["query"] for one in book["items"] if one["type"] == 3})
    for name, query in queries.items():
        if not isinstance(query, str):
            yield f"{name}: its query could not be worked out"
            continue
        yield from (f"{name}: {fault}" for fault in kql.faults(query, words, functions))
    told = {event for name, query in queries.items() if name.startswith("alert ") for event in kql.events(query)}
    silent = {"advance", "wait", "fix", "repair", "cause_closed"}
    for event in sorted(set(words["events"]) - silent - told):
        yield f"telemetry.json: nobody is told of {event}"
    for event in words["absent"]:
        if event.replace("_", "-") not in alerts:
            yield f"telemetry.json: nobody is told of {event}"
    for name, one in alerts.items():
        if _minutes(one["window"]) <= _minutes(one["every"]):
            yield f"alert {name}: telemetry arrives late, and this window has no time for it"
        if _minutes(one["every"]) not in (5, 10, 15, 30, 60) or _minutes(one["window"]) not in (5, 10, 15, 30, 45, 60, 120, 180, 240, 300, 360):
            yield f"alert {name}: Azure has no such period"
    yield from _steps(book)
    yield from _emitted(words)


def _steps(book):
    text = (ROOT / "functions" / "create" / "mod.rs").read_text()
    wanted = re.findall(r'^\s+row\("([a-z_]+)"', text, re.MULTILINE)
    funnel = next(one["content"]["query"] for one in book["items"] if one["name"] == "funnel")
    rows = [(step, int(at)) for step, at in re.findall(r'"([a-z_]+)", (\d+)', funnel)]
    shown = [step for step, at in rows]
    missing = [step for step in wanted if step not in shown]
    extra = [step for step in shown if step not in wanted and step.replace("_", "-") not in AHEAD]
    order = [step for step in shown if step in wanted] != [step for step in wanted if step in shown]
    if missing or extra or order or [at for _, at in rows] != list(range(1, len(rows) + 1)):
        yield f"workbook funnel: its steps are not the runbook's: missing {missing}, unknown {extra}{', in another order' if order else ''}"


def _emitted(words):
    """The code's events; all of them once it has a place of their own."""
    emitted = set()
    for path in (ROOT / "functions").rglob("*.rs"):
        emitted.update(re.findall(r'\bevent = "([a-z_]+)"', path.read_text()))
    for event in sorted(emitted - set(words["events"])):
        yield f"telemetry.json: the code writes event {event}, which is not there"


def not_emitted():
    words = json.loads((INFRA / "telemetry.json").read_text())
    source = "".join(path.read_text() for path in (ROOT / "functions").rglob("*.rs"))
    return [event for event in words["events"] if f'"{event}"' not in source]


def _minutes(period):
    number, unit = re.fullmatch(r"PT(\d+)([MH])", period).groups()
    return int(number) * (60 if unit == "H" else 1)


def _resource(files, type_):
    return next(one for file in files.values() for one in file.resources if one.type == type_ and not one.existing)


ALL = [queues, site, locks, deterministic, roles, directory, telemetry]


def check(files):
    """Returns (faults, names of the rules)."""
    return [fault for rule in ALL for fault in rule(files)], [rule.__name__ for rule in ALL]
