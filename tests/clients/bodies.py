"""What our functions send, against Microsoft's own resource types and Aiven's published limits."""

import ipaddress
import json
import os
import re
import subprocess

import tools
from terminal import Unexpected

TYPES_LIMIT = 60  # seconds for one type
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Part of the URL, not of the body, which may leave them out.
_FROM_URL = {"name"}

ARM_TYPES = [
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings",
    "Microsoft.Authorization/roleDefinitions",
    "Microsoft.Authorization/roleAssignments",
]


def type_of(path):
    """The ARM resource type that a path ends in."""
    provider = path.split("?")[0].rsplit("/providers/", 1)[-1].split("/")
    return "/".join([provider[0], *provider[1::2]])


class Types:
    """One resource type with all its parts, as Microsoft's tool prints it."""

    def __init__(self, name):
        answer = _ask(name)
        self.parts = {part["name"]: part for part in answer if part["$type"] == "Object"}
        resource = next(part for part in answer if part["$type"] == "Resource")
        self.name, self.top = resource["name"], resource["bodyType"]["properties"]

    def faults(self, body):
        """What is wrong with a body; empty if nothing is."""
        return list(self._object("", self.top, body, from_url=_FROM_URL))

    def _object(self, where, properties, value, from_url=frozenset()):
        if not isinstance(value, dict):
            yield f"{where or 'the body'} is no object"
            return
        known = {one["name"]: one for one in properties}
        for name, one in known.items():
            if "Required" in one.get("flags", "") and name not in value and name not in from_url:
                yield f"{where}{name} is required and missing"
        for name, inner in value.items():
            one = known.get(name)
            if one is None:
                yield f"{where}{name} is unknown"
            elif "ReadOnly" in one.get("flags", ""):
                yield f"{where}{name} is read-only"
            else:
                yield from self._value(f"{where}{name}", one["type"], inner)

    def _value(self, where, kind, value):
        if kind.endswith("[]"):
            if not isinstance(value, list):
                yield f"{where} is no list"
                return
            for at, inner in enumerate(value):
                yield from self._value(f"{where}[{at}]", kind[:-2], inner)
        elif kind in self.parts:
            yield from self._object(f"{where}.", self.parts[kind]["properties"], value)
        elif kind in ("bool", "boolean"):
            if not isinstance(value, bool):
                yield f"{where} is {value!r}, no bool"
        elif kind == "int":
            if isinstance(value, bool) or not isinstance(value, int):
                yield f"{where} is {value!r}, no int"
        elif not isinstance(value, str):
            yield f"{where} is {value!r}, no string ({kind})"
        else:
            choices = [one.strip() for one in kind.split("|")]
            if len(choices) > 1 and "string" not in choices and value not in choices:
                yield f"{where} is {value!r}, none of {kind}"


def _ask(name):
    environment = {**os.environ, "AZURE_MCP_COLLECT_TELEMETRY": "false"}
    command = [str(tools.resource_types()), "bicepschema", "get", "--resource-type", name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TYPES_LIMIT, env=environment, stdin=subprocess.DEVNULL)
    try:
        return json.loads(done.stdout)["results"]["BicepSchemaResult"]
    except (ValueError, KeyError, TypeError) as error:
        raise Unexpected(f"azmcp does not show {name}: {(done.stderr or done.stdout)[:500]}") from error


def aiven_faults(path, body):
    """What is wrong with a request for a peering connection (Aiven's OpenAPI: limits; its how-to: lower case, five fields for Azure)."""
    guids = ("peer_cloud_account", "peer_azure_app_id", "peer_azure_tenant_id")
    texts = {**{name: 36 for name in guids}, "peer_resource_group": 90, "peer_vpc": 64}
    for name in sorted(set(body) - set(texts) - {"user_peer_network_cidrs", "peer_region"}):
        yield f"{name} is unknown"
    for name, most in texts.items():
        value = body.get(name)
        if not isinstance(value, str) or not 1 <= len(value) <= most:
            yield f"{name} is {value!r}, not 1 to {most} characters"
        elif value != value.lower():
            yield f"{name} is not in lower case"
        elif name in guids and not _GUID.fullmatch(value):
            yield f"{name} is {value!r}, no GUID"
    if body.get("peer_region") is not None:
        yield "peer_region is given, which Azure has not"
    yield from _networks(body.get("user_peer_network_cidrs", []))
    owner = re.fullmatch(r"/v1/(organization/[^/]{1,36}/vpc|project/[^/]{1,63}/vpcs)/([^/]+)/peering-connections", path)
    if owner is None or not _GUID.fullmatch(owner.group(2)):
        yield f"{path} is no path of a documented dialect with a VPC id of 36 characters"


