//! The production transport: one reqwest client for every service.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use azure_core::http::HttpClient;

/// How long a TCP and TLS handshake may take, in real seconds; the exchange as a whole is timed by `Http`.
const CONNECT: Duration = Duration::from_secs(10);

/// The client for all services: rustls, the platform's certificate authorities and those of a PEM file
/// (`SSL_CERT_FILE`) besides; follows no redirect, as each would carry a token elsewhere; uses no proxy from the
/// environment, as the managed-identity endpoint and the emulated clouds are on this machine.
///
/// # Errors
/// One sentence that names the file, if it cannot be read as PEM.
pub fn transport(extra_ca: Option<&Path>) -> Result<Arc<dyn HttpClient>, String> {
    let mut builder = reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .user_agent(concat!("aiven-azure-peering/", env!("CARGO_PKG_VERSION")));
    if let Some(path) = extra_ca {
        builder = builder.tls_certs_merge(certificates(path)?);
    }
    let client = builder.build().map_err(|e| format!("cannot set up TLS: {e}"))?;
    Ok(Arc::new(client))
}

fn certificates(path: &Path) -> Result<Vec<reqwest::Certificate>, String> {
    let wrong = |why: &str| format!("SSL_CERT_FILE {} {why}", path.display());
    let pem = std::fs::read(path).map_err(|e| wrong(&format!("cannot be read: {e}")))?;
    let certificates = reqwest::Certificate::from_pem_bundle(&pem).map_err(|e| wrong(&format!("is not PEM: {e}")))?;
    if certificates.is_empty() { Err(wrong("holds no certificate")) } else { Ok(certificates) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_certificate_file_is_named() {
        let error = transport(Some(Path::new("/nowhere/ca.pem"))).unwrap_err();
        assert!(error.starts_with("SSL_CERT_FILE /nowhere/ca.pem cannot be read"), "{error}");
        assert!(transport(None).is_ok());
    }
}
