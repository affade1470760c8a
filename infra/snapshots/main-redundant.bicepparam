// Zones, redundancy, instances that are kept warm, longer retention, logs of who does what.
using '../main.bicep'

param environmentName = 'prod'
param location = 'northeurope'
param zoneRedundant = true
param storageSku = 'Standard_GZRS'
param instanceMemoryMB = 2048
param maximumInstanceCount = 100
param alwaysReady = [{ name: 'function:poll_vpc', instanceCount: 1 }]
param logRetentionDays = 365
param diagnosticLogs = true
param tags = { team: 'network' }
