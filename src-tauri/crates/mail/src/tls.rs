//! Whom to trust, and what a failed handshake means. There is no switch that accepts anything.

use crate::certificate::Certificate;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use rustls_platform_verifier::Verifier;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use threadline_core::reason::TlsFault;

/// Trust beside the operating system's own, each entry for one host. Host names are compared without case, without
/// brackets and without a dot at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    hosts: BTreeMap<String, HostTrust>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct HostTrust {
    authorities: Vec<CertificateDer<'static>>,
    fingerprints: Vec<Fingerprint>,
}

/// SHA-256 of a certificate in DER.
pub type Fingerprint = [u8; 32];

/// Why a set of trust cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    #[error("the certificate for {host} cannot be read: give the authority's certificate as a PEM file")]
    BadPem { host: String },
    #[error("the fingerprint for {host} is not 64 hexadecimal digits: give the certificate's SHA-256")]
    BadFingerprint { host: String },
    #[error("the certificates of this computer cannot be read ({0}): install its package of CA certificates")]
    System(TlsError),
}

impl Trust {
    /// Trusts the authorities in `pem` (one or more certificates) for this host alone.
    pub fn add_authority(&mut self, host: &str, pem: &str) -> Result<(), TrustError> {
        let bad = || TrustError::BadPem { host: host.to_owned() };
        let mut read = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            read.push(certificate.map_err(|_| bad())?);
        }
        // A certificate that no verifier could take is refused here, where the person can still mend it.
        let mut roots = rustls::RootCertStore::empty();
        for certificate in &read {
            roots.add(certificate.clone()).map_err(|_| bad())?;
        }
        if read.is_empty() {
            return Err(bad());
        }
        self.entry(host).authorities.append(&mut read);
        Ok(())
    }

    /// Takes exactly the certificate with this SHA-256 for this host (hexadecimal, colons and spaces allowed), and
    /// no other as long as the pin stands. Its name and dates are not looked at: the pin says all.
    pub fn pin(&mut self, host: &str, sha256: &str) -> Result<(), TrustError> {
        let bad = || TrustError::BadFingerprint { host: host.to_owned() };
        let digits: Vec<u8> = sha256
            .chars()
            .filter(|c| !matches!(c, ':' | ' '))
            .map(|c| c.to_digit(16).map(|d| d as u8).ok_or_else(bad))
            .collect::<Result<_, _>>()?;
        let bytes: Vec<u8> =
            digits.chunks(2).map(|pair| pair.iter().fold(0, |sum, d| sum << 4 | d)).collect();
        match Fingerprint::try_from(bytes) {
            Ok(fingerprint) if digits.len() == 64 => self.entry(host).fingerprints.push(fingerprint),
            _ => return Err(bad()),
        }
        Ok(())
    }

    fn entry(&mut self, host: &str) -> &mut HostTrust {
        self.hosts.entry(bare(host).to_ascii_lowercase()).or_default()
    }

    fn of(&self, host: &str) -> HostTrust {
        self.hosts.get(&bare(host).to_ascii_lowercase()).cloned().unwrap_or_default()
    }
}

/// A host as certificates name it: without the brackets of an IPv6 address and the dot of the root.
pub(crate) fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches([']', '.'])
}

/// What a connection to one host needs.
pub(crate) struct ForHost {
    pub config: Arc<ClientConfig>,
    /// Holds what the server showed, where that was not trusted.
    pub presented: Presented,
}

/// The TLS settings for one host: TLS 1.2 or 1.3 with ring, certificates checked by the platform and [`Trust`].
/// Reads the system's certificates, some milliseconds.
pub(crate) fn client_config(trust: &Trust, host: &str) -> Result<ForHost, TrustError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let HostTrust { authorities, fingerprints } = trust.of(host);
    let verifier: Arc<dyn ServerCertVerifier> = if fingerprints.is_empty() {
        Arc::new(
            Verifier::new_with_extra_roots(authorities, Arc::clone(&provider)).map_err(TrustError::System)?,
        )
    } else {
        Arc::new(Pinned { fingerprints, provider: Arc::clone(&provider) })
    };
    let presented = Presented::default();
    let verifier = Arc::new(Noting { verifier, presented: presented.clone() });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TrustError::System)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(ForHost { config: Arc::new(config), presented })
}

/// The certificate that was refused last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Presented(Arc<Mutex<Option<Certificate>>>);

impl Presented {
    /// Takes it out.
    pub fn take(&self) -> Option<Certificate> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Leaves the judgement to another verifier, and keeps what that one refused: so a person can see it.
#[derive(Debug)]
struct Noting {
    verifier: Arc<dyn ServerCertVerifier>,
    presented: Presented,
}

impl ServerCertVerifier for Noting {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let verdict =
            self.verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        if verdict.is_err() {
            let mut seen = self.presented.0.lock().unwrap_or_else(PoisonError::into_inner);
            *seen = Certificate::read(end_entity);
        }
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.verifier.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.verifier.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

/// Takes certificates by fingerprint; that the server holds the key is checked as always.
#[derive(Debug)]
struct Pinned {
    fingerprints: Vec<Fingerprint>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let seen: Fingerprint = Sha256::digest(end_entity.as_ref()).into();
        if self.fingerprints.contains(&seen) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(TlsError::InvalidCertificate(CertificateError::UnknownIssuer))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What a TLS error inside an I/O error means; none where the I/O error is of another kind.
pub fn fault(err: &io::Error) -> Option<TlsFault> {
    let mut source: Option<&(dyn std::error::Error + 'static)> = err.get_ref().map(|e| e as _);
    while let Some(error) = source {
        if let Some(tls) = error.downcast_ref::<TlsError>() {
            return Some(fault_of(tls));
        }
        source = error.source();
    }
    None
}

fn fault_of(err: &TlsError) -> TlsFault {
    match err {
        TlsError::InvalidMessage(_) => TlsFault::NotTls,
        TlsError::InvalidCertificate(certificate) => match certificate {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                TlsFault::NameMismatch
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsFault::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                TlsFault::NotYetValid
            }
            CertificateError::Revoked => TlsFault::Revoked,
            // A verifier of a platform has faults of its own (a weak key, a usage, an authority that it blocks):
            // what they share is that the certificate is not trusted.
            _ => TlsFault::UnknownIssuer,
        },
        TlsError::NoCertificatesPresented => TlsFault::UnknownIssuer,
        _ => TlsFault::Other,
    }
}
