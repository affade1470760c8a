"""What no compiler says: it takes any text for a name, a runtime, a role's action, a condition, a query; Azure, or nobody, refuses it later.

Every rule reads the kept predictions as plain JSON, so that it holds on any machine.
"""

from function_app import flex, locks, secrets, settings
from grants import roles
from network import endpoints, firewalls
from people import people
from placed import assignments, known, names, scopes
from signals import fired, telemetry
from sources import directory, queues_and_tables
from tooling import INFRA

EACH = [names, scopes, known, assignments, people, flex, locks, secrets, firewalls, endpoints, queues_and_tables, directory, roles]


def pairs(snapshots):
    """What two sets have in common, or not."""
    one, other = (settings(snapshots[name])["AzureWebJobsStorage__accountName"] for name in ("main", "main-names"))
    if one != other:
        yield f"main-names: RG-Prod has another storage account ({other}) than rg-prod ({one})"
    groups = [snapshots[name].one("Microsoft.Resources/resourceGroups") for name in ("main", "identity")]
    identities = [snapshots[name].one("Microsoft.ManagedIdentity/userAssignedIdentities") for name in ("main", "identity")]
    if groups[0] != groups[1] or identities[0] != identities[1]:
        yield "identity and main make different resource groups or identities"


def documented(snapshots):
    """There are enough ways to deploy, and README.md has each."""
    text = (INFRA / "README.md").read_text()
    for name in snapshots:
        if f"`{name}`" not in text:
            yield f"infra/README.md does not say what {name} is"
    if len(snapshots) < 20:
        yield f"only {len(snapshots)} sets of parameters are judged"


ALL = [pairs, documented, telemetry, fired]


def check(judged, everything=None):
    """Every fault of these sets, and of all of them together, with the set and the rule that it is of."""
    faults = [f"{name}: {rule.__name__}: {fault}" for name, one in judged.items() for rule in EACH for fault in rule(one)]
    return faults + [f"{rule.__name__}: {fault}" for rule in ALL for fault in rule(everything or judged)]
