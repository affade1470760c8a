metadata description = 'Third deployment: what the app may do in the subscriptions whose VNets it peers. Deployed by an Owner or User Access Administrator of each.'

targetScope = 'subscription'

@description('Subscriptions whose VNets are peered.')
@minLength(1)
param subscriptionIds string[] = [subscription().subscriptionId]

@description('Name of this installation; the same as for main.bicep.')
@minLength(1)
@maxLength(32)
param installation string = 'default'

@description('Role of our application on a VNet; the same as for main.bicep.')
@allowed(['minimal', 'network-contributor'])
param peeringRole string = 'minimal'

@description('Object id of the identity of the app; output of main.')
@minLength(36)
@maxLength(36)
param identityPrincipalId string

@description('Object id of the service principal of our application; output of identity.')
@minLength(36)
@maxLength(36)
param applicationPrincipalId string

@description('Object id of the service principal of Aiven, in this tenant; output of identity.')
@minLength(36)
@maxLength(36)
param aivenPrincipalId string

module grant 'modules/grant.bicep' = [
  for id in subscriptionIds: {
    scope: subscription(id)
    params: {
      installation: installation
      peeringRole: peeringRole
      identityPrincipalId: identityPrincipalId
      applicationPrincipalId: applicationPrincipalId
      aivenPrincipalId: aivenPrincipalId
    }
  }
]

@description('Ids of the two roles that the app may assign, by subscription.')
output roles { subscriptionId: string, peeringRoleId: string, aivenRoleId: string }[] = [
  for (id, i) in subscriptionIds: {
    subscriptionId: id
    peeringRoleId: grant[i].outputs.peeringRoleId
    aivenRoleId: grant[i].outputs.aivenRoleId
  }
]
