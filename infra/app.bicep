metadata description = 'Everything of the app in one resource group. main.bicep deploys it into a group of its own; alone it goes into an existing one.'

targetScope = 'resourceGroup'

import { alwaysReadyType, queues, tables } from 'shared.bicep'

@description('Part of every generated name.')
param environmentName string

@description('Region of every resource.')
param location string = resourceGroup().location

@description('Name of this installation.')
@minLength(1)
@maxLength(32)
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

@description('What is done about a difference.')
@allowed(['repair', 'report'])
param reconcile string = 'repair'

@description('Subscriptions whose VNets may be asked for; empty: all.')
param allowedSubscriptions string[] = []

@description('Aiven VPCs that may be asked for; empty: all.')
param allowedVpcs string[] = []

@description('Users or groups that may send requests, read the tables and set the token.')
param operatorPrincipalIds string[] = []

@description('Mail addresses that get the alerts, separated by commas.')
param alertEmails string = ''

@description('Memory of one instance.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 512

@description('Upper bound of the scale-out of each function.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Groups of instances that are kept warm.')
param alwaysReady alwaysReadyType[] = []

@description('Make a VNet and integrate the app into it.')
param useVnet bool = false

@description('Subnet of an existing VNet; unused if useVnet.')
param existingSubnetId string = ''

@description('Whether storage and vault let in whoever has rights, or only what is listed.')
@allowed(['Allow', 'Deny'])
param networkDefaultAction string = 'Allow'

@description('Public addresses or ranges that storage and vault let in.')
param allowedIpRanges string[] = []

@description('True to take back the deleted vault of an earlier deployment.')
param recoverVault bool = false

@description('Further application settings.')
param extraSettings { *: string } = {}

@description('Tags of every resource.')
param tags { *: string } = {}

var token = toLower(uniqueString(subscription().id, resourceGroup().id, environmentName))
var packageContainer = 'app-package'
var secretName = 'aiven-token'
var subnetId = useVnet ? network!.outputs.functionSubnetId : existingSubnetId
var networkRules = {
  defaultAction: networkDefaultAction
  ipRanges: allowedIpRanges
  subnetIds: empty(subnetId) ? [] : [subnetId]
}

module identity 'modules/identity.bicep' = {
  params: {
    environmentName: environmentName
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
  }
}

module network 'modules/network.bicep' = if (useVnet) {
  params: {
    name: 'vnet-${token}'
    location: location
    tags: tags
  }
}

module storage 'modules/storage.bicep' = {
  params: {
    name: 'st${token}'
    location: location
    tags: tags
    containers: [packageContainer]
    queues: queues
    tables: tables
    network: networkRules
    identityPrincipalId: identity.outputs.principalId
    operatorPrincipalIds: operatorPrincipalIds
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
    operatorPrincipalIds: operatorPrincipalIds
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
    reconcile: reconcile
    allowedSubscriptions: allowedSubscriptions
    allowedVpcs: allowedVpcs
    extraSettings: extraSettings
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReady: alwaysReady
    subnetId: subnetId
  }
}

module alerts 'modules/alerts.bicep' = {
  params: {
    prefix: 'alert-${token}'
    location: location
    tags: tags
    componentId: monitoring.outputs.componentId
    emails: filter(map(split(alertEmails, ','), mail => trim(mail)), mail => !empty(mail))
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
