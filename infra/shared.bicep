metadata description = 'What several templates share: the names of queues and tables, and types.'

@export()
@description('Name of a work queue; 56 characters leave room for -poison.')
@minLength(3)
@maxLength(56)
type queueNameType = string

@export()
@description('Name of a table.')
@minLength(3)
@maxLength(63)
type tableNameType = string

@export()
@description('One always-ready group.')
type alwaysReadyType = {
  @description('http, durable, blob or function:<name>.')
  name: string
  @description('Instances kept warm.')
  @minValue(0)
  instanceCount: int
}

@export()
@description('Who reaches storage and vault over the network; a role is needed besides.')
type networkRulesType = {
  @description('Disabled: private endpoints only.')
  publicAccess: 'Enabled' | 'Disabled'
  @description('What is not listed here: Allow or Deny.')
  defaultAction: 'Allow' | 'Deny'
  @description('Public addresses or ranges that are let in.')
  ipRanges: string[]
  @description('Subnets with the service endpoints of storage and vault that are let in.')
  subnets: subnetType[]
}

@description('One subnet.')
type subnetType = {
  @description('Its resource id.')
  id: string
}

@export()
@description('Application settings. Their values may be secret, their names are not.')
type settingsType = {
  @description('One setting.')
  @secure()
  *: string
}

@export()
@description('An address that may hold a key.')
@secure()
type secretAddressType = string

@export()
@description('Private DNS zones of another place, by what they are for.')
type privateDnsZonesType = {
  @description('Resource id of privatelink.blob.core.windows.net.')
  blob: string
  @description('Resource id of privatelink.queue.core.windows.net.')
  queue: string
  @description('Resource id of privatelink.table.core.windows.net.')
  table: string
  @description('Resource id of privatelink.vaultcore.azure.net.')
  vault: string
}

@export()
@description('Queues that people send to.')
var publicQueues = [
  'peering-requests'
  'vpc-requests'
]

@export()
@description('Settings that the templates give the app from parameters and resources of their own; extraSettings takes none of them.')
var ownSettings = [
  'AIVEN_PRINCIPAL_ID'
  'AIVEN_ROLE_ID'
  'AIVEN_TOKEN'
  'AIVEN_TOKEN_SECRET'
  'ALLOWED_SUBSCRIPTIONS'
  'ALLOWED_VPCS'
  'APPLICATIONINSIGHTS_AUTHENTICATION_STRING'
  'APPLICATIONINSIGHTS_CONNECTION_STRING'
  'APPLICATION_ID'
  'APPLICATION_PRINCIPAL_ID'
  'APP_VNET'
  'AZURE_CLIENT_ID'
  'AZURE_PRINCIPAL_ID'
  'AZURE_TENANT_ID'
  'AzureWebJobsStorage__accountName'
  'AzureWebJobsStorage__clientId'
  'AzureWebJobsStorage__credential'
  'CREDENTIAL'
  'INSTALLATION'
  'KEY_VAULT_URL'
  'PEERING_ROLE'
  'PEERING_ROLE_ID'
  'RECONCILE'
]

@export()
@description('Queue of each function that a queue triggers; <name>-poison is made besides.')
var queues = [
  ...publicQueues
  'inspect-network'
  'register-application'
  'create-service-principal'
  'add-credential'
  'authorize-application'
  'admit-aiven'
  'define-aiven-role'
  'authorize-aiven'
  'request-peering'
  'await-pending-peer'
  'peer-network'
  'await-active'
  'verify-connectivity'
  'poll-vpc'
  'reconcile-vpc'
  'await-vpc'
  'delete-aiven-peering'
  'await-aiven-gone'
  'delete-azure-peering'
  'leave-network'
  'revoke-access'
]

@export()
@description('Tables.')
var tables = [
  'peerings'
  'vpcs'
  'shared'
  'rejected'
]
