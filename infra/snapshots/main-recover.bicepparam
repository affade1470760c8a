// The vault of an earlier deployment is taken back, and its token replaced.
using '../main.bicep'

param environmentName = 'prod'
param location = 'northeurope'
param recoverVault = true
param aivenToken = 'check-aiven-token'
