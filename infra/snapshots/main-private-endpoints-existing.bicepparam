// The same in a VNet that is there, with the DNS zones of the landing zone; the addresses of the operators are let in, too.
using '../main.bicep'

param environmentName = 'prod'
param location = 'northeurope'
param existingSubnetId = '/subscriptions/33333333-3333-4333-8333-333333333333/resourceGroups/network/providers/Microsoft.Network/virtualNetworks/hub/subnets/functions'
param privateEndpoints = true
param privateEndpointSubnetId = '/subscriptions/33333333-3333-4333-8333-333333333333/resourceGroups/network/providers/Microsoft.Network/virtualNetworks/hub/subnets/endpoints'
param privateDnsZones = {
  blob: '/subscriptions/33333333-3333-4333-8333-333333333333/resourceGroups/network/providers/Microsoft.Network/privateDnsZones/privatelink.blob.core.windows.net'
  queue: '/subscriptions/33333333-3333-4333-8333-333333333333/resourceGroups/network/providers/Microsoft.Network/privateDnsZones/privatelink.queue.core.windows.net'
  table: '/subscriptions/33333333-3333-4333-8333-333333333333/resourceGroups/network/providers/Microsoft.Network/privateDnsZones/privatelink.table.core.windows.net'
  vault: '/subscriptions/33333333-3333-4333-8333-333333333333/resourceGroups/network/providers/Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net'
}
param allowedIpRanges = ['198.51.100.7']
