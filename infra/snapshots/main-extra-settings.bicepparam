// Settings that the templates do not give. Their values may be secret.
using '../main.bicep'

param environmentName = 'prod'
param location = 'northeurope'
param extraSettings = {
  AIVEN_API_URL: 'https://aiven.example.com/check-setting-value'
  LOG: 'debug'
}
