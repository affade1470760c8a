// Storage and vault have no public access; VNet and DNS zones are made.
using '../main.bicep'

param environmentName = 'prod'
param location = 'northeurope'
param useVnet = true
param privateEndpoints = true
