"""The kept predictions of the compiler: one file for each documented way to deploy, in a form that is the same on every machine."""

import json

from compiler import Refused
from tooling import INFRA

FOLDER = INFRA / "snapshots"
TEMPLATES = ("landing-zone", "identity", "grants", "main", "app")
WIDTH = 120  # columns


class Snapshot:
    """What a template would make of a set of parameters."""

    def __init__(self, name, content):
        self.name, self.template = name, template(name)
        self.resources, self.outputs = content["resources"], content["outputs"]

    def of_type(self, type_):
        return [one for one in self.resources if one["type"] == type_]

    def one(self, type_):
        found = self.of_type(type_)
        if len(found) != 1:
            raise ValueError(f"{self.name}: {len(found)} resources of type {type_} instead of one")
        return found[0]


def template(name):
    """The template whose parameters a set of this name is."""
    return next(one for one in TEMPLATES if name == one or name.startswith(f"{one}-"))


def names():
    """Every set: the parameter files of the folder, and those beside the templates, which read the environment."""
    beside = [path.stem for path in INFRA.glob("*.bicepparam")]
    return sorted([*beside, *(path.stem for path in FOLDER.glob("*.bicepparam"))])


def kept():
    """All kept files, by name."""
    return {path.stem: Snapshot(path.stem, json.loads(path.read_text())) for path in sorted(FOLDER.glob("*.json"))}


def renew(compiler, write):
    """Makes every file again. Returns what differs, or could not be made; with `write` the files are replaced instead."""
    faults, wanted = [], names()
    beside = compiler.folder / "snapshots"
    files = [compiler.folder / f"{name}.bicepparam" if (INFRA / f"{name}.bicepparam").exists() else beside / f"{name}.bicepparam" for name in wanted]
    for name, predicted in zip(wanted, compiler.snapshots([(path, template(path.stem)) for path in files])):
        if isinstance(predicted, Refused):
            faults.append(f"{name}: {predicted}")
            continue
        text, path = dump(normal(predicted)) + "\n", FOLDER / f"{name}.json"
        before = path.read_text() if path.exists() else ""
        if write:
            path.write_text(text)
        elif text != before:
            faults.append(f"{name}: {_first_difference(before, text)}")
    for path in FOLDER.glob("*.json"):
        if path.stem not in wanted:
            if write:
                path.unlink()
            else:
                faults.append(f"{path.name}: it is of no set of parameters")
    return faults


def normal(snapshot):
    """Without what is elsewhere in the sources, and in one order."""
    book = (INFRA / "modules" / "workbook.json").read_text()
    for one in snapshot["predictedResources"]:
        if one.get("properties", {}).get("serializedData") == book:
            one["properties"]["serializedData"] = "<modules/workbook.json>"
    return {"resources": sorted(snapshot["predictedResources"], key=lambda one: (one.get("id", "").lower(), json.dumps(one, sort_keys=True))), "outputs": snapshot["outputs"]}


def dump(value, indent=0):
    """JSON with sorted keys. What fits into a line is one; so is a resource that has only a name."""
    flat = json.dumps(value, sort_keys=True, ensure_ascii=False)
    inside = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    plain = not any(isinstance(one, (dict, list)) for one in inside)
    if not inside or indent + len(flat) <= WIDTH or (plain and "id" in value):
        return flat
    space = " " * (indent + 1)
    if isinstance(value, dict):
        rows = [f"{json.dumps(key)}: {dump(value[key], indent + 1)}" for key in sorted(value)]
    else:
        rows = [dump(one, indent + 1) for one in value]
    inner = ",\n".join(f"{space}{row}" for row in rows)
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}\n{inner}\n{' ' * indent}{closing}"


def _first_difference(before, after):
    pairs = zip(before.splitlines(), after.splitlines())
    at, (was, is_) = next(((at, pair) for at, pair in enumerate(pairs, 1) if pair[0] != pair[1]), (0, ("", "")))
    if not at:
        return "the kept file is not there, or one of them is longer"
    return f"line {at} is kept as {was.strip()[:200]!r}, and the compiler says {is_.strip()[:200]!r}"
