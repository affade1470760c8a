metadata description = 'The identity of the app may sign in as our application: no secret anywhere.'

extension microsoftGraphV1

@description('Unique name of our application.')
param applicationName string

@description('Name of the credential.')
param name string

@description('Who issues the tokens of the identity.')
param issuer string

@description('Object id of the identity.')
param subject string

@description('What its tokens are for.')
param audiences string[]

resource credential 'Microsoft.Graph/applications/federatedIdentityCredentials@v1.0' = {
  name: '${applicationName}/${name}'
  description: 'The managed identity of the function app signs in as this application; no secret anywhere.'
  issuer: issuer
  subject: subject
  audiences: audiences
}
