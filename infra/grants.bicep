metadata description = 'Third deployment: what the app may do in the subscriptions whose VNets it peers. Deployed by an Owner of each, or a User Access Administrator who is Contributor, too.'

targetScope = 'subscription'

import { guidProblems, installationProblems, tidy } from 'inputs.bicep'

@description('Subscriptions whose VNets are peered. At least one: an empty id would be the subscription of this deployment.')
param subscriptionIds string[]

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

var ids = tidy(subscriptionIds)
var problems = concat(
  empty(ids) ? ['subscriptionIds: name the subscriptions whose VNets are peered.'] : [],
  guidProblems('subscriptionIds', ids),
  installationProblems(installation),
  guidProblems('identityPrincipalId', [toLower(identityPrincipalId)]),
  guidProblems('applicationPrincipalId', [toLower(applicationPrincipalId)]),
  guidProblems('aivenPrincipalId', [toLower(aivenPrincipalId)])
)
var checkedIds = empty(problems) ? ids : fail(join(problems, ' '))

module grant 'modules/grant.bicep' = [
  for id in checkedIds: {
    scope: subscription(id)
    params: {
      installation: installation
      peeringRole: peeringRole
      identityPrincipalId: toLower(identityPrincipalId)
      applicationPrincipalId: toLower(applicationPrincipalId)
      aivenPrincipalId: toLower(aivenPrincipalId)
    }
  }
]

@description('Ids of the two roles that the app may assign, by subscription.')
output roles { subscriptionId: string, peeringRoleId: string, aivenRoleId: string }[] = [
  for (id, i) in checkedIds: {
    subscriptionId: id
    peeringRoleId: grant[i].outputs.peeringRoleId
    aivenRoleId: grant[i].outputs.aivenRoleId
  }
]
