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
@description('Who reaches storage and vault over the network; rights are needed besides.')
type networkRulesType = {
  @description('What is not listed here: Allow or Deny.')
  defaultAction: 'Allow' | 'Deny'
  @description('Public addresses or ranges that are let in.')
  ipRanges: string[]
  @description('Subnets with the service endpoints of storage and vault that are let in.')
  subnetIds: string[]
}

@export()
@description('Queue of each function that a queue triggers; <name>-poison is made besides.')
var queues = [
  'peering-requests'
  'vpc-requests'
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
