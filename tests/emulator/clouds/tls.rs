//! The clouds' own certificate authority and the server certificate it signs.

use super::Error;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod,
    KeyPair, KeyUsagePurpose,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, version};

/// Makes a CA and a leaf for `localhost` and `127.0.0.1`, writes the CA's PEM into `dir`, and
/// returns the acceptor with the path of that PEM (for `SSL_CERT_FILE`).
pub(crate) fn make(dir: &Path) -> Result<(TlsAcceptor, PathBuf), Error> {
    let authority_key = KeyPair::generate()?;
    let authority = authority()?;
    let pem_path = dir.join("clouds-ca.pem");
    std::fs::write(&pem_path, authority.self_signed(&authority_key)?.pem())?;

    let leaf_key = KeyPair::generate()?;
    let leaf = leaf()?.signed_by(&leaf_key, &Issuer::new(authority, &authority_key))?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])?
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((TlsAcceptor::from(Arc::new(config)), pem_path))
}

fn named(name: &str, mut params: CertificateParams) -> CertificateParams {
    let mut dn = DistinguishedName::new();
    dn.push(DnType::CommonName, name);
    params.distinguished_name = dn;
    params.key_identifier_method = KeyIdMethod::Sha256;
    params
}

fn authority() -> Result<CertificateParams, Error> {
    let mut params = named("Emulated clouds CA", CertificateParams::new(Vec::new())?);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

/// Newer Python verifies strictly: `CA:FALSE`, serverAuth, and both key identifiers.
fn leaf() -> Result<CertificateParams, Error> {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let mut params = named("localhost", CertificateParams::new(names)?);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}
