metadata description = 'Second deployment: everything of the app in Azure, in a resource group of its own.'

targetScope = 'subscription'

import {
  guidProblems
  installationProblems
  listOf
  nameProblems
  networkProblems
  operatorProblems
  optionalGuidProblems
  rangeProblems
  receiverProblems
  settingProblems
  tidy
  zoneProblems
} from 'inputs.bicep'
import { alwaysReadyType, ownSettings, privateDnsZonesType, secretAddressType, settingsType } from 'shared.bicep'

@description('azd environment name: part of the resource group name and of every generated name. Letters, digits and hyphens.')
@minLength(1)
param environmentName string

@description('Region of every resource; one that has Flex Consumption.')
@metadata({ azd: { type: 'location' } })
param location string

@description('Name of the resource group.')
param resourceGroupName string = 'rg-${environmentName}'

@description('Name of this installation: part of role names and ids. Never change it afterwards: the app refuses to start. Lower-case letters, digits and hyphens.')
param installation string = 'default'

@description('Aiven API token, kept as a secret of the vault. Leave empty to keep the one that is there.')
@secure()
param aivenToken string = ''

@description('Client id of our application; output of identity. Empty: the app looks it up, which needs a permission in the directory.')
param applicationId string = ''

@description('Object id of its service principal; output of identity.')
param applicationPrincipalId string = ''

@description('Object id of the service principal of Aiven; output of identity.')
param aivenPrincipalId string = ''

@description('How the app signs in as our application: by its identity, without a secret, or by a secret that it keeps in the vault.')
@allowed(['federated', 'secret'])
param credential string = 'federated'

@description('Role of our application on a VNet: our custom one, or the built-in one of the published runbooks. The same for grants.bicep.')
@allowed(['minimal', 'network-contributor'])
param peeringRole string = 'minimal'

@description('Id of that role; output of landing-zone. Empty where grants.bicep makes the roles.')
param peeringRoleId string = ''

@description('Id of the role of Aiven on a VNet; output of landing-zone. Empty where grants.bicep makes the roles.')
param aivenRoleId string = ''

@description('What is done about a difference between what should be and what is.')
@allowed(['repair', 'report'])
param reconcile string = 'repair'

@description('Subscriptions whose VNets may be asked for; empty: all in which the app has its role.')
param allowedSubscriptions string[] = []

@description('Aiven VPCs that may be asked for, by id, key or owner; empty: all that the token reaches.')
param allowedVpcs string[] = []

@description('Object ids of users or groups that may send requests, to the two public queues only. Empty: whoever deploys.')
param requesterPrincipalIds string[] = []

@description('Object ids of users or groups that may read the tables: status, journal, refused messages. Empty: whoever deploys.')
param readerPrincipalIds string[] = []

@description('Object ids of users or groups that may set the token of Aiven; they can also read it. Empty: whoever deploys.')
param secretOfficerPrincipalIds string[] = []

@description('Replaced by requesterPrincipalIds, readerPrincipalIds and secretOfficerPrincipalIds. A deployment that gives it fails.')
param operatorPrincipalIds string[] = []

@description('Mail addresses that get the alerts, separated by commas; empty: nobody gets mail.')
param alertEmails string = ''

@description('Addresses (https) that are called with each alert in the common alert schema.')
param alertWebhooks secretAddressType[] = []

