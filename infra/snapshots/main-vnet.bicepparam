// The app has a VNet of its own, so that it proves connectivity from there.
using '../main.bicep'

param environmentName = 'prod'
param location = 'northeurope'
param useVnet = true
param vnetPrefix = '10.20.0.0/24'
param functionSubnetPrefix = '10.20.0.0/26'
