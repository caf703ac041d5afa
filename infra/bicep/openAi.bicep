// Models of Azure OpenAI: one writes the follow-ups, one turns papers into vectors where it is asked to. Entra identities only; there are no keys.
param token string
param location string
param tags object

@description('Name and version of the model; the deployment is called as the model is.')
param model string
param modelVersion string

@description('Thousands of tokens a minute.')
param capacity int

@description('The model that embeds papers, its deployment is called as it is; empty: none.')
param embeddingModel string
param embeddingModelVersion string

@description('Thousands of tokens a minute; of the deployment for batches, thousands of tokens that may wait in it.')
param embeddingCapacity int

@description('Whether only the app\'s virtual network reaches it.')
param privateNetwork bool

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
  // checkov:skip=CKV_AZURE_134: access is by Entra identity and role; privateNetwork closes the network as well
  // checkov:skip=CKV_AZURE_238: the account calls nobody, so it needs no identity of its own
  properties: {
    // Tokens of Entra are taken under a name of the account's own only.
    customSubDomainName: 'oai-${token}'
    disableLocalAuth: true
    publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled'
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

// One deployment after the other: the account takes no two at once.
resource embedding 'Microsoft.CognitiveServices/accounts/deployments@2025-06-01' = if (!empty(embeddingModel)) {
  parent: account
  name: empty(embeddingModel) ? 'none' : embeddingModel
  sku: {
    name: 'GlobalStandard'
    capacity: embeddingCapacity
  }
  properties: {
    model: {
      format: 'OpenAI'
      name: embeddingModel
      version: embeddingModelVersion
    }
    versionUpgradeOption: 'NoAutoUpgrade'
  }
  dependsOn: [
    deployment
  ]
}

// Answers files of requests within a day, at half the price.
resource embeddingInBatches 'Microsoft.CognitiveServices/accounts/deployments@2025-06-01' = if (!empty(embeddingModel)) {
  parent: account
  name: '${embeddingModel}-batch'
  sku: {
    name: 'GlobalBatch'
    capacity: embeddingCapacity
  }
  properties: {
    model: {
      format: 'OpenAI'
      name: embeddingModel
      version: embeddingModelVersion
    }
    versionUpgradeOption: 'NoAutoUpgrade'
  }
  dependsOn: [
    embedding
  ]
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

output id string = account.id
output endpoint string = '${account.properties.endpoint}openai/v1'
