using 'main.bicep'

import { listOf } from 'inputs.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME')
param location = readEnvironmentVariable('AZURE_LOCATION')
param resourceGroupName = empty(readEnvironmentVariable('AZURE_RESOURCE_GROUP', ''))
  ? 'rg-${readEnvironmentVariable('AZURE_ENV_NAME')}'
  : readEnvironmentVariable('AZURE_RESOURCE_GROUP', '')
param installation = readEnvironmentVariable('INSTALLATION', 'default')
param applicationId = readEnvironmentVariable('APPLICATION_ID', '')
param applicationPrincipalId = readEnvironmentVariable('APPLICATION_PRINCIPAL_ID', '')
param aivenPrincipalId = readEnvironmentVariable('AIVEN_PRINCIPAL_ID', '')
param peeringRole = readEnvironmentVariable('PEERING_ROLE', 'minimal')
// Of landing-zone.bicep, where that is used.
param peeringRoleId = readEnvironmentVariable('PEERING_ROLE_ID', '')
param aivenRoleId = readEnvironmentVariable('AIVEN_ROLE_ID', '')
// Only for this deployment; an empty one keeps what the vault has.
param aivenToken = readEnvironmentVariable('AIVEN_TOKEN', '')
// Separated by commas, like the lists below. Without an id a list is whoever deploys.
param requesterPrincipalIds = listOf(readEnvironmentVariable('REQUESTER_PRINCIPAL_IDS', ''))
param readerPrincipalIds = listOf(readEnvironmentVariable('READER_PRINCIPAL_IDS', ''))
param secretOfficerPrincipalIds = listOf(readEnvironmentVariable('SECRET_OFFICER_PRINCIPAL_IDS', ''))
param alertEmails = readEnvironmentVariable('ALERT_EMAILS', '')
param alertWebhooks = filter(split(readEnvironmentVariable('ALERT_WEBHOOKS', ''), ','), address => !empty(address))
