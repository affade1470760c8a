using 'landing-zone.bicep'

param installation = readEnvironmentVariable('INSTALLATION', 'default')
param peeringRole = readEnvironmentVariable('PEERING_ROLE', 'minimal')
param identityPrincipalId = readEnvironmentVariable('IDENTITY_PRINCIPAL_ID')
param applicationPrincipalId = readEnvironmentVariable('APPLICATION_PRINCIPAL_ID')
param aivenPrincipalId = readEnvironmentVariable('AIVEN_PRINCIPAL_ID')
