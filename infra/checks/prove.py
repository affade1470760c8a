"""Every rule refuses what it is there to refuse: one break at a time, in a copy of a kept file in memory."""

import json

import judge
import snapshots
from grants import APPLICATION, IDENTITY, sample

# Kept file, what is there, what is there instead, what is said.
BREAKS = [
    ("main", '"enablePurgeProtection": true', '"enablePurgeProtection": false', "enablePurgeProtection is False"),
    ("main", '"enableSoftDelete": true', '"enableSoftDelete": 1', "enableSoftDelete is 1"),
    ("main", '"allowSharedKeyAccess": false', '"allowSharedKeyAccess": true', "allowSharedKeyAccess is True"),
    ("main", '"minimumTlsVersion": "TLS1_2"', '"minimumTlsVersion": "TLS_1_2"', "minimumTlsVersion is"),
    ("main", '"bypass": "AzureServices"', '"bypass": "None"', "networkAcls.bypass is"),
    ("main", '"DisableLocalAuth": true', '"DisableLocalAuth": false', "DisableLocalAuth is"),
    ("main", '"disableLocalAuth": true', '"disableLocalAuth": false', "features.disableLocalAuth is"),
    ("main", '"publicAccess": "None"', '"publicAccess": "Blob"', "publicAccess is 'Blob'"),
    ("main", '"httpsOnly": true', '"httpsOnly": false', "httpsOnly is"),
    ("main", '"minTlsVersion": "1.2"', '"minTlsVersion": "1.0"', "siteConfig.minTlsVersion is"),
    ("main", '"minTlsVersion": "1.2"', '"minTlsVersion": "1.2", "ftpsState": "Disabled"', "51021"),
    ("main", '"minTlsVersion": "1.2"', '"minTlsVersion": "1.2", "cors": {"allowedOrigins": ["*"]}', "siteConfig.cors is"),
    ("main", '{"allow": false}', '{"allow": true}', "allow is True"),
    ("main", '"runtime": {"name": "custom", "version": "1.0"}', '"runtime": {"name": "custom", "version": "9.9"}', "runtime is"),
    ("main", '"name": "AIVEN_TOKEN_SECRET"', '"name": "AIVEN_TOKEN"', "not the secret of the vault"),
    ("main", "[format('{0}secrets/{1}', reference(", "[format('@Microsoft.KeyVault(SecretUri={0}secrets/{1})', reference(", "once a day only"),
    ("main", '"name": "FC1"', '"name": "Y1"', "not Flex Consumption"),
    ("main", '"type": "blobContainer"', '"type": "blob"', "not fetched from a container"),
    ("main", '"name": "CREDENTIAL"', '"name": "CREDENTIAL", "value": "federated"}, {"name": "FUNCTIONS_WORKER_RUNTIME"', "refuses setting"),
    ("main", "default/poll-vpc-poison\"", "default/poll-vpc-poisoned\"", "queue poll-vpc-poison is only read"),
    ("main", "default/poll-vpc\"", "default/poll--vpc\"", "Azure takes no 'poll--vpc'"),
    ("main", "default/rejected\"", "default/refused\"", "table refused is only made"),
    ("main", "\"stwzboxfbcdjdde\"", "\"st-wzboxfbcdjdde\"", "Azure takes no 'st-wzboxfbcdjdde'"),
    ("main", "\"name\": \"kv-", "\"name\": \"kv--", "Azure takes no 'kv--"),
    ("main", '"name": "id-prod"', '"name": "id.prod"', "Azure takes no 'id.prod'"),
    ("main", "974c5e8b-45b9", "974c5e8c-45b9", "no built-in role"),
    ("main", "'3913510d-42f4-4e42-8a64-420c390055eb')]", "'4913510d-42f4-4e42-8a64-420c390055eb')]", "not computed from scope"),
    ("main", "/resourceGroups/rg-prod/providers/Microsoft.Web/sites/func-wzboxfbcdjdde\"", "/resourceGroups/rg-other/providers/Microsoft.Web/sites/func-wzboxfbcdjdde\"", "not in the resource group"),
    ("main-people", f'"principalId": "{sample("5")}"', f'"principalId": "{sample("8")}"', "given to somebody who must not have it"),
    ("main-people", "queues/vpc-requests/providers/Microsoft.Authorization", "queues/poll-vpc/providers/Microsoft.Authorization", "must not have it"),
    ("main-people", '"principalId": "[reference(', '"principalId": "[listKeys(', "is no principal"),
    ("main-people", "oncall@example.com", "nobody@example.com", "receivers are"),
    ("main-people", '"actionGroups": [', '"actionGroups": ["/x", ', "reaches ['/x'"),
    ("main-secret", "b86a8fe4-44ce-4948-aee5-eccb2c155cd7", "4633458b-17de-408a-b874-0445c86b69e6", "missing"),
    ("main-recover", "[parameters('aivenToken')]", "check-aiven-token", "in clear text"),
    ("main", '"KEY_VAULT_NAME": "kv-', '"KEY_VAULT_NAME": "[listKeys(\'x\')] kv-', "an output has listKeys"),
    ("main-extra-settings", "[parameters('extraSettings').AIVEN_API_URL]", "https://check-setting-value", "in clear text"),
    ("main-vnet", "Microsoft.App/environments", "Microsoft.Web/serverFarms", "cannot take what it is for"),
    ("main-vnet", '"name": "APP_VNET",\n       "value": "/', '"name": "APP_VNET", "value": "', "APP_VNET is"),
    ("main-vnet-deny", '"defaultAction": "Deny"', '"defaultAction": "Allow"', "its rules are"),
    ("main-existing-subnet", '"virtualNetworkRules": []', '"virtualNetworkRules": [{"id": "x"}]', "its rules are"),
    ("main-private-endpoints", '"publicNetworkAccess": "Disabled"', '"publicNetworkAccess": "Enabled"', "public access is"),
    ("main-private-endpoints", '"groupIds": ["queue"]', '"groupIds": ["table"]', "private endpoints reach"),
    ("main-private-endpoints", "subnets/endpoints", "subnets/functions", "in the delegated subnet"),
    ("main-private-endpoints", '"registrationEnabled": false,\n    "virtualNetwork": {"id": "/', '"registrationEnabled": false, "virtualNetwork": {"id": "/x', "zones are linked"),
    ("main-private-endpoints-existing", "privateDnsZones/privatelink.queue.core.windows.net", "privateDnsZones/privatelink.table.core.windows.net", "is resolved by"),
    ("main-names", "st" + "wzboxfbcdjdde", "stother", "has another storage account"),
    ("grants", "virtualNetworks/peer/action\",\n", "virtualNetworks/peers/action\",\n", "documented"),
    ("grants", "roleDefinitions/read", "roleDefinitions/write", "documented"),
    ("grants", "Microsoft.Resources/subscriptions/read", "Microsoft.Network/virtualNetworks/read", "tests' AUTOMATION differ"),
    ("grants", ": peer only (", ": peer-only (", "roles ["),
    ("grants", "Aiven peering default: peer only (", "Aiven peering: peer only (", "is called"),
    ("grants", '"assignableScopes": ["/subscriptions/', '"assignableScopes": ["/', "goes beyond"),
    ("grants", "@Resource[", "@Request[", "keeps the app delete"),
    ("grants", f"GuidEquals {{{APPLICATION}", f"GuidEquals {{{IDENTITY}", "lets the app"),
    ("grants", "} AND @Request", "} OR @Request", "lets the app"),
    ("grants", "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/delete", "(!(ActionMatches{'Microsoft.Authorization/roleAssignments/delete", "malformed"),
    ("grants", '"conditionVersion": "2.0"', '"conditionVersion": "1.0"', "version 2.0"),
    ("grants-many", f"/subscriptions/{sample('d')}", f"/subscriptions/{sample('d').upper()}", "is not on a subscription"),
    ("landing-zone", "mg-landing/providers/Microsoft.Authorization/roleAssignments", "mg-other/providers/Microsoft.Authorization/roleAssignments", "is not in /providers"),
    ("identity", "AzureADMultipleOrgs", "AzureADMyOrg", "cannot admit"),
    ("identity", '"uniqueName": "aiven-azure-peering-default"', '"uniqueName": "aiven"', "uniqueName"),
    ("identity", '"audiences": ["api://AzureADTokenExchange"]', '"audiences": ["api://x"]', "another audience"),
    ("identity", "[format('{0}/{1}', 'aiven", "[format('{0}/x{1}', 'aiven", "name the credential of an identity differently"),
    ("identity", "createArray('api://AzureADTokenExchange')", "createArray('api://x')", "CREDENTIAL_COMMAND"),
    ("identity", '"azd-env-name": "prod"', '"azd-env-name": "other"', "different resource groups"),
    ("main", 'in (\\"drift\\"', 'in (\\"drifted\\"', "no event drifted"),
    ("main", "line.correlation", "line.corelation", "no field corelation"),
    ("main", "project timestamp, event", "project timestmp, event", "timestmp"),
    ("main", '"query": "traces', '"query": "trace', "no table"),
    ("main", 'name == \\"poll_waiting\\"', 'name == \\"poll_wating\\"', "no function"),
    ("main", '"windowSize": "PT3H"', '"windowSize": "PT1H"', "no time"),
    ("main", '"name": "peering"', '"name": "step"', "fires {'deadline-near': ''}"),
    ("main", '"values": ["*"]', '"values": ["p1"]', "not every"),
    ("main", 'level != \\"INFO\\"', 'level != \\"WARN\\"', "fires"),
    ("main", "where runs == 0", "where runs == 1", "after"),
]


def check():
    """Returns (breaks that nothing saw, number of breaks)."""
    kept, unseen = snapshots.kept(), []
    for name, old, new, said in BREAKS:
        text = (snapshots.FOLDER / f"{name}.json").read_text()
        if old not in text:
            unseen.append(f"{name}: {old!r} is not there, so that it cannot be broken")
            continue
        broken = snapshots.Snapshot(name, json.loads(text.replace(old, new)))
        found = judge.check({name: broken}, {**kept, name: broken})
        if not any(said in fault for fault in found):
            unseen.append(f"{name}: nothing says {said!r} of {new!r} in place of {old!r}, only {found[:5]}")
    return unseen, len(BREAKS)
