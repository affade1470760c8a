metadata description = 'Workbook of the peerings; its content is the file beside this one.'

@description('Title.')
param displayName string

@description('Region.')
param location string

@description('Tags.')
param tags { *: string }

@description('Component that the workbook belongs to.')
param componentId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'aiven-azure-peering', 'workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: displayName
    category: 'workbook'
    version: 'Notebook/1.0'
    sourceId: componentId
    serializedData: loadTextContent('workbook.json')
  }
}
