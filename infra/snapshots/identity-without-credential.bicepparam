// Entra refused the federated credential: output CREDENTIAL_COMMAND makes it.
using '../identity.bicep'

param environmentName = 'prod'
param location = 'northeurope'
param installation = 'team-a'
param makeCredential = false
