metadata description = 'One subscription: two roles that the app may give away, one role of the app itself, and its assignment under a condition.'

targetScope = 'subscription'

@description('Name of this installation: part of role names and ids.')
param installation string

@description('Role of our application on a VNet.')
@allowed(['minimal', 'network-contributor'])
param peeringRole string

@description('Object id of the identity of the app.')
param identityPrincipalId string

@description('Object id of the service principal of our application.')
param applicationPrincipalId string

@description('Object id of the service principal of Aiven.')
param aivenPrincipalId string

var subscriptionId = subscription().subscriptionId
// The app computes the same ids, so it needs no list of them.
var writerGuid = guid(subscription().id, 'aiven-peering', installation, 'peering-writer')
var peerOnlyGuid = guid(subscription().id, 'aiven-peering', installation, 'peer-only')
var automationGuid = guid(subscription().id, 'aiven-peering', installation, 'automation')
// Network Contributor
var networkContributorGuid = '4d97b98b-1d4f-4787-a291-c67834d212e7'
var givenGuid = peeringRole == 'minimal' ? writerGuid : networkContributorGuid

// The attribute source is @Request for a write and @Resource for a delete: both halves are needed.
var assignment = 'Microsoft.Authorization/roleAssignments'
var roleSet = '{${givenGuid}, ${peerOnlyGuid}}'
var principalSet = '{${applicationPrincipalId}, ${aivenPrincipalId}}'
var writeHalf = '((!(ActionMatches{\'${assignment}/write\'})) OR (@Request[${assignment}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals ${roleSet} AND @Request[${assignment}:PrincipalId] ForAnyOfAnyValues:GuidEquals ${principalSet}))'
var deleteHalf = '((!(ActionMatches{\'${assignment}/delete\'})) OR (@Resource[${assignment}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals ${roleSet} AND @Resource[${assignment}:PrincipalId] ForAnyOfAnyValues:GuidEquals ${principalSet}))'

resource writerRole 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: writerGuid
  properties: {
    roleName: 'Aiven peering ${installation}: peering writer (${subscriptionId})'
    description: 'Make, read and remove the peerings of a VNet; nothing else. For the application that peers with Aiven.'
    type: 'CustomRole'
    permissions: [
      {
        actions: [
          'Microsoft.Network/virtualNetworks/read'
          'Microsoft.Network/virtualNetworks/peer/action'
          'Microsoft.Network/virtualNetworks/virtualNetworkPeerings/read'
          'Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write'
          'Microsoft.Network/virtualNetworks/virtualNetworkPeerings/delete'
          'Microsoft.Network/locations/operations/read'
          'Microsoft.Network/locations/operationResults/read'
        ]
        notActions: []
      }
    ]
    assignableScopes: [subscription().id]
  }
}

resource peerOnlyRole 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: peerOnlyGuid
  properties: {
    roleName: 'Aiven peering ${installation}: peer only (${subscriptionId})'
    description: 'Peer to a VNet, not from it; nothing else. For Aiven\'s application.'
    type: 'CustomRole'
    permissions: [
      {
        actions: ['Microsoft.Network/virtualNetworks/peer/action']
        notActions: []
      }
    ]
    assignableScopes: [subscription().id]
  }
}

// Never roleDefinitions/write: who may edit a role that he may assign owns the subscription.
resource automationRole 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: automationGuid
  properties: {
    roleName: 'Aiven peering ${installation}: automation (${subscriptionId})'
    description: 'Read VNets, their peerings and roles; assign roles, which the condition of the assignment narrows to two. For the app.'
    type: 'CustomRole'
    permissions: [
      {
        actions: [
          'Microsoft.Resources/subscriptions/read'
          'Microsoft.Network/virtualNetworks/read'
          'Microsoft.Network/virtualNetworks/virtualNetworkPeerings/read'
          'Microsoft.Authorization/roleDefinitions/read'
          'Microsoft.Authorization/roleAssignments/read'
          'Microsoft.Authorization/roleAssignments/write'
          'Microsoft.Authorization/roleAssignments/delete'
        ]
        notActions: []
      }
    ]
    assignableScopes: [subscription().id]
  }
}

resource automation 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, identityPrincipalId, automationGuid)
  properties: {
    roleDefinitionId: automationRole.id
    principalId: identityPrincipalId
    principalType: 'ServicePrincipal'
    description: 'The peering app; it may assign two roles, to two service principals.'
    condition: '${writeHalf} AND ${deleteHalf}'
    conditionVersion: '2.0'
  }
}

@description('Id of the role that our application gets on a VNet.')
output peeringRoleId string = peeringRole == 'minimal'
  ? writerRole.id
  : subscriptionResourceId('Microsoft.Authorization/roleDefinitions', networkContributorGuid)

@description('Id of the role that Aiven gets on a VNet.')
output aivenRoleId string = peerOnlyRole.id
