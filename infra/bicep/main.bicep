// Manifold in one subscription: a resource group for the app and what it stands on, and one for the apps that it
// deploys, so that its rights to deploy end where its own resources begin.
targetScope = 'subscription'

@description('Name of this environment, part of the names of both resource groups.')
@minLength(1)
@maxLength(40)
param environmentName string

@minLength(1)
param location string

@description('Object id, sign-in name and kind of who migrates the database: the one who provisions, or better a group.')
@minLength(36)
param databaseAdminId string
@minLength(1)
param databaseAdminName string
@allowed([
  'User'
  'Group'
  'ServicePrincipal'
])
param databaseAdminType string = 'User'

@description('Address that is told when something needs a person.')
@minLength(3)
param alertEmailTo string

@description('Sender of the alerts, of a domain verified at Resend.')
@minLength(3)
param alertEmailFrom string

param nivodaEndpoint string
param nivodaUsername string
@secure()
@minLength(1)
param nivodaPassword string
@allowed([
  'cents'
  'dollars'
])
param nivodaPriceUnit string = 'cents'

@description('Feeds that are read every night, by commas: nivoda, brilliant.')
param feeds string = 'nivoda'
@description('Address and key of the second supplier; without effect unless `feeds` names it.')
param brilliantEndpoint string = ''
@secure()
@minLength(1)
param brilliantApiKey string

@description('Key of the operator\'s routes: 32 characters or more.')
@secure()
@minLength(32)
param adminApiKey string

@description('Key of the Resend account that mails alerts.')
@secure()
@minLength(1)
param resendApiKey string

@description('JSON {client: secret} of the clients that sign their requests (HMAC); unset: none does.')
@secure()
@minLength(1)
param hmacSecrets string

@description('Cap on the diamonds of one run, for a staging environment; 0: none.')
param maxSchedulerRecords int = 0

@allowed([
  512
  2048
  4096
])
param instanceMemoryMB int = 2048
param maximumInstanceCount int = 20
param alwaysReadyInstances int = 0

param postgresSkuName string = 'Standard_B2s'
@allowed([
  'Burstable'
  'GeneralPurpose'
  'MemoryOptimized'
])
param postgresSkuTier string = 'Burstable'

@description('Connections one instance may hold; times maximumInstanceCount it must fit max_connections (429 on B2s).')
param postgresPoolSize int = 12

@description('Close storage, vaults, PostgreSQL and Cosmos DB to the public network: eight private endpoints, paid by the hour.')
param privateNetwork bool = false

@description('What a month may cost before the operators are told, in the currency of the subscription.')
param monthlyBudget int = 150

var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = {
  'azd-env-name': environmentName
}
var deploymentContainer = 'packages'
var watermarkContainer = 'watermarks'
var sourcesContainer = 'deploy-sources'
var buildLogsContainer = 'deploy-logs'
var contextsContainer = 'deploy-contexts'

resource platformGroup 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

resource deployedAppsGroup 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${environmentName}-apps'
  location: location
  tags: tags
}

module monitoring 'monitoring.bicep' = {
  name: 'monitoring'
  scope: platformGroup
  params: {
    token: token
    location: location
    tags: tags
    alertEmail: alertEmailTo
  }
}

module appIdentity 'identity.bicep' = {
  name: 'app-identity'
  scope: platformGroup
  params: {
    name: 'id-app-${token}'
    location: location
    tags: tags
  }
}

module hostStorage 'storage.bicep' = {
  name: 'host-storage'
  scope: platformGroup
  params: {
    name: 'sthost${token}'
    location: location
    tags: tags
    containers: [
      deploymentContainer
    ]
    versioned: false
    privateNetwork: privateNetwork
    workspaceId: monitoring.outputs.workspaceId
  }
}

