// The queues between the routes and the orchestrations. Entra identities only; there are no shared access keys.
// Network rules and own encryption keys exist in the Premium tier only, at some seventy times the price.
param token string
param location string
param tags object

resource namespace 'Microsoft.ServiceBus/namespaces@2024-01-01' = {
  name: 'sb-${token}'
  location: location
  tags: tags
  sku: {
    name: 'Standard'
    tier: 'Standard'
  }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
  }
}

// Asks for the consolidation of a run. A consolidation claims its rows, so a repeated message changes nothing.
resource consolidate 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = {
  parent: namespace
  name: 'consolidate'
  properties: {
    lockDuration: 'PT5M'
    maxDeliveryCount: 3
    defaultMessageTimeToLive: 'P1D'
    deadLetteringOnMessageExpiration: true
  }
}

// Accepted deployments. The message id is the deployment's id, so the broker drops what a retrying sender repeats.
resource deployments 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = {
  parent: namespace
  name: 'deployments'
  properties: {
    lockDuration: 'PT1M'
    maxDeliveryCount: 3
    defaultMessageTimeToLive: 'PT1H'
    deadLetteringOnMessageExpiration: true
    requiresDuplicateDetection: true
    duplicateDetectionHistoryTimeWindow: 'PT1H'
  }
}

// What became of mails that Communication Services delivered. An event is known by its id, so a repeat changes nothing.
resource mailEvents 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = {
  parent: namespace
  name: 'mail-events'
  properties: {
    lockDuration: 'PT1M'
    maxDeliveryCount: 10
    defaultMessageTimeToLive: 'P1D'
    deadLetteringOnMessageExpiration: true
  }
}

// Files that were dropped into the papers' inbox. A version of a file is taken in once, so a repeat changes nothing.
resource papers 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = {
  parent: namespace
  name: 'papers'
  properties: {
    lockDuration: 'PT1M'
    maxDeliveryCount: 10
    defaultMessageTimeToLive: 'P1D'
    deadLetteringOnMessageExpiration: true
  }
}

output id string = namespace.id
output mailEventsName string = mailEvents.name
output papersName string = papers.name
output name string = namespace.name
output hostName string = '${namespace.name}.servicebus.windows.net'
