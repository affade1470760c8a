// The same names in capital letters are the same app.
using '../main.bicep'

param environmentName = 'PROD'
param location = 'northeurope'
param resourceGroupName = 'RG-Prod'
param installation = 'team-a'
