metadata description = 'Everything of the app in one resource group. main.bicep deploys it into a group of its own; alone it goes into an existing one.'

targetScope = 'resourceGroup'

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
import {
  alwaysReadyType
  networkRulesType
  ownSettings
  privateDnsZonesType
  queues
  secretAddressType
  settingsType
  tables
} from 'shared.bicep'

@description('Part of every generated name.')
@minLength(1)
param environmentName string

@description('Region of every resource.')
param location string = resourceGroup().location

@description('Name of this installation.')
param installation string = 'default'

@description('Aiven API token; empty keeps the one in the vault.')
@secure()
param aivenToken string = ''

@description('Client id of our application.')
param applicationId string = ''

@description('Object id of its service principal.')
param applicationPrincipalId string = ''

@description('Object id of the service principal of Aiven.')
param aivenPrincipalId string = ''

@description('How the app signs in as our application.')
@allowed(['federated', 'secret'])
param credential string = 'federated'

@description('Role of our application on a VNet.')
@allowed(['minimal', 'network-contributor'])
param peeringRole string = 'minimal'

@description('Id of that role where landing-zone.bicep made it.')
param peeringRoleId string = ''

@description('Id of the role of Aiven on a VNet where landing-zone.bicep made it.')
param aivenRoleId string = ''

@description('What is done about a difference.')
@allowed(['repair', 'report'])
param reconcile string = 'repair'

@description('Subscriptions whose VNets may be asked for; empty: all.')
param allowedSubscriptions string[] = []

@description('Aiven VPCs that may be asked for; empty: all.')
param allowedVpcs string[] = []

@description('Users or groups that may send requests; empty: whoever deploys.')
param requesterPrincipalIds string[] = []

@description('Users or groups that may read the tables; empty: whoever deploys.')
param readerPrincipalIds string[] = []

@description('Users or groups that may set the token of Aiven; empty: whoever deploys.')
param secretOfficerPrincipalIds string[] = []

@description('Replaced by three lists. A deployment that gives it fails.')
param operatorPrincipalIds string[] = []

@description('Mail addresses that get the alerts, separated by commas.')
param alertEmails string = ''

@description('Addresses that are called with each alert.')
param alertWebhooks secretAddressType[] = []

