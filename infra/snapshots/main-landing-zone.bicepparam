// Roles and permission come from landing-zone.bicep.
using '../main.bicep'

param environmentName = 'prod'
param location = 'northeurope'
param peeringRoleId = 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb'
param aivenRoleId = 'cccccccc-cccc-4ccc-8ccc-cccccccccccc'
