metadata description = 'Second deployment: everything of the app in Azure, in a resource group of its own.'

targetScope = 'subscription'

import { alwaysReadyType } from 'shared.bicep'

@description('azd environment name: part of the resource group name and of every generated name.')
@minLength(1)
@maxLength(40)
param environmentName string

@description('Region of every resource; one that has Flex Consumption.')
@metadata({ azd: { type: 'location' } })
param location string

@description('Name of the resource group.')
param resourceGroupName string = 'rg-${environmentName}'

@description('Name of this installation: part of role names and ids. Never change it afterwards: the app refuses to start.')
@minLength(1)
@maxLength(32)
param installation string = 'default'

@description('Aiven API token, kept as a secret of the vault. Leave empty to keep the one that is there.')
@secure()
param aivenToken string = ''

@description('Client id of our application; output of identity. Empty: the app looks it up, which needs a right in the directory.')
param applicationId string = ''

@description('Object id of its service principal; output of identity.')
param applicationPrincipalId string = ''

@description('Object id of the service principal of Aiven; output of identity.')
param aivenPrincipalId string = ''

@description('How the app signs in as our application: by its identity, without a secret, or by a secret that it keeps in the vault.')
@allowed(['federated', 'secret'])
param credential string = 'federated'

@description('Role of our application on a VNet: our custom one, or the built-in one of the published runbooks.')
@allowed(['minimal', 'network-contributor'])
param peeringRole string = 'minimal'

@description('What is done about a difference between what should be and what is.')
@allowed(['repair', 'report'])
param reconcile string = 'repair'

@description('Subscriptions whose VNets may be asked for; empty: all that the identity has rights in.')
param allowedSubscriptions string[] = []

@description('Aiven VPCs that may be asked for, by id or key; empty: all that the token reaches.')
param allowedVpcs string[] = []

@description('Users or groups that may send requests, read the tables and set the token.')
param operatorPrincipalIds string[] = []

@description('Mail addresses that get the alerts, separated by commas; empty: nobody is told.')
param alertEmails string = ''

@description('Memory of one instance.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 512

@description('Upper bound of the scale-out of each function; below 40 only some regions take it.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Groups of instances that are kept warm; none costs nothing.')
param alwaysReady alwaysReadyType[] = []

@description('Make a VNet and integrate the app into it.')
param useVnet bool = false

@description('Subnet of an existing VNet to integrate the app into, delegated to Microsoft.App/environments; unused if useVnet.')
param existingSubnetId string = ''

@description('Whether storage and vault let in whoever has rights, from anywhere, or only what is listed. Deny needs a subnet of the app.')
@allowed(['Allow', 'Deny'])
param networkDefaultAction string = 'Allow'

@description('Public addresses or ranges that storage and vault let in.')
param allowedIpRanges string[] = []

@description('True to take back the deleted vault of an earlier deployment: purge protection keeps its name for 90 days.')
param recoverVault bool = false

@description('Further application settings, or others than the defaults.')
param extraSettings { *: string } = {}

@description('Extra tags.')
param tags { *: string } = {}

var allTags = union(tags, { 'azd-env-name': environmentName })

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: resourceGroupName
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
    reconcile: reconcile
    allowedSubscriptions: allowedSubscriptions
    allowedVpcs: allowedVpcs
    operatorPrincipalIds: operatorPrincipalIds
    alertEmails: alertEmails
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReady: alwaysReady
    useVnet: useVnet
    existingSubnetId: existingSubnetId
    networkDefaultAction: networkDefaultAction
    allowedIpRanges: allowedIpRanges
    recoverVault: recoverVault
    extraSettings: extraSettings
    tags: allTags
  }
}

@description('Resource group, as azd reads it.')
output AZURE_RESOURCE_GROUP string = group.name

@description('Name of the function app.')
output FUNCTION_APP_NAME string = app.outputs.functionAppName

@description('Name of the storage account: queue peering-requests is there.')
output STORAGE_ACCOUNT_NAME string = app.outputs.storageAccountName

@description('Name of the vault that has the token.')
output KEY_VAULT_NAME string = app.outputs.keyVaultName

@description('Object id of the identity of the app: grants.bicep needs it.')
output IDENTITY_PRINCIPAL_ID string = app.outputs.identityPrincipalId
