// The app's secrets. A value comes from the one who provisions (azd resolves it from its own vault) and is read by the
// app through a Key Vault reference; it is in no app setting, output or history.
param vaultName string

@secure()
@minLength(32)
param adminApiKey string
@secure()
@minLength(1)
param nivodaPassword string
@secure()
@minLength(1)
param brilliantApiKey string
@secure()
@minLength(1)
param resendApiKey string
@description('Address of an incoming webhook that alerts are also posted to; unset: none.')
@secure()
@minLength(1)
param alertWebhookUrl string
@description('JSON {client: secret} of the clients that sign their requests; unset: none does.')
@secure()
@minLength(1)
param hmacSecrets string
@description('Sign the tokens of the auth cache\'s users; unset: nobody can log in.')
@secure()
@minLength(1)
param authcacheJwtKeys string
@description('Signs the tokens of the follow-ups\' agents; unset: no agent can sign in.')
@secure()
@minLength(1)
param followupsJwtSecret string
@secure()
@minLength(1)
param sesSecretAccessKey string
@description('Checks the events of Resend; unset: none is taken.')
@secure()
@minLength(1)
param resendWebhookSecret string
@description('Key of the API of the model that writes; unset: the app\'s identity.')
@secure()
@minLength(1)
param followupsModelKey string

@description('Key of the API of embeddings; unset: the app\'s identity.')
@secure()
@minLength(1)
param papersOpenaiKey string

@description('When the secrets expire: the reminder to rotate them. Key Vault keeps serving an expired secret to the app.')
param expiresAt string = dateTimeAdd(utcNow(), 'P1Y')

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: vaultName
}

resource adminApiKeySecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'admin-api-key'
  properties: {
    value: adminApiKey
    contentType: 'text/plain'
    attributes: {
      exp: dateTimeToEpoch(expiresAt)
    }
  }
}

resource nivodaPasswordSecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'nivoda-password'
  properties: {
    value: nivodaPassword
    contentType: 'text/plain'
    attributes: {
      exp: dateTimeToEpoch(expiresAt)
    }
  }
}

resource brilliantApiKeySecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'brilliant-api-key'
  properties: {
    value: brilliantApiKey
    contentType: 'text/plain'
    attributes: {
      exp: dateTimeToEpoch(expiresAt)
    }
  }
}

resource resendApiKeySecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'resend-api-key'
  properties: {
    value: resendApiKey
    contentType: 'text/plain'
    attributes: {
      exp: dateTimeToEpoch(expiresAt)
    }
  }
}

resource alertWebhookUrlSecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'alert-webhook-url'
  properties: {
    value: alertWebhookUrl
    contentType: 'text/plain'
    attributes: {
      exp: dateTimeToEpoch(expiresAt)
    }
  }
}

resource hmacSecretsSecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'hmac-secrets'
  properties: {
    value: hmacSecrets == 'unset' ? '{}' : hmacSecrets
    contentType: 'application/json'
    attributes: {
      exp: dateTimeToEpoch(expiresAt)
    }
  }
}

resource followupsJwtSecretSecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'followups-jwt-secret'
  properties: {
    value: followupsJwtSecret
    contentType: 'text/plain'
    attributes: {
      exp: dateTimeToEpoch(expiresAt)
    }
  }
}

resource authcacheJwtKeysSecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'authcache-jwt-keys'
  properties: {
    value: authcacheJwtKeys
    contentType: 'text/plain'
    attributes: {
      exp: dateTimeToEpoch(expiresAt)
    }
  }
}

resource sesKeySecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'ses-secret-access-key'
  properties: {
    value: sesSecretAccessKey
    contentType: 'text/plain'
    attributes: {
      exp: dateTimeToEpoch(expiresAt)
    }
  }
}

resource resendWebhookSecretSecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'resend-webhook-secret'
  properties: {
    value: resendWebhookSecret
    contentType: 'text/plain'
    attributes: {
      exp: dateTimeToEpoch(expiresAt)
    }
  }
}

resource papersOpenaiKeySecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'papers-openai-key'
  properties: {
    value: papersOpenaiKey
    contentType: 'text/plain'
    attributes: {
      exp: dateTimeToEpoch(expiresAt)
    }
  }
}

resource followupsModelKeySecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'followups-model-key'
  properties: {
    value: followupsModelKey
    contentType: 'text/plain'
    attributes: {
      exp: dateTimeToEpoch(expiresAt)
    }
  }
}

// A reference names no version, so that a rotated secret is taken up within a day without a deployment.
output adminApiKeyUri string = '${vault.properties.vaultUri}secrets/${adminApiKeySecret.name}'
output nivodaSecretUri string = '${vault.properties.vaultUri}secrets/${nivodaPasswordSecret.name}'
output brilliantApiKeyUri string = '${vault.properties.vaultUri}secrets/${brilliantApiKeySecret.name}'
output resendApiKeyUri string = '${vault.properties.vaultUri}secrets/${resendApiKeySecret.name}'
output alertWebhookUrlUri string = '${vault.properties.vaultUri}secrets/${alertWebhookUrlSecret.name}'
output hmacSecretsUri string = '${vault.properties.vaultUri}secrets/${hmacSecretsSecret.name}'
output authcacheJwtKeysUri string = '${vault.properties.vaultUri}secrets/${authcacheJwtKeysSecret.name}'
output followupsJwtSecretUri string = '${vault.properties.vaultUri}secrets/${followupsJwtSecretSecret.name}'
output sesKeyUri string = '${vault.properties.vaultUri}secrets/${sesKeySecret.name}'
output resendWebhookSecretUri string = '${vault.properties.vaultUri}secrets/${resendWebhookSecretSecret.name}'
output papersOpenaiKeyUri string = '${vault.properties.vaultUri}secrets/${papersOpenaiKeySecret.name}'
output followupsModelKeyUri string = '${vault.properties.vaultUri}secrets/${followupsModelKeySecret.name}'
