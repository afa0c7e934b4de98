//! What a server showed of itself, for a person to judge.

use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use threadline_core::envelope::clean;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Most characters kept of a name in a certificate.
const MOST_NAME: usize = 300;

/// A certificate (RFC 5280) that was not trusted. Its names are only claims: the fingerprint is what counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Cleaned, at most 300 characters.
    pub subject: String,
    /// As the subject.
    pub issuer: String,
    pub begins: Timestamp,
    pub expires: Timestamp,
    /// SHA-256 of the certificate in DER, 64 hexadecimal digits in lower case.
    pub fingerprint: String,
}

impl Certificate {
    /// `None` where it cannot be read.
    pub(crate) fn read(der: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        Some(Self {
            subject: clean(&certificate.subject().to_string(), MOST_NAME),
            issuer: clean(&certificate.issuer().to_string(), MOST_NAME),
            begins: Timestamp::from_second(certificate.validity().not_before.timestamp()).ok()?,
            expires: Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()?,
            fingerprint: Sha256::digest(der).iter().map(|b| format!("{b:02x}")).collect(),
        })
    }
}
