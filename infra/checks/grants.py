"""What the app may do in the subscriptions whose VNets it peers: as the code computes it, as the tests try it, and no more."""

import re

import bicep
from condition import Condition
from tooling import INFRA, ROOT

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
SAMPLE = {
    "subscription().id": "/subscriptions/33333333-3333-4333-8333-333333333333",
    "subscription().subscriptionId": "33333333-3333-4333-8333-333333333333",
    "installation": "default",
    "peeringRole": "minimal",
    "identityPrincipalId": "11111111-1111-4111-8111-111111111111",
    "applicationPrincipalId": "22222222-2222-4222-8222-222222222222",
    "aivenPrincipalId": "44444444-4444-4444-8444-444444444444",
}


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
