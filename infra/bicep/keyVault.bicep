// A vault with Azure roles. Two are made of it: the app's own secrets, which it may only read, and the environment
// variables of the apps that it deploys, which it also writes.
param name string
param location string
param tags object

@description('Days that a deleted vault keeps its name and can be had back. Fixed when the vault is made.')
@minValue(7)
@maxValue(90)
param retentionDays int

@description('Let nobody, not even an owner, end a deleted vault before its days are over. Cannot be taken back.')
param purgeProtection bool

@description('recover: have a deleted vault of this name back, whose name nobody else can use until it is purged.')
@allowed([
  'default'
  'recover'
])
param createMode string

@description('Only private endpoints reach the vault.')
param privateNetwork bool

param workspaceId string

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  // checkov:skip=CKV_AZURE_109: access is by Entra identity and role; privateNetwork closes the network as well
  // checkov:skip=CKV_AZURE_189: as above
  // checkov:skip=CKV_AZURE_110: purgeProtection is the operator's choice: protected, a name is taken for up to 90 days after azd down
  // checkov:skip=CKV_AZURE_42: as above; deleted vaults can be had back for retentionDays either way
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: retentionDays
    // Azure takes true or nothing: false is refused.
    enablePurgeProtection: purgeProtection ? true : null
    createMode: createMode
    publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled'
    networkAcls: {
      defaultAction: privateNetwork ? 'Deny' : 'Allow'
      bypass: 'None'
    }
  }
}

resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'audit'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'AuditEvent'
        enabled: true
      }
    ]
  }
}

output id string = vault.id
output name string = vault.name
output uri string = vault.properties.vaultUri
