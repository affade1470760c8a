metadata description = 'One subscription: two roles that the app may assign, one role of the app itself, and its assignment under a condition.'

targetScope = 'subscription'

import { condition, customRoles, networkContributor, roleGuid, roleName } from '../roles.bicep'

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

var guids = toObject(
  items(customRoles),
  role => role.key,
  role => roleGuid(subscription().id, installation, role.value.seed)
)
var peeringGuid = peeringRole == 'minimal' ? guids.writer : networkContributor

resource roles 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [
  for role in items(customRoles): {
    name: guids[role.key]
    properties: {
      roleName: roleName(installation, role.value.purpose, subscription().subscriptionId)
      description: role.value.description
      type: 'CustomRole'
      permissions: [
        {
          actions: role.value.actions
          notActions: []
        }
      ]
      assignableScopes: [subscription().id]
    }
  }
]

resource automation 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, identityPrincipalId, guids.automation)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', guids.automation)
    principalId: identityPrincipalId
    principalType: 'ServicePrincipal'
    description: 'The peering app; it may assign two roles, to two service principals.'
    condition: condition([peeringGuid, guids.peerOnly], [applicationPrincipalId, aivenPrincipalId])
    conditionVersion: '2.0'
  }
  dependsOn: [roles]
}

@description('Id of the role that our application gets on a VNet.')
output peeringRoleId string = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', peeringGuid)

@description('Id of the role that Aiven gets on a VNet.')
output aivenRoleId string = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', guids.peerOnly)
