//! The calls on a VPC: read it, add a connection, change its ranges, delete one, ask for a refresh.

use std::sync::atomic::Ordering;

use azure_core::http::Method;
use serde_json::{Value, json};

use super::errors::{is_route_unknown, is_token_refused, said};
use super::routes::{Route, path};
use super::wire::{WireConnection, WireVpc};
use super::{Aiven, Connection, NewConnection, Vpc};
use crate::cloud::entra::Token;
use crate::cloud::http::{Call, Reply, address};
use crate::cloud::{Failure, Service};
use crate::peering::VpcRef;

impl Aiven {
    /// A VPC and all its connections, in one call.
    pub async fn vpc(&self, vpc: &VpcRef) -> Result<Vpc, Failure> {
        let (call, reply) = self.exchange(vpc, Route::Vpc, Method::Get, None).await?;
        Ok(reply.json::<WireVpc>(&call)?.into())
    }

    /// Adds a connection. For one that exists already Aiven answers as if it were new, and may revive a failed one: look first.
    ///
    /// The answer is incomplete: read the VPC for what to act on.
    pub async fn create_connection(&self, vpc: &VpcRef, new: &NewConnection) -> Result<Option<Connection>, Failure> {
        let (_, reply) = self.exchange(vpc, Route::Connections, Method::Post, Some(&body(new))).await?;
        Ok(serde_json::from_value::<WireConnection>(reply.value()).ok().map(Into::into))
    }

    /// Starts to delete a connection: an organization's by its id, a project's by its network, as Aiven spelled both.
    ///
    /// # Errors
    /// Also 404: it is not there any more.
    pub async fn delete_connection(&self, vpc: &VpcRef, connection: &Connection) -> Result<(), Failure> {
        self.exchange(vpc, Route::Connection(connection), Method::Delete, None).await.map(drop)
    }

    /// Changes the ranges beyond the network's own that Aiven routes to a connection. Of those to delete, only what the connection
    /// has is named: Aiven deletes by the range alone, whosever it is. Nothing is sent where nothing is left to change.
    pub async fn set_cidrs(
        &self,
        vpc: &VpcRef,
        connection: &Connection,
        add: &[String],
        delete: &[String],
    ) -> Result<(), Failure> {
        let body = cidrs(connection, add, delete);
        if body.as_object().is_some_and(serde_json::Map::is_empty) {
            return Ok(());
        }
        self.exchange(vpc, Route::Cidrs(connection), Method::Put, Some(&body)).await.map(drop)
    }

    /// Asks Aiven to look at the other halves now. A courtesy that may be refused or vanish: let no failure of it matter.
    pub async fn refresh(&self, vpc: &VpcRef) -> Result<(), Failure> {
        self.exchange(vpc, Route::Refresh, Method::Post, None).await.map(drop)
    }

    /// Sends in the dialect that answered last; where that route is unknown, in the other (a refused route did nothing).
    async fn exchange(
        &self,
        vpc: &VpcRef,
        route: Route<'_>,
        method: Method,
        body: Option<&Value>,
    ) -> Result<(Call, Reply), Failure> {
        let plural = self.plural.load(Ordering::Relaxed);
        let (call, reply) = self.send(vpc, route, method, body, plural).await?;
        if !(is_route_unknown(&reply) && matches!(vpc, VpcRef::Organization { .. })) {
            return self.checked(call, reply);
        }
        let (other, other_reply) = self.send(vpc, route, method, body, !plural).await?;
        if is_route_unknown(&other_reply) {
            return self.checked(call, reply);
        }
        self.plural.store(!plural, Ordering::Relaxed);
        self.checked(other, other_reply)
    }

    async fn send(
        &self,
        vpc: &VpcRef,
        route: Route<'_>,
        method: Method,
        body: Option<&Value>,
        plural: bool,
    ) -> Result<(Call, Reply), Failure> {
        let segments = path(vpc, route, plural).ok_or_else(|| nameless(vpc, method))?;
        self.send_to(&segments, method, body).await
    }

