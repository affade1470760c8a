//! What ARM checks of a token before it looks at anything else.

use super::Caller;
use super::errors::error;
use crate::clouds::http::{Answer, Reply, Request};
use crate::clouds::tokens::{Claims, normal};
use crate::clouds::world::World;
use std::sync::Arc;

/// The caller, if its token is ours, for ARM, unexpired, and of the subscription's tenant.
pub(super) fn caller(world: &World, request: &Request, subscription: Option<&str>) -> Answer<Caller> {
    let tenant = subscription.and_then(|s| world.subscription(s)).map(|s| s.tenant.as_str());
    let Some(token) = request.bearer() else {
        let text = "Authentication failed. The 'Authorization' header is missing.";
        return Err(challenge(world, error(401, "AuthenticationFailed", text), tenant));
    };
    let claims = valid(world, token).map_err(|refusal| challenge(world, refusal, tenant))?;
    if let Some(tenant) = tenant.filter(|t| *t != claims.tenant) {
        let text = format!(
            "The access token is from the wrong issuer 'https://sts.windows.net/{}/'. It must match the tenant \
             'https://sts.windows.net/{tenant}/' associated with this subscription. Please use the authority (URL) \
             'https://login.windows.net/{tenant}' to get the token. Note, if the subscription is transferred to \
             another tenant there is no impact to the services, but information about new tenant could take time to \
             propagate (up to an hour). If you just transferred your subscription and see this error message, please \
             try back later.",
            claims.tenant
        );
        return Err(challenge(world, error(401, "InvalidAuthenticationTokenTenant", &text), Some(tenant)));
    }
    Ok(Caller { app_id: claims.app_id.clone(), object_id: claims.object_id.clone(), tenant: claims.tenant.clone() })
}

/// A token's claims, or the 401 that ARM answers.
pub(super) fn valid(world: &World, token: &str) -> Answer<Arc<Claims>> {
    let Some(claims) = world.tokens.claims(token) else {
        return Err(error(401, "InvalidAuthenticationToken", "The access token is invalid."));
    };
    let audiences = [
        normal(&world.urls.arm),
        "https://management.azure.com".to_owned(),
        "https://management.core.windows.net".to_owned(),
    ];
    if !audiences.contains(&claims.audience) {
        let text = format!(
            "The access token has been obtained for wrong audience or resource '{}'. It should exactly match with one \
             of the allowed audiences '{}','https://management.core.windows.net/','https://management.azure.com/'.",
            claims.audience, world.urls.arm
        );
        return Err(error(401, "InvalidAuthenticationToken", &text));
    }
    if claims.expires <= world.now() {
        let text = format!(
            "The access token expiry UTC time '{}' is earlier than current UTC time '{}'.",
            claims.expires,
            world.now()
        );
        return Err(error(401, "ExpiredAuthenticationToken", &text));
    }
    Ok(claims)
}

/// A 401 names the tenant of the subscription: that is how clients discover it.
fn challenge(world: &World, refusal: Reply, tenant: Option<&str>) -> Reply {
    let tenant = tenant.unwrap_or("common");
    let value = format!(
        "Bearer authorization_uri=\"{}/{tenant}\", error=\"invalid_token\", error_description=\"The access token is \
         missing or invalid.\"",
        world.urls.entra
    );
    refusal.with("WWW-Authenticate", value)
}
