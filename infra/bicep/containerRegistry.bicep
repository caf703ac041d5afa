// Images of the deployed apps, built here by ACR Tasks from their source.
param token string
param location string
param tags object

resource registry 'Microsoft.ContainerRegistry/registries@2025-04-01' = {
  // checkov:skip=CKV_AZURE_139: private endpoints exist in the Premium tier only (ten times the price); access is by Entra identity
  // checkov:skip=CKV_AZURE_163: scanning is Defender for Containers, chosen for a whole subscription
  // checkov:skip=CKV_AZURE_166: quarantine exists in the Premium tier only
  // checkov:skip=CKV_AZURE_233: zone redundancy exists in the Premium tier only
  name: 'cr${token}'
  location: location
  tags: tags
  sku: {
    name: 'Basic'
  }
  properties: {
    adminUserEnabled: false
    anonymousPullEnabled: false
  }
}

output id string = registry.id
output name string = registry.name
output loginServer string = registry.properties.loginServer
