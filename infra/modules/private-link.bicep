metadata description = 'Private endpoints of storage and vault, and the private DNS zones that resolve to them.'

import { privateDnsZonesType } from '../shared.bicep'

@description('Start of the names of the endpoints.')
param prefix string

@description('Region, the one of the subnet.')
param location string

@description('Tags.')
param tags { *: string }

@description('Subnet of the endpoints.')
param subnetId string

@description('VNet that the zones are linked to: the one of the app.')
param vnetId string

@description('Resource id of the storage account.')
param storageAccountId string

@description('Resource id of the vault.')
param vaultId string

@description('Zones that are there already, linked to the VNet; null: made here.')
param zones privateDnsZonesType?

// Names of the public cloud, written out: environment() is known only to a deployment, and a prediction could not name the zones.
// In another cloud give zones that are there.
#disable-diagnostics no-hardcoded-env-urls
var targets = [
  { group: 'blob', zone: 'privatelink.blob.core.windows.net' }
  { group: 'queue', zone: 'privatelink.queue.core.windows.net' }
  { group: 'table', zone: 'privatelink.table.core.windows.net' }
  { group: 'vault', zone: 'privatelink.vaultcore.azure.net' }
]
#restore-diagnostics no-hardcoded-env-urls

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for target in targets: if (zones == null) {
    name: target.zone
    location: 'global'
    tags: tags
  }
]

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (target, i) in targets: if (zones == null) {
    parent: zone[i]
    name: 'app'
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: vnetId }
    }
  }
]

resource endpoint 'Microsoft.Network/privateEndpoints@2024-07-01' = [
  for target in targets: {
    name: '${prefix}-${target.group}'
    location: location
    tags: tags
    properties: {
      subnet: { id: subnetId }
      privateLinkServiceConnections: [
        {
          name: target.group
          properties: {
            privateLinkServiceId: target.group == 'vault' ? vaultId : storageAccountId
            groupIds: [target.group]
          }
        }
      ]
    }
  }
]

resource records 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-07-01' = [
  for (target, i) in targets: {
    parent: endpoint[i]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        {
          name: target.group
          properties: { privateDnsZoneId: zones == null ? zone[i].id : zones![target.group] }
        }
      ]
    }
  }
]
