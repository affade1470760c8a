// Who may do what, by three lists; who is told of alerts.
using '../main.bicep'

param environmentName = 'prod'
param location = 'northeurope'
param requesterPrincipalIds = ['55555555-5555-4555-8555-555555555555']
param readerPrincipalIds = ['88888888-8888-4888-8888-888888888888']
param secretOfficerPrincipalIds = ['99999999-9999-4999-8999-999999999999']
param alertEmails = 'oncall@example.com, Platform@example.com'
param alertWebhooks = ['https://hooks.example.com/alerts?key=check-webhook-key']
