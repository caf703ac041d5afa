// Azure Communication Services, which deliver the follow-ups where they are asked to. What became of each mail Event Grid
// tells into a queue, as itself: no webhook and no key is public.
param token string
param tags object

@description('azure: a domain of Azure\'s own, 5 mails a minute and 10 an hour, never more; else the name of your domain.')
param mailDomain string

@description('Whether your domain has passed its verification: only then can it be linked, and mails be sent.')
param verified bool

@description('Where mails are kept, for ever: Europe, United States and others.')
param dataLocation string

@description('Object id of the app.')
param appPrincipalId string
param serviceBusName string
param eventsQueueName string

var ofAzure = mailDomain == 'azure'
var communicationAndEmailServiceOwner = '09976791-48a7-449e-bb21-39d1a415f350'
var serviceBusDataSender = '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39'

resource email 'Microsoft.Communication/emailServices@2025-05-01' = {
  name: 'email-${token}'
  location: 'global'
  tags: tags
  properties: {
    dataLocation: dataLocation
  }
}

resource domain 'Microsoft.Communication/emailServices/domains@2025-05-01' = {
  parent: email
  name: ofAzure ? 'AzureManagedDomain' : mailDomain
  location: 'global'
  tags: tags
  properties: {
    domainManagement: ofAzure ? 'AzureManaged' : 'CustomerManaged'
    // Opens never steer the cadence, so that no pixel is needed.
    userEngagementTracking: 'Disabled'
  }
}

// A domain of Azure's own has the sender DoNotReply and takes no other.
resource sender 'Microsoft.Communication/emailServices/domains/senderUsernames@2025-05-01' = if (!ofAzure) {
  parent: domain
  name: 'followups'
  properties: {
    username: 'followups'
    displayName: 'Follow-ups'
  }
}

resource service 'Microsoft.Communication/communicationServices@2025-05-01' = {
  name: 'acs-${token}'
  location: 'global'
  tags: tags
  properties: {
    dataLocation: dataLocation
    disableLocalAuth: true
    publicNetworkAccess: 'Enabled'
    linkedDomains: ofAzure || verified ? [
      domain.id
    ] : []
  }
}

resource appOnService 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: service
  name: guid(service.id, appPrincipalId, communicationAndEmailServiceOwner)
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', communicationAndEmailServiceOwner)
  }
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: 'evgt-mail-${token}'
  location: 'global'
  tags: tags
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    source: service.id
    topicType: 'Microsoft.Communication.CommunicationServices'
  }
}

resource serviceBus 'Microsoft.ServiceBus/namespaces@2024-01-01' existing = {
  name: serviceBusName
}

resource eventsQueue 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' existing = {
  parent: serviceBus
  name: eventsQueueName
}

resource topicOnQueue 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: eventsQueue
  name: guid(eventsQueue.id, topic.id, serviceBusDataSender)
  properties: {
    principalId: topic.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', serviceBusDataSender)
  }
}

resource events 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'mail-events'
  dependsOn: [
    topicOnQueue
  ]
  properties: {
    deliveryWithResourceIdentity: {
      identity: {
        type: 'SystemAssigned'
      }
      destination: {
        endpointType: 'ServiceBusQueue'
        properties: {
          resourceId: eventsQueue.id
        }
      }
    }
    eventDeliverySchema: 'EventGridSchema'
    filter: {
      includedEventTypes: [
        'Microsoft.Communication.EmailDeliveryReportReceived'
        'Microsoft.Communication.EmailEngagementTrackingReportReceived'
      ]
    }
  }
}

@description('What to enter at the DNS of your domain before it can be verified; none of a domain of Azure\'s own.')
output verificationRecords object = !ofAzure ? domain.properties.verificationRecords : {}
output endpoint string = 'https://${service.properties.hostName}'
output senderAddress string = ofAzure ? 'DoNotReply@${domain.properties.mailFromSenderDomain}' : 'followups@${mailDomain}'
