metadata description = 'What is wrong with what a deployment was given. Each function returns sentences, or none; a template that gets any fails before it makes anything.'

var lowerCase = 'abcdefghijklmnopqrstuvwxyz'
var digits = '0123456789'
var hexDigits = '0123456789abcdef'

@export()
@description('A list as people write it: trimmed, lower case, without empty items and repeats.')
func tidy(items string[]) string[] => union(filter(map(items, item => toLower(trim(item))), item => !empty(item)), [])

@export()
@description('A list that an environment variable holds, separated by commas.')
func listOf(text string) string[] => tidy(split(text, ','))

@description('Whether a text has characters of an alphabet only.')
func consistsOf(text string, alphabet string) bool =>
  empty(filter(range(0, length(text)), at => !contains(alphabet, substring(text, at, 1))))

@description('Whether a text is a GUID in lower case.')
func isGuid(text string) bool =>
  length(text) == 36 && empty(filter(
    range(0, 36),
    at => !contains(contains([8, 13, 18, 23], at) ? '-' : hexDigits, substring(text, at, 1))
  ))

@export()
@description('Ids that are no GUIDs.')
func guidProblems(name string, ids string[]) string[] =>
  map(filter(ids, id => !isGuid(id)), id => '${name}: "${id}" is not a GUID. Give ids, not names.')

@export()
@description('An id that may be left out.')
func optionalGuidProblems(name string, id string) string[] => guidProblems(name, empty(id) ? [] : [toLower(id)])

@export()
@description('The name of an installation that the app would not start with.')
func installationProblems(installation string) string[] =>
  !empty(installation) && length(installation) <= 32 && consistsOf(installation, '${lowerCase}${digits}-')
    ? []
    : ['installation: "${installation}" has to be 1 to 32 lower-case letters, digits and hyphens.']

@export()
@description('Names that Azure refuses for the resource group or for the identity.')
func nameProblems(environmentName string, resourceGroupName string) string[] =>
  concat(
    !empty(environmentName) && length(environmentName) <= 40 && consistsOf(
        toLower(environmentName),
        '${lowerCase}${digits}-'
      )
      ? []
      : [
          'environmentName: "${environmentName}" has to be 1 to 40 letters, digits and hyphens, because the identity is named after it.'
        ],
    !empty(resourceGroupName) && length(resourceGroupName) <= 90 && !endsWith(resourceGroupName, '.') && consistsOf(
        toLower(resourceGroupName),
        '${lowerCase}${digits}-_.()'
      )
      ? []
      : [
          'resourceGroupName: "${resourceGroupName}" has to be 1 to 90 letters, digits, hyphens, underscores, parentheses and full stops, not ending with a full stop.'
        ]
  )

@description('Whether a text looks like a mail address.')
func isMail(text string) bool =>
  length(split(text, '@')) == 2 && !startsWith(text, '@') && contains(last(split(text, '@')), '.') && !endsWith(
    text,
    '.'
  ) && consistsOf(text, '${lowerCase}${digits}.@_-+%\'')

@export()
@description('Addresses that are no mail addresses.')
func receiverProblems(mails string[]) string[] =>
  map(filter(mails, mail => !isMail(mail)), mail => 'alertEmails: "${mail}" is not a mail address.')

@description('Whether a text is an address or a range that storage and vault take: IPv4.')
func isRange(text string) bool =>
  length(split(text, '/')) <= 2 && length(split(text, '.')) == 4 && !contains(split(text, '.'), '') && consistsOf(
    text,
    '${digits}./'
  )

@description('Whether an IPv4 range is one that only a private network has.')
func isPrivate(text string) bool =>
  startsWith(text, '10.') || startsWith(text, '192.168.') || (startsWith(text, '172.') && contains(
    map(range(16, 16), second => string(second)),
    split(text, '.')[1]
  ))

@description('What is wrong with one range.')
func rangeProblem(text string) string =>
  !isRange(text)
    ? '"${text}" is not an IPv4 address or range.'
    : endsWith(text, '/31') || endsWith(text, '/32')
        ? '"${text}" is refused by storage, which takes no range of /31 or /32. Write each address without a length.'
        : isPrivate(text)
            ? '"${text}" is private. Storage and vault see public addresses only; let a private network in through its subnet.'
            : ''

@export()
@description('Addresses and ranges that storage refuses.')
func rangeProblems(ranges string[]) string[] =>
  map(filter(map(ranges, item => rangeProblem(item)), said => !empty(said)), said => 'allowedIpRanges: ${said}')

@description('What is wrong with the id of a subnet that may be left out.')
func subnetProblems(name string, id string) string[] =>
  empty(id) || (length(split(id, '/')) == 11 && contains(toLower(id), '/virtualnetworks/') && contains(
      toLower(id),
      '/subnets/'
    ))
    ? []
    : ['${name}: "${id}" is not the resource id of a subnet (/subscriptions/…/virtualNetworks/…/subnets/…).']

@export()
@description('Choices of the network that do not go together.')
func networkProblems(
  useVnet bool,
  existingSubnetId string,
  networkDefaultAction string,
  privateEndpoints bool,
  privateEndpointSubnetId string
) string[] =>
  concat(
    subnetProblems('existingSubnetId', existingSubnetId),
    subnetProblems('privateEndpointSubnetId', privateEndpointSubnetId),
    useVnet && !empty(existingSubnetId)
      ? ['existingSubnetId: the app has one subnet. Set useVnet to false, or leave existingSubnetId out.']
      : [],
    !useVnet && empty(existingSubnetId) && networkDefaultAction == 'Deny'
      ? [
          'networkDefaultAction: with Deny the app reaches its own storage from its subnet only. Set useVnet to true, or give existingSubnetId.'
        ]
      : [],
    !useVnet && empty(existingSubnetId) && privateEndpoints
      ? ['privateEndpoints: the app reaches them from its subnet only. Set useVnet to true, or give existingSubnetId.']
      : [],
    privateEndpoints && !useVnet && !empty(existingSubnetId) && empty(privateEndpointSubnetId)
      ? [
          'privateEndpointSubnetId: name the subnet for the private endpoints; the one of the app is delegated and takes none.'
        ]
      : [],
    !empty(privateEndpointSubnetId) && (useVnet || !privateEndpoints)
      ? ['privateEndpointSubnetId: it is for privateEndpoints with existingSubnetId. Leave it out.']
      : []
  )

@export()
@description('Zones that the storage does not have.')
func zoneProblems(zoneRedundant bool, storageSku string) string[] =>
  zoneRedundant && !contains(['Standard_ZRS', 'Standard_GZRS'], storageSku)
    ? [
        'zoneRedundant: the storage account has to survive a zone, too. Set storageSku to Standard_ZRS or Standard_GZRS.'
      ]
    : []

@export()
@description('Settings that the templates give themselves, or whose place is the vault, whatever their letter case.')
func settingProblems(names string[], own string[]) string[] =>
  map(
    filter(names, name => contains(map(own, one => toLower(one)), toLower(name))),
    name => 'extraSettings: ${name} is set by a parameter of the template, or belongs in the vault. Use that.'
  )

@export()
@description('What replaced the list of operators.')
func operatorProblems(operatorPrincipalIds string[]) string[] =>
  empty(operatorPrincipalIds)
    ? []
    : [
        'operatorPrincipalIds gave three permissions at once and is gone. Give each id to requesterPrincipalIds (send requests), readerPrincipalIds (read the tables) or secretOfficerPrincipalIds (set the token of Aiven). Azure keeps the former role assignments of whoever is on none of them: remove them with az role assignment delete.'
      ]
