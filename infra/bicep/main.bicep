// Manifold in one subscription: a resource group for the app and what it stands on, and one for the apps that it
// deploys, so that its rights to deploy end where its own resources begin.
targetScope = 'subscription'

@description('Name of this environment, part of the names of both resource groups.')
@minLength(1)
@maxLength(40)
param environmentName string

@description('Region of everything but the database: one that offers Flex Consumption.')
@metadata({
  azd: {
    type: 'location'
  }
})
@allowed([
  'australiaeast'
  'australiasoutheast'
  'brazilsouth'
  'canadacentral'
  'centralindia'
  'centralus'
  'eastasia'
  'eastus'
  'eastus2'
  'francecentral'
  'germanywestcentral'
  'italynorth'
  'japaneast'
  'koreacentral'
  'northcentralus'
  'northeurope'
  'norwayeast'
  'southafricanorth'
  'southcentralus'
  'southeastasia'
  'southindia'
  'spaincentral'
  'swedencentral'
  'uaenorth'
  'uksouth'
  'ukwest'
  'westcentralus'
  'westeurope'
  'westus'
  'westus2'
  'westus3'
])
param location string

@description('Region of the database, where the subscription may not have one in `location`; empty: the same.')
param databaseLocation string = ''

@description('Object id, sign-in name and kind of the operator, who migrates the database and reads the admin key: the one who provisions, or better a group.')
@minLength(36)
param databaseAdminId string
param databaseAdminName string = ''
@allowed([
  'User'
  'Group'
  'ServicePrincipal'
])
param databaseAdminType string = 'User'

@description('Address that is told when something needs a person.')
@minLength(3)
param alertEmailTo string

@description('Sender of the app\'s own mails, of a domain verified at Resend; empty: the app mails nobody, Azure\'s alerts still do.')
param alertEmailFrom string = ''

@description('Address and account of the supplier; an empty address: no feed is read.')
param nivodaEndpoint string = ''
param nivodaUsername string = ''
@secure()
@minLength(1)
param nivodaPassword string
@allowed([
  'cents'
  'dollars'
])
param nivodaPriceUnit string = 'cents'
@description('Where Nivoda\'s answers hold a field, if not where the app takes it to be: {"certificate_url": "diamond.certificate.link"}')
param nivodaFields string = ''
@description('Whether holds and purchases are made at Nivoda, too: its accounts with API Pro may.')
@allowed([
  'false'
  'true'
])
param nivodaTrading string = 'false'
@description('Nivoda\'s id of the address that orders go to; empty: the account\'s own.')
param nivodaDestinationId string = ''

@description('Feeds that are read every night, by commas: nivoda, brilliant; none: no feed; empty: nivoda, if it has an address.')
param feeds string = ''
@description('Address and key of the second supplier; without effect unless `feeds` names it.')
param brilliantEndpoint string = ''
@secure()
@minLength(1)
param brilliantApiKey string

@description('Key that signs the tokens of the follow-ups\' agents: 32 characters or more; unset: no agent can sign in.')
@secure()
@minLength(1)
param followupsJwtSecret string

@description('Keys that sign the tokens of the auth cache\'s users: 32 characters or more, or JSON ["new", "old"]; unset: nobody can log in.')
@secure()
@minLength(1)
param authcacheJwtKeys string

@description('Origins whose pages may call the auth cache, by commas; empty: none.')
param authcacheCorsOrigins string = ''

@description('Address of the pages that links in mails of the auth cache lead to; empty: a mail holds the token alone.')
param authcachePublicUrl string = ''

@description('Who delivers the follow-ups; ses needs the four parameters of SES, communication its endpoint.')
@allowed([
  'resend'
  'ses'
  'communication'
])
param followupsProvider string = 'resend'

@description('Region, access key and configuration set of Amazon SES; empty: it is not used.')
param sesRegion string = ''
param sesAccessKeyId string = ''
@secure()
@minLength(1)
param sesSecretAccessKey string
param sesConfigurationSet string = ''

