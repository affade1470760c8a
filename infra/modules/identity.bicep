metadata description = 'The identity of the app: assigned by us, so that it outlives the app and can be trusted before there is one.'

@description('Part of its name.')
param environmentName string

@description('Region.')
param location string

@description('Tags.')
param tags { *: string }

// A name that a script can make, too: identity.sh does.
resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-${environmentName}'
  location: location
  tags: tags
}

@description('Resource id.')
output id string = identity.id

@description('Object id: subject of the federated credential, and who gets the roles.')
output principalId string = identity.properties.principalId

@description('Client id: how the app asks for its tokens.')
output clientId string = identity.properties.clientId
