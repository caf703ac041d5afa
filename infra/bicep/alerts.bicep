// What needs a person. Conditions are those of docs/deploy.md; the queries read the OpenTelemetry tables of the
// workspace. There the host counts an activity as done that answered why it failed for good; the app's own span of it, a
// dependency with the property `step`, is the one that tells.
param token string
param location string
param tags object
param actionGroupId string
param workspaceId string
param serviceBusId string
param postgresId string
@description('How many feeds are read: each has a watermark.')
param feedCount int

// Each query answers one number in the column `Value`; the rule fires when it is on the wrong side of the threshold.
var queries = {
  'worker-errors': {
    title: 'More than 5 % of the ingestion calls of the last hour failed'
    remedy: 'See whether the supplier answers and whether PostgreSQL takes connections: /health/detailed.'
    query: 'AppDependencies | where tostring(Properties.step) == "ingest_pages" | summarize Failed = countif(Success == false), Calls = count() | extend Value = iff(Calls == 0, 0.0, 100.0 * Failed / Calls) | project Value'
    operator: 'GreaterThan'
    threshold: 5
    window: 'PT1H'
    every: 'PT15M'
    severity: 2
  }
  'consolidation-failures': {
    title: 'More than one consolidation failed within a day'
    remedy: 'Read the run at /ops/runs and the pricing rules; then start the consolidation again.'
    query: 'union AppRequests, AppDependencies | where Name has_any ("consolidate_rows", "consolidate_run") and Success == false | summarize Value = dcount(OperationId)'
    operator: 'GreaterThan'
    threshold: 1
    window: 'P1D'
    every: 'PT1H'
    severity: 2
  }
  'api-errors': {
    title: 'More than 1 % of the HTTP answers of the last quarter of an hour were 5xx'
    remedy: 'See /health/detailed, then the failed requests in Application Insights.'
    query: 'AppRequests | where isnotempty(Url) | summarize Failed = countif(toint(ResultCode) >= 500), Calls = count() | extend Value = iff(Calls == 0, 0.0, 100.0 * Failed / Calls) | project Value'
    operator: 'GreaterThan'
    threshold: 1
    window: 'PT15M'
    every: 'PT5M'
    severity: 1
  }
  'watermark-age': {
    title: 'The watermark of a feed has not moved for 48 hours'
    remedy: 'See why the last runs ended at /ops/runs, then start one: POST /api/v2/triggers/scheduler.'
    query: 'AppTraces | where Message == "A watermark has moved." | summarize Value = dcount(tostring(Properties.feed))'
    operator: 'LessThan'
    threshold: feedCount
    window: 'P2D'
    every: 'PT1H'
    severity: 1
  }
  'deployments-failing': {
    title: 'A deployment failed for a reason that its owner cannot mend'
    remedy: 'Read error.code and error.message of the failed deployments on the console, and the table at the end of docs/deploys.md.'
    query: 'AppTraces | where Message == "A deployment has ended." | where tostring(Properties.code) matches regex "^(azure-|vault-|cosmos-|storage-|document-|upload-|log-|source-slow|instance-|environment-|registry-|builds-|settings|no-slot|step-failed|deployment-lost)" | summarize Value = count()'
    operator: 'GreaterThan'
    threshold: 0
    window: 'PT1H'
    every: 'PT15M'
    severity: 2
  }
  'deployments-failed-share': {
    title: 'More than a quarter of the deployments of the last six hours failed, of four at least'
    remedy: 'See on the console which error.code they have in common, and the table at the end of docs/deploys.md.'
    query: 'AppTraces | where Message == "A deployment has ended." | extend Id = tostring(Properties.deployment) | summarize Failed = dcountif(Id, tostring(Properties.status) == "failed"), Ended = dcount(Id) | extend Value = iff(Ended < 4, 0.0, 100.0 * Failed / Ended) | project Value'
    operator: 'GreaterThan'
    threshold: 25
    window: 'PT6H'
    every: 'PT30M'
    severity: 2
  }
  'deployments-slow': {
    title: 'A deployment was at work for more than a quarter of an hour'
    remedy: 'Read in its log which step took so long; then see DEPLOYMENT_TIMEOUT_MS, and ACR Tasks in the portal.'
    query: 'AppTraces | where Message == "A deployment has ended." | summarize Value = countif(todouble(Properties.duration) > 900)'
    operator: 'GreaterThan'
    threshold: 0
    window: 'PT1H'
    every: 'PT15M'
    severity: 3
  }
  'deployments-stuck': {
    title: 'A deployment had lost its orchestration, was not undone, or kept its slot after its end'
    remedy: 'The sweep brings it to an end. If this comes again, read at /ops/runs why its instance failed, and mend that.'
    query: 'AppTraces | where Message in ("A deployment is orphaned: its orchestration does not run.", "A deployment has ended and holds its slot.") | summarize Value = count()'
    operator: 'GreaterThan'
    threshold: 0
    window: 'PT1H'
    every: 'PT15M'
    severity: 2
  }
  'followups-unknown': {
    title: 'Nobody knows whether a follow-up was handed over'
    remedy: 'Look for its Message-ID at the provider and say which, on the console at Follow-ups. It is not sent again.'
    query: 'AppTraces | where Message == "Nobody knows whether a mail was handed over." | summarize Value = dcount(tostring(Properties.email))'
    operator: 'GreaterThan'
    threshold: 0
    window: 'PT1H'
    every: 'PT15M'
    severity: 2
  }
  'followups-failing': {
    title: 'More than 5 % of the steps that hand follow-ups over failed within an hour'
    remedy: 'See whether the provider answers and PostgreSQL takes connections: /health/scheduler and /health/detailed.'
    query: 'AppDependencies | where tostring(Properties.step) == "hand_over_followup" | summarize Failed = countif(Success == false), Calls = count() | extend Value = iff(Calls == 0, 0.0, 100.0 * Failed / Calls) | project Value'
    operator: 'GreaterThan'
    threshold: 5
    window: 'PT1H'
    every: 'PT15M'
    severity: 2
  }
}

