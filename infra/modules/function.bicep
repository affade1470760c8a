metadata description = 'Flex Consumption plan and the function app with its custom handler; every connection by managed identity.'

import { alwaysReadyType, settingsType } from '../shared.bicep'

@description('Name of the app.')
param name string

@description('Name of the plan.')
param planName string

@description('Region; one that has Flex Consumption.')
param location string

@description('Tags.')
param tags { *: string }

@description('Resource id of the identity of the app.')
param identityId string

@description('Client id of the same identity.')
param identityClientId string

@description('Object id of the same identity.')
param identityPrincipalId string

@description('Storage account of host, queues and tables.')
param storageAccountName string

@description('URL of the container that the package is deployed to.')
param packageContainerUrl string

@description('Connection string of Application Insights.')
param insightsConnectionString string

@description('URI of the Aiven token in the vault, without a version: the app takes a new one up by itself.')
param tokenUri string

@description('Name of this installation.')
param installation string

@description('Client id of our application; empty: looked up.')
param applicationId string

@description('Object id of its service principal; empty: looked up.')
param applicationPrincipalId string

@description('Object id of the service principal of Aiven; empty: looked up.')
param aivenPrincipalId string

@description('How the app signs in as our application.')
param credential string

@description('URI of the vault, where a secret of our application is kept.')
param vaultUri string

@description('Role of our application on a VNet.')
param peeringRole string

@description('Id of that role where landing-zone.bicep made it; empty: computed.')
param peeringRoleId string

@description('Id of the role of Aiven on a VNet where landing-zone.bicep made it; empty: computed.')
param aivenRoleId string

@description('What is done about a difference.')
param reconcile string

@description('Subscriptions whose VNets may be asked for.')
param allowedSubscriptions string[]

@description('Aiven VPCs that may be asked for.')
param allowedVpcs string[]

@description('Further application settings.')
param extraSettings settingsType

@description('Memory of one instance.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int

@description('Upper bound of the scale-out of each function.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int

@description('Groups of instances that are kept warm.')
param alwaysReady alwaysReadyType[]

@description('Spread the instances over the zones of the region.')
param zoneRedundant bool

@description('Subnet for outbound traffic; empty for none.')
param subnetId string

// ownSettings of shared.bicep has these names. All others have the defaults of the code, and extraSettings takes them.
// APP_VNET is the VNet that the subnet is in: what is reachable from there can be proved.
var settings = union(
  {
    AzureWebJobsStorage__accountName: storageAccountName
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: identityClientId
    APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
    INSTALLATION: installation
    // The app reads it by itself: a reference of the platform would be resolved once a day, and not at a restart.
    AIVEN_TOKEN_SECRET: tokenUri
    AZURE_TENANT_ID: tenant().tenantId
    AZURE_CLIENT_ID: identityClientId
    AZURE_PRINCIPAL_ID: identityPrincipalId
    APPLICATION_ID: applicationId
    APPLICATION_PRINCIPAL_ID: applicationPrincipalId
    AIVEN_PRINCIPAL_ID: aivenPrincipalId
    CREDENTIAL: credential
    APP_VNET: empty(subnetId) ? '' : join(take(split(subnetId, '/'), 9), '/')
    KEY_VAULT_URL: credential == 'secret' ? vaultUri : ''
    PEERING_ROLE: peeringRole
    PEERING_ROLE_ID: peeringRoleId
    AIVEN_ROLE_ID: aivenRoleId
    RECONCILE: reconcile
    ALLOWED_SUBSCRIPTIONS: join(allowedSubscriptions, ',')
    ALLOWED_VPCS: join(allowedVpcs, ',')
  },
  extraSettings
)

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  // azd finds the app by this tag.
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: 'Enabled'
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    // Only what Flex Consumption takes: ftpsState, linuxFxVersion and others are refused with error 51021.
    siteConfig: {
      minTlsVersion: '1.2'
      appSettings: [for setting in items(settings): { name: setting.key, value: setting.value }]
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'custom'
        version: '1.0'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReady
      }
    }
  }
}

resource noFtp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'ftp'
  properties: { allow: false }
}

resource noScm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'scm'
  properties: { allow: false }
}

@description('Name of the app.')
output name string = app.name
