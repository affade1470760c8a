//! Tables: list them and read all their entities; writing is left to the product.

use reqwest::Method;
use serde_json::{Map, Value};

use super::client::{Account, Answer, Call, StorageError, encode};

/// An entity as the service returns it without metadata: property name to JSON value.
pub type Entity = Map<String, Value>;

impl Account {
    /// Names of all tables.
    ///
    /// # Errors
    /// When storage refuses or does not answer.
    pub async fn list_tables(&self) -> Result<Vec<String>, StorageError> {
        let answer = self.table_call("/Tables".to_owned(), Vec::new()).await?;
        let tables = values(&answer, "list tables")?;
        Ok(tables.iter().filter_map(|table| table["TableName"].as_str().map(str::to_owned)).collect())
    }

    /// All entities of a table, page by page; empty if there is no such table.
    ///
    /// # Errors
    /// When storage refuses or does not answer.
    pub async fn entities(&self, table: &str) -> Result<Vec<Entity>, StorageError> {
        let mut entities = Vec::new();
        let mut next: Vec<(&str, String)> = Vec::new();
        loop {
            let answer = match self.table_call(format!("/{}()", encode(table)), next).await {
                Ok(answer) => answer,
                Err(error) if error.status() == Some(404) => return Ok(entities),
                Err(error) => return Err(error),
            };
            entities.extend(values(&answer, "query entities")?.into_iter().filter_map(|row| match row {
                Value::Object(entity) => Some(entity),
                _ => None,
            }));
            next = continuation(&answer);
            if next.is_empty() {
                return Ok(entities);
            }
        }
    }

    async fn table_call(&self, path: String, query: Vec<(&str, String)>) -> Result<Answer, StorageError> {
        let headers = vec![
            ("accept", "application/json;odata=nometadata".to_owned()),
            ("dataserviceversion", "3.0;NetFx".to_owned()),
        ];
        self.send(Call { method: Method::GET, base: &self.table, path, query, headers, body: Vec::new(), table: true })
            .await
    }
}

fn continuation(answer: &Answer) -> Vec<(&'static str, String)> {
    [("NextPartitionKey", "x-ms-continuation-nextpartitionkey"), ("NextRowKey", "x-ms-continuation-nextrowkey")]
        .into_iter()
        .filter_map(|(parameter, header)| Some((parameter, answer.header(header)?)))
        .collect()
}

fn values(answer: &Answer, operation: &str) -> Result<Vec<Value>, StorageError> {
    let mut body: Value =
        serde_json::from_slice(&answer.body).map_err(|error| StorageError::malformed(operation, error.to_string()))?;
    match body["value"].take() {
        Value::Array(values) => Ok(values),
        _ => Err(StorageError::malformed(operation, "the answer has no value array")),
    }
}