@description('Address of the Iceberg catalog, as https://<lakekeeper>/catalog, and the scope of its tokens; empty: none.')
param authcacheCatalogUri string = ''
param authcacheCatalogScope string = ''

@description('Image of Lakekeeper with its digest, which makes a catalog here; empty: none is made. It needs the three below.')
param catalogImage string = ''
@description('Application id of the catalog\'s app registration in Entra.')
param catalogAudience string = ''
@secure()
@minLength(1)
param catalogDatabasePassword string
@secure()
@minLength(1)
param catalogEncryptionKey string

@description('Communication Services with a domain: azure for one of Azure\'s own, or the name of yours; empty: none is made.')
param mailDomain string = ''
@description('true once your mail domain has passed its verification.')
@allowed([
  'false'
  'true'
])
param mailDomainVerified string = 'false'
param mailDataLocation string = 'Europe'

@description('Address of a Communication Services resource elsewhere; without effect where `mailDomain` makes one.')
param communicationEndpoint string = ''

@description('Mails a minute that the sender of the follow-ups may hand over; empty: what the provider allows at first.')
param followupsMailsPerMinute string = ''

@description('Tenant and application that Event Grid shows tokens of when it delivers events of mails; empty: none are taken.')
param eventGridTenant string = ''
param eventGridAudience string = ''

@description('Secret that Resend signs its events with; unset: none is taken.')
@secure()
@minLength(1)
param resendWebhookSecret string

@description('DKIM keys of the sender\'s domain and the domain that bounces go to; empty: as the provider has them.')
param dkimSelectors string = ''
param returnPath string = ''

@description('Who writes the follow-ups: the templates, or a model of OpenAI or Azure OpenAI at this address.')
@allowed([
  'template'
  'model'
])
param followupsWriter string = 'template'
param followupsModel string = 'gpt-4.1-mini'
param followupsModelEndpoint string = 'https://api.openai.com/v1'

@description('Region of an account of Azure OpenAI with the model; empty: none is made, and the address above is used.')
param openAiLocation string = ''
param openAiModelVersion string = '2025-04-14'
@description('Thousands of tokens a minute of the model in Azure OpenAI.')
param openAiCapacity int = 20

@description('Key of the model\'s API; unset: the app\'s identity, which Azure OpenAI takes.')
@secure()
@minLength(1)
param followupsModelKey string

@description('What turns papers into vectors: the model that comes along, MiniLM, or a model of OpenAI or Azure OpenAI.')
@allowed([
  'static'
  'minilm'
  'openai'
])
param papersEmbedder string = 'static'
param papersOpenaiModel string = 'text-embedding-3-small'
param papersOpenaiModelVersion string = '1'
@description('Thousands of tokens a minute of the model that embeds papers in Azure OpenAI.')
param papersOpenaiCapacity int = 150
@description('Address of the API of embeddings; not used where Azure OpenAI is made for it.')
param papersOpenaiEndpoint string = 'https://api.openai.com/v1'

@description('Model at that endpoint that names the regions of the map; none: their own terms do.')
@minLength(1)
param papersNamingModel string = 'none'

@description('Key of the API of embeddings; unset: the app\'s identity, which Azure OpenAI takes.')
@secure()
@minLength(1)
param papersOpenaiKey string

@description('Client id of the web app at Google that agents sign in with; empty: none can.')
param googleClientId string = ''

@description('ARNs of the SNS topics whose events of SES are taken, by commas; empty: none.')
param snsTopics string = ''

@description('Reply-To of the follow-ups whose mail the app gets, by SES or Resend; empty: the agent\'s own.')
param followupsReplyTo string = ''

@description('Sender of the follow-ups, of a domain that the provider has verified; empty: none is written.')
param followupsSender string = ''

@description('Key of the operator\'s routes: 32 characters or more; azd makes one.')
@metadata({
  azd: {
    type: 'generate'
    config: {
      length: 40
      noSpecial: true
    }
  }
})
@secure()
@minLength(32)
param adminApiKey string

