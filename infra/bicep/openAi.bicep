// A model of Azure OpenAI that writes the follow-ups where it is asked to. Entra identities only; there are no keys.
param token string
param location string
param tags object

@description('Name and version of the model; the deployment is called as the model is.')
param model string
param modelVersion string

@description('Thousands of tokens a minute.')
param capacity int

@description('Object id of the app.')
param appPrincipalId string

var cognitiveServicesOpenAiUser = '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd'

resource account 'Microsoft.CognitiveServices/accounts@2025-06-01' = {
  name: 'oai-${token}'
  location: location
  tags: tags
  kind: 'OpenAI'
  sku: {
    name: 'S0'
  }
  // checkov:skip=CKV_AZURE_134: keys are off, and the one role is the app's; the app reaches it from addresses that change
  // checkov:skip=CKV_AZURE_238: the account calls nobody, so it needs no identity of its own
  properties: {
    // Tokens of Entra are taken under a name of the account's own only.
    customSubDomainName: 'oai-${token}'
    disableLocalAuth: true
    publicNetworkAccess: 'Enabled'
  }
}

resource deployment 'Microsoft.CognitiveServices/accounts/deployments@2025-06-01' = {
  parent: account
  name: model
  sku: {
    name: 'GlobalStandard'
    capacity: capacity
  }
  properties: {
    model: {
      format: 'OpenAI'
      name: model
      version: modelVersion
    }
    versionUpgradeOption: 'NoAutoUpgrade'
  }
}

resource appOnAccount 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account
  name: guid(account.id, appPrincipalId, cognitiveServicesOpenAiUser)
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', cognitiveServicesOpenAiUser)
  }
}

output endpoint string = '${account.properties.endpoint}openai/v1'
