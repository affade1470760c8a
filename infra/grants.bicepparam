using 'grants.bicep'

import { listOf } from 'inputs.bicep'

// Separated by commas.
param subscriptionIds = listOf(readEnvironmentVariable('PEERING_SUBSCRIPTIONS'))
param installation = readEnvironmentVariable('INSTALLATION', 'default')
param peeringRole = readEnvironmentVariable('PEERING_ROLE', 'minimal')
param identityPrincipalId = readEnvironmentVariable('IDENTITY_PRINCIPAL_ID')
param applicationPrincipalId = readEnvironmentVariable('APPLICATION_PRINCIPAL_ID')
param aivenPrincipalId = readEnvironmentVariable('AIVEN_PRINCIPAL_ID')
