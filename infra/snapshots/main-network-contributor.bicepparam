// The built-in role of the published runbooks instead of the custom one.
using '../main.bicep'

param environmentName = 'prod'
param location = 'northeurope'
param peeringRole = 'network-contributor'
