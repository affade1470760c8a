metadata description = 'First deployment: the identity of the app, and the Entra objects of the peering. Deployed by an Application Administrator.'

extension microsoftGraphV1

targetScope = 'subscription'

import { guidProblems, installationProblems, nameProblems } from 'inputs.bicep'

@description('Part of the names of resource group and identity; the same as for main.bicep.')
@minLength(1)
param environmentName string

@description('Region of the identity; the same as for main.bicep.')
@metadata({ azd: { type: 'location' } })
param location string

@description('Name of the resource group; the same as for main.bicep.')
param resourceGroupName string = 'rg-${environmentName}'

@description('Name of this installation: part of the name of the application.')
param installation string = 'default'

@description('Client id of the application by which Aiven peers.')
param aivenApplicationId string = '55f300d4-fc50-4c5e-9222-e90a6e2187fb'

@description('False to leave the federated credential out, if Entra keeps refusing it in the same deployment as its application: first deploy again as it is; then deploy with false, and run output CREDENTIAL_COMMAND. Also where an earlier version made it under another name: Entra takes no second one for the same identity.')
param makeCredential bool = true

@description('Extra tags; the same as for main.bicep.')
param tags { *: string } = {}

var applicationName = 'aiven-azure-peering-${installation}'
var problems = concat(
  nameProblems(environmentName, resourceGroupName),
  installationProblems(installation),
  guidProblems('aivenApplicationId', [toLower(aivenApplicationId)])
)
var allTags = union(tags, { 'azd-env-name': environmentName })

// Group and identity are main.bicep's, too, word for word: whichever is deployed first makes them, the other finds them.
resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: empty(problems) ? resourceGroupName : fail(join(problems, ' '))
  location: location
  tags: allTags
}

module identity 'modules/identity.bicep' = {
  scope: group
  params: {
    environmentName: environmentName
    location: location
    tags: allTags
  }
}

resource application 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: applicationName
  displayName: applicationName
  signInAudience: 'AzureADMultipleOrgs'
}

var credential = {
  // Each identity has its own, so that one that was created again, or that of a second environment, takes no other's place.
  name: '${applicationName}-${identity.outputs.principalId}'
  issuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
  subject: identity.outputs.principalId
  audiences: ['api://AzureADTokenExchange']
}

// Entra may not see the application yet that this same deployment created (msgraph-bicep-types, issue 301).
module federated 'modules/credential.bicep' = if (makeCredential) {
  scope: group
  params: {
    applicationName: application.uniqueName
    name: credential.name
    issuer: credential.issuer
    subject: credential.subject
    audiences: credential.audiences
  }
}

resource applicationPrincipal 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: application.appId
}

resource aivenPrincipal 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: aivenApplicationId
}

@description('Object id of the identity of the app.')
output IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId

@description('Client id of our application: Aiven gets it with each peering.')
output APPLICATION_ID string = application.appId

@description('Object id of its service principal.')
output APPLICATION_PRINCIPAL_ID string = applicationPrincipal.id

@description('Object id of the service principal of Aiven, in this tenant.')
output AIVEN_PRINCIPAL_ID string = aivenPrincipal.id

var credentialJson = string(credential)

@description('What makes the federated credential where makeCredential is false.')
output CREDENTIAL_COMMAND string = 'az ad app federated-credential create --id ${application.appId} --parameters \'${credentialJson}\''
