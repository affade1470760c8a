using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME')
param location = readEnvironmentVariable('AZURE_LOCATION')
param installation = readEnvironmentVariable('INSTALLATION', 'default')
param applicationId = readEnvironmentVariable('APPLICATION_ID', '')
param applicationPrincipalId = readEnvironmentVariable('APPLICATION_PRINCIPAL_ID', '')
param aivenPrincipalId = readEnvironmentVariable('AIVEN_PRINCIPAL_ID', '')
// Only for this deployment; an empty one keeps what the vault has.
param aivenToken = readEnvironmentVariable('AIVEN_TOKEN', '')
param alertEmails = readEnvironmentVariable('ALERT_EMAILS', '')
// azd gives the id of whoever runs it.
param operatorPrincipalIds = empty(readEnvironmentVariable('AZURE_PRINCIPAL_ID', ''))
  ? []
  : [readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')]
