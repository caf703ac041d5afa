// The private network, when it is asked for: the app calls out through it, and storage, vaults, PostgreSQL and Cosmos DB
// answer inside it. Service Bus (Standard) and the registry (Basic) have no private endpoints; identities guard them.
param token string
param location string
param tags object

var endpointsSubnet = 'endpoints'
var appSubnet = 'app'
var catalogSubnet = 'catalog'

resource guard 'Microsoft.Network/networkSecurityGroups@2024-07-01' = {
  name: 'nsg-${token}'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'deny-internet-in'
        properties: {
          priority: 4000
          direction: 'Inbound'
          access: 'Deny'
          protocol: '*'
          sourceAddressPrefix: 'Internet'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2024-07-01' = {
  name: 'vnet-${token}'
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [
        '10.20.0.0/16'
      ]
    }
    subnets: [
      {
        name: appSubnet
        properties: {
          addressPrefix: '10.20.0.0/24'
          // The app calls suppliers and Azure's public addresses; newer subnets have no way out unless it is said.
          defaultOutboundAccess: true
          networkSecurityGroup: {
            id: guard.id
          }
          delegations: [
            {
              name: 'flex'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
      {
        name: endpointsSubnet
        properties: {
          addressPrefix: '10.20.1.0/24'
          defaultOutboundAccess: false
          networkSecurityGroup: {
            id: guard.id
          }
          privateEndpointNetworkPolicies: 'Enabled'
        }
      }
      {
        name: catalogSubnet
        properties: {
          addressPrefix: '10.20.2.0/24'
          // The catalog's image comes from a public registry, and what it checks tokens by from Entra.
          defaultOutboundAccess: true
          networkSecurityGroup: {
            id: guard.id
          }
          delegations: [
            {
              name: 'container-apps'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
    ]
  }
}

output appSubnetId string = '${network.id}/subnets/${appSubnet}'
output catalogSubnetId string = '${network.id}/subnets/${catalogSubnet}'
output endpointsSubnetId string = '${network.id}/subnets/${endpointsSubnet}'
output networkId string = network.id
