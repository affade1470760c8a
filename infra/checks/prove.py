"""Every check refuses what it is there to refuse: one break at a time, in a copy in memory."""

import bicep
import names
import permissions
import resource_types
import rules
from tooling import INFRA

BREAKS = [
    # file, what is there, what is there instead, which check, what it says
    ("modules/vault.bicep", "enableSoftDelete: true", "enableSoftDelet: true", "types", "unknown"),
    ("modules/vault.bicep", "name: 'standard'", "name: 'standrd'", "types", "none of"),
    ("modules/vault.bicep", "tenantId: tenant().tenantId", "", "types", "tenantId is required"),
    ("modules/vault.bicep", "softDeleteRetentionInDays: 90", "softDeleteRetentionInDays: '90'", "types", "no int"),
    ("modules/vault.bicep", "enabledForDeployment: false", "hsmPoolResourceId: 'x'", "types", "read-only"),
    ("modules/storage.bicep", "virtualNetworkRules: [for subnet in network.subnetIds: { id: subnet }]", "virtualNetworkRules: [for subnet in network.subnetIds: { ids: subnet }]", "types", "unknown"),
    ("modules/storage.bicep", "allowSharedKeyAccess: false", "allowSharedKeyAccess: network", "types", "no bool"),
    ("modules/function.bicep", "maximumInstanceCount: maximumInstanceCount", "maximumInstanceCount: name", "types", "no int"),
    ("modules/function.bicep", "sites/basicPublishingCredentialsPolicies@2024-11-01' = {\n  parent: app\n  name: 'ftp'", "sites/basicPublishingCredentialsPolicies@2024-11-01' = {\n  parent: app\n  name: 'sftp'", "types", "none of"),
    ("modules/function.bicep", "Microsoft.Web/sites@2024-11-01", "Microsoft.Web/sites@2099-01-01", "types", "use that version"),
    ("modules/alerts.bicep", "threshold: 0", "threshold: 'none'", "types", "no int"),
    ("modules/alerts.bicep", "operator: 'GreaterThan'", "operator: 'Greater'", "types", "none of"),
    ("modules/alerts.bicep", "windowSize: rule.window", "window: rule.window", "types", "unknown"),
    ("modules/alerts.bicep", "severity: 3", "severity: '3'", "types", "no int"),
    ("modules/alerts.bicep", "emailAddress: address", "", "types", "required"),
    ("identity.bicep", "    audiences: ['api://AzureADTokenExchange']\n", "", "types", "audiences is required"),
    ("app.bicep", "    network: networkRules\n    identityPrincipalId: identity.outputs.principalId\n    operatorPrincipalIds: operatorPrincipalIds\n  }\n}\n\nmodule vault", "    identityPrincipalId: identity.outputs.principalId\n    operatorPrincipalIds: operatorPrincipalIds\n  }\n}\n\nmodule vault", "names", "network is not given"),
    ("app.bicep", "vault.outputs.uri", "vault.outputs.url", "names", "no output url"),
    ("app.bicep", "useVnet ? network", "useVNet ? network", "names", "declared nowhere"),
    ("app.bicep", "    recover: recoverVault\n", "    recover: 'no'\n", "names", "is bool, and string is given"),
    ("main.bicep", "    reconcile: reconcile\n", "", "names", "reconcile is not used"),
    ("main.bicep", "  scope: group\n", "", "names", "no scope is given"),
    ("main.bicepparam", "param installation", "param instalation", "names", "no parameter"),
    ("shared.bicep", "  'poll-vpc'\n", "", "rules", "queue poll-vpc triggers a function"),
    ("shared.bicep", "  'poll-vpc'\n", "  'poll-vpc'\n  'poll--vpc'\n", "rules", "no name of a queue"),
    ("shared.bicep", "  'poll-vpc'\n", "  'poll-vpc'\n  'another'\n", "rules", "triggers no function"),
    ("shared.bicep", "  'rejected'\n", "  'refused'\n", "rules", "table refused is only there"),
    ("modules/storage.bicep", "concat(queues, map(queues, base => '${base}-poison'))", "concat(queues, queues)", "rules", "poison"),
    ("modules/storage.bicep", "allowSharedKeyAccess: false", "allowSharedKeyAccess: true", "rules", "allowSharedKeyAccess"),
    ("modules/storage.bicep", "'TLS1_2'", "'TLS_1_2'", "rules", "minimumTlsVersion"),
    ("modules/storage.bicep", "974c5e8b", "974c5e8c", "rules", "no built-in role"),
    ("modules/function.bicep", "version: '1.0'", "version: '9.9'", "rules", "runtime"),
    ("modules/function.bicep", "name: 'custom'", "name: 'rust'", "rules", "runtime"),
    ("modules/function.bicep", "minTlsVersion: '1.2'", "minTlsVersion: '1.2'\n      ftpsState: 'Disabled'", "rules", "51021"),
    ("modules/function.bicep", "CREDENTIAL: credential", "FUNCTIONS_WORKER_RUNTIME: 'custom'", "rules", "refuses setting"),
    ("modules/network.bicep", "Microsoft.App/environments", "Microsoft.Web/serverFarms", "rules", "cannot take"),
    ("modules/grant.bicep", "          'Microsoft.Network/virtualNetworks/peer/action'\n          'Microsoft", "          'Microsoft.Network/virtualNetworks/peers/action'\n          'Microsoft", "rules", "documented"),
    ("modules/grant.bicep", "roleDefinitions/read'", "roleDefinitions/write'", "rules", "documented"),
    ("modules/grant.bicep", "installation, 'peer-only')", "installation, 'peer_only')", "rules", "another id"),
    ("modules/grant.bicep", "installation, 'peering-writer')", "'peering-writer')", "rules", "another id"),
    ("modules/grant.bicep", "          'Microsoft.Resources/subscriptions/read'\n", "", "rules", "tests' AUTOMATION differ"),
    ("modules/grant.bicep", "GuidEquals ${principalSet}))'\nvar deleteHalf", "GuidEquals  ${principalSet}))'\nvar deleteHalf", "rules", "the tests try"),
    ("modules/storage.bicep", "appRoles = {\n  blobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'\n", "appRoles = {\n", "page", "stale"),
    ("modules/grant.bicep", "OR (@Resource[", "OR (@Request[", "rules", "keeps the app delete"),
    ("modules/grant.bicep", "var roleSet = '{${givenGuid}, ${peerOnlyGuid}}'", "var roleSet = '{${givenGuid}, ${automationGuid}}'", "rules", "lets the app"),
    ("modules/grant.bicep", "GuidEquals ${roleSet} AND @Request", "GuidEquals ${roleSet} OR @Request", "rules", "lets the app"),
    ("modules/grant.bicep", "((!(ActionMatches{\\'${assignment}/delete", "(!(ActionMatches{\\'${assignment}/delete", "rules", "malformed"),
    ("modules/workbook.bicep", "guid(resourceGroup().id, 'aiven-azure-peering', 'workbook')", "newGuid()", "rules", "another one at every deployment"),
    ("main.bicepparam", "readEnvironmentVariable('INSTALLATION', 'default')", "readEnvironmentVariable('INSTALLATION', toLower('A'))", "rules", "no constant"),
    ("modules/monitoring.bicep", "name: guid(component.id, publisherPrincipalId, publisherRole)", "name: publisherRole", "rules", "not computed"),
    ("identity.bicep", "uniqueName: applicationName", "uniqueName: 'aiven'", "rules", "uniqueName"),
    ("modules/alerts.bicep", 'in ("drift"', 'in ("drifted"', "rules", "no event drifted"),
    ("modules/alerts.bicep", "line.correlation", "line.corelation", "rules", "no field corelation"),
    ("modules/alerts.bicep", "project timestamp, event", "project timestmp, event", "rules", "timestmp"),
    ("modules/alerts.bicep", "var lines = 'traces", "var lines = 'trace", "rules", "no table"),
    ("modules/alerts.bicep", 'name == "poll_waiting"', 'name == "poll_wating"', "rules", "no function"),
    ("modules/alerts.bicep", "window: 'PT3H'", "window: 'PT1H'", "rules", "no time"),
]
CHECKS = {
    "types": lambda files: resource_types.check(files)[0], "names": lambda files: names.check(files)[0], "rules": lambda files: rules.check(files)[0],
    "page": lambda files: list(permissions.check(files))}


def check(files):
    """Returns (breaks that nothing saw, number of breaks)."""
    unseen = []
    for path, old, new, which, said in BREAKS:
        source = files[path].source.decode()
        if old not in source:
            unseen.append(f"{path}: {old!r} is not there, so that it cannot be broken")
            continue
        only = {path: bicep.File(INFRA / path, INFRA, source.replace(old, new, 1))}
        found = CHECKS[which](only if which == "types" else {**files, **only})
        if not any(said in fault for fault in found):
            unseen.append(f"{path}: nothing says {said!r} of {new!r} in place of {old!r}, only {found}")
    broken = bicep.File(INFRA / "main.bicep", INFRA, files["main.bicep"].source.decode().replace("= {\n  name:", "= \n  name:", 1))
    if not broken.broken():
        unseen.append("main.bicep: the parser takes it without a bracket")
    return unseen, len(BREAKS) + 1