module dataStorage 'storage.bicep' = {
  name: 'data-storage'
  scope: platformGroup
  params: {
    name: 'stdata${token}'
    location: location
    tags: tags
    containers: [
      watermarkContainer
      sourcesContainer
      buildLogsContainer
      contextsContainer
    ]
    versioned: true
    expireAfterDays: {
      // A build's context is deleted with its deployment, sources and logs by the app: this is for what a crash left.
      '${contextsContainer}': 7
    }
    privateNetwork: privateNetwork
    workspaceId: monitoring.outputs.workspaceId
  }
}

module serviceBus 'serviceBus.bicep' = {
  name: 'service-bus'
  scope: platformGroup
  params: {
    token: token
    location: location
    tags: tags
  }
}

module postgres 'postgres.bicep' = {
  name: 'postgres'
  scope: platformGroup
  params: {
    token: token
    location: location
    tags: tags
    adminObjectId: databaseAdminId
    adminName: databaseAdminName
    adminType: databaseAdminType
    skuName: postgresSkuName
    skuTier: postgresSkuTier
    privateNetwork: privateNetwork
    workspaceId: monitoring.outputs.workspaceId
  }
}

module vault 'keyVault.bicep' = {
  name: 'vault'
  scope: platformGroup
  params: {
    name: 'kv-${token}'
    location: location
    tags: tags
    privateNetwork: privateNetwork
    workspaceId: monitoring.outputs.workspaceId
  }
}

module secrets 'secrets.bicep' = {
  name: 'secrets'
  scope: platformGroup
  params: {
    vaultName: vault.outputs.name
    adminApiKey: adminApiKey
    nivodaPassword: nivodaPassword
    brilliantApiKey: brilliantApiKey
    resendApiKey: resendApiKey
    hmacSecrets: hmacSecrets
  }
}

module cosmos 'cosmos.bicep' = {
  name: 'cosmos'
  scope: platformGroup
  params: {
    token: token
    location: location
    tags: tags
    privateNetwork: privateNetwork
    appPrincipalId: appIdentity.outputs.principalId
  }
}

module registry 'containerRegistry.bicep' = {
  name: 'container-registry'
  scope: deployedAppsGroup
  params: {
    token: token
    location: location
    tags: tags
  }
}

module containerApps 'containerApps.bicep' = {
  name: 'container-apps'
  scope: deployedAppsGroup
  params: {
    token: token
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
  }
}

module deployedAppsVault 'keyVault.bicep' = {
  name: 'deployed-apps-vault'
  scope: deployedAppsGroup
  params: {
    name: 'kva-${token}'
    location: location
    tags: tags
    privateNetwork: privateNetwork
    workspaceId: monitoring.outputs.workspaceId
  }
}

module pullIdentity 'identity.bicep' = {
  name: 'pull-identity'
  scope: deployedAppsGroup
  params: {
    name: 'id-pull-${token}'
    location: location
    tags: tags
  }
}

module roles 'roles.bicep' = {
  name: 'roles'
  scope: platformGroup
  params: {
    appPrincipalId: appIdentity.outputs.principalId
    hostStorageName: hostStorage.outputs.name
    dataStorageName: dataStorage.outputs.name
    serviceBusName: serviceBus.outputs.name
    vaultName: vault.outputs.name
    insightsName: monitoring.outputs.insightsName
  }
}

module deployedAppsRoles 'deployedAppsRoles.bicep' = {
  name: 'deployed-apps-roles'
  scope: deployedAppsGroup
  params: {
    appPrincipalId: appIdentity.outputs.principalId
    pullPrincipalId: pullIdentity.outputs.principalId
    registryName: registry.outputs.name
    token: token
  }
}

module network 'network.bicep' = if (privateNetwork) {
  name: 'network'
  scope: platformGroup
  params: {
    token: token
    location: location
    tags: tags
  }
}

var blobZone = 'privatelink.blob.${environment().suffixes.storage}'
var queueZone = 'privatelink.queue.${environment().suffixes.storage}'
var tableZone = 'privatelink.table.${environment().suffixes.storage}'
var vaultZone = 'privatelink.vaultcore.azure.net'
var postgresZone = 'privatelink.postgres.database.azure.com'
var cosmosZone = 'privatelink.documents.azure.com'

