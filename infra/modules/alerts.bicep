metadata description = 'Action group, and an alert for everything that a person should know of.'

import { secretAddressType } from '../shared.bicep'

@description('Start of every name.')
param prefix string

@description('Region of the rules.')
param location string

@description('Tags.')
param tags { *: string }

@description('Component that the queries run on.')
param componentId string

@description('Who gets mail; nobody: the alerts are in the portal only.')
param emails string[]

@description('Addresses that are called.')
param webhooks secretAddressType[]

// Standard output of the handler, one JSON object a line, as the host files it. What is not about one peering is about a VPC or a part.
var lines = 'traces | where message startswith "{" | extend line = parse_json(message) | extend event = tostring(line.event), peering = coalesce(tostring(line.peering), tostring(line.vpc_request), tostring(line.vpc), tostring(line.part)), step = tostring(line.step), party = tostring(line.party), correlation = tostring(line.correlation), level = tostring(line.level), message = tostring(line.message)'
var shown = 'project timestamp, event, peering, step, party, correlation, message'

// Each query's rows are findings: one is enough. Where a rule has a dimension, each of its values is an alert of its own and in the mail. Windows are longer than the time between two looks, as telemetry arrives minutes late.
var rules = [
  {
    name: 'needs-attention'
    title: 'A peering needs a person'
    description: 'Its record says what, why and the command to run; it goes on by itself afterwards.'
    query: '${lines} | where event == "needs_attention" | ${shown}'
    dimension: 'peering'
    severity: 2
    every: 'PT5M'
    window: 'PT15M'
  }
  {
    name: 'deadline-near'
    title: 'A peering has waited for long'
    description: 'The party it waits for is in the row; after the deadline it needs a person.'
    query: '${lines} | where event == "deadline_near" | ${shown}'
    dimension: 'peering'
    severity: 3
    every: 'PT15M'
    window: 'PT30M'
  }
  {
    name: 'poisoned'
    title: 'A message failed again and again'
    description: 'Its peering is sent again by the sweep, and needs a person at the third time.'
    query: '${lines} | where event == "poisoned" | ${shown}'
    dimension: 'peering'
    severity: 2
    every: 'PT15M'
    window: 'PT30M'
  }
  {
    name: 'drift'
    title: 'A peering is not as it should be'
    description: 'Somebody or something changed one of its halves, or made one that nobody asked for.'
    query: '${lines} | where event in ("drift", "unknown_connection") and level != "INFO" | ${shown}'
    dimension: 'peering'
    severity: 2
    every: 'PT15M'
    window: 'PT30M'
  }
  {
    name: 'brake'
    title: 'Nothing is repaired until a person has looked'
    description: 'So many peerings differ at once that the cause is likely elsewhere.'
    query: '${lines} | where event == "brake" and level != "INFO" | ${shown}'
    dimension: ''
    severity: 1
    every: 'PT5M'
    window: 'PT15M'
  }
  {
    name: 'cause'
    title: 'Every peering is stopped'
    description: 'The Aiven token or the identity of the app is refused; all go on together once it is fixed.'
    query: '${lines} | where event == "cause_opened" | project timestamp, service = tostring(line.service), code = tostring(line.code), message'
    dimension: 'service'
    severity: 1
    every: 'PT5M'
    window: 'PT15M'
  }
  {
    name: 'secret-expires'
    title: 'A secret runs out soon'
    description: 'Renew it before it does: every peering stops without it.'
    query: '${lines} | where event == "secret_expires" | project timestamp, message'
    dimension: ''
    severity: 2
    every: 'PT1H'
    window: 'PT2H'
  }
  {
    name: 'reconcile-missed'
    title: 'Nothing was compared for three hours'
    description: 'Differences stay unseen. Function reconcile runs hourly.'
    query: 'requests | where name == "reconcile" and tobool(success) | summarize runs = count() | where runs == 0'
    dimension: ''
    severity: 2
    every: 'PT1H'
    window: 'PT3H'
  }
  {
    name: 'silent'
    title: 'The app does not run'
    description: 'Function poll_waiting runs every minute. Does the app start? Its log says which setting is missing.'
    query: 'requests | where name == "poll_waiting" and tobool(success) | summarize runs = count() | where runs == 0'
    dimension: ''
    severity: 1
    every: 'PT15M'
    window: 'PT30M'
  }
]

var told = !empty(emails) || !empty(webhooks)

resource receivers 'Microsoft.Insights/actionGroups@2023-01-01' = if (told) {
  name: '${prefix}-mail'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'peering'
    enabled: true
    emailReceivers: [
      for (address, i) in emails: {
        name: 'mail-${i}'
        emailAddress: address
        useCommonAlertSchema: true
      }
    ]
    webhookReceivers: [
      for (address, i) in webhooks: {
        name: 'webhook-${i}'
        serviceUri: address
        useCommonAlertSchema: true
      }
    ]
  }
}

resource alert 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: '${prefix}-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: rule.title
      description: rule.description
      severity: rule.severity
      enabled: true
      scopes: [componentId]
      evaluationFrequency: rule.every
      windowSize: rule.window
      autoMitigate: true
      // Its tables are not there before the first telemetry.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            dimensions: empty(rule.dimension)
              ? []
              : [
                  {
                    name: rule.dimension
                    operator: 'Include'
                    values: ['*']
                  }
                ]
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: { actionGroups: told ? [receivers.id] : [] }
    }
  }
]
