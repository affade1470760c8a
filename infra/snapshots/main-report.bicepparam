// Nothing is repaired, and only what is listed may be asked for.
using '../main.bicep'

param environmentName = 'prod'
param location = 'northeurope'
param reconcile = 'report'
param allowedSubscriptions = ['AAAAAAAA-AAAA-4AAA-8AAA-AAAAAAAAAAAA', ' aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa', '']
param allowedVpcs = ['project:Analytics', 'org:org1a2b3c4d5e6']
