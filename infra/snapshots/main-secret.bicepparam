// Federated credentials are not allowed: the application has a password, kept in the vault.
using '../main.bicep'

param environmentName = 'prod'
param location = 'northeurope'
param credential = 'secret'
