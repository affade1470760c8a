//! Where Aiven's API token comes from: the vault's secret or, on a developer's machine, a setting.

use std::str::FromStr;

use secrecy::SecretString;
use url::Url;

use super::endpoints::is_loopback;

/// Where Aiven's API token comes from.
#[derive(Debug, Clone)]
pub enum AivenToken {
    /// Nowhere. The app starts all the same, and reports what is missing.
    NotSet,
    /// `AIVEN_TOKEN`
    Text(SecretString),
    /// `AIVEN_TOKEN_SECRET`
    Secret(SecretUrl),
}

/// A secret of a vault, as Key Vault names it: `https://<vault>.vault.azure.net/secrets/<name>[/<version>]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretUrl {
    /// The vault's address.
    pub vault: Url,
    /// The secret's name.
    pub name: String,
    /// A version that the app stays with; `None`: the newest, so that a rotation takes effect.
    pub version: Option<String>,
}

/// What the name of every vault in the public cloud ends in.
const SUFFIX: &str = ".vault.azure.net";

impl FromStr for SecretUrl {
    type Err = String;

    /// The error does not repeat the text: it may be the token, in the wrong setting.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("{why}; it should read https://<vault>{SUFFIX}/secrets/<name>");
        let mut url = Url::parse(text).map_err(|_| wrong("it is not a URL"))?;
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("it holds more than the address of a secret"));
        }
        if !is_vault(&url) {
            return Err(wrong("it is not at a vault of Azure's public cloud, over https"));
        }
        let path = url.path().trim_end_matches('/').to_owned();
        let (name, version) = match path.split('/').collect::<Vec<_>>()[..] {
            ["", "secrets", name] => (name, None),
            ["", "secrets", name, version] => (name, Some(version)),
            _ => return Err(wrong("its path is not that of a secret")),
        };
        if ![Some(name), version].into_iter().flatten().all(is_name) {
            return Err(wrong("its path names no secret"));
        }
        let (name, version) = (name.to_owned(), version.map(str::to_owned));
        url.set_path("");
        Ok(Self { vault: url, name, version })
    }
}

/// A vault of the public cloud, or one on this machine: a token for vaults goes nowhere else.
fn is_vault(url: &Url) -> bool {
    let name = url.host_str().and_then(|host| host.strip_suffix(SUFFIX));
    let public = name.is_some_and(|name| !name.is_empty() && !name.contains('.'));
    (public && url.scheme() == "https" && url.port().is_none())
        || (is_loopback(url) && matches!(url.scheme(), "https" | "http"))
}

/// `[0-9A-Za-z-]{1,127}` (Key Vault: about keys, secrets and certificates).
fn is_name(text: &str) -> bool {
    (1..=127).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// Whether a setting holds a Key Vault reference that the platform did not replace by the secret's value.
pub(super) fn is_unresolved(text: &str) -> bool {
    let start = "@Microsoft.KeyVault(";
    text.get(..start.len()).is_some_and(|text| text.eq_ignore_ascii_case(start))
}

/// A token as a setting holds it.
pub(super) struct Token(pub(super) SecretString);

impl FromStr for Token {
    type Err = &'static str;

    /// The error must not repeat the text.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err("it holds blanks or control characters");
        }
        Ok(Self(SecretString::from(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<SecretUrl, String> {
        text.parse()
    }

    #[test]
    fn a_secret_is_named_with_or_without_a_version() {
        let url = parse("https://Peering-KV.vault.azure.net/secrets/aiven-token").unwrap();
        assert_eq!((url.vault.as_str(), url.name.as_str()), ("https://peering-kv.vault.azure.net/", "aiven-token"));
        assert_eq!(url.version, None);
        // As the portal and Key Vault references write it.
        assert_eq!(parse("https://peering-kv.vault.azure.net/secrets/aiven-token/"), Ok(url));
        let pinned = parse("https://v.vault.azure.net/secrets/t/0123456789abcdef0123456789abcdef").unwrap();
        assert_eq!(pinned.version.as_deref(), Some("0123456789abcdef0123456789abcdef"));
        assert_eq!(parse("http://127.0.0.1:8443/secrets/t").unwrap().vault.as_str(), "http://127.0.0.1:8443/");
    }

    #[test]
    fn what_is_not_the_address_of_a_secret_is_refused_and_not_repeated() {
        for (text, why) in [
            ("AVNS_canary", "not a URL"),
            ("http://canary.vault.azure.net/secrets/t", "over https"),
            ("https://canary.example.com/secrets/t", "public cloud"),
            ("https://canary.vault.azure.net.example.com/secrets/t", "public cloud"),
            ("https://vault.azure.net/secrets/canary", "public cloud"),
            ("https://a.canary.vault.azure.net/secrets/t", "public cloud"),
            ("https://canary.vault.azure.net:8443/secrets/t", "public cloud"),
            ("https://me:canary@v.vault.azure.net/secrets/t", "more than"),
            ("https://v.vault.azure.net/secrets/t?x=canary", "more than"),
            ("https://v.vault.azure.net/secrets/t#canary", "more than"),
            ("https://v.vault.azure.net/keys/canary", "path"),
            ("https://v.vault.azure.net/secrets", "path"),
            ("https://v.vault.azure.net/secrets/canary/1/2", "path"),
            ("https://v.vault.azure.net/secrets/canary_x", "names no secret"),
            ("https://v.vault.azure.net/secrets/canary%2Fx", "names no secret"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(why) && !error.contains("canary"), "{text}: {error}");
        }
    }
}
