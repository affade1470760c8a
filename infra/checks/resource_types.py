"""Resource bodies against Microsoft's own types: Bicep's, as `azmcp` prints them, and the request models of Azure's SDK where it has none.

Every type is compared in the very version that a template asks for.
"""

import json
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import tooling
from bicep import Choice, Each, Unknown

TYPES_LIMIT = 60  # seconds for one type
# Bicep's own words in a resource, no part of its body.
_WORDS = {"parent", "scope", "dependsOn"}
# azmcp 3.0.0 lists the types of this provider without having them: the models of azure-mgmt-monitor are of these versions.
_SDK = {
    "microsoft.insights/scheduledqueryrules": ("ScheduledQueryRuleResource", "2023-12-01"),
    "microsoft.insights/actiongroups": ("ActionGroupResource", "2023-01-01"),
}
_SDK_CHOICES = {"timeAggregation": "TimeAggregation", "operator": "ConditionOperator"}
_SDK_KINDS = {"str": "string", "int": "int", "bool": "bool", "float": "int", "duration": "string", "iso-8601": "string"}
# The Graph extension's types are in no such tool (its documentation, v1.0 types 1.0.0): properties, and which are required.
_GRAPH = {
    "Microsoft.Graph/applications": (
        {"uniqueName": "string", "displayName": "string", "signInAudience": "AzureADMyOrg | AzureADMultipleOrgs | AzureADandPersonalMicrosoftAccount"},
        {"uniqueName", "displayName"}),
    "Microsoft.Graph/applications/federatedIdentityCredentials": (
        {"name": "string", "description": "string", "issuer": "string", "subject": "string", "audiences": "string[]"},
        {"name", "issuer", "subject", "audiences"}),
    "Microsoft.Graph/servicePrincipals": ({"appId": "string"}, {"appId"}),
}


class Missing(Exception):
    """There is no type to compare with."""


class Property:
    def __init__(self, kind, required=False, read_only=False):
        self.kind, self.required, self.read_only = kind, required, read_only


class Type:
    """A resource type: `parts` by name, each a pair of its properties and the kind of all further ones (None: there are none)."""

    def __init__(self, name, version, parts):
        self.name, self.version, self.parts = name, version, parts

    def faults(self, body):
        """What is wrong with a body; empty if nothing is."""
        if not isinstance(body, dict):
            return ["it is no object"]
        return list(self._object("", self.name, {name: value for name, value in body.items() if name not in _WORDS}))

    def _object(self, where, part, value):
        alternatives = self.parts[part]
        if isinstance(alternatives, list):
            yield from self._one_of(where, alternatives, value)
            return
        properties, others = alternatives
        for name, one in properties.items():
            if one.required and name not in value:
                yield f"{where}{name} is required and missing"
        for name, inner in value.items():
            one = properties.get(name)
            if one is None and others is None:
                near = next((known for known in properties if known.lower() == name.lower()), None)
                yield f"{where}{name} is unknown" + (f": {near}?" if near else "")
            elif one is not None and one.read_only:
                yield f"{where}{name} is read-only"
            else:
                yield from self._value(f"{where}{name}", one.kind if one else others, inner)

    def _one_of(self, where, alternatives, value):
        """The types of which a property (such as the name) says which one is meant."""
        answers = []
        for properties, others in alternatives:
            self.parts["\0"] = (properties, others)
            answers.append(list(self._object(where, "\0", value)))
        yield from min(answers, key=len)

    def _value(self, where, kind, value):
        if isinstance(value, Choice):
            for one in value.values:
                yield from self._value(where, kind, one)
        elif value is None or kind == "any":
            return
        elif kind.endswith("[]"):
            items = value if isinstance(value, list) else [value.item] if isinstance(value, Each) else None
            if items is None:
                yield from self._kind(where, "array", value)
            for at, inner in enumerate(items or []):
                yield from self._value(f"{where}[{at}]", kind[:-2], inner)
        elif kind in self.parts:
            if isinstance(value, dict):
                yield from self._object(f"{where}.", kind, value)
            else:
                yield from self._kind(where, "object", value)
        else:
            yield from self._simple(where, kind, value)

    def _simple(self, where, kind, value):
        choices = [one.strip() for one in kind.split(" | ")]
        known = {"bool": "bool", "boolean": "bool", "true": "bool", "int": "int"}.get(choices[0], "string")
        yield from self._kind(where, known, value)
        if isinstance(value, str) and known == "string" and "string" not in choices and value not in choices:
            yield f"{where} is {value!r}, none of {kind}"

    @staticmethod
    def _kind(where, wanted, value):
        if isinstance(value, Unknown):
            if value.kind not in (None, wanted):
                yield f"{where} is {value!r}, no {wanted}"
            return
        kinds = {"string": str, "bool": bool, "int": int, "array": (list, Each), "object": dict}
        if not isinstance(value, kinds[wanted]) or (wanted == "int" and isinstance(value, bool)):
            yield f"{where} is {str(value)[:60]!r}, no {wanted}"


