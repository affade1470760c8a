//! Table Storage over HTTP, on azure_core's pipeline: identity or key, no hidden retries, errors told apart.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::http::headers::{ETAG, HeaderName};
use azure_core::http::policies::Policy;
use azure_core::http::{ClientOptions, Context, Method, Pipeline, PipelineSendOptions, RawResponse, Request};
use serde_json::{Value as Json, json};
use url::Url;

use super::batch::{self, Part};
use super::{Continuation, Entity, Etag, Op, Page, Query, Tables, wire};
use crate::storage::StoreError;
use crate::storage::attempt::{Attempts, Effect, refused, unanswered};
use crate::storage::limits::{check_entity, check_keys, check_transaction, row_name, table_name};

/// The first version that takes Entra tokens for tables ("Versioning for Azure Storage").
const VERSION: &str = "2020-12-06";
const MINIMAL: &str = "application/json;odata=minimalmetadata";

/// The tables of an account.
pub(in crate::storage) struct AzureTables {
    url: Url,
    pipeline: Pipeline,
    attempts: Attempts,
}

impl fmt::Debug for AzureTables {
    /// Where it is is enough; the pipeline would fill a page.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AzureTables({})", self.url)
    }
}

/// One request; `what` names the row or table for people, `table` the table for a 404 that means the table.
struct Call<'a> {
    method: Method,
    url: String,
    headers: Vec<(&'static str, String)>,
    body: String,
    effect: Effect,
    table: &'a str,
    what: String,
}

impl AzureTables {
    /// `options` bring the transport; `authorization` signs each try.
    pub(in crate::storage) fn new(
        url: Url,
        options: ClientOptions,
        authorization: Arc<dyn Policy>,
        attempts: Attempts,
    ) -> Self {
        let name = option_env!("CARGO_PKG_NAME");
        let pipeline =
            Pipeline::new(name, option_env!("CARGO_PKG_VERSION"), options, Vec::new(), vec![authorization], None);
        Self { url, pipeline, attempts }
    }

    fn table_url(&self, rest: &str) -> String {
        format!("{}/{rest}", self.url.as_str().trim_end_matches('/'))
    }

    fn row_url(&self, table: &str, partition: &str, row: &str) -> String {
        let key = |key: &str| encoded(&key.replace('\'', "''"));
        self.table_url(&format!("{table}(PartitionKey='{}',RowKey='{}')", key(partition), key(row)))
    }

