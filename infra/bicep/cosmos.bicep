// State of the deployments: one document each, changed under its ETag. Serverless: no request, no bill.
param token string
param location string
param tags object

@description('Only private endpoints reach the account.')
param privateNetwork bool

@description('Object id of the app.')
param appPrincipalId string

// Built-in data role of Cosmos DB: read and write documents, not accounts or containers.
var dataContributor = '00000000-0000-0000-0000-000000000002'

resource account 'Microsoft.DocumentDB/databaseAccounts@2025-04-15' = {
  // checkov:skip=CKV_AZURE_99: access is by Entra identity and role; privateNetwork closes the network as well
  // checkov:skip=CKV_AZURE_101: as above
  name: 'cosmos-${token}'
  location: location
  tags: tags
  kind: 'GlobalDocumentDB'
  properties: {
    databaseAccountOfferType: 'Standard'
    locations: [
      {
        locationName: location
        failoverPriority: 0
        isZoneRedundant: false
      }
    ]
    capabilities: [
      {
        name: 'EnableServerless'
      }
    ]
    consistencyPolicy: {
      defaultConsistencyLevel: 'Session'
    }
    backupPolicy: {
      type: 'Continuous'
      continuousModeProperties: {
        tier: 'Continuous7Days'
      }
    }
    disableLocalAuth: true
    disableKeyBasedMetadataWriteAccess: true
    minimalTlsVersion: 'Tls12'
    publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled'
  }
}

resource database 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases@2025-04-15' = {
  parent: account
  name: 'manifold'
  properties: {
    resource: {
      id: 'manifold'
    }
  }
}

resource deployments 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers@2025-04-15' = {
  parent: database
  name: 'deployments'
  properties: {
    resource: {
      id: 'deployments'
      partitionKey: {
        kind: 'Hash'
        paths: [
          '/organizationId'
        ]
        version: 2
      }
    }
  }
}

resource appAccess 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2025-04-15' = {
  parent: account
  name: guid(account.id, appPrincipalId, dataContributor)
  properties: {
    principalId: appPrincipalId
    roleDefinitionId: '${account.id}/sqlRoleDefinitions/${dataContributor}'
    // The account, since the SDK reads its metadata first; it holds one database.
    scope: account.id
  }
}

output id string = account.id
output name string = account.name
output endpoint string = account.properties.documentEndpoint
output databaseName string = database.name
output containerName string = deployments.name
