// PostgreSQL for the workloads' rows. Entra sign-in only: the server has no passwords.
param token string
param location string
param tags object

@description('Object id, sign-in name and kind of the operator (better: a group of operators) who migrates the database.')
param adminObjectId string
param adminName string
@allowed([
  'User'
  'Group'
  'ServicePrincipal'
])
param adminType string

@description('Burstable is enough for a nightly run over 500,000 diamonds; it pauses nothing and cannot be highly available.')
param skuName string
@allowed([
  'Burstable'
  'GeneralPurpose'
  'MemoryOptimized'
])
param skuTier string

@description('Disk of the server. It only grows: Azure refuses less than the server has.')
@minValue(32)
param storageSizeGb int
param backupRetentionDays int = 14

@description('Only private endpoints, and addresses that a migration opens for its minutes, reach the server.')
param privateNetwork bool

param workspaceId string

// What `CREATE EXTENSION` may name: pgvector for the search by meaning, the others for the diamonds search.
var extensions = 'vector,pg_trgm,btree_gin,pg_stat_statements'
var parameters = {
  'azure.extensions': extensions
  ssl_min_protocol_version: 'TLSv1.2'
  log_connections: 'on'
  log_checkpoints: 'on'
  log_lock_waits: 'on'
  log_min_duration_statement: '2000'
}

resource server 'Microsoft.DBforPostgreSQL/flexibleServers@2025-08-01' = {
  name: 'psql-${token}'
  location: location
  tags: tags
  sku: {
    name: skuName
    tier: skuTier
  }
  properties: {
    version: '18'
    createMode: 'Default'
    authConfig: {
      activeDirectoryAuth: 'Enabled'
      passwordAuth: 'Disabled'
      tenantId: tenant().tenantId
    }
    storage: {
      // What auto-grow made of it is read before each provisioning, so that the size asked for is never less.
      storageSizeGB: storageSizeGb
      autoGrow: 'Enabled'
    }
    // Geo-redundancy can be chosen at creation only and doubles the price of backups; the feed can be fetched again.
    backup: {
      backupRetentionDays: backupRetentionDays
      geoRedundantBackup: 'Disabled'
    }
    highAvailability: {
      mode: 'Disabled'
    }
    network: {
      // Enabled even with private endpoints: without a firewall rule nobody comes in, and a migration needs one.
      publicNetworkAccess: 'Enabled'
    }
  }
}

resource database 'Microsoft.DBforPostgreSQL/flexibleServers/databases@2025-08-01' = {
  parent: server
  name: 'manifold'
  properties: {
    charset: 'UTF8'
    collation: 'en_US.utf8'
  }
}

// The server takes one change at a time, hence the chain of dependsOn here and below.
// Backups are restored in it to see that they can be.
resource scratch 'Microsoft.DBforPostgreSQL/flexibleServers/databases@2025-08-01' = {
  parent: server
  name: 'manifold_scratch'
  dependsOn: [
    database
  ]
  properties: {
    charset: 'UTF8'
    collation: 'en_US.utf8'
  }
}

@batchSize(1)
resource configuration 'Microsoft.DBforPostgreSQL/flexibleServers/configurations@2025-08-01' = [for parameter in items(parameters): {
  parent: server
  name: parameter.key
  dependsOn: [
    scratch
  ]
  properties: {
    value: parameter.value
    source: 'user-override'
  }
}]

resource administrator 'Microsoft.DBforPostgreSQL/flexibleServers/administrators@2025-08-01' = {
  parent: server
  name: adminObjectId
  dependsOn: [
    configuration
  ]
  properties: {
    principalName: adminName
    principalType: adminType
    tenantId: tenant().tenantId
  }
}

// Flex Consumption has no fixed outgoing address. This rule lets addresses of Azure try to sign in, nothing more.
resource azureAddresses 'Microsoft.DBforPostgreSQL/flexibleServers/firewallRules@2025-08-01' = if (!privateNetwork) {
  parent: server
  name: 'azure-services'
  dependsOn: [
    administrator
  ]
  properties: {
    startIpAddress: '0.0.0.0'
    endIpAddress: '0.0.0.0'
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: server
  name: 'logs'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'PostgreSQLLogs'
        enabled: true
      }
    ]
  }
}

output id string = server.id
output name string = server.name
output hostName string = server.properties.fullyQualifiedDomainName
output scratchDatabase string = scratch.name
output databaseName string = database.name
