// Several subscriptions, as people write lists, for an installation with a name.
using '../grants.bicep'

param subscriptionIds = split(
  'AAAAAAAA-AAAA-4AAA-8AAA-AAAAAAAAAAAA, 33333333-3333-4333-8333-333333333333,,aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa, dddddddd-dddd-4ddd-8ddd-dddddddddddd,',
  ','
)
param installation = 'team-a'
param identityPrincipalId = '11111111-1111-4111-8111-111111111111'
param applicationPrincipalId = '22222222-2222-4222-8222-222222222222'
param aivenPrincipalId = '44444444-4444-4444-8444-444444444444'
