metadata description = 'VNet with the subnet that a Flex Consumption app is integrated into.'

@description('Name of the VNet.')
param name string

@description('Region, the one of the app.')
param location string

@description('Tags.')
param tags { *: string }

@description('Address space of the VNet; it must overlap with nothing that it will be peered to.')
param addressPrefix string = '10.97.0.0/24'

@description('Prefix of the delegated subnet; /27 or larger.')
param functionSubnetPrefix string = '10.97.0.0/26'

resource vnet 'Microsoft.Network/virtualNetworks@2024-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
    subnets: [
      {
        name: 'functions'
        properties: {
          addressPrefix: functionSubnetPrefix
          // Entra, Resource Manager and Aiven are reached over the internet.
          defaultOutboundAccess: true
          delegations: [
            {
              name: 'flex'
              properties: { serviceName: 'Microsoft.App/environments' }
            }
          ]
          serviceEndpoints: [
            { service: 'Microsoft.Storage' }
            { service: 'Microsoft.KeyVault' }
          ]
        }
      }
    ]
  }

  resource functions 'subnets' existing = {
    name: 'functions'
  }
}

@description('Subnet of the app.')
output functionSubnetId string = vnet::functions.id