module privateEndpoints 'privateEndpoints.bicep' = if (privateNetwork) {
  name: 'private-endpoints'
  scope: platformGroup
  params: {
    token: token
    location: location
    tags: tags
    networkId: privateNetwork ? network.outputs.networkId : ''
    subnetId: privateNetwork ? network.outputs.endpointsSubnetId : ''
    zones: [
      blobZone
      queueZone
      tableZone
      vaultZone
      postgresZone
      cosmosZone
    ]
    targets: [
      {
        name: 'host-blob'
        resourceId: hostStorage.outputs.id
        group: 'blob'
        zone: blobZone
      }
      {
        name: 'host-queue'
        resourceId: hostStorage.outputs.id
        group: 'queue'
        zone: queueZone
      }
      {
        name: 'host-table'
        resourceId: hostStorage.outputs.id
        group: 'table'
        zone: tableZone
      }
      {
        name: 'data-blob'
        resourceId: dataStorage.outputs.id
        group: 'blob'
        zone: blobZone
      }
      {
        name: 'vault'
        resourceId: vault.outputs.id
        group: 'vault'
        zone: vaultZone
      }
      {
        name: 'deployed-apps-vault'
        resourceId: deployedAppsVault.outputs.id
        group: 'vault'
        zone: vaultZone
      }
      {
        name: 'postgres'
        resourceId: postgres.outputs.id
        group: 'postgresqlServer'
        zone: postgresZone
      }
      {
        name: 'cosmos'
        resourceId: cosmos.outputs.id
        group: 'Sql'
        zone: cosmosZone
      }
    ]
  }
}

