// Storage and vault let in the subnet of the app and the addresses of the operators.
using '../main.bicep'

param environmentName = 'prod'
param location = 'northeurope'
param useVnet = true
param networkDefaultAction = 'Deny'
param allowedIpRanges = ['198.51.100.7', '203.0.113.0/24']
