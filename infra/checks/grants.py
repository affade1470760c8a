"""What the app may do where it peers: as the code computes it, as the tests try it, and no more."""

import re
import uuid
from functools import cache

from condition import Condition
from tooling import ROOT

GUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
NETWORK_CONTRIBUTOR = "4d97b98b-1d4f-4787-a291-c67834d212e7"
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
PURPOSES = ("peering writer", "peer only", "automation")
# Of ARM's guid(): version 5, of the arguments joined by hyphens.
_GUIDS = uuid.UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")


def sample(digit):
    """An id as the sets of parameters have them: of one digit."""
    return f"{digit * 8}-{digit * 4}-4{digit * 3}-8{digit * 3}-{digit * 12}"


IDENTITY, APPLICATION, AIVEN, OTHER = map(sample, "124f")


def guid(*parts):
    """What the template function guid() gives."""
    return str(uuid.uuid5(_GUIDS, "-".join(parts)))


def scope(assignment):
    """The id of what a role is assigned on."""
    late = re.match(r"\[extensionResourceId\('([^']+)'", assignment["id"])
    return late.group(1) if late else assignment["id"].split("/providers/Microsoft.Authorization/")[0]


def roles(snapshot):
    """In each place: the two roles that may be assigned are what the code computes; the identity's own permission goes no further."""
    if snapshot.template not in ("grants", "landing-zone"):
        return
    places = sorted({scope(one) for one in snapshot.resources})
    team, builtin = snapshot.name in ("grants-many", "landing-zone-network-contributor"), snapshot.name.endswith("network-contributor")
    if len(places) != (3 if snapshot.name == "grants-many" else 1):
        yield f"it is about {places}"
    for place in places:
        here = [one for one in snapshot.resources if scope(one) == place]
        made = {_purpose(one): one for one in here if one["type"].endswith("/roleDefinitions")}
        assigned = [one for one in here if one["type"].endswith("/roleAssignments")]
        if sorted(made) != sorted(PURPOSES) or len(assigned) != 1:
            yield f"{place}: roles {sorted(made)}, {len(assigned)} assignments"
            continue
        yield from (f"{place}: {fault}" for fault in _defined(place, "team-a" if team else "default", made))
        own = {NETWORK_CONTRIBUTOR if builtin else made["peering writer"]["name"], made["peer only"]["name"]}
        yield from (f"{place}: {fault}" for fault in _assigned(assigned[0]["properties"], made, own))
        if not builtin:
            yield from (f"{place}: {fault}" for fault in _as_tried(made, assigned[0]["properties"]["condition"]))


def _purpose(role):
    return role["properties"]["roleName"].partition(": ")[2].partition(" (")[0]


def _defined(place, installation, made):
    code = _roles_of_the_code()
    for purpose, one in made.items():
        properties = one["properties"]
        if one["name"] != guid(place, "aiven-peering", installation, purpose.replace(" ", "-")):
            yield f"{purpose} has another id than the code computes"
        if properties["roleName"] != f"Aiven peering {installation}: {purpose} ({place.rsplit('/', 1)[-1]})":
            yield f"{purpose} is called {properties['roleName']}"
        actions = properties["permissions"][0]["actions"]
        if purpose in code and actions != code[purpose]:
            yield f"{purpose} allows {actions}, the code wants {code[purpose]}"
        if len(properties["permissions"]) != 1 or properties["assignableScopes"] != [place] or set(properties["permissions"][0]) != {"actions", "notActions"}:
            yield f"{purpose} goes beyond its actions or its place"
        for action in actions:
            if action not in ACTIONS:
                yield f"{purpose}: {action} is not among the documented actions that a role here may have"


def _assigned(properties, made, own):
    """Tried with each action, role and principal, as Azure would."""
    if properties["roleDefinitionId"].rsplit("/", 1)[-1] != made["automation"]["name"] or properties["principalId"] != IDENTITY:
        yield f"{properties['roleDefinitionId']} is assigned to {properties['principalId']}"
    try:
        condition = Condition(properties.get("condition", ""))
    except ValueError as error:
        yield f"the condition is malformed: {error}"
        return
    for verb, source in (("write", "Request"), ("delete", "Resource")):
        for role in sorted({*own, *(one["name"] for one in made.values()), NETWORK_CONTRIBUTOR, OTHER}):
            for principal in (APPLICATION, AIVEN, IDENTITY, OTHER):
                met = condition.met(f"Microsoft.Authorization/roleAssignments/{verb}", source, role, principal)
                if met != (role in own and principal in (APPLICATION, AIVEN)):
                    yield f"the condition {'lets' if met else 'keeps'} the app {verb} an assignment of {role} to {principal}"
    if not condition.met("Microsoft.Network/virtualNetworks/read", "Resource", OTHER, OTHER):
        yield "the condition is in the way of reading"
    if properties.get("conditionVersion") != "2.0":
        yield "the condition is not of version 2.0"


def _as_tried(made, condition):
    """The least-privileged app of the tests has just these permissions: what holds there would say nothing otherwise."""
    path = ROOT / "tests" / "emulator" / "clouds" / "world" / "delegation.rs"
    text = re.sub(r"\\\n\s*", "", path.read_text())
    lists = dict(re.findall(r"^const (\w+): &\[&str\] = &\[(.*?)^\];", text, re.MULTILINE | re.DOTALL))
    peer = re.search(r'const PEER: &str = "([^"]+)"', text).group(1)
    for purpose, name in (("peering writer", "PEERING_WRITER"), ("automation", "AUTOMATION")):
        tried = {*re.findall(r'"([^"]+)"', lists[name]), *([peer] if re.search(r"^\s+PEER,", lists[name], re.MULTILINE) else [])}
        given = set(made[purpose]["properties"]["permissions"][0]["actions"])
        if tried != given:
            yield f"{purpose} and the tests' {name} differ by {sorted(tried ^ given)}"
    half = re.search(r'"(\(\(!\(ActionMatches.*?)",\n', text).group(1)
    sets = [", ".join((made["peering writer"]["name"], made["peer only"]["name"])), f"{APPLICATION}, {AIVEN}"]
    halves = []
    for action, source in (("write", "Request"), ("delete", "Resource")):
        filled = half.replace("{action}", action).replace("{attribute}", f"@{source}[Microsoft.Authorization/roleAssignments")
        for members in sets:
            filled = filled.replace("{{{}}}", "{" + members + "}", 1)
        halves.append(filled.replace("{{", "{").replace("}}", "}"))
    if " AND ".join(halves) != condition:
        yield "its condition is another than the one that the tests try"


@cache
def _roles_of_the_code():
    """Actions by purpose, from the sources of the steps."""
    found = {}
    for path in (ROOT / "functions" / "create").rglob("*.rs"):
        text = path.read_text()
        for purpose in re.findall(r'purpose: "([a-z ]+)"', text):
            found[purpose] = list(dict.fromkeys(re.findall(r'"(Microsoft\.[A-Za-z/]+)"', text)))
    return found
