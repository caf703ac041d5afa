// Tells the operators when a month is going to cost more than was meant. A budget stops nothing.
targetScope = 'subscription'

@description('Name of the environment: one budget for each.')
param environmentName string

@description('Resource groups whose cost counts.')
param resourceGroupNames array

@description('Address that is told.')
param alertEmail string

@description('What a month may cost, in the currency of the subscription.')
@minValue(1)
param monthlyAmount int

@description('First day of the month in which the budget starts, as 2026-11-01. Azure lets nobody change it later.')
@minLength(10)
param startDate string

resource budget 'Microsoft.Consumption/budgets@2024-08-01' = {
  name: 'budget-${environmentName}'
  properties: {
    category: 'Cost'
    amount: monthlyAmount
    timeGrain: 'Monthly'
    timePeriod: {
      startDate: startDate
    }
    filter: {
      dimensions: {
        name: 'ResourceGroupName'
        operator: 'In'
        values: resourceGroupNames
      }
    }
    notifications: {
      spent80Percent: {
        enabled: true
        operator: 'GreaterThanOrEqualTo'
        threshold: 80
        thresholdType: 'Actual'
        contactEmails: [
          alertEmail
        ]
      }
      forecast100Percent: {
        enabled: true
        operator: 'GreaterThanOrEqualTo'
        threshold: 100
        thresholdType: 'Forecasted'
        contactEmails: [
          alertEmail
        ]
      }
    }
  }
}
