//! Access tokens: minting them in JWT shape, and knowing them again.

use super::clock;
use super::world::World;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// What a token says about its bearer.
#[derive(Debug)]
pub(crate) struct Claims {
    pub(crate) tenant: String,
    pub(crate) audience: String,
    pub(crate) issuer: String,
    pub(crate) app_id: String,
    pub(crate) object_id: String,
    pub(crate) expires: Timestamp,
}

/// The tokens minted so far; one that is not here was not signed by us.
#[derive(Default)]
pub(crate) struct Tokens {
    known: HashMap<String, Arc<Claims>>,
    /// Managed-identity tokens by client and resource: the platform caches them.
    pub(crate) cached: BTreeMap<(String, String), String>,
}

impl Tokens {
    pub(crate) fn claims(&self, token: &str) -> Option<Arc<Claims>> {
        self.known.get(token).cloned()
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.known.keys().cloned().collect()
    }
}

/// Two spellings of one audience: `https://x//` is `https://x`.
pub(crate) fn normal(audience: &str) -> String {
    audience.trim_end_matches('/').to_ascii_lowercase()
}

impl World {
    /// Mints a token; `life` is nominal. The issuer is as Entra's for the resource's token version.
    pub(crate) fn mint(
        &mut self,
        tenant: &str,
        audience: &str,
        app_id: &str,
        object_id: &str,
        life: Duration,
    ) -> (String, Timestamp) {
        let issuer = if normal(audience) == "api://azureadtokenexchange" {
            format!("{}/{tenant}/v2.0", self.urls.entra)
        } else {
            format!("https://sts.windows.net/{tenant}/")
        };
        let now = self.now();
        let expires = self.clock.due(now, life);
        let body = json!({
            "aud": audience, "iss": issuer, "iat": now.as_second(), "nbf": now.as_second(),
            "exp": whole_seconds(expires), "appid": app_id, "azp": app_id, "idtyp": "app", "oid": object_id,
            "sub": object_id, "tid": tenant, "jti": clock::uuid(), "ver": "1.0"
        });
        let token = assemble(&body);
        let claims = Claims {
            tenant: tenant.to_owned(),
            audience: normal(audience),
            issuer,
            app_id: app_id.to_owned(),
            object_id: object_id.to_owned(),
            expires,
        };
        self.tokens.known.insert(token.clone(), Arc::new(claims));
        (token, expires)
    }
}

/// Rounded up, so that a scaled-down lifetime is never zero.
pub(crate) fn whole_seconds(at: Timestamp) -> i64 {
    at.as_second() + i64::from(at.subsec_nanosecond() > 0)
}

fn assemble(body: &Value) -> String {
    let header = json!({"typ": "JWT", "alg": "RS256", "kid": "emulated"});
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", part(&header), part(body), clock::random_text())
}
