// Into a resource group that is there.
using '../app.bicep'

param environmentName = 'prod'
