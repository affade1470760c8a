// The same, and storage and vault let in this subnet only.
using '../main.bicep'

param environmentName = 'prod'
param location = 'northeurope'
param existingSubnetId = '/subscriptions/33333333-3333-4333-8333-333333333333/resourceGroups/network/providers/Microsoft.Network/virtualNetworks/hub/subnets/functions'
param networkDefaultAction = 'Deny'
