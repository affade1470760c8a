metadata description = 'The three custom roles, and what the app may assign: the same in one subscription and at a management group.'

var assignment = 'Microsoft.Authorization/roleAssignments'

@export()
@description('Network Contributor, the built-in role of the published runbooks.')
var networkContributor = '4d97b98b-1d4f-4787-a291-c67834d212e7'

@export()
@description('Each custom role: the last word of the seed of its id, what it is called, and what it allows.')
var customRoles = {
  writer: {
    seed: 'peering-writer'
    purpose: 'peering writer'
    description: 'Make, read and remove the peerings of a VNet; nothing else. For the application that peers with Aiven.'
    actions: [
      'Microsoft.Network/virtualNetworks/read'
      'Microsoft.Network/virtualNetworks/peer/action'
      'Microsoft.Network/virtualNetworks/virtualNetworkPeerings/read'
      'Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write'
      'Microsoft.Network/virtualNetworks/virtualNetworkPeerings/delete'
      'Microsoft.Network/locations/operations/read'
      'Microsoft.Network/locations/operationResults/read'
    ]
  }
  peerOnly: {
    seed: 'peer-only'
    purpose: 'peer only'
    description: 'Peer to a VNet, not from it; nothing else. For Aiven\'s application.'
    actions: ['Microsoft.Network/virtualNetworks/peer/action']
  }
  // Never roleDefinitions/write: whoever may edit a role that he may assign owns the subscription.
  automation: {
    seed: 'automation'
    purpose: 'automation'
    description: 'Read VNets, their peerings and roles; assign roles, which the condition of the assignment narrows to two. For the app.'
    actions: [
      'Microsoft.Resources/subscriptions/read'
      'Microsoft.Network/virtualNetworks/read'
      'Microsoft.Network/virtualNetworks/virtualNetworkPeerings/read'
      'Microsoft.Authorization/roleDefinitions/read'
      'Microsoft.Authorization/roleAssignments/read'
      'Microsoft.Authorization/roleAssignments/write'
      'Microsoft.Authorization/roleAssignments/delete'
    ]
  }
}

@export()
@description('Id of a custom role. The app computes the same for a subscription, so it needs no list of them.')
func roleGuid(scope string, installation string, seed string) string => guid(scope, 'aiven-peering', installation, seed)

@export()
@description('Name of a custom role: unique in the tenant, so it has the place where the role is defined.')
func roleName(installation string, purpose string, place string) string =>
  'Aiven peering ${installation}: ${purpose} (${place})'

@description('One half of the condition. The attributes are those of the request for a write, and of the resource for a delete.')
func half(verb string, source string, roles string[], principals string[]) string =>
  '((!(ActionMatches{\'${assignment}/${verb}\'})) OR (@${source}[${assignment}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {${join(roles, ', ')}} AND @${source}[${assignment}:PrincipalId] ForAnyOfAnyValues:GuidEquals {${join(principals, ', ')}}))'

@export()
@description('The condition of the assignment of the app: these roles, for these principals, and nothing else.')
func condition(roles string[], principals string[]) string =>
  '${half('write', 'Request', roles, principals)} AND ${half('delete', 'Resource', roles, principals)}'