    /// One call whose path has no dialects.
    pub(super) async fn simple(
        &self,
        segments: &[String],
        method: Method,
        body: Option<&Value>,
    ) -> Result<(Call, Reply), Failure> {
        let (call, reply) = self.send_to(segments, method, body).await?;
        self.checked(call, reply)
    }

    async fn send_to(
        &self,
        segments: &[String],
        method: Method,
        body: Option<&Value>,
    ) -> Result<(Call, Reply), Failure> {
        let token = self.tokens.current().await?;
        let (call, reply) = self.send_as(&token, segments, method, body).await?;
        if !is_token_refused(&reply) {
            return Ok((call, reply));
        }
        // It may have been replaced and revoked since it was read. What was refused had no effect.
        match self.tokens.instead_of(&token).await {
            Some(newer) => self.send_as(&newer, segments, method, body).await,
            None => Ok((call, reply)),
        }
    }

    async fn send_as(
        &self,
        token: &Token,
        segments: &[String],
        method: Method,
        body: Option<&Value>,
    ) -> Result<(Call, Reply), Failure> {
        let url = address(&self.base, segments.iter().map(String::as_str));
        let mut call = Call::new(Service::Aiven, method, url).token("authorization", "aivenv1", token.clone());
        call = match (body, method) {
            (Some(body), _) => call.json(body),
            // Without a length some servers refuse a POST (RFC 9110 §8.6), and the transport sends none for an empty body.
            (None, Method::Post) => call.header("content-length", "0"),
            (None, _) => call,
        };
        let reply = self.http.send(&call).await?;
        Ok((call, reply))
    }

    /// A success, unless the status or the body says otherwise (avn takes a top-level `error` for a failure).
    fn checked(&self, call: Call, reply: Reply) -> Result<(Call, Reply), Failure> {
        let said_so = reply.value().get("error").is_some_and(|error| !error.is_null());
        if reply.is_success() && !said_so {
            Ok((call, reply))
        } else {
            let failure = self.http.failure(&call, &reply, said(&reply));
            Err(Failure { secret: self.tokens.secret().map(Box::new), ..failure })
        }
    }
}

fn body(new: &NewConnection) -> Value {
    let mut body = json!({
        "peer_cloud_account": new.vnet.subscription,
        "peer_resource_group": new.vnet.resource_group_lower(),
        "peer_vpc": new.vnet.name_lower(),
        "peer_azure_app_id": new.app_id,
        "peer_azure_tenant_id": new.tenant_id,
    });
    if !new.user_peer_network_cidrs.is_empty() {
        body["user_peer_network_cidrs"] = json!(new.user_peer_network_cidrs);
    }
    body
}

/// Each range with its network's whole name, which one dialect wants and the other does not mind.
fn cidrs(connection: &Connection, add: &[String], delete: &[String]) -> Value {
    let has = |cidr: &&String| connection.user_peer_network_cidrs.contains(*cidr);
    let add: Vec<Value> = add.iter().filter(|cidr| !has(cidr)).map(|cidr| range(connection, cidr)).collect();
    let delete: Vec<&String> = delete.iter().filter(has).collect();
    let mut body = json!({});
    if !add.is_empty() {
        body["add"] = json!(add);
    }
    if !delete.is_empty() {
        body["delete"] = json!(delete);
    }
    body
}

fn range(connection: &Connection, cidr: &str) -> Value {
    json!({
        "cidr": cidr,
        "peer_cloud_account": connection.subscription,
        "peer_resource_group": connection.resource_group,
        "peer_vpc": connection.vnet,
    })
}

fn nameless(vpc: &VpcRef, method: Method) -> Failure {
    Failure {
        service: Service::Aiven,
        call: format!("{} a connection of {vpc}", method.as_str()).into(),
        status: None,
        code: crate::cloud::http::code::UNREADABLE.to_owned(),
        message: "Aiven listed this connection without the id or resource group that its path needs".to_owned(),
        retry_after: None,
        correlation: None,
        secret: None,
    }
}
