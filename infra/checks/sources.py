"""What the code looks for, and what is made."""

import json
import re
from functools import cache

from compiler import TENANT
from placed import LATE
from tooling import INFRA, ROOT


def queues_and_tables(snapshot):
    """Queues and tables, as in the code."""
    if snapshot.template not in ("main", "app"):
        return
    made = {one["name"].rsplit("/", 1)[-1] for one in snapshot.of_type("Microsoft.Storage/storageAccounts/queueServices/queues")}
    texts = [json.loads(path.read_text()) for path in (ROOT / "functions").rglob("function.json")]
    read = {one["queueName"] for text in texts for one in text["bindings"] if "queueName" in one}
    for name in sorted(made ^ (read | {f"{name}-poison" for name in read})):
        yield f"queue {name} is only {'made' if name in made else 'read'}"
    tables = {one["name"].rsplit("/", 1)[-1] for one in snapshot.of_type("Microsoft.Storage/storageAccounts/tableServices/tables")}
    used = set(re.findall(r'"(\w+)"', re.search(r"\bconst TABLES: [^=]*= \[(.*?)\];", _code(), re.DOTALL).group(1)))
    for name in sorted(used ^ tables):
        yield f"table {name} is only {'in the code' if name in used else 'made'}"


def directory(snapshot):
    """Application and credential are those that the code looks for; the script makes the same, and so does the command that stands in for it."""
    if snapshot.template != "identity":
        return
    script = (INFRA / "identity.sh").read_text()
    source = _code()
    aiven = re.search(r'AIVEN_APPLICATION: &str = "([0-9a-f-]{36})"', source).group(1)
    application = snapshot.one("Microsoft.Graph/applications@v1.0")["properties"]
    installation = "team-a" if snapshot.name == "identity-without-credential" else "default"
    if application["uniqueName"] != f"aiven-azure-peering-{installation}" or 'format!("aiven-azure-peering-{}", ' not in source:
        yield "the application has another uniqueName than the code looks for"
    if application["signInAudience"] != "AzureADMultipleOrgs":
        yield "Aiven cannot admit the application"
    if aiven not in {one["properties"]["appId"] for one in snapshot.of_type("Microsoft.Graph/servicePrincipals@v1.0")}:
        yield "the principal of Aiven is another one than the code looks for"
    command = snapshot.outputs["CREDENTIAL_COMMAND"]
    credentials = [one["properties"] for one in snapshot.of_type("Microsoft.Graph/applications/federatedIdentityCredentials@v1.0")]
    if len(credentials) != (0 if snapshot.name == "identity-without-credential" else 1):
        yield f"{len(credentials)} federated credentials"
    for one in credentials:
        if one["audiences"] != ["api://AzureADTokenExchange"] or '"api://AzureADTokenExchange"' not in source:
            yield "the credential has another audience than the code asks for"
        if f"/v2.0', environment().authentication.loginEndpoint, '{TENANT}')" not in one["issuer"]:
            yield "the credential has another issuer than the code asks for"
        if not LATE.fullmatch(one["subject"]):
            yield "the credential trusts somebody else than the identity of the app"
        name = f"format('{{0}}-{{1}}', '{application['uniqueName']}', {one['subject'][1:-1]})"
        ours = 'format!("aiven-azure-peering-{}-{}", settings.installation, settings.identity)'
        if one["name"] != f"[format('{{0}}/{{1}}', '{application['uniqueName']}', {name})]" or ours not in source or "name=$APPLICATION_NAME-$2" not in script:
            yield "template, script and code name the credential of an identity differently"
        for value in (name, one["issuer"][1:-1], one["subject"][1:-1], one["audiences"][0]):
            if value not in command:
                yield f"CREDENTIAL_COMMAND makes another credential than the template: it lacks {value}"
    for text in (aiven, "APPLICATION_NAME=aiven-azure-peering-$INSTALLATION", "AzureADMultipleOrgs", "api://AzureADTokenExchange", "name=id-$AZURE_ENV_NAME"):
        if text not in script:
            yield f"identity.sh does not have {text}"
    for name in ("IDENTITY_PRINCIPAL_ID", "APPLICATION_ID", "APPLICATION_PRINCIPAL_ID", "AIVEN_PRINCIPAL_ID"):
        if name not in snapshot.outputs or f"\n{name}=$" not in script:
            yield f"template and script do not both give {name}"


@cache
def _code():
    return "".join(path.read_text() for path in sorted((ROOT / "functions").rglob("*.rs")))