@description('Key of the Resend account that mails alerts; without effect unless `alertEmailFrom` is set.')
@secure()
@minLength(1)
param resendApiKey string

@description('Address of an incoming webhook of Slack or Teams that alerts are also posted to; unset: none.')
@secure()
@minLength(1)
param alertWebhookUrl string

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
@description('Instances of each function group at most; see functionApp.bicep. Some regions took no less than 40 until early 2026.')
param maximumInstanceCount int = 5
param alwaysReadyInstances int = 0
param httpConcurrency int = 8
@description('Replace running instances one after the other at a deployment (preview).')
param rollingUpdates bool = false

@description('Who keeps the orchestrations: the host account, or Durable Task Scheduler.')
@allowed([
  'storage'
  'scheduler'
])
param durableBackend string = 'storage'

param postgresSkuName string = 'Standard_B2s'
@allowed([
  'Burstable'
  'GeneralPurpose'
  'MemoryOptimized'
])
param postgresSkuTier string = 'Burstable'

@description('Disk of the database in GB. It never shrinks: before each provisioning a hook raises it to what auto-grow made of it.')
param postgresStorageGb int = 32

@description('Connections one instance may hold; times the instances of every function group it must fit max_connections (429 on B2s).')
param postgresPoolSize int = 10

@description('Days that deleted vaults keep their names, fixed when they are made, and whether those days can be cut short. For production: 90 and true.')
param vaultRetentionDays int = 7
param purgeProtection bool = false
@description('recover where a vault of this environment was deleted and not purged; a hook finds out.')
@allowed([
  'default'
  'recover'
])
param vaultCreateMode string = 'default'
@allowed([
  'default'
  'recover'
])
param deployedAppsVaultCreateMode string = 'default'

@description('Client id of a registration in Entra with which operators sign in; empty: they show the admin key.')
param signInClientId string = ''
@description('entra once the sign-in is switched on in front of the app. A hook finds out.')
@allowed([
  'none'
  'entra'
])
param operatorSignIn string = 'none'

@description('Organizations, by commas, whose deployed apps get an environment and a network of their own: those that do not trust the others.')
param isolatedOrganizations string = ''

@description('Close storage, vaults, PostgreSQL and Cosmos DB to the public network: eight private endpoints, paid by the hour.')
param privateNetwork bool = false

@description('What a month may cost before the operators are told, in the currency of the subscription; 0: no budget.')
@minValue(0)
param monthlyBudget int = 150
@description('First day of the month in which the budget began. A hook reads it from the budget that is there; empty: no budget.')
param budgetStart string = ''

var withCatalog = !empty(catalogImage)
var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = {
  'azd-env-name': environmentName
}
var postgresLocation = empty(databaseLocation) ? location : databaseLocation
var nightlyFeeds = empty(feeds) ? (empty(nivodaEndpoint) ? 'none' : 'nivoda') : feeds
var isolated = empty(isolatedOrganizations) ? [] : split(isolatedOrganizations, ',')
var isolatedNames = [for organization in isolated: '${organization}=cae-${token}-${uniqueString(organization)}']
var deploymentContainer = 'packages'
// What Communication Services let through at first: of a domain of Azure's own 10 an hour, of one's own 100.
var firstRates = {
  azure: '0.16'
  own: '1.6'
  none: '60'
}
var firstRate = firstRates[empty(mailDomain) ? 'none' : (mailDomain == 'azure' ? 'azure' : 'own')]
var watermarkContainer = 'watermarks'
var sourcesContainer = 'deploy-sources'
var buildLogsContainer = 'deploy-logs'
var contextsContainer = 'deploy-contexts'
var papersContainer = 'papers'
var embedsInAzure = papersEmbedder == 'openai' && !empty(openAiLocation)
var backupsContainer = 'backups'

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
      papersContainer
      backupsContainer
    ]
    versioned: true
    backupContainer: backupsContainer
    expireAfterDays: {
      // A build's context is deleted with its deployment, sources and logs by the app: this is for what a crash left.
      '${contextsContainer}': 7
      // What a packed file was unpacked into is deleted with its ingest: the same. Rejected records stay in the database.
      '${papersContainer}/work': 7
      '${papersContainer}/rejects': 90
    }
    coolAfterDays: {
      // A file is read once; a colder tier keeps its ETag, by which it is known.
      '${papersContainer}/inbox': 30
    }
    privateNetwork: privateNetwork
    workspaceId: monitoring.outputs.workspaceId
  }
}

