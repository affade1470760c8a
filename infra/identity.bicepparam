using 'identity.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME')
param location = readEnvironmentVariable('AZURE_LOCATION')
param resourceGroupName = empty(readEnvironmentVariable('AZURE_RESOURCE_GROUP', ''))
  ? 'rg-${readEnvironmentVariable('AZURE_ENV_NAME')}'
  : readEnvironmentVariable('AZURE_RESOURCE_GROUP', '')
param installation = readEnvironmentVariable('INSTALLATION', 'default')