    /// A call about one row.
    fn on_row<'a>(&self, method: Method, table: &'a str, partition: &str, row: &str, effect: Effect) -> Call<'a> {
        let (url, what) = (self.row_url(table, partition, row), row_name(table, partition, row));
        Call { method, url, headers: Vec::new(), body: String::new(), effect, table, what }
    }

    /// A call about a table.
    fn on_table<'a>(&self, method: Method, table: &'a str, rest: &str, effect: Effect) -> Call<'a> {
        let (url, what) = (self.table_url(rest), table_name(table));
        Call { method, url, headers: Vec::new(), body: String::new(), effect, table, what }
    }

    async fn send(&self, call: Call<'_>) -> Result<RawResponse, StoreError> {
        self.attempts.run(call.effect, &call.what, || self.send_once(&call)).await
    }

    async fn send_once(&self, call: &Call<'_>) -> Result<RawResponse, StoreError> {
        let url = Url::parse(&call.url).map_err(|error| StoreError::invalid(&call.what, error.to_string()))?;
        let mut request = Request::new(url, call.method);
        request.insert_header("accept", MINIMAL);
        request.insert_header("dataserviceversion", "3.0");
        request.insert_header("maxdataserviceversion", "3.0;NetFx");
        request.insert_header("x-ms-version", VERSION);
        if !call.body.is_empty() {
            request.insert_header("content-type", "application/json");
            request.set_body(call.body.clone().into_bytes());
        }
        for (name, value) in &call.headers {
            request.insert_header(*name, value.clone());
        }
        // The service's codes are where azure_core does not look for them, so its checks are skipped.
        let options = PipelineSendOptions { skip_checks: true, ..PipelineSendOptions::default() };
        let answer = self.pipeline.send(&Context::new(), &mut request, Some(options)).await;
        let answer = answer.map_err(|error| unanswered(&call.what, call.effect, &error))?;
        let status = u16::from(answer.status());
        if (200..300).contains(&status) { Ok(answer) } else { Err(call.refusal(status, answer.body().as_ref())) }
    }

    async fn write(&self, mut call: Call<'_>, entity: &Entity, if_match: Option<&Etag>) -> Result<Etag, StoreError> {
        check_entity(call.table, entity)?;
        call.body = wire::encode(entity);
        call.headers = vec![("prefer", "return-no-content".to_owned())];
        call.headers.extend(if_match.map(|etag| ("if-match", etag.as_str().to_owned())));
        let what = call.what.clone();
        let answer = self.send(call).await?;
        header(&answer, &ETAG).map(Etag::new).ok_or_else(|| unreadable(what, "the answer has no ETag"))
    }

    fn part(&self, table: &str, op: &Op) -> Part {
        let (partition, row) = op.keys();
        let (method, if_match) = match op {
            Op::Insert(_) => ("POST", None),
            Op::Replace(_, etag) => ("PUT", Some(etag.as_str())),
            Op::Upsert(_) => ("PUT", None),
            Op::Delete { etag, .. } => ("DELETE", Some(etag.as_ref().map_or("*", Etag::as_str))),
        };
        let (url, body) = match op {
            Op::Insert(entity) => (self.table_url(table), wire::encode(entity)),
            Op::Replace(entity, _) | Op::Upsert(entity) => (self.row_url(table, partition, row), wire::encode(entity)),
            Op::Delete { .. } => (self.row_url(table, partition, row), String::new()),
        };
        let mut headers = vec![("Accept", MINIMAL.to_owned()), ("DataServiceVersion", "3.0".to_owned())];
        if !body.is_empty() {
            headers
                .extend([("Content-Type", "application/json".to_owned()), ("Prefer", "return-no-content".to_owned())]);
        }
        headers.extend(if_match.map(|etag| ("If-Match", etag.to_owned())));
        Part { method, url, headers, body }
    }
}

impl Call<'_> {
    fn refusal(&self, status: u16, body: &[u8]) -> StoreError {
        let (code, message) = wire::error_of(body);
        let what = if code == "TableNotFound" { table_name(self.table) } else { self.what.clone() };
        refused(what, self.effect, status, code, &message)
    }
}

#[async_trait]
impl Tables for AzureTables {
    async fn create_table_if_missing(&self, table: &str) -> Result<(), StoreError> {
        let mut call = self.on_table(Method::Post, table, "Tables", Effect::Repeatable);
        call.body = json!({ "TableName": table }).to_string();
        call.headers = vec![("prefer", "return-no-content".to_owned())];
        match self.send(call).await {
            Err(StoreError::Other { code, .. }) if code == "TableAlreadyExists" => Ok(()),
            other => other.map(drop),
        }
    }