def load(name, version):
    """The type of a resource.

    It is compared in this version only: another one's properties would prove nothing.
    """
    if name in _GRAPH:
        properties, required = _GRAPH[name]
        return Type(name, version, {name: ({one: Property(kind, one in required) for one, kind in properties.items()}, None)})
    if name.lower() in _SDK:
        found = _from_sdk(name)
    else:
        found = _from_azmcp(name)
    if found.version != version:
        raise Missing(f"{name}@{version}: the types at hand are of {found.version}, so use that version")
    return found


def _from_azmcp(name):
    answer = _ask(name)
    parts, top = {}, None
    for one in answer:
        if one["$type"] == "Resource":
            top = one
        elif one["$type"] in ("Object", "DiscriminatedObject"):
            parts[one["name"]] = _part(one)
    full, _, version = top["name"].partition("@")
    body = _part(top["bodyType"])
    parts[full] = [_leave_out(one) for one in body] if isinstance(body, list) else _leave_out(body)
    return Type(full, version, parts)


def _leave_out(part):
    """`type` and `apiVersion` are in the declaration, not in the body."""
    properties, others = part
    return {name: one for name, one in properties.items() if name not in ("type", "apiVersion", "id")}, others


def _part(one):
    if one["$type"] == "DiscriminatedObject":
        base, _ = _properties(one.get("baseProperties", [])), None
        return [({**base, **_properties(element["properties"])}, None) for element in one["elements"]]
    return _properties(one["properties"]), one.get("additionalPropertiesType")


def _properties(all_):
    flags = {one["name"]: one.get("flags", "") for one in all_}
    return {one["name"]: Property(one["type"], "Required" in flags[one["name"]], "ReadOnly" in flags[one["name"]]) for one in all_}


def _fetch(names):
    """Several at a time: each takes seconds, the first time. What is not to be had is told when it is looked at."""
    missing = [name for name in sorted(names) if name not in _GRAPH and name.lower() not in _SDK and not _cache(name).exists()]
    if missing:
        tooling.azmcp()
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            for done in [pool.submit(_ask, name) for name in missing]:
                done.exception()


def _cache(name):
    return tooling.HOME / "types" / tooling.AZMCP / f"{'_'.join(name.split('/'))}.json"


def _ask(name):
    cache = _cache(name)
    if not cache.exists():
        program = tooling.azmcp()
        environment = {**os.environ, "AZURE_MCP_COLLECT_TELEMETRY": "false"}
        command = [str(program), "bicepschema", "get", "--resource-type", name]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TYPES_LIMIT, env=environment, stdin=subprocess.DEVNULL)
        try:
            answer = json.loads(done.stdout)["results"]["BicepSchemaResult"]
        except (ValueError, KeyError, TypeError) as error:
            raise Missing(f"azmcp does not show {name}: {(done.stderr or done.stdout)[:300]}") from error
        cache.parent.mkdir(parents=True, exist_ok=True)
        cache.write_text(json.dumps(answer))
    return json.loads(cache.read_text())


def _from_sdk(name):
    from azure.mgmt.monitor import models

    model, version = _SDK[name.lower()]
    parts = {}
    _model(models, model, parts)
    parts[name] = parts.pop(model)
    # The SDK takes the name from the address.
    parts[name][0]["name"] = Property("string")
    return Type(name, version, parts)


def _model(models, name, parts):
    """A model as a part; `properties.x` of its map are a part of their own."""
    if name in parts:
        return
    parts[name] = (top := {}, None)
    rules = getattr(getattr(models, name), "_validation", {})
    for attribute, entry in getattr(models, name)._attribute_map.items():
        rule, path = rules.get(attribute, {}), entry["key"].split(".")
        if len(path) == 2:
            inner = f"{name}/{path[0]}"
            top.setdefault(path[0], Property(inner))
            parts.setdefault(inner, ({}, None))
        properties = top if len(path) == 1 else parts[inner][0]
        kind = _sdk_kind(models, entry["type"], parts)
        if path[-1] in _SDK_CHOICES:
            kind = " | ".join(one.value for one in getattr(models, _SDK_CHOICES[path[-1]]))
        properties[path[-1]] = Property(kind, rule.get("required", False), rule.get("readonly", False))


def _sdk_kind(models, kind, parts):
    if kind.startswith("["):
        return _sdk_kind(models, kind[1:-1], parts) + "[]"
    if kind.startswith("{"):
        parts["{}"] = ({}, "string")
        return "{}"
    if kind in _SDK_KINDS:
        return _SDK_KINDS[kind]
    if not hasattr(getattr(models, kind, None), "_attribute_map"):
        return "any"
    _model(models, kind, parts)
    return kind


def check(files):
    """Every resource of every template; returns (faults, rows of (type, version, resources))."""
    _fetch({one.type for file in files.values() for one in file.resources})
    faults, rows = [], {}
    for file in files.values():
        for one in file.resources:
            if one.existing:
                continue
            try:
                type_ = load(one.type, one.version)
            except Missing as error:
                faults.append(f"{one}: {error}")
                continue
            body = one.body
            if re.search(r"/(blobServices|queueServices|tableServices)$", one.type):
                body = {"name": "default", **body}
            faults += [f"{one}: {fault}" for fault in type_.faults(body)]
            rows[(one.type, one.version)] = rows.get((one.type, one.version), 0) + 1
    return faults, [(*key, count) for key, count in sorted(rows.items())]
