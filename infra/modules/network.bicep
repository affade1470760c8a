metadata description = 'VNet with the subnet that a Flex Consumption app is integrated into, and with another for private endpoints.'

@description('Name of the VNet.')
param name string

@description('Region, the one of the app.')
param location string

@description('Tags.')
param tags { *: string }

@description('Address space of the VNet; it must overlap with nothing that it will be peered to.')
param addressPrefix string

@description('Prefix of the delegated subnet; /27 or larger.')
param functionSubnetPrefix string

@description('Prefix of the subnet for private endpoints; empty for none.')
param endpointSubnetPrefix string

resource vnet 'Microsoft.Network/virtualNetworks@2024-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
    subnets: concat(
      [
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
      ],
      empty(endpointSubnetPrefix)
        ? []
        : [
            {
              name: 'endpoints'
              properties: {
                addressPrefix: endpointSubnetPrefix
                defaultOutboundAccess: false
              }
            }
          ]
    )
  }

  resource functions 'subnets' existing = {
    name: 'functions'
  }
}

@description('Subnet of the app.')
output functionSubnetId string = vnet::functions.id

@description('Subnet of the private endpoints, if there is one.')
output endpointSubnetId string = resourceId('Microsoft.Network/virtualNetworks/subnets', vnet.name, 'endpoints')
