// What may be done in the resource group of deployed apps: by the identity that deploys them, and by themselves.
@description('Object id of the identity with which the app deploys apps, and nothing else.')
param deployerPrincipalId string

@description('Object id of the identity that deployed apps fetch their image with.')
param pullPrincipalId string

param registryName string
param token string

var group = resourceGroup().id
var acrPull = '7f951dda-4ed3-4680-a7ca-43fe172d538d'

resource registry 'Microsoft.ContainerRegistry/registries@2025-04-01' existing = {
  name: registryName
}

// The requests that a deployment makes, each of them and no other: a test holds the list to what is really asked.
// Built-in roles for the same would let the app delete the environment, sign in to containers, and read every secret.
resource deployer 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(group, 'deployer')
  properties: {
    roleName: 'Manifold deployer ${token}'
    description: 'Builds images, releases container apps and binds their domains in one resource group.'
    type: 'CustomRole'
    assignableScopes: [
      group
    ]
    permissions: [
      {
        actions: [
          'Microsoft.App/containerApps/read'
          'Microsoft.App/containerApps/write'
          'Microsoft.App/containerApps/delete'
          'Microsoft.App/containerApps/listSecrets/action'
          'Microsoft.App/containerApps/getAuthtoken/action'
          'Microsoft.App/containerApps/listCustomHostNameAnalysis/action'
          'Microsoft.App/containerApps/revisions/read'
          'Microsoft.App/containerApps/revisions/deactivate/action'
          'Microsoft.App/containerApps/revisions/replicas/read'
          'Microsoft.App/managedEnvironments/read'
          'Microsoft.App/managedEnvironments/join/action'
          'Microsoft.App/managedEnvironments/managedCertificates/read'
          'Microsoft.App/managedEnvironments/managedCertificates/write'
          'Microsoft.App/managedEnvironments/managedCertificates/delete'
          'Microsoft.ContainerRegistry/registries/read'
          'Microsoft.ContainerRegistry/registries/listBuildSourceUploadUrl/action'
          'Microsoft.ContainerRegistry/registries/runs/read'
          'Microsoft.ContainerRegistry/registries/runs/cancel/action'
          'Microsoft.ContainerRegistry/registries/runs/listLogSasUrl/action'
          'Microsoft.ContainerRegistry/registries/taskRuns/read'
          'Microsoft.ContainerRegistry/registries/taskRuns/write'
          'Microsoft.ContainerRegistry/registries/taskRuns/delete'
          'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action'
        ]
        // The environment variables of deployed apps. The app's own secrets lie in another group's vault.
        dataActions: [
          'Microsoft.KeyVault/vaults/secrets/getSecret/action'
          'Microsoft.KeyVault/vaults/secrets/setSecret/action'
          'Microsoft.KeyVault/vaults/secrets/delete'
        ]
      }
    ]
  }
}

// On this resource group, which holds the registry, the environment, the vault and the apps, and nothing else.
resource deployerOnGroup 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, deployerPrincipalId, deployer.name)
  properties: {
    principalId: deployerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', deployer.name)
  }
}

resource pullOnRegistry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: registry
  name: guid(registry.id, pullPrincipalId, acrPull)
  properties: {
    principalId: pullPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', acrPull)
  }
}