    async fn get(&self, table: &str, partition: &str, row: &str) -> Result<Option<Entity>, StoreError> {
        check_keys(table, partition, row)?;
        let what = row_name(table, partition, row);
        match self.send(self.on_row(Method::Get, table, partition, row, Effect::Read)).await {
            Ok(answer) => decode_row(json_of(&answer), &what).map(Some),
            Err(StoreError::NotFound { what: missing, .. }) if missing == what => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn insert(&self, table: &str, entity: &Entity) -> Result<Etag, StoreError> {
        let mut call = self.on_table(Method::Post, table, table, Effect::Once);
        call.what = row_name(table, &entity.partition, &entity.row);
        self.write(call, entity, None).await
    }

    async fn replace(&self, table: &str, entity: &Entity, etag: &Etag) -> Result<Etag, StoreError> {
        let call = self.on_row(Method::Put, table, &entity.partition, &entity.row, Effect::Once);
        self.write(call, entity, Some(etag)).await
    }

    async fn upsert(&self, table: &str, entity: &Entity) -> Result<Etag, StoreError> {
        let call = self.on_row(Method::Put, table, &entity.partition, &entity.row, Effect::Repeatable);
        self.write(call, entity, None).await
    }

    async fn delete(&self, table: &str, partition: &str, row: &str, etag: Option<&Etag>) -> Result<(), StoreError> {
        check_keys(table, partition, row)?;
        let effect = if etag.is_some() { Effect::Once } else { Effect::Repeatable };
        let mut call = self.on_row(Method::Delete, table, partition, row, effect);
        call.headers = vec![("if-match", etag.map_or("*", Etag::as_str).to_owned())];
        self.send(call).await.map(drop)
    }

    async fn transact(&self, table: &str, ops: Vec<Op>) -> Result<Vec<Option<Etag>>, StoreError> {
        check_transaction(table, &ops)?;
        let mut call = self.on_table(Method::Post, table, "$batch", Effect::Once);
        call.headers = vec![("content-type", batch::content_type())];
        call.body = batch::encode(&ops.iter().map(|op| self.part(table, op)).collect::<Vec<_>>());
        let answer = self.send(call).await?;
        let answers = batch::decode(&String::from_utf8_lossy(answer.body().as_ref()));
        if let Some(failed) = answers.iter().find(|answer| !(200..300).contains(&answer.status)) {
            return Err(failed_transaction(table, &ops, failed));
        }
        if answers.len() != ops.len() {
            return Err(unreadable(table_name(table), "a transaction has not as many answers as operations"));
        }
        Ok(answers.into_iter().map(|answer| answer.etag.map(Etag::new)).collect())
    }

    async fn page(&self, table: &str, query: &Query, from: Option<&Continuation>) -> Result<Page, StoreError> {
        let rest = format!("{table}()?{}", query_string(query, from));
        let answer = self.send(self.on_table(Method::Get, table, &rest, Effect::Read)).await?;
        let rows = match json_of(&answer)["value"].take() {
            Json::Array(rows) => rows,
            _ => return Err(unreadable(table_name(table), "a page of rows has no value array")),
        };
        let what = table_name(table);
        let entities = rows.into_iter().map(|row| decode_row(row, &what)).collect::<Result<_, _>>()?;
        let next = |name| header(&answer, &HeaderName::from_static(name));
        let row = next("x-ms-continuation-nextrowkey");
        let next = next("x-ms-continuation-nextpartitionkey").map(|partition| Continuation { partition, row });
        Ok(Page { entities, next })
    }
}

/// The error of the operation that failed a transaction.
fn failed_transaction(table: &str, ops: &[Op], failed: &batch::Answer) -> StoreError {
    let (code, message) = wire::error_of(failed.body.as_bytes());
    let index = batch::failed_op(&message).filter(|&index| index < ops.len());
    let what = match index.filter(|_| code != "TableNotFound") {
        Some(index) => row_name(table, ops[index].keys().0, ops[index].keys().1),
        None => table_name(table),
    };
    let error = refused(what, Effect::Once, failed.status, code, &message);
    index.map_or(error.clone(), |index| error.of_op(index))
}

/// `$filter`, `$select` and the place to go on from.
fn query_string(query: &Query, from: Option<&Continuation>) -> String {
    let mut pairs = Vec::new();
    if let Some(filter) = &query.filter {
        pairs.push(("$filter", filter.to_string()));
    }
    if !query.select.is_empty() {
        pairs.push(("$select", format!("PartitionKey,RowKey,Timestamp,{}", query.select.join(","))));
    }
    if let Some(from) = from {
        pairs.push(("NextPartitionKey", from.partition.clone()));
        pairs.extend(from.row.clone().map(|row| ("NextRowKey", row)));
    }
    pairs.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&")
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn header(answer: &RawResponse, name: &HeaderName) -> Option<String> {
    answer.headers().get_optional_string(name).filter(|value| !value.is_empty())
}

/// The body; null if it is not JSON, which no caller takes for an answer.
fn json_of(answer: &RawResponse) -> Json {
    serde_json::from_slice(answer.body().as_ref()).unwrap_or_default()
}

fn decode_row(row: Json, what: &str) -> Result<Entity, StoreError> {
    wire::decode(row).map_err(|reason| unreadable(what.to_owned(), &reason))
}

/// A success that cannot be understood.
fn unreadable(what: String, reason: &str) -> StoreError {
    let (code, message) = ("UnreadableAnswer".to_owned(), reason.to_owned());
    StoreError::Other { what, status: Some(200), code, message, op: None }
}
