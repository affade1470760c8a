"""The resources of the templates as ARM templates, for tools that do not read today's Bicep: values where they are known, text elsewhere."""

import json
import re

from bicep import Choice, Each, Unknown

_SKIP = re.compile(r"checkov:skip=(CKV[0-9A-Z_]+): ?(.+)")


def write(files, folder):
    """One template a file that has resources; returns how many resources."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.json"):
        old.unlink()
    count = 0
    for path, file in files.items():
        resources = [_resource(one) for one in file.resources if not one.existing and not one.type.startswith("Microsoft.Graph/")]
        count += len(resources)
        if resources:
            template = {
                "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
                "contentVersion": "1.0.0.0", "parameters": {}, "resources": resources,
            }
            (folder / f"{path.replace('/', '-').removesuffix('.bicep')}.json").write_text(json.dumps(template, indent=2))
    return count


def reasons(file):
    """Checks that a file leaves out, with the reason: (id, reason)."""
    return [(id_, reason) for one in file.resources for comment in one.comments for id_, reason in _SKIP.findall(comment)]


def _resource(one):
    body = {name: _plain(value) for name, value in one.body.items() if name not in ("parent", "scope", "dependsOn", "name")}
    skips = [f"checkov:skip={id_}:{reason}" for comment in one.comments for id_, reason in _SKIP.findall(comment)]
    metadata = {"metadata": {"checkov": skips}} if skips else {}
    return {"type": one.type, "apiVersion": one.version, "name": f"[{one.symbol}]", **metadata, **body}


def _plain(value):
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, Each):
        return [_plain(value.item)]
    if isinstance(value, Choice):
        # Unless both sides are alike it is not known here.
        return _plain(value.values[0]) if len(value.values) == 1 else f"[one of {len(value.values)}]"
    return f"[{value.text}]" if isinstance(value, Unknown) else value
