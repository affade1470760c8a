using 'identity.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME')
param location = readEnvironmentVariable('AZURE_LOCATION')
param installation = readEnvironmentVariable('INSTALLATION', 'default')
