// The app on Flex Consumption: no instance while there is no work, up to `maximumInstanceCount` while there is.
param token string
param location string
param tags object

param identityId string
param identityClientId string

@description('Another identity that the app may show: the one that deploys apps.')
param deployerIdentityId string

@description('Account that the Functions runtime and Durable Functions keep their state in, and its container of packages.')
param hostStorageName string
param deploymentContainer string

@description('Memory of one instance. 512 MB is too little for parallel ingestion; 4096 MB doubles the price of a second.')
@allowed([
  512
  2048
  4096
])
param instanceMemoryMB int

@description('Ceiling of the bill and of the database connections. Azure counts it for each function group by itself: all HTTP functions are one group, all durable ones another, and every other function is one of its own.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int

@description('HTTP requests that one instance serves at once. Python is given one unless this is set, an instance for every request. The handlers are async; eight uploads of 50 MB, each held twice while it is checked, fit the 2 GB of an instance.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int

@description('Replace instances one after the other and let them finish their work (preview), instead of ending what runs.')
param rollingUpdates bool

@description('Instances that wait for orchestrations, for starts without delay; 0 bills nothing while idle.')
@minValue(0)
param alwaysReadyInstances int

@description('Subnet the app calls out through; empty: the public network.')
param subnetId string

@description('Durable Task Scheduler that keeps the orchestrations, as a connection string without a secret; empty: the host account does.')
param schedulerConnection string

@description('Operators can sign in with Entra in front of the app.')
param signIn bool

@description('entra: the app believes what App Service says of who is signed in. Only once that is switched on: before, anybody could say it.')
@allowed([
  'none'
  'entra'
])
param operatorSignIn string

@description('What the app is told, by name. No secrets: those are references to the vault.')
param settings object

var runtime = {
  AzureWebJobsStorage__accountName: hostStorageName
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  AZURE_CLIENT_ID: identityClientId
  TASKHUB_NAME: 'manifold'
  AZURE_FUNCTIONS_DURABLE_STRICT_TYPING: '1'
}

// Settings of this form take the place of what host.json says.
var scheduler = empty(schedulerConnection) ? {} : {
  AzureFunctionsJobHost__extensions__durableTask__storageProvider__type: 'azureManaged'
  AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionStringName: 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING'
  DURABLE_TASK_SCHEDULER_CONNECTION_STRING: schedulerConnection
}

// The app's identity vouches for the registration, in place of a client secret.
var signInSettings = signIn ? {
  OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID: identityClientId
  OPERATOR_SIGN_IN: operatorSignIn
} : {}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  // checkov:skip=CKV_AZURE_225: zone redundancy needs instances that always run; a lost zone costs a restart on another one
  name: 'plan-${token}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  // checkov:skip=CKV_AZURE_212: no instance while there is no work is the point; alwaysReadyInstances is the way out
  // checkov:skip=CKV_AZURE_17: callers prove themselves with keys and signatures that the app checks; browsers have no client certificate
  // checkov:skip=CKV_AZURE_213: health checks of the platform need a plan with fixed instances; /health/ready serves monitors
  // checkov:skip=CKV_AZURE_78: Flex Consumption has no FTP and refuses the key that would turn it off
  // checkov:skip=CKV_AZURE_222: the API is public by purpose; every route names its guard
  name: 'func-${token}'
  location: location
  tags: union(tags, {
    'azd-service-name': 'app'
  })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
      '${deployerIdentityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    publicNetworkAccess: 'Enabled'
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    // The update strategy is newer than the types, which would refuse it in a plain object.
    functionAppConfig: union(rollingUpdates ? {
      siteUpdateStrategy: {
        type: 'RollingUpdate'
      }
    } : {}, {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: 'https://${hostStorageName}.blob.${environment().suffixes.storage}/${deploymentContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: '3.11'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReadyInstances == 0 ? [] : [
          {
            name: 'durable'
            instanceCount: alwaysReadyInstances
          }
        ]
        triggers: {
          http: {
            perInstanceConcurrency: httpConcurrency
          }
        }
      }
    })
    // Flex Consumption refuses most keys of siteConfig (51021): a test holds these to those that it takes.
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      http20Enabled: true
      remoteDebuggingEnabled: false
      appSettings: [for setting in items(union(runtime, scheduler, signInSettings, settings)): {
        name: setting.key
        value: setting.value
      }]
    }
  }
}

// Publishing asks for an Entra identity; the password of the publishing profile is off. FTP does not exist on this plan.
resource noScmPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

output id string = app.id
output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