@description('Memory of one instance.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 512

@description('Upper bound of the scale-out of each function.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Groups of instances that are kept warm.')
param alwaysReady alwaysReadyType[] = []

@description('Spread the instances over the zones of the region.')
param zoneRedundant bool = false

@description('Redundancy of the storage account.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param storageSku string = 'Standard_LRS'

@description('Days that telemetry is kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 90

@description('Log who sends messages, changes rows and uses secrets.')
param diagnosticLogs bool = false

@description('Make a VNet and integrate the app into it.')
param useVnet bool = false

@description('Address space of that VNet.')
param vnetPrefix string = '10.97.0.0/24'

@description('Range of the subnet of the app in that VNet.')
param functionSubnetPrefix string = '10.97.0.0/26'

@description('Range of the subnet of the private endpoints in that VNet.')
param endpointSubnetPrefix string = '10.97.0.64/27'

@description('Subnet of an existing VNet to integrate the app into instead.')
param existingSubnetId string = ''

@description('Whether storage and vault let in whoever has a role, or only what is listed.')
@allowed(['Allow', 'Deny'])
param networkDefaultAction string = 'Allow'

@description('Public IPv4 addresses or ranges that storage and vault let in.')
param allowedIpRanges string[] = []

@description('Reach storage and vault by private endpoints only.')
param privateEndpoints bool = false

@description('Subnet of an existing VNet for the private endpoints.')
param privateEndpointSubnetId string = ''

@description('Private DNS zones that are there already; left out: made.')
param privateDnsZones privateDnsZonesType?

@description('True to take back the deleted vault of an earlier deployment.')
param recoverVault bool = false

@description('Further application settings.')
param extraSettings settingsType = {}

@description('Tags of every resource.')
param tags { *: string } = {}

var problems = concat(
  nameProblems(environmentName, resourceGroup().name),
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
var checkedName = empty(problems) ? environmentName : fail(join(problems, ' '))
// In lower case, so that My-RG and my-rg are one app.
var token = uniqueString(
  subscription().id,
  '${subscription().id}/resourceGroups/${toLower(resourceGroup().name)}',
  toLower(checkedName)
)
var packageContainer = 'app-package'
var secretName = 'aiven-token'
var deployers = [deployer().objectId]
var subnetId = useVnet ? network!.outputs.functionSubnetId : existingSubnetId
var endpointSubnetId = useVnet ? network!.outputs.endpointSubnetId : privateEndpointSubnetId
var networkRules networkRulesType = {
  publicAccess: privateEndpoints && empty(allowedIpRanges) ? 'Disabled' : 'Enabled'
  defaultAction: privateEndpoints ? 'Deny' : networkDefaultAction
  ipRanges: tidy(allowedIpRanges)
  // Azure refuses such a rule for a subnet without service endpoints, and private endpoints need none.
  subnets: networkDefaultAction == 'Deny' && !privateEndpoints ? [{ id: subnetId }] : []
}

module identity 'modules/identity.bicep' = {
  params: {
    environmentName: checkedName
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  params: {
    workspaceName: 'log-${token}'
    componentName: 'appi-${token}'
    location: location
    tags: tags
    publisherPrincipalId: identity.outputs.principalId
    retentionInDays: logRetentionDays
  }
}

module network 'modules/network.bicep' = if (useVnet) {
  params: {
    name: 'vnet-${token}'
    location: location
    tags: tags
    addressPrefix: vnetPrefix
    functionSubnetPrefix: functionSubnetPrefix
    endpointSubnetPrefix: privateEndpoints ? endpointSubnetPrefix : ''
  }
}

module storage 'modules/storage.bicep' = {
  params: {
    name: 'st${token}'
    location: location
    tags: tags
    skuName: storageSku
    containers: [packageContainer]
    queues: queues
    tables: tables
    network: networkRules
    identityPrincipalId: identity.outputs.principalId
    requesterPrincipalIds: empty(tidy(requesterPrincipalIds)) ? deployers : tidy(requesterPrincipalIds)
    readerPrincipalIds: empty(tidy(readerPrincipalIds)) ? deployers : tidy(readerPrincipalIds)
    logsWorkspaceId: diagnosticLogs ? monitoring.outputs.workspaceId : ''
  }
}

module vault 'modules/vault.bicep' = {
  params: {
    name: 'kv-${token}'
    location: location
    tags: tags
    secretName: secretName
    secretValue: aivenToken
    recover: recoverVault
    appWrites: credential == 'secret'
    network: networkRules
    identityPrincipalId: identity.outputs.principalId
    secretOfficerPrincipalIds: empty(tidy(secretOfficerPrincipalIds)) ? deployers : tidy(secretOfficerPrincipalIds)
    logsWorkspaceId: diagnosticLogs ? monitoring.outputs.workspaceId : ''
  }
}

module privateLink 'modules/private-link.bicep' = if (privateEndpoints) {
  params: {
    prefix: 'pe-${token}'
    location: location
    tags: tags
    subnetId: endpointSubnetId
    vnetId: join(take(split(subnetId, '/'), 9), '/')
    storageAccountId: storage.outputs.id
    vaultId: vault.outputs.id
    zones: privateDnsZones
  }
}

module function 'modules/function.bicep' = {
  params: {
    name: 'func-${token}'
    planName: 'plan-${token}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    identityPrincipalId: identity.outputs.principalId
    storageAccountName: storage.outputs.name
    packageContainerUrl: '${storage.outputs.blobEndpoint}${packageContainer}'
    insightsConnectionString: monitoring.outputs.connectionString
    tokenUri: '${vault.outputs.uri}secrets/${secretName}'
    installation: installation
    applicationId: applicationId
    applicationPrincipalId: applicationPrincipalId
    aivenPrincipalId: aivenPrincipalId
    credential: credential
    vaultUri: vault.outputs.uri
    peeringRole: peeringRole
    peeringRoleId: peeringRoleId
    aivenRoleId: aivenRoleId
    reconcile: reconcile
    allowedSubscriptions: tidy(allowedSubscriptions)
    allowedVpcs: tidy(allowedVpcs)
    extraSettings: extraSettings
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReady: alwaysReady
    zoneRedundant: zoneRedundant
    subnetId: subnetId
  }
  dependsOn: [privateLink]
}

module alerts 'modules/alerts.bicep' = {
  params: {
    prefix: 'alert-${token}'
    location: location
    tags: tags
    componentId: monitoring.outputs.componentId
    emails: listOf(alertEmails)
    webhooks: alertWebhooks
  }
}

module workbook 'modules/workbook.bicep' = {
  params: {
    displayName: 'Aiven peerings (${environmentName})'
    location: location
    tags: tags
    componentId: monitoring.outputs.componentId
  }
}

@description('Name of the function app.')
output functionAppName string = function.outputs.name

@description('Name of the storage account.')
output storageAccountName string = storage.outputs.name

@description('Name of the vault.')
output keyVaultName string = vault.outputs.name

@description('Object id of the identity of the app.')
output identityPrincipalId string = identity.outputs.principalId
