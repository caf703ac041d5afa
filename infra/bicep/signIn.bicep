// Lets operators sign in with Entra in front of the app. Every route stays open to who brings a key or a signature: the
// app itself asks whether whoever is signed in has the role. There is no client secret: the app's identity vouches for it.
param appName string

@description('Client id of the registration in Entra.')
param clientId string

resource app 'Microsoft.Web/sites@2024-11-01' existing = {
  name: appName
}

resource signIn 'Microsoft.Web/sites/config@2024-11-01' = {
  // checkov:skip=CKV_AZURE_13: checkov takes this for a site, not for a part of its configuration; and it switches the sign-in on
  // checkov:skip=CKV_AZURE_63: checkov takes this for a site; see functionApp.bicep
  // checkov:skip=CKV_AZURE_65: checkov takes this for a site; see functionApp.bicep
  // checkov:skip=CKV_AZURE_66: checkov takes this for a site; see functionApp.bicep
  // checkov:skip=CKV_AZURE_80: checkov takes this for a site; see functionApp.bicep
  // checkov:skip=CKV_AZURE_88: checkov takes this for a site; see functionApp.bicep
  // checkov:skip=CKV_AZURE_222: checkov takes this for a site; see functionApp.bicep
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: {
      enabled: true
    }
    globalValidation: {
      requireAuthentication: false
      unauthenticatedClientAction: 'AllowAnonymous'
    }
    httpSettings: {
      requireHttps: true
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: clientId
          clientSecretSettingName: 'OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID'
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [
            clientId
            'api://${clientId}'
          ]
        }
      }
    }
    login: {
      cookieExpiration: {
        convention: 'FixedTime'
        timeToExpiration: '08:00:00'
      }
      tokenStore: {
        enabled: false
      }
    }
  }
}
