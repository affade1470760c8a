metadata description = 'Key Vault with the Aiven token, who may read it and who may set it.'

import { networkRulesType } from '../shared.bicep'

@description('Name, 3 to 24 characters.')
@minLength(3)
@maxLength(24)
param name string

@description('Region.')
param location string

@description('Tags.')
param tags { *: string }

@description('Name of the secret.')
param secretName string

@description('Value of the secret; empty leaves the stored one alone.')
@secure()
param secretValue string

@description('True to take back a deleted vault of this name.')
param recover bool

@description('Who reaches it over the network.')
param network networkRulesType

@description('Whether the app keeps the secret of our application here, too.')
param appWrites bool

@description('Object id of the identity of the app.')
param identityPrincipalId string

@description('Object ids of users or groups that may set and read the secret.')
param secretOfficerPrincipalIds string[]

@description('Workspace of the diagnostic logs; empty for none.')
param logsWorkspaceId string

// Key Vault Secrets User
var readerRole = '4633458b-17de-408a-b874-0445c86b69e6'
// Key Vault Secrets Officer
var officerRole = 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'
var appRole = appWrites ? officerRole : readerRole

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    createMode: recover ? 'recover' : 'default'
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    enabledForDeployment: false
    enabledForDiskEncryption: false
    enabledForTemplateDeployment: false
    publicNetworkAccess: network.publicAccess
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: network.defaultAction
      ipRules: [for address in network.ipRanges: { value: address }]
      virtualNetworkRules: network.subnets
    }
  }
}

resource secret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (!empty(secretValue)) {
  parent: vault
  name: secretName
  properties: {
    value: secretValue
    contentType: 'text/plain'
    attributes: { enabled: true }
  }
}

resource appGrant 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, identityPrincipalId, appRole)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', appRole)
    principalId: identityPrincipalId
    principalType: 'ServicePrincipal'
  }
}

resource officers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for id in secretOfficerPrincipalIds: {
    scope: vault
    name: guid(vault.id, id, officerRole)
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', officerRole)
      principalId: id
    }
  }
]

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(logsWorkspaceId)) {
  scope: vault
  name: 'audit'
  properties: {
    workspaceId: logsWorkspaceId
    logs: [
      {
        categoryGroup: 'audit'
        enabled: true
      }
    ]
  }
}

@description('Resource id.')
output id string = vault.id

@description('Name.')
output name string = vault.name

@description('URI with its final slash.')
output uri string = vault.properties.vaultUri
