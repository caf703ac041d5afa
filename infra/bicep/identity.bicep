// The identities that act in Azure: the app itself, the one with which it deploys apps, and the one with which those
// fetch their image. All are user-assigned, so that roles exist before the first start and outlive the app.
param name string
param location string
param tags object

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

output id string = identity.id
output name string = identity.name
output clientId string = identity.properties.clientId
output principalId string = identity.properties.principalId