def _networks(networks):
    if not isinstance(networks, list) or len(networks) > 128:
        yield "user_peer_network_cidrs is no list of at most 128"
        return
    for network in networks:
        try:
            ipaddress.IPv4Network(network)
        except (ValueError, TypeError) as error:
            yield f"user_peer_network_cidrs: {error}"


def check(calls):
    """Checks every body of a run; returns rows of (service, type, bodies checked)."""
    types = {name: Types(name) for name in ARM_TYPES}
    prove(types)
    rows = []
    for name, kind in types.items():
        bodies = [call for call in calls if call["service"] == "arm" and call["body"] and type_of(call["path"]).lower() == name.lower()]
        rows.append(("ARM", kind.name, _checked(bodies, lambda call: kind.faults(json.loads(call["body"])))))
    others = {type_of(call["path"]) for call in calls if call["service"] == "arm" and call["body"]}
    unknown = [name for name in others if name.lower() not in (one.lower() for one in ARM_TYPES)]
    if unknown:
        raise Unexpected(f"our functions write {unknown}, which is not checked: add it to ARM_TYPES")
    bodies = [call for call in calls if call["service"] == "aiven" and call["body"]]
    rows.append(("Aiven", "peering connection", _checked(bodies, lambda call: aiven_faults(call["path"], json.loads(call["body"])))))
    return rows


def _checked(calls, faults_of):
    for call in calls:
        faults = list(faults_of(call))
        if faults:
            raise Unexpected(f"{call['method']} {call['path']}: {'; '.join(faults)}")
    if not calls:
        raise Unexpected("a kind of body was not sent at all, so nothing was checked")
    return len(calls)


def prove(types):
    """The check refuses what it is there to refuse."""
    peering, definition, assignment = (types[name] for name in ARM_TYPES)
    remote = {"remoteVirtualNetwork": {"id": "/subscriptions/x"}}
    arm = [
        (peering, {"properties": {**remote, "allowVnetAccess": True}}, "unknown"),
        (peering, {"properties": {**remote, "provisioningState": "Succeeded"}}, "read-only"),
        (peering, {"properties": {**remote, "allowForwardedTraffic": "true"}}, "no bool"),
        (peering, {"properties": {"remoteVirtualNetwork": {"name": "x"}}}, "unknown"),
        (definition, {"properties": {"permissions": [{"action": []}]}}, "unknown"),
        (assignment, {"properties": {"principalId": "x"}}, "required"),
    ]
    for kind, body, wanted in arm:
        if not any(wanted in fault for fault in kind.faults(body)):
            raise Unexpected(f"the check of {kind.name} does not see that {body} has something {wanted}")
    good = {name: "11111111-1111-4111-8111-111111111111" for name in ("peer_cloud_account", "peer_azure_app_id", "peer_azure_tenant_id")}
    good.update(peer_resource_group="rg", peer_vpc="vnet")
    path = "/v1/project/p/vpcs/11111111-1111-4111-8111-111111111111/peering-connections"
    if list(aiven_faults(path, good)):
        raise Unexpected("the check of Aiven's bodies refuses a good one")
    for name, value in [("peer_vpc", "VNet"), ("peer_vpc", None), ("user_peer_network_cidrs", ["10.0.0.1/8"]), ("peer_vnet", "x")]:
        if not list(aiven_faults(path, {**good, name: value})):
            raise Unexpected(f"the check of Aiven's bodies does not see {name} = {value!r}")
