// What the app may do in the resource group of the apps that it deploys, and what those apps may do themselves.
@description('Object id of the app.')
param appPrincipalId string

@description('Object id of the identity that deployed apps fetch their image with, and its name.')
param pullPrincipalId string
param pullIdentityName string

param registryName string
param vaultName string

var containerAppsContributor = '358470bc-b998-42bd-ab17-a7e34c199c0f'
var containerAppsEnvironmentsContributor = '57cc5028-e6a7-4284-868d-0611c5923f8d'
var containerRegistryTasksContributor = 'fb382eab-e894-4461-af04-94435c366c3f'
var acrPull = '7f951dda-4ed3-4680-a7ca-43fe172d538d'
var managedIdentityOperator = 'f1a07417-d97a-45cb-824c-7a7467783830'
var keyVaultSecretsOfficer = 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'

resource registry 'Microsoft.ContainerRegistry/registries@2025-04-01' existing = {
  name: registryName
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: vaultName
}

resource pullIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: pullIdentityName
}

// Container apps, and their environment's managed certificates: in this resource group, which holds nothing else.
resource appOnGroup 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in [
  containerAppsContributor
  containerAppsEnvironmentsContributor
]: {
  name: guid(resourceGroup().id, appPrincipalId, role)
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
  }
}]

// Starts builds and reads their logs; the build pushes the image with the registry's own identity.
resource appOnRegistry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: registry
  name: guid(registry.id, appPrincipalId, containerRegistryTasksContributor)
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', containerRegistryTasksContributor)
  }
}

// Gives a deployed app the identity that fetches its image, and no other identity.
resource appOnPullIdentity 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: pullIdentity
  name: guid(pullIdentity.id, appPrincipalId, managedIdentityOperator)
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', managedIdentityOperator)
  }
}

// Stores the environment variables of deployed apps. Its own secrets lie in another vault, which it cannot write.
resource appOnVault 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, appPrincipalId, keyVaultSecretsOfficer)
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', keyVaultSecretsOfficer)
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
