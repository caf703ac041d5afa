// The Iceberg catalog of the auth cache: Lakekeeper, in an environment of its own, since deployed apps share theirs, and
// with the right to the lake.
param token string
param location string
param tags object

@description('Image with its digest, in a registry that lets anybody read, such as quay.io/lakekeeper/catalog@sha256:...')
param image string

@description('Audience of the tokens that the catalog takes: the application id of its app registration in Entra.')
param audience string

@description('The private network and the catalog\'s subnet in it, in which lake, vault and server answer then; empty: none.')
param networkId string = ''
param subnetId string = ''

param lakeName string
param vaultName string
param workspaceId string

param databaseHost string
param databaseName string
param databaseUser string
@secure()
@minLength(16)
param databasePassword string
@description('Encrypts what the catalog keeps of storage credentials; a new one makes them unreadable.')
@secure()
@minLength(32)
param encryptionKey string

@description('When the secrets end that are written here.')
param expiresAt string = dateTimeAdd(utcNow(), 'P1Y')

var storageBlobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
var storageBlobDelegator = 'db58b8e5-c6ad-4a2a-8342-4190687cbf4a'
var keyVaultSecretsUser = '4633458b-17de-408a-b874-0445c86b69e6'
var port = 8181
var privateNetwork = !empty(networkId)

resource lake 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: lakeName
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: vaultName
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-catalog-${token}'
  location: location
  tags: tags
}

resource databaseUrl 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'catalog-database-url'
  properties: {
    value: 'postgresql://${databaseUser}:${uriComponent(databasePassword)}@${databaseHost}:5432/${databaseName}?sslmode=require'
    contentType: 'text/plain'
    attributes: {
      exp: dateTimeToEpoch(expiresAt)
    }
  }
}

resource encryption 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'catalog-encryption-key'
  properties: {
    value: encryptionKey
    contentType: 'text/plain'
    attributes: {
      exp: dateTimeToEpoch(expiresAt)
    }
  }
}

resource readsDatabaseUrl 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: databaseUrl
  name: guid(databaseUrl.id, identity.properties.principalId, keyVaultSecretsUser)
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', keyVaultSecretsUser)
  }
}

resource readsEncryption 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: encryption
  name: guid(encryption.id, identity.properties.principalId, keyVaultSecretsUser)
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', keyVaultSecretsUser)
  }
}

// It hands out keys of its own making for single tables, which the app writes with: the app has no role on the lake.
resource onLake 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in [
  storageBlobDataContributor
  storageBlobDelegator
]: {
  scope: lake
  name: guid(lake.id, identity.properties.principalId, role)
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
  }
}]

module place 'containerApps.bicep' = {
  name: 'catalog-environment'
  params: {
    name: 'cae-catalog-${token}'
    location: location
    tags: tags
    workspaceId: workspaceId
    subnetId: subnetId
  }
}

module names 'catalogNames.bicep' = if (privateNetwork) {
  name: 'catalog-names'
  params: {
    domain: place.outputs.defaultDomain
    address: place.outputs.staticIp
    networkId: networkId
    tags: tags
  }
}

resource app 'Microsoft.App/containerApps@2025-01-01' = {
  name: 'ca-catalog-${token}'
  location: location
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity.id}': {}
    }
  }
  dependsOn: [
    readsDatabaseUrl
    readsEncryption
  ]
  properties: {
    environmentId: place.outputs.id
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      ingress: {
        // Without a private network open to the world, and to nobody without a token of this tenant.
        external: true
        targetPort: port
        transport: 'http'
        allowInsecure: false
      }
      secrets: [
        {
          name: 'database-url'
          keyVaultUrl: databaseUrl.properties.secretUri
          identity: identity.id
        }
        {
          name: 'encryption-key'
          keyVaultUrl: encryption.properties.secretUri
          identity: identity.id
        }
      ]
    }
    template: {
      initContainers: [
        {
          name: 'migrate'
          image: image
          args: [
            'migrate'
          ]
          env: variables
          resources: {
            cpu: json('0.5')
            memory: '1Gi'
          }
        }
      ]
      containers: [
        {
          name: 'catalog'
          image: image
          args: [
            'serve'
          ]
          env: variables
          resources: {
            cpu: json('0.5')
            memory: '1Gi'
          }
          probes: [
            {
              type: 'Readiness'
              httpGet: {
                path: '/health'
                port: port
              }
              periodSeconds: 10
              failureThreshold: 6
            }
          ]
        }
      ]
      scale: {
        // A fold wakes it, and registrations go on while it sleeps.
        minReplicas: 0
        maxReplicas: 2
        rules: [
          {
            name: 'http'
            http: {
              metadata: {
                concurrentRequests: '50'
              }
            }
          }
        ]
      }
    }
  }
}

var variables = [
  {
    name: 'LAKEKEEPER__PG_DATABASE_URL_READ'
    secretRef: 'database-url'
  }
  {
    name: 'LAKEKEEPER__PG_DATABASE_URL_WRITE'
    secretRef: 'database-url'
  }
  {
    name: 'LAKEKEEPER__PG_ENCRYPTION_KEY'
    secretRef: 'encryption-key'
  }
  {
    name: 'LAKEKEEPER__BASE_URI'
    value: 'https://ca-catalog-${token}.${place.outputs.defaultDomain}'
  }
  {
    name: 'LAKEKEEPER__ENABLE_AZURE_SYSTEM_CREDENTIALS'
    value: 'true'
  }
  {
    name: 'AZURE_CLIENT_ID'
    value: identity.properties.clientId
  }
  {
    // Without a provider the catalog is open to anybody.
    name: 'LAKEKEEPER__OPENID_PROVIDER_URI'
    value: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
  }
  {
    name: 'LAKEKEEPER__OPENID_AUDIENCE'
    value: audience
  }
  {
    name: 'LAKEKEEPER__OPENID_ADDITIONAL_ISSUERS'
    value: 'https://sts.windows.net/${tenant().tenantId}/'
  }
]

output uri string = 'https://${app.properties.configuration.ingress.fqdn}/catalog'
