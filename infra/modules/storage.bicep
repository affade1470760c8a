metadata description = 'Storage without shared keys: package, queues with their poison queues, tables, and who may use them.'

import { networkRulesType, publicQueues, queueNameType, tableNameType } from '../shared.bicep'

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

@description('Object ids of users or groups that may send requests.')
param requesterPrincipalIds string[]

@description('Object ids of users or groups that may read the tables.')
param readerPrincipalIds string[]

@description('Workspace of the diagnostic logs; empty for none.')
param logsWorkspaceId string

@description('Redundancy.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param skuName string

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

var writes = [
  {
    category: 'StorageWrite'
    enabled: true
  }
  {
    category: 'StorageDelete'
    enabled: true
  }
]
var allQueues = concat(queues, map(queues, base => '${base}-poison'))

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
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
    publicNetworkAccess: network.publicAccess
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: network.defaultAction
      ipRules: [for address in network.ipRanges: { value: address }]
      virtualNetworkRules: network.subnets
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

// On the queues that people send to, and on no internal one: whoever writes to those steers steps.
resource senders 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for sender in flatten(map(publicQueues, name => map(requesterPrincipalIds, id => { queue: name, id: id }))): {
    scope: account::queueService::queue[indexOf(allQueues, sender.queue)]
    name: guid(account::queueService::queue[indexOf(allQueues, sender.queue)].id, sender.id, senderRole)
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', senderRole)
      principalId: sender.id
    }
  }
]

resource readers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for id in readerPrincipalIds: {
    scope: account
    name: guid(account.id, id, readerRole)
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', readerRole)
      principalId: id
    }
  }
]

// Who sent a message, who changed a row. Reads are left out: the host looks into every queue all the time.
resource queueLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(logsWorkspaceId)) {
  scope: account::queueService
  name: 'writes'
  properties: {
    workspaceId: logsWorkspaceId
    logs: writes
  }
}

resource tableLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(logsWorkspaceId)) {
  scope: account::tableService
  name: 'writes'
  properties: {
    workspaceId: logsWorkspaceId
    logs: writes
  }
}

@description('Resource id.')
output id string = account.id

@description('Name.')
output name string = account.name

@description('Blob endpoint with its final slash.')
output blobEndpoint string = account.properties.primaryEndpoints.blob