@description('Memory of one instance.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 512

@description('Upper bound of the scale-out of each function; below 40 only some regions take it.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Groups of instances that are kept warm; none costs nothing.')
param alwaysReady alwaysReadyType[] = []

@description('Spread the instances over the zones of the region, where the region can. Takes a storageSku with zones.')
param zoneRedundant bool = false

@description('Redundancy of the storage account.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param storageSku string = 'Standard_LRS'

@description('Days that telemetry is kept; Azure charges for more than 90.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 90

@description('Log who sends messages, changes rows and uses secrets. Each is a row of about 1 KB in the workspace: with a hundred peerings at rest less than 1 GB and 3 dollars a month, and as much again for some 700,000 further writes. Off by default.')
param diagnosticLogs bool = false

@description('Make a VNet and integrate the app into it.')
param useVnet bool = false

@description('Address space of that VNet; it must overlap with nothing that it will be peered to.')
param vnetPrefix string = '10.97.0.0/24'

@description('Range of the subnet of the app in that VNet; /27 or larger.')
param functionSubnetPrefix string = '10.97.0.0/26'

@description('Range of the subnet of the private endpoints in that VNet.')
param endpointSubnetPrefix string = '10.97.0.64/27'

@description('Subnet of an existing VNet to integrate the app into instead. It is delegated to Microsoft.App/environments. Whoever deploys needs Microsoft.Network/virtualNetworks/subnets/join/action on it. With networkDefaultAction Deny it also has the service endpoints Microsoft.Storage and Microsoft.KeyVault, and whoever deploys needs Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action, too.')
param existingSubnetId string = ''

@description('Whether storage and vault let in whoever has a role, from anywhere, or only what is listed. Deny needs a subnet of the app.')
@allowed(['Allow', 'Deny'])
param networkDefaultAction string = 'Allow'

@description('Public IPv4 addresses, or ranges up to /30, that storage and vault let in where they do not let in everybody.')
param allowedIpRanges string[] = []

@description('Reach storage and vault by private endpoints only (and from allowedIpRanges, if there are any). Needs a subnet of the app.')
param privateEndpoints bool = false

@description('Subnet of an existing VNet for the private endpoints, where existingSubnetId is given.')
param privateEndpointSubnetId string = ''

@description('Private DNS zones that are there already, linked to the VNet of the app. Left out: made beside the app.')
param privateDnsZones privateDnsZonesType?

@description('True to take back the deleted vault of an earlier deployment: purge protection keeps its name for 90 days.')
param recoverVault bool = false

@description('Further application settings, such as LOG; none that the templates give themselves. Azure keeps their values secret.')
param extraSettings settingsType = {}

@description('Extra tags.')
param tags { *: string } = {}

var allTags = union(tags, { 'azd-env-name': environmentName })
var problems = concat(
  nameProblems(environmentName, resourceGroupName),
  installationProblems(installation),
  optionalGuidProblems('applicationId', applicationId),
  optionalGuidProblems('applicationPrincipalId', applicationPrincipalId),
  optionalGuidProblems('aivenPrincipalId', aivenPrincipalId),
  optionalGuidProblems('peeringRoleId', peeringRoleId),
  optionalGuidProblems('aivenRoleId', aivenRoleId),
  guidProblems('allowedSubscriptions', tidy(allowedSubscriptions)),
  guidProblems('requesterPrincipalIds', tidy(requesterPrincipalIds)),
  guidProblems('readerPrincipalIds', tidy(readerPrincipalIds)),
  guidProblems('secretOfficerPrincipalIds', tidy(secretOfficerPrincipalIds)),
  operatorProblems(operatorPrincipalIds),
  receiverProblems(listOf(alertEmails)),
  zoneProblems(zoneRedundant, storageSku),
  networkProblems(useVnet, existingSubnetId, networkDefaultAction, privateEndpoints, privateEndpointSubnetId),
  rangeProblems(tidy(allowedIpRanges)),
  settingProblems(objectKeys(extraSettings), ownSettings)
)

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: empty(problems) ? resourceGroupName : fail(join(problems, ' '))
  location: location
  tags: allTags
}

module app 'app.bicep' = {
  scope: group
  params: {
    environmentName: environmentName
    location: location
    installation: installation
    aivenToken: aivenToken
    applicationId: applicationId
    applicationPrincipalId: applicationPrincipalId
    aivenPrincipalId: aivenPrincipalId
    credential: credential
    peeringRole: peeringRole
    peeringRoleId: peeringRoleId
    aivenRoleId: aivenRoleId
    reconcile: reconcile
    allowedSubscriptions: allowedSubscriptions
    allowedVpcs: allowedVpcs
    requesterPrincipalIds: requesterPrincipalIds
    readerPrincipalIds: readerPrincipalIds
    secretOfficerPrincipalIds: secretOfficerPrincipalIds
    operatorPrincipalIds: operatorPrincipalIds
    alertEmails: alertEmails
    alertWebhooks: alertWebhooks
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReady: alwaysReady
    zoneRedundant: zoneRedundant
    storageSku: storageSku
    logRetentionDays: logRetentionDays
    diagnosticLogs: diagnosticLogs
    useVnet: useVnet
    vnetPrefix: vnetPrefix
    functionSubnetPrefix: functionSubnetPrefix
    endpointSubnetPrefix: endpointSubnetPrefix
    existingSubnetId: existingSubnetId
    networkDefaultAction: networkDefaultAction
    allowedIpRanges: allowedIpRanges
    privateEndpoints: privateEndpoints
    privateEndpointSubnetId: privateEndpointSubnetId
    privateDnsZones: privateDnsZones
    recoverVault: recoverVault
    extraSettings: extraSettings
    tags: allTags
  }
}

@description('Resource group, as azd reads it.')
output AZURE_RESOURCE_GROUP string = group.name

@description('Name of this installation: grants.bicep reads it from the environment that azd keeps.')
output INSTALLATION string = installation

@description('Role of our application on a VNet: grants.bicep reads it from the environment that azd keeps.')
output PEERING_ROLE string = peeringRole

@description('Name of the function app.')
output FUNCTION_APP_NAME string = app.outputs.functionAppName

@description('Name of the storage account: queue peering-requests is there.')
output STORAGE_ACCOUNT_NAME string = app.outputs.storageAccountName

@description('Name of the vault that has the token.')
output KEY_VAULT_NAME string = app.outputs.keyVaultName

@description('Object id of the identity of the app: grants.bicep needs it.')
output IDENTITY_PRINCIPAL_ID string = app.outputs.identityPrincipalId