resource queryAlerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for alert in items(queries): {
  name: 'alert-${alert.key}-${token}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: alert.value.title
    description: alert.value.remedy
    enabled: true
    severity: alert.value.severity
    scopes: [
      workspaceId
    ]
    evaluationFrequency: alert.value.every
    windowSize: alert.value.window
    autoMitigate: true
    // The tables appear with the first telemetry; until then the query does not compile.
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: alert.value.query
          metricMeasureColumn: 'Value'
          timeAggregation: 'Maximum'
          operator: alert.value.operator
          threshold: alert.value.threshold
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    actions: {
      actionGroups: [
        actionGroupId
      ]
    }
  }
}]

resource deadLetters 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'alert-dead-letters-${token}'
  location: 'global'
  tags: tags
  properties: {
    description: 'A queue holds dead letters: read and resubmit them through /ops.'
    severity: 2
    enabled: true
    scopes: [
      serviceBusId
    ]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'dead-letters'
          criterionType: 'StaticThresholdCriterion'
          metricNamespace: 'Microsoft.ServiceBus/namespaces'
          metricName: 'DeadletteredMessages'
          timeAggregation: 'Maximum'
          operator: 'GreaterThan'
          threshold: 0
          dimensions: [
            {
              name: 'EntityName'
              operator: 'Include'
              values: [
                '*'
              ]
            }
          ]
        }
      ]
    }
    actions: [
      {
        actionGroupId: actionGroupId
      }
    ]
  }
}

resource databaseFull 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'alert-database-storage-${token}'
  location: 'global'
  tags: tags
  properties: {
    description: 'The database has used 85 % of its storage; at 95 % the server turns read-only. See the purge of raw rows.'
    severity: 2
    enabled: true
    scopes: [
      postgresId
    ]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT1H'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'storage'
          criterionType: 'StaticThresholdCriterion'
          metricNamespace: 'Microsoft.DBforPostgreSQL/flexibleServers'
          metricName: 'storage_percent'
          timeAggregation: 'Maximum'
          operator: 'GreaterThan'
          threshold: 85
        }
      ]
    }
    actions: [
      {
        actionGroupId: actionGroupId
      }
    ]
  }
}