module lake 'storage.bicep' = if (withCatalog) {
  name: 'lake'
  scope: platformGroup
  params: {
    name: 'stlake${token}'
    location: location
    tags: tags
    containers: [
      'iceberg'
    ]
    hierarchical: true
    versioned: false
    privateNetwork: privateNetwork
    workspaceId: monitoring.outputs.workspaceId
  }
}

module catalogDatabase 'catalogDatabase.bicep' = if (withCatalog) {
  name: 'catalog-database'
  scope: platformGroup
  params: {
    token: token
    location: postgresLocation
    tags: tags
    password: catalogDatabasePassword
    privateNetwork: privateNetwork
    workspaceId: monitoring.outputs.workspaceId
  }
}

module catalog 'catalog.bicep' = if (withCatalog) {
  name: 'catalog'
  scope: platformGroup
  dependsOn: [
    privateEndpoints // it looks for its database when it starts
  ]
  params: {
    token: token
    location: location
    tags: tags
    image: catalogImage
    audience: catalogAudience
    networkId: privateNetwork ? network.outputs.networkId : ''
    subnetId: privateNetwork ? network.outputs.catalogSubnetId : ''
    lakeName: withCatalog ? lake.outputs.name : ''
    vaultName: vault.outputs.name
    workspaceId: monitoring.outputs.workspaceId
    databaseHost: withCatalog ? catalogDatabase.outputs.host : ''
    databaseName: withCatalog ? catalogDatabase.outputs.databaseName : ''
    databaseUser: withCatalog ? catalogDatabase.outputs.user : ''
    databasePassword: catalogDatabasePassword
    encryptionKey: catalogEncryptionKey
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
    location: postgresLocation
    tags: tags
    adminObjectId: databaseAdminId
    adminName: databaseAdminName
    adminType: databaseAdminType
    skuName: postgresSkuName
    skuTier: postgresSkuTier
    storageSizeGb: postgresStorageGb
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
    retentionDays: vaultRetentionDays
    purgeProtection: purgeProtection
    createMode: vaultCreateMode
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
    alertWebhookUrl: alertWebhookUrl
    hmacSecrets: hmacSecrets
    followupsJwtSecret: followupsJwtSecret
    authcacheJwtKeys: authcacheJwtKeys
    sesSecretAccessKey: sesSecretAccessKey
    resendWebhookSecret: resendWebhookSecret
    followupsModelKey: followupsModelKey
    papersOpenaiKey: papersOpenaiKey
  }
}

module communication 'communication.bicep' = if (!empty(mailDomain)) {
  name: 'communication'
  scope: platformGroup
  params: {
    token: token
    tags: tags
    mailDomain: mailDomain
    verified: mailDomainVerified == 'true'
    dataLocation: mailDataLocation
    appPrincipalId: appIdentity.outputs.principalId
    serviceBusName: serviceBus.outputs.name
    eventsQueueName: serviceBus.outputs.mailEventsName
  }
}

module paperEvents 'paperEvents.bicep' = {
  name: 'paper-events'
  scope: platformGroup
  params: {
    token: token
    location: location
    tags: tags
    storageName: dataStorage.outputs.name
    container: papersContainer
    serviceBusName: serviceBus.outputs.name
    queueName: serviceBus.outputs.papersName
  }
}

