// The built-in role, for an installation with a name.
using '../landing-zone.bicep'

param installation = 'team-a'
param peeringRole = 'network-contributor'
param identityPrincipalId = '11111111-1111-4111-8111-111111111111'
param applicationPrincipalId = '22222222-2222-4222-8222-222222222222'
param aivenPrincipalId = '44444444-4444-4444-8444-444444444444'