module app 'functionApp.bicep' = {
  name: 'function-app'
  scope: platformGroup
  dependsOn: [
    roles
    privateEndpoints
  ]
  params: {
    token: token
    location: location
    tags: tags
    identityId: appIdentity.outputs.id
    identityClientId: appIdentity.outputs.clientId
    hostStorageName: hostStorage.outputs.name
    deploymentContainer: deploymentContainer
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyInstances: alwaysReadyInstances
    subnetId: privateNetwork ? network.outputs.appSubnetId : ''
    settings: {
      ServiceBus__fullyQualifiedNamespace: serviceBus.outputs.hostName
      ServiceBus__credential: 'managedidentity'
      ServiceBus__clientId: appIdentity.outputs.clientId
      STORAGE_BLOB_ENDPOINT: dataStorage.outputs.blobEndpoint
      WATERMARK_CONTAINER: watermarkContainer
      POSTGRES_DSN: 'host=${postgres.outputs.hostName} port=5432 dbname=${postgres.outputs.databaseName} user=${appIdentity.outputs.name} sslmode=verify-full sslrootcert=system'
      POSTGRES_AUTH: 'entra'
      POSTGRES_POOL_SIZE: string(postgresPoolSize)
      NIVODA_ENDPOINT: nivodaEndpoint
      NIVODA_USERNAME: nivodaUsername
      NIVODA_PASSWORD: '@Microsoft.KeyVault(SecretUri=${secrets.outputs.nivodaPasswordUri})'
      NIVODA_PRICE_UNIT: nivodaPriceUnit
      NIVODA_REQUESTS_PER_SECOND: '25'
      BRILLIANT_ENDPOINT: brilliantEndpoint
      BRILLIANT_API_KEY: '@Microsoft.KeyVault(SecretUri=${secrets.outputs.brilliantApiKeyUri})'
      BRILLIANT_PRICE_UNIT: 'dollars'
      BRILLIANT_REQUESTS_PER_SECOND: '10'
      FEEDS: feeds
      FULL_RUN_DAYS: 'sun'
      DELETE_SHARE_LIMIT: '0.2'
      WATERMARK_AGE_HOURS: '48'
      RAW_RETENTION_DAYS: '90'
      RUN_RETENTION_DAYS: '30'
      INSTANCE_RETENTION_DAYS: '30'
      SERVICEBUS_QUEUES: 'consolidate,deployments'
      SERVICEBUS_RESOURCE: uri(environment().resourceManager, serviceBus.outputs.id)
      MAX_SCHEDULER_RECORDS: string(maxSchedulerRecords)
      INGEST_SECONDS: '240'
      COSMOS_ENDPOINT: cosmos.outputs.endpoint
      COSMOS_DATABASE: cosmos.outputs.databaseName
      CONTAINER_PLATFORM: 'azure'
      GIT_HOSTS: 'github.com,gitlab.com,bitbucket.org'
      MAX_CONCURRENT_DEPLOYMENTS: '5'
      DEPLOYMENT_TIMEOUT_MS: '1800000'
      DEPLOYMENT_RETENTION_DAYS: '90'
      BUILD_CONTAINER_CPU: '2'
      BUILD_CONTAINER_MEMORY: '4'
      AZURE_MANAGEMENT_ENDPOINT: environment().resourceManager
      AZURE_SUBSCRIPTION_ID: subscription().subscriptionId
      AZURE_RESOURCE_GROUP: deployedAppsGroup.name
      AZURE_LOCATION: location
      AZURE_CONTAINER_REGISTRY: registry.outputs.name
      CONTAINER_APPS_ENVIRONMENT_ID: containerApps.outputs.id
      CONTAINER_APPS_IDENTITY_ID: pullIdentity.outputs.id
      KEY_VAULT_URI: deployedAppsVault.outputs.uri
      ADMIN_API_KEY: '@Microsoft.KeyVault(SecretUri=${secrets.outputs.adminApiKeyUri})'
      HMAC_SECRETS: '@Microsoft.KeyVault(SecretUri=${secrets.outputs.hmacSecretsUri})'
      CLIENT_REQUESTS_PER_MINUTE: '600'
      MAIL_PROVIDER: 'resend'
      RESEND_API_KEY: '@Microsoft.KeyVault(SecretUri=${secrets.outputs.resendApiKeyUri})'
      ALERT_EMAIL_TO: alertEmailTo
      ALERT_EMAIL_FROM: alertEmailFrom
      APPLICATIONINSIGHTS_CONNECTION_STRING: monitoring.outputs.insightsConnectionString
      PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY: 'true'
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${appIdentity.outputs.clientId};Authorization=AAD'
    }
  }
}

module alerts 'alerts.bicep' = {
  name: 'alerts'
  scope: platformGroup
  params: {
    token: token
    location: location
    tags: tags
    actionGroupId: monitoring.outputs.actionGroupId
    workspaceId: monitoring.outputs.workspaceId
    serviceBusId: serviceBus.outputs.id
    postgresId: postgres.outputs.id
    feedCount: length(split(feeds, ','))
  }
}

module budget 'budget.bicep' = {
  name: 'budget-${token}'
  params: {
    token: token
    resourceGroupNames: [
      platformGroup.name
      deployedAppsGroup.name
    ]
    alertEmail: alertEmailTo
    monthlyAmount: monthlyBudget
  }
}

output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = platformGroup.name
output AZURE_FUNCTION_APP_NAME string = app.outputs.name
output SERVICE_APP_URL string = app.outputs.url
output APP_IDENTITY_NAME string = appIdentity.outputs.name
output APP_IDENTITY_OBJECT_ID string = appIdentity.outputs.principalId
output POSTGRES_SERVER_ID string = postgres.outputs.id
output POSTGRES_HOST string = postgres.outputs.hostName
output POSTGRES_DATABASE string = postgres.outputs.databaseName
output KEY_VAULT_NAME string = vault.outputs.name
output DEPLOYED_APPS_RESOURCE_GROUP string = deployedAppsGroup.name
output CONTAINER_REGISTRY_LOGIN_SERVER string = registry.outputs.loginServer
output CONTAINER_APPS_ENVIRONMENT_ID string = containerApps.outputs.id
output COSMOS_ENDPOINT string = cosmos.outputs.endpoint
