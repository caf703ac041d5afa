// One storage account without keys. Two are made of it: `host`, which the Functions runtime and Durable Functions
// write all day, and `data`, which holds what the workloads keep and is therefore versioned.
param name string
param location string
param tags object

@description('Names of the private containers.')
param containers array

@description('Keep each version and each deleted blob for 30 days. Not for the host account, whose blobs change every few seconds.')
param versioned bool

@description('Directories are real, as Iceberg tables want them. Such an account has neither versions nor index tags.')
param hierarchical bool = false

@description('Days after which the blobs of a container, or of a folder of it, are deleted, as {container/folder: days}.')
param expireAfterDays object = {}

@description('Days after which the blobs of a folder are moved to the cool tier, as {container/folder: days}.')
param coolAfterDays object = {}

@description('A container of backups, or nothing: its chunks are moved to cheaper tiers by age, and deleted.')
param backupContainer string = ''

@description('Only private endpoints reach the account.')
param privateNetwork bool

param workspaceId string

var versionDays = 30
var expiryRules = [for rule in items(expireAfterDays): {
  name: 'expire-${replace(rule.key, '/', '-')}'
  enabled: true
  type: 'Lifecycle'
  definition: {
    filters: {
      blobTypes: [
        'blockBlob'
      ]
      prefixMatch: [
        '${rule.key}/'
      ]
    }
    actions: {
      baseBlob: {
        delete: {
          daysAfterModificationGreaterThan: rule.value
        }
      }
    }
  }
}]
var coolingRules = [for rule in items(coolAfterDays): {
  name: 'cool-${replace(rule.key, '/', '-')}'
  enabled: true
  type: 'Lifecycle'
  definition: {
    filters: {
      blobTypes: [
        'blockBlob'
      ]
      prefixMatch: [
        '${rule.key}/'
      ]
    }
    actions: {
      baseBlob: {
        tierToCool: {
          daysAfterModificationGreaterThan: rule.value
        }
      }
    }
  }
}]
// A chain of backups is a week's, a month's at most, and nothing of one refers to another: what a new backup takes from
// an earlier one of its chain is not in the archive yet. What was brought back from there stays for a week. Manifests stay
// where they can be read at once.
var backupRules = empty(backupContainer) ? [] : [
  {
    name: 'age-backups'
    enabled: true
    type: 'Lifecycle'
    definition: {
      filters: {
        blobTypes: [
          'blockBlob'
        ]
        prefixMatch: [
          '${backupContainer}/chunks/'
          '${backupContainer}/files/'
        ]
      }
      actions: {
        baseBlob: {
          tierToCool: {
            daysAfterModificationGreaterThan: 30
          }
          tierToArchive: {
            daysAfterModificationGreaterThan: 90
            daysAfterLastTierChangeGreaterThan: 7
          }
          delete: {
            daysAfterModificationGreaterThan: 400
          }
        }
      }
    }
  }
  {
    name: 'expire-manifests'
    enabled: true
    type: 'Lifecycle'
    definition: {
      filters: {
        blobTypes: [
          'blockBlob'
        ]
        prefixMatch: [
          '${backupContainer}/manifests/'
          '${backupContainer}/verdicts/'
        ]
      }
      actions: {
        baseBlob: {
          delete: {
            daysAfterModificationGreaterThan: 400
          }
        }
      }
    }
  }
]
var versionRules = [
  {
    name: 'expire-versions'
    enabled: true
    type: 'Lifecycle'
    definition: {
      filters: {
        blobTypes: [
          'blockBlob'
          'appendBlob'
        ]
      }
      actions: {
        version: {
          delete: {
            daysAfterCreationGreaterThan: versionDays
          }
        }
      }
    }
  }
]

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  // checkov:skip=CKV_AZURE_206: locally redundant: what is lost with the region is fetched again from the supplier
  // checkov:skip=CKV_AZURE_35: access is by Entra identity only (no keys, no anonymous reads); privateNetwork closes the network as well
  // checkov:skip=CKV_AZURE_59: as above
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: 'Standard_LRS'
  }
  properties: {
    isHnsEnabled: hierarchical
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    allowSharedKeyAccess: false
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled'
    networkAcls: {
      defaultAction: privateNetwork ? 'Deny' : 'Allow'
      bypass: 'None'
    }
    encryption: {
      keySource: 'Microsoft.Storage'
      requireInfrastructureEncryption: true
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    isVersioningEnabled: versioned
    deleteRetentionPolicy: {
      enabled: versioned
      days: versioned ? versionDays : null
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: 7
    }
  }
}

resource privateContainers 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = [for container in containers: {
  parent: blobs
  name: container
  properties: {
    publicAccess: 'None'
  }
}]

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-01-01' = if (versioned) {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: concat(versionRules, expiryRules, coolingRules, backupRules)
    }
  }
}

resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (versioned) {
  scope: blobs
  name: 'audit'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'StorageDelete'
        enabled: true
      }
    ]
  }
}

output id string = account.id
output name string = account.name
output blobEndpoint string = account.properties.primaryEndpoints.blob
