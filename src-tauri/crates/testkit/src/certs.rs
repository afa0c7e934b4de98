//! A certificate authority of our own, and the certificates a client must refuse.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, Error, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Signs certificates. Nobody trusts it who was not given its [`Authority::pem`].
pub struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// A new authority with a new key.
    pub fn new() -> Result<Self, Error> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, "Threadline test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate()?;
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { pem, issuer: Issuer::new(params, key) })
    }

    /// The authority's own certificate.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for these names (DNS names or IP addresses), valid from 2020 to 2090.
    pub fn issue(&self, names: &[&str]) -> Result<Identity, Error> {
        self.sign(leaf(names, 2020, 2090)?)
    }

    /// A certificate that ended in 2021.
    pub fn issue_expired(&self, names: &[&str]) -> Result<Identity, Error> {
        self.sign(leaf(names, 2020, 2021)?)
    }

    /// A certificate that begins in 2089.
    pub fn issue_future(&self, names: &[&str]) -> Result<Identity, Error> {
        self.sign(leaf(names, 2089, 2090)?)
    }

    fn sign(&self, params: CertificateParams) -> Result<Identity, Error> {
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Identity::new(certificate.der().clone(), &key))
    }
}

fn leaf(names: &[&str], from: i32, to: i32) -> Result<CertificateParams, Error> {
    let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "Threadline test server");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
    Ok(params)
}

/// A certificate that signs itself. With `authority`, it says that it is one, as openssl makes them.
pub fn self_signed(names: &[&str], authority: bool) -> Result<Identity, Error> {
    let mut params = leaf(names, 2020, 2090)?;
    if authority {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok(Identity::new(certificate.der().clone(), &key))
}

/// What a server shows, and its key.
#[derive(Clone)]
pub struct Identity {
    certificate: CertificateDer<'static>,
    key: Vec<u8>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("sha256", &self.sha256()).finish_non_exhaustive()
    }
}

impl Identity {
    fn new(certificate: CertificateDer<'static>, key: &KeyPair) -> Self {
        Self { certificate, key: key.serialize_der() }
    }

    /// Certificate and key as PEM (RFC 7468).
    pub fn pem(&self) -> (String, String) {
        (armour("CERTIFICATE", &self.certificate), armour("PRIVATE KEY", &self.key))
    }

    /// SHA-256 of the certificate, 64 hexadecimal digits.
    pub fn sha256(&self) -> String {
        Sha256::digest(&self.certificate).iter().map(|b| format!("{b:02x}")).collect()
    }

    /// The same certificate in front of a key that is not its own.
    pub fn with_key_of(&self, other: &Identity) -> Identity {
        Identity { certificate: self.certificate.clone(), key: other.key.clone() }
    }

    /// TLS settings for a server, TLS 1.2 and 1.3.
    pub fn server_config(&self) -> Result<Arc<ServerConfig>, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()));
        // Not `with_single_cert`: it would refuse a certificate in front of another one's key.
        let signer = rustls::crypto::ring::sign::any_supported_type(&key)?;
        let certified = rustls::sign::CertifiedKey::new(vec![self.certificate.clone()], signer);
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(certified)));
        Ok(Arc::new(config))
    }
}

fn armour(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let begin = std::iter::once(format!("-----BEGIN {label}-----\n").into());
    begin
        .chain(lines.map(|line| format!("{line}\n").into()))
        .chain(std::iter::once(format!("-----END {label}-----\n").into()))
        .collect::<Vec<std::borrow::Cow<'_, str>>>()
        .concat()
}
