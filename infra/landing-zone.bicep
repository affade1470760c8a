metadata description = 'Third deployment, for many subscriptions: instead of grants.bicep, the roles and the permission of the app once, at a management group. Deployed by an Owner of it, or a User Access Administrator.'

// From grants.bicep to here, while all peerings stay up:
// 1. Deploy this. The permission in each subscription still holds.
// 2. Deploy main.bicep with PEERING_ROLE_ID and AIVEN_ROLE_ID from the outputs. New peerings get these roles, existing ones keep theirs.
// 3. In each subscription delete the assignments of the three former roles, then the roles.
// 4. Within the hour the existing peerings are reported as drifted; traffic is not affected. Send retry for each VPC.
// Back: the same with grants.bicep, and both ids left out.
targetScope = 'managementGroup'

import { guidProblems, installationProblems } from 'inputs.bicep'
import { condition, customRoles, networkContributor, roleGuid, roleName } from 'roles.bicep'

@description('Name of this installation; the same as for main.bicep.')
param installation string = 'default'

@description('Role of our application on a VNet; the same as for main.bicep.')
@allowed(['minimal', 'network-contributor'])
param peeringRole string = 'minimal'

@description('Object id of the identity of the app; output of main.')
param identityPrincipalId string

@description('Object id of the service principal of our application; output of identity.')
param applicationPrincipalId string

@description('Object id of the service principal of Aiven, in this tenant; output of identity.')
param aivenPrincipalId string

var problems = concat(
  installationProblems(installation),
  guidProblems('identityPrincipalId', [toLower(identityPrincipalId)]),
  guidProblems('applicationPrincipalId', [toLower(applicationPrincipalId)]),
  guidProblems('aivenPrincipalId', [toLower(aivenPrincipalId)])
)
var checkedInstallation = empty(problems) ? installation : fail(join(problems, ' '))
var place = managementGroup().name
var guids = toObject(
  items(customRoles),
  role => role.key,
  role => roleGuid(managementGroup().id, checkedInstallation, role.value.seed)
)
var peeringGuid = peeringRole == 'minimal' ? guids.writer : networkContributor

resource roles 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [
  for role in items(customRoles): {
    name: guids[role.key]
    properties: {
      roleName: roleName(checkedInstallation, role.value.purpose, place)
      description: role.value.description
      type: 'CustomRole'
      permissions: [
        {
          actions: role.value.actions
          notActions: []
        }
      ]
      assignableScopes: [managementGroup().id]
    }
  }
]

resource automation 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(managementGroup().id, toLower(identityPrincipalId), guids.automation)
  properties: {
    roleDefinitionId: managementGroupResourceId('Microsoft.Authorization/roleDefinitions', guids.automation)
    principalId: toLower(identityPrincipalId)
    principalType: 'ServicePrincipal'
    description: 'The peering app; it may assign two roles, to two service principals.'
    condition: condition([peeringGuid, guids.peerOnly], [toLower(applicationPrincipalId), toLower(aivenPrincipalId)])
    conditionVersion: '2.0'
  }
  dependsOn: [roles]
}

@description('Id of the role of our application on a VNet: setting of the app, which main.bicep gives.')
output PEERING_ROLE_ID string = peeringGuid

@description('Id of the role of Aiven on a VNet: setting of the app, which main.bicep gives.')
output AIVEN_ROLE_ID string = guids.peerOnly
