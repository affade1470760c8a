"""The end state of the runbook beside the end state of our functions: each object has its counterpart, with equal or smaller rights."""

import fnmatch

from azure_side import AIVEN_APPLICATION
from terminal import Unexpected


class View:
    """One end state, by what each thing is for instead of by its random ids."""

    def __init__(self, state, scene):
        self.scene = scene
        apps = [a for a in state["applications"] if a["app_id"] != scene["administrator"]["app_id"]]
        self.application = only("application", apps)
        app_id = self.application["app_id"]
        self.principals = {
            "in the user's tenant": self._principals(state, app_id, "home"),
            "in Aiven's tenant": self._principals(state, app_id, "aiven"),
            "of Aiven's application, in the user's tenant": self._principals(state, AIVEN_APPLICATION, "home"),
        }
        definitions = {d["name"]: d for d in state["role_definitions"]}
        self.roles = {
            "of the application": self._role(state, "in the user's tenant", definitions),
            "of Aiven's application": self._role(state, "of Aiven's application, in the user's tenant", definitions),
        }
        assigned = {role["role"] for role in self.roles.values()}
        self.unused_roles = [d["role_name"] for d in state["role_definitions"] if d["name"] not in assigned]
        self.peering = only("peering of the network", state["peerings"])
        self.connection = only("connection at Aiven", state["connections"])

    @staticmethod
    def _principals(state, app_id, tenant):
        found = [p["id"] for p in state["service_principals"] if (p["app_id"], p["tenant"]) == (app_id, tenant)]
        return only(f"service principal of {app_id} in tenant {tenant}", found)

    def _role(self, state, principal, definitions):
        mine = [a for a in state["role_assignments"] if a["principal"] == self.principals[principal]]
        assignment = only(f"role assignment of the service principal {principal}", mine)
        custom = definitions.get(assignment["role"])
        return {**assignment, "assignable": custom["assignable_scopes"] if custom else ["(built in)"]}


def only(what, found):
    """Neither side leaves one out, nor makes it twice."""
    if len(found) != 1:
        raise Unexpected(f"there are {len(found)} of what should be one {what}: {found}")
    return found[0]


def table(by_hand, ours):
    """Rows of (what, by hand, ours, verdict); raises if a verdict is bad."""
    rows = [
        ("application", by_hand.application["audience"], ours.application["audience"],
         same(by_hand.application["audience"], ours.application["audience"])),
        credentials(by_hand.application, ours.application),
    ]
    rows += [(f"service principal {where}", "1", "1", "same") for where in by_hand.principals]
    for whose in by_hand.roles:
        rows += roles(whose, by_hand, ours)
    rows.append(("role definitions beside those", str(by_hand.unused_roles or "none"), str(ours.unused_roles or "none"),
                 same(by_hand.unused_roles, ours.unused_roles)))
    rows.append(halves(by_hand, ours))
    rows.append(connections(by_hand, ours))
    bad = [row for row in rows if row[3] not in ("same", "smaller")]
    if bad:
        raise Unexpected(f"the end states differ: {bad}")
    return rows


def same(left, right):
    return "same" if left == right else "DIFFERENT"


def credentials(by_hand, ours):
    """A password is a secret that somebody has; a federated credential is none."""
    def told(application):
        return f"passwords: {application['passwords']}, federated credentials: {len(application['federated_credentials'])}"

    fewer = ours["passwords"] < by_hand["passwords"] and len(ours["federated_credentials"]) == 1
    equal = told(by_hand) == told(ours)
    return "credential of the application", told(by_hand), told(ours), "same" if equal else "smaller" if fewer else "LARGER"


def roles(whose, by_hand, ours):
    """The role definition by its actions, and the assignment by its scope."""
    left, right = by_hand.roles[whose], ours.roles[whose]
    allowed = [action.lower() for action in left["actions"]]
    inside = all(any(fnmatch.fnmatchcase(action.lower(), one) for one in allowed) for action in right["actions"])
    equal = sorted(allowed) == sorted(action.lower() for action in right["actions"])
    verdict = "same" if equal else "smaller" if inside else "LARGER"
    yield f"role definition {whose}", actions(left), actions(right), verdict

    def at(view, role):
        return "the VNet" if role["scope"].lower() == view.scene["vnet"].lower() else role["scope"]

    yield f"role assignment {whose}", at(by_hand, left), at(ours, right), same(at(by_hand, left), at(ours, right))

    def assignable(view, role):
        own = f"/subscriptions/{view.scene['vnet'].split('/')[2]}"
        return ", ".join("the subscription" if scope.lower() == own.lower() else scope for scope in role["assignable"])

    left, right = assignable(by_hand, left), assignable(ours, right)
    verdict = "same" if left == right else "smaller" if (left, right) == ("(built in)", "the subscription") else "DIFFERENT"
    yield f"where the role {whose} can be assigned", left, right, verdict


def actions(role):
    shown = [action.replace("Microsoft.Network/virtualNetworks/", "…virtualNetworks/") for action in role["actions"]]
    name = "Network Contributor: " if role["role_name"] == "Network Contributor" else ""
    return name + ", ".join(f"`{action}`" for action in shown)


def halves(by_hand, ours):
    def told(view):
        half = view.peering
        remote = "Aiven's VNet" if half["remote"].lower() == view.scene["aiven_vnet"].lower() else half["remote"]
        writer = "the application" if half["written_by"] == view.application["app_id"] else half["written_by"]
        flags = f"access {half['allow_access']}, forwarded {half['allow_forwarded']}".lower()
        return f"{half['state']} to {remote}, {flags}, written by {writer}"

    return "peering of the VNet", told(by_hand), told(ours), same(told(by_hand), told(ours))


def connections(by_hand, ours):
    def told(view):
        one, ids = view.connection, view.scene["vnet"].lower().split("/")
        names = (one["subscription"], one["resource_group"], one["vnet"]) == (ids[2], ids[4], ids[8])
        who = (one["app_id"], one["tenant"]) == (view.application["app_id"], view.scene["tenant"])
        return f"{one['state']} to {'the VNet' if names else one}, as {'the application, in its tenant' if who else one}"

    return "peering connection at Aiven", told(by_hand), told(ours), same(told(by_hand), told(ours))


def markdown(head, rows):
    """A table to read, and to paste."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows])
