using 'grants.bicep'

// Separated by commas.
param subscriptionIds = split(readEnvironmentVariable('PEERING_SUBSCRIPTIONS'), ',')
param installation = readEnvironmentVariable('INSTALLATION', 'default')
param identityPrincipalId = readEnvironmentVariable('IDENTITY_PRINCIPAL_ID')
param applicationPrincipalId = readEnvironmentVariable('APPLICATION_PRINCIPAL_ID')
param aivenPrincipalId = readEnvironmentVariable('AIVEN_PRINCIPAL_ID')
