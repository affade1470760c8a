"""The Microsoft Graph types that identity.bicep uses, as a local extension: the published one comes from a registry.

Names and flags are those of version 1.0.0 (v1.0).
"""

import io
import json
import tarfile

# Flags: 8 is known before the deployment, 16 is what tells one from another.
_REQUIRED, _READ_ONLY, _NAME, _KEY = 1, 2, 25, 17
_STRING, _LIST = {"$ref": "#/0"}, {"$ref": "#/1"}
_TYPES = {
    "applications": {"uniqueName": _NAME, "displayName": _REQUIRED, "signInAudience": 0, "appId": _READ_ONLY, "id": _READ_ONLY},
    "applications/federatedIdentityCredentials": {
        "name": _NAME, "description": 0, "issuer": _REQUIRED, "subject": _REQUIRED, "audiences": _REQUIRED, "id": _READ_ONLY},
    "servicePrincipals": {"appId": _KEY, "displayName": 0, "id": _READ_ONLY},
}


def write(path):
    """The extension as one file."""
    types, resources = [{"$type": "StringType"}, {"$type": "ArrayType", "itemType": _STRING}], {}
    for name, properties in _TYPES.items():
        full = f"Microsoft.Graph/{name}"
        described = {one: {"type": _LIST if one == "audiences" else _STRING, "flags": flags} for one, flags in properties.items()}
        types.append({"$type": "ObjectType", "name": full, "properties": described})
        types.append({"$type": "ResourceType", "name": f"{full}@v1.0", "scopeType": 0, "flags": 0, "body": {"$ref": f"#/{len(types) - 1}"}})
        resources[f"{full}@v1.0"] = {"$ref": f"types.json#/{len(types) - 1}"}
    types.append({"$type": "ObjectType", "name": "configuration", "properties": {}})
    settings = {"name": "MicrosoftGraph", "version": "1.0.0", "isSingleton": False, "configurationType": {"$ref": f"types.json#/{len(types) - 1}"}}
    index = {"resources": resources, "resourceFunctions": {}, "settings": settings}
    inner = _archive({"index.json": json.dumps(index).encode(), "types.json": json.dumps(types).encode()})
    path.write_bytes(_archive({"types.tgz": inner}))


def _archive(files):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
