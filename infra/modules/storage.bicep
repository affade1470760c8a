metadata description = 'Storage without shared keys: package, queues with their poison queues, tables, and who may use them.'

import { networkRulesType, queueNameType, tableNameType } from '../shared.bicep'

@description('Name, 3 to 24 lower-case letters and digits.')
@minLength(3)
@maxLength(24)
param name string

@description('Region.')
param location string

@description('Tags.')
param tags { *: string }

@description('Blob containers.')
param containers string[]

@description('Work queues; <name>-poison is made for each.')
param queues queueNameType[]

@description('Tables.')
param tables tableNameType[]

@description('Who reaches it over the network.')
param network networkRulesType

@description('Object id of the identity of the app.')
param identityPrincipalId string

@description('Object ids of users or groups that may send requests and read the tables.')
param operatorPrincipalIds string[]

@description('Redundancy.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param skuName string = 'Standard_LRS'

// Contributor of queues, not message processor: the host renews leases, gives messages back and moves them to poison queues.
var appRoles = {
  blobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  queueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  tableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
}

// Storage Queue Data Message Sender
var senderRole = 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a'
// Storage Table Data Reader
var readerRole = '76199698-9eea-4c19-bc75-cec21354c6b6'

var allQueues = concat(queues, map(queues, base => '${base}-poison'))

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  // checkov:skip=CKV_AZURE_35: parameter networkDefaultAction; keys are off, so that a role lets in, not an address
  // checkov:skip=CKV_AZURE_43: the name is computed, of 15 characters that are all allowed
  // checkov:skip=CKV_AZURE_59: parameter networkDefaultAction; no blob is public, and keys are off
  // checkov:skip=CKV_AZURE_206: parameter skuName; the app runs in one region, and both clouds can be asked again for what is there
  name: name
  location: location
  tags: tags
  sku: { name: skuName }
  kind: 'StorageV2'
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: network.defaultAction
      ipRules: [for address in network.ipRanges: { value: address }]
      virtualNetworkRules: [for subnet in network.subnetIds: { id: subnet }]
    }
  }

  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      deleteRetentionPolicy: {
        enabled: true
        days: 7
      }
      containerDeleteRetentionPolicy: {
        enabled: true
        days: 7
      }
    }

    resource container 'containers' = [
      for item in containers: {
        name: item
        properties: { publicAccess: 'None' }
      }
    ]
  }

  resource queueService 'queueServices' = {
    name: 'default'

    // In batches: all at once meet the write limit of the resource provider.
    @batchSize(10)
    resource queue 'queues' = [
      for item in allQueues: {
        name: item
      }
    ]
  }

  resource tableService 'tableServices' = {
    name: 'default'

    resource table 'tables' = [
      for item in tables: {
        name: item
      }
    ]
  }
}

resource appGrants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in items(appRoles): {
    scope: account
    name: guid(account.id, identityPrincipalId, role.value)
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.value)
      principalId: identityPrincipalId
      principalType: 'ServicePrincipal'
    }
  }
]

resource senders 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for id in operatorPrincipalIds: {
    scope: account
    name: guid(account.id, id, senderRole)
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', senderRole)
      principalId: id
    }
  }
]

resource readers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for id in operatorPrincipalIds: {
    scope: account
    name: guid(account.id, id, readerRole)
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', readerRole)
      principalId: id
    }
  }
]

@description('Name.')
output name string = account.name

@description('Blob endpoint with its final slash.')
output blobEndpoint string = account.properties.primaryEndpoints.blob