module openAi 'openAi.bicep' = if (!empty(openAiLocation)) {
  name: 'open-ai'
  scope: platformGroup
  params: {
    token: token
    location: openAiLocation
    tags: tags
    model: followupsModel
    modelVersion: openAiModelVersion
    capacity: openAiCapacity
    embeddingModel: papersEmbedder == 'openai' ? papersOpenaiModel : ''
    embeddingModelVersion: papersOpenaiModelVersion
    embeddingCapacity: papersOpenaiCapacity
    privateNetwork: privateNetwork
    appPrincipalId: appIdentity.outputs.principalId
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

module isolatedEnvironments 'containerApps.bicep' = [for organization in isolated: {
  name: 'container-apps-${uniqueString(organization)}'
  scope: deployedAppsGroup
  params: {
    name: 'cae-${token}-${uniqueString(organization)}'
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
  }
}]

module containerApps 'containerApps.bicep' = {
  name: 'container-apps'
  scope: deployedAppsGroup
  params: {
    name: 'cae-${token}'
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
    retentionDays: vaultRetentionDays
    purgeProtection: purgeProtection
    createMode: deployedAppsVaultCreateMode
    privateNetwork: privateNetwork
    workspaceId: monitoring.outputs.workspaceId
  }
}

module deployerIdentity 'identity.bicep' = {
  name: 'deployer-identity'
  scope: platformGroup
  params: {
    name: 'id-deployer-${token}'
    location: location
    tags: tags
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
    operatorId: databaseAdminId
    operatorType: databaseAdminType
    hostStorageName: hostStorage.outputs.name
    dataStorageName: dataStorage.outputs.name
    serviceBusName: serviceBus.outputs.name
    vaultName: vault.outputs.name
    insightsName: monitoring.outputs.insightsName
  }
}

module scheduler 'scheduler.bicep' = if (durableBackend == 'scheduler') {
  name: 'scheduler'
  scope: platformGroup
  params: {
    token: token
    location: location
    tags: tags
    appPrincipalId: appIdentity.outputs.principalId
  }
}

module deployedAppsRoles 'deployedAppsRoles.bicep' = {
  name: 'deployed-apps-roles'
  scope: deployedAppsGroup
  params: {
    deployerPrincipalId: deployerIdentity.outputs.principalId
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
var dfsZone = 'privatelink.dfs.${environment().suffixes.storage}'
var queueZone = 'privatelink.queue.${environment().suffixes.storage}'
var tableZone = 'privatelink.table.${environment().suffixes.storage}'
var vaultZone = 'privatelink.vaultcore.azure.net'
var postgresZone = 'privatelink.postgres.database.azure.com'
var cosmosZone = 'privatelink.documents.azure.com'
var openAiZone = 'privatelink.openai.azure.com'

module privateEndpoints 'privateEndpoints.bicep' = if (privateNetwork) {
  name: 'private-endpoints'
  scope: platformGroup
  params: {
    token: token
    location: location
    tags: tags
    networkId: privateNetwork ? network.outputs.networkId : ''
    subnetId: privateNetwork ? network.outputs.endpointsSubnetId : ''
    zones: concat([
      blobZone
      queueZone
      tableZone
      vaultZone
      postgresZone
      cosmosZone
    ], withCatalog ? [
      dfsZone
    ] : [], empty(openAiLocation) ? [] : [
      openAiZone
    ])
    targets: concat([
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
    ], withCatalog ? [
      // Who reads tables may speak to the lake by either of its two services.
      {
        name: 'lake-blob'
        resourceId: withCatalog ? lake.outputs.id : ''
        group: 'blob'
        zone: blobZone
      }
      {
        name: 'lake-dfs'
        resourceId: withCatalog ? lake.outputs.id : ''
        group: 'dfs'
        zone: dfsZone
      }
      {
        name: 'catalog-postgres'
        resourceId: withCatalog ? catalogDatabase.outputs.serverId : ''
        group: 'postgresqlServer'
        zone: postgresZone
      }
    ] : [], empty(openAiLocation) ? [] : [
      {
        name: 'open-ai'
        resourceId: openAi.outputs.id
        group: 'account'
        zone: openAiZone
      }
    ])
  }
}

module app 'functionApp.bicep' = {
  name: 'function-app'
  scope: platformGroup
  dependsOn: [
    roles
    deployedAppsRoles
    privateEndpoints
  ]
  params: {
    token: token
    location: location
    tags: tags
    identityId: appIdentity.outputs.id
    identityClientId: appIdentity.outputs.clientId
    deployerIdentityId: deployerIdentity.outputs.id
    hostStorageName: hostStorage.outputs.name
    deploymentContainer: deploymentContainer
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyInstances: alwaysReadyInstances
    httpConcurrency: httpConcurrency
    rollingUpdates: rollingUpdates
    signIn: !empty(signInClientId)
    operatorSignIn: operatorSignIn
    schedulerConnection: durableBackend == 'scheduler' ? 'Endpoint=${scheduler.outputs.endpoint};Authentication=ManagedIdentity;ClientID=${appIdentity.outputs.clientId}' : ''
    subnetId: privateNetwork ? network.outputs.appSubnetId : ''
    settings: {
      // The platform, on which operations and all others stand
      ServiceBus__fullyQualifiedNamespace: serviceBus.outputs.hostName
      ServiceBus__credential: 'managedidentity'
      ServiceBus__clientId: appIdentity.outputs.clientId
      STORAGE_BLOB_ENDPOINT: dataStorage.outputs.blobEndpoint
      POSTGRES_DSN: 'host=${postgres.outputs.hostName} port=5432 dbname=${postgres.outputs.databaseName} user=${appIdentity.outputs.name} sslmode=verify-full sslrootcert=system'
      POSTGRES_AUTH: 'entra'
      POSTGRES_POOL_SIZE: string(postgresPoolSize)
      INSTANCE_RETENTION_DAYS: '30'
      SERVICEBUS_QUEUES: 'consolidate,deployments,mail-events,papers'
      SERVICEBUS_RESOURCE: uri(environment().resourceManager, serviceBus.outputs.id)
      COSMOS_ENDPOINT: cosmos.outputs.endpoint
      COSMOS_DATABASE: cosmos.outputs.databaseName
      AZURE_MANAGEMENT_ENDPOINT: environment().resourceManager
      ADMIN_API_KEY: '@Microsoft.KeyVault(SecretUri=${secrets.outputs.adminApiKeyUri})'
      HMAC_SECRETS: '@Microsoft.KeyVault(SecretUri=${secrets.outputs.hmacSecretsUri})'
      CLIENT_REQUESTS_PER_MINUTE: '600'
      MAIL_PROVIDER: empty(alertEmailFrom) ? 'none' : 'resend'
      RESEND_API_KEY: '@Microsoft.KeyVault(SecretUri=${secrets.outputs.resendApiKeyUri})'
      ALERT_EMAIL_TO: alertEmailTo
      ALERT_EMAIL_FROM: alertEmailFrom
      ALERT_WEBHOOK_URL: '@Microsoft.KeyVault(SecretUri=${secrets.outputs.alertWebhookUrlUri})'
      APPLICATIONINSIGHTS_CONNECTION_STRING: monitoring.outputs.insightsConnectionString
      PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY: 'true'
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${appIdentity.outputs.clientId};Authorization=AAD'
      // Alerts count spans; unless this is said, five a second are kept of each process.
      OTEL_TRACES_SAMPLER: 'microsoft.fixed_percentage'
      OTEL_TRACES_SAMPLER_ARG: '1.0'
      // diamonds
      WATERMARK_CONTAINER: watermarkContainer
      NIVODA_ENDPOINT: nivodaEndpoint
      NIVODA_USERNAME: nivodaUsername
      NIVODA_PASSWORD: '@Microsoft.KeyVault(SecretUri=${secrets.outputs.nivodaSecretUri})'
      NIVODA_PRICE_UNIT: nivodaPriceUnit
      NIVODA_FIELDS: nivodaFields
      NIVODA_TRADING: nivodaTrading
      NIVODA_DESTINATION_ID: nivodaDestinationId
      NIVODA_REQUESTS_PER_SECOND: '25'
      BRILLIANT_ENDPOINT: brilliantEndpoint
      BRILLIANT_API_KEY: '@Microsoft.KeyVault(SecretUri=${secrets.outputs.brilliantApiKeyUri})'
      BRILLIANT_PRICE_UNIT: 'dollars'
      BRILLIANT_REQUESTS_PER_SECOND: '10'
      FEEDS: nightlyFeeds
      FULL_RUN_DAYS: 'sun'
      DELETE_SHARE_LIMIT: '0.2'
      FAILED_SHARE_LIMIT: '0.1'
      PRICE_JUMP_SHARE_LIMIT: '0.1'
      WATERMARK_AGE_HOURS: '48'
      RAW_RETENTION_DAYS: '90'
      RUN_RETENTION_DAYS: '30'
      MAX_SCHEDULER_RECORDS: string(maxSchedulerRecords)
      INGEST_SECONDS: '240'
      // deploys
      CONTAINER_PLATFORM: 'azure'
      GIT_HOSTS: 'github.com,gitlab.com,bitbucket.org'
      MAX_CONCURRENT_DEPLOYMENTS: '5'
      DEPLOYMENT_TIMEOUT_MS: '1800000'
      DEPLOYMENT_RETENTION_DAYS: '90'
      BUILD_CONTAINER_CPU: '2'
      BUILD_CONTAINER_MEMORY: '4'
      AZURE_SUBSCRIPTION_ID: subscription().subscriptionId
      AZURE_RESOURCE_GROUP: deployedAppsGroup.name
      AZURE_LOCATION: location
      AZURE_CONTAINER_REGISTRY: registry.outputs.name
      BASE_IMAGE_REGISTRY: '${registry.outputs.loginServer}/base'
      CONTAINER_APPS_ENVIRONMENT_ID: containerApps.outputs.id
      ISOLATED_ENVIRONMENTS: join(isolatedNames, ',')
      CONTAINER_APPS_IDENTITY_ID: pullIdentity.outputs.id
      AZURE_DEPLOYER_CLIENT_ID: deployerIdentity.outputs.clientId
      KEY_VAULT_URI: deployedAppsVault.outputs.uri
      // followups
      FOLLOWUPS_JWT_SECRET: '@Microsoft.KeyVault(SecretUri=${secrets.outputs.followupsJwtSecretUri})'
      FOLLOWUPS_PROVIDER: followupsProvider
      SES_REGION: sesRegion
      SES_ACCESS_KEY_ID: sesAccessKeyId
      SES_SECRET_ACCESS_KEY: '@Microsoft.KeyVault(SecretUri=${secrets.outputs.sesKeyUri})'
      SES_CONFIGURATION_SET: sesConfigurationSet
      COMMUNICATION_ENDPOINT: !empty(mailDomain) ? communication.outputs.endpoint : communicationEndpoint
      FOLLOWUPS_EVENT_GRID_TENANT: eventGridTenant
      FOLLOWUPS_EVENT_GRID_AUDIENCE: eventGridAudience
      RESEND_WEBHOOK_SECRET: '@Microsoft.KeyVault(SecretUri=${secrets.outputs.resendWebhookSecretUri})'
      FOLLOWUPS_DKIM_SELECTORS: dkimSelectors
      FOLLOWUPS_RETURN_PATH: returnPath
      FOLLOWUPS_WRITER: followupsWriter
      FOLLOWUPS_MODEL: followupsModel
      FOLLOWUPS_MODEL_ENDPOINT: !empty(openAiLocation) ? openAi.outputs.endpoint : followupsModelEndpoint
      FOLLOWUPS_MODEL_KEY: '@Microsoft.KeyVault(SecretUri=${secrets.outputs.followupsModelKeyUri})'
      GOOGLE_CLIENT_ID: googleClientId
      FOLLOWUPS_SNS_TOPICS: snsTopics
      FOLLOWUPS_REPLY_TO: followupsReplyTo
      FOLLOWUPS_SENDER: (empty(followupsSender) && !empty(mailDomain)) ? communication.outputs.senderAddress : followupsSender
      FOLLOWUPS_PUBLIC_URL: 'https://func-${token}.azurewebsites.net'
      FOLLOWUPS_MAILS_PER_MINUTE: empty(followupsMailsPerMinute) ? firstRate : followupsMailsPerMinute
      // papers
      PAPERS_CONTAINER: papersContainer
      PAPERS_EMBEDDER: papersEmbedder
      PAPERS_NAMING_MODEL: papersNamingModel
      PAPERS_OPENAI_MODEL: papersOpenaiModel
      PAPERS_OPENAI_ENDPOINT: embedsInAzure ? openAi.outputs.endpoint : papersOpenaiEndpoint
      PAPERS_OPENAI_BATCH_MODEL: embedsInAzure ? '${papersOpenaiModel}-batch' : ''
      PAPERS_OPENAI_KEY: '@Microsoft.KeyVault(SecretUri=${secrets.outputs.papersOpenaiKeyUri})'
      // authcache
      AUTHCACHE_JWT_KEYS: '@Microsoft.KeyVault(SecretUri=${secrets.outputs.authcacheJwtKeysUri})'
      AUTHCACHE_CORS_ORIGINS: authcacheCorsOrigins
      AUTHCACHE_PUBLIC_URL: authcachePublicUrl
      AUTHCACHE_CATALOG_URI: withCatalog ? catalog.outputs.uri : authcacheCatalogUri
      AUTHCACHE_CATALOG_SCOPE: withCatalog ? 'api://${catalogAudience}/.default' : authcacheCatalogScope
      // backups
      BACKUPS_HOURLY: 'true'
      BACKUPS_CONTAINER: backupsContainer
      BACKUPS_SCRATCH_DATABASE: postgres.outputs.scratchDatabase
    }
  }
}

module signIn 'signIn.bicep' = if (!empty(signInClientId)) {
  name: 'sign-in'
  scope: platformGroup
  params: {
    appName: app.outputs.name
    clientId: signInClientId
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
    feedCount: nightlyFeeds == 'none' ? 0 : length(split(nightlyFeeds, ','))
  }
}

module budget 'budget.bicep' = if (monthlyBudget > 0 && !empty(budgetStart)) {
  name: 'budget-${token}'
  params: {
    environmentName: environmentName
    resourceGroupNames: [
      platformGroup.name
      deployedAppsGroup.name
    ]
    alertEmail: alertEmailTo
    monthlyAmount: monthlyBudget
    startDate: budgetStart
  }
}

output AZURE_LOCATION string = location
output AZURE_TENANT_ID string = tenant().tenantId
output AZURE_RESOURCE_GROUP string = platformGroup.name
output AZURE_FUNCTION_APP_NAME string = app.outputs.name
output SERVICE_APP_URL string = app.outputs.url
output APP_IDENTITY_NAME string = appIdentity.outputs.name
output APP_IDENTITY_OBJECT_ID string = appIdentity.outputs.principalId
output POSTGRES_SERVER_ID string = postgres.outputs.id
output POSTGRES_HOST string = postgres.outputs.hostName
output POSTGRES_DATABASE string = postgres.outputs.databaseName
output DATABASE_ADMIN_NAME string = databaseAdminName
output KEY_VAULT_NAME string = vault.outputs.name
output DEPLOYED_APPS_RESOURCE_GROUP string = deployedAppsGroup.name
output CONTAINER_REGISTRY_ID string = registry.outputs.id
output CONTAINER_REGISTRY_LOGIN_SERVER string = registry.outputs.loginServer
output CONTAINER_APPS_ENVIRONMENT_ID string = containerApps.outputs.id
output COSMOS_ENDPOINT string = cosmos.outputs.endpoint

@description('Records that your mail domain needs at its DNS, for its verification: Domain, SPF, DKIM and DKIM2.')
output MAIL_DOMAIN_RECORDS object = !empty(mailDomain) ? communication.outputs.verificationRecords : {}
