//! The relay's certificate. It signs itself: a mail program is told once to trust it, by its fingerprint.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Days that a certificate counts: Apple takes none of more than 825.
const DAYS: i32 = 820;
/// The names in it.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// A certificate cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("The relay's certificate cannot be made: {0}. Try again.")]
    Making(#[from] rcgen::Error),
    #[error(
        "The relay's certificate cannot be used: {0}. Make a new one with `threadline relay certificate --new`."
    )]
    Using(#[from] rustls::Error),
    #[error(
        "What the keychain holds as the relay's certificate is damaged. Make a new one with `threadline relay certificate --new`."
    )]
    Damaged,
}

/// A certificate and its key.
#[derive(Clone)]
pub struct Identity {
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
    /// The day on which it ends.
    ends: Date,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("fingerprint", &self.fingerprint()).finish_non_exhaustive()
    }
}

impl Identity {
    /// A new one, from yesterday on.
    pub fn make(now: Timestamp) -> Result<Self, IdentityError> {
        let today = now.to_zoned(TimeZone::UTC).date();
        let begins = today.saturating_sub(1.day());
        let ends = begins.saturating_add(DAYS.days());
        let mut params = CertificateParams::new(NAMES.map(str::to_owned).to_vec())?;
        params.distinguished_name.push(DnType::CommonName, "Threadline on this computer");
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let [from, until] = [begins, ends].map(|date| {
            date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs())
        });
        (params.not_before, params.not_after) = (from, until);
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?.der().to_vec();
        Ok(Self { certificate, key: Zeroizing::new(key.serialize_der()), ends })
    }

    /// What a keychain holds of it.
    pub fn to_text(&self) -> Zeroizing<String> {
        let [certificate, key] = [&self.certificate, &*self.key].map(|der| encode(der));
        Zeroizing::new(format!("{} {} {}", self.ends, *certificate, *key))
    }

    pub fn from_text(text: &str) -> Result<Self, IdentityError> {
        let mut words = text.split(' ');
        let mut word = || words.next().ok_or(IdentityError::Damaged);
        let ends = word()?.parse().map_err(|_| IdentityError::Damaged)?;
        let certificate = decode(word()?)?.to_vec();
        let key = decode(word()?)?;
        Ok(Self { certificate, key, ends })
    }

    /// SHA-256 of the certificate: 64 hexadecimal digits in upper case, pairs divided by colons, as mail programs show it.
    pub fn fingerprint(&self) -> String {
        let pairs: Vec<String> =
            Sha256::digest(&self.certificate).iter().map(|b| format!("{b:02X}")).collect();
        pairs.join(":")
    }

    /// The certificate as PEM (RFC 7468), for mail programs and systems that take a file.
    pub fn pem(&self) -> String {
        let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
        for line in encode(&self.certificate).as_bytes().chunks(64) {
            // Writing to a string does not fail.
            let _ = writeln!(pem, "{}", String::from_utf8_lossy(line));
        }
        pem + "-----END CERTIFICATE-----\n"
    }

    /// The first day on which it does not count any more.
    pub fn ends(&self) -> Date {
        self.ends
    }

    pub fn is_over(&self, now: Timestamp) -> bool {
        now.to_zoned(TimeZone::UTC).date() >= self.ends
    }

    /// For a server: TLS 1.2 and 1.3.
    pub fn server_config(&self) -> Result<Arc<ServerConfig>, IdentityError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.to_vec()));
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![CertificateDer::from(self.certificate.clone())], key)?;
        Ok(Arc::new(config))
    }
}

fn encode(der: &[u8]) -> Zeroizing<String> {
    use base64::Engine as _;
    Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(der))
}

fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>, IdentityError> {
    use base64::Engine as _;
    let der = base64::engine::general_purpose::STANDARD.decode(text).map_err(|_| IdentityError::Damaged)?;
    Ok(Zeroizing::new(der))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn it_survives_its_stored_form_and_serves() {
        let made = Identity::make(at("2026-11-25T02:00:00Z")).unwrap();
        let text = made.to_text();
        assert!(text.len() < 2_560, "{} bytes", text.len());
        let read = Identity::from_text(&text).unwrap();
        assert_eq!((read.fingerprint(), read.ends()), (made.fingerprint(), made.ends()));
        assert_eq!(read.fingerprint().len(), 95);
        read.server_config().unwrap();
        assert!(read.pem().starts_with("-----BEGIN CERTIFICATE-----\n"));
        let shown = format!("{made:?}");
        assert!(shown.contains("fingerprint") && !shown.contains(&*encode(&made.key)), "{shown}");
    }

    #[test]
    fn it_counts_for_820_days() {
        let made = Identity::make(at("2026-11-25T02:00:00Z")).unwrap();
        assert_eq!(made.ends().to_string(), "2029-02-21");
        assert!(!made.is_over(at("2029-02-20T23:59:59Z")));
        assert!(made.is_over(at("2029-02-21T00:00:00Z")));
    }

    #[test]
    fn what_is_damaged_is_told() {
        for text in ["", "x", "2029-02-21 !! !!", "2029-02-21 AAAA"] {
            assert!(matches!(Identity::from_text(text), Err(IdentityError::Damaged)), "{text:?}");
        }
        let nonsense = Identity::from_text("2029-02-21 AAAA AAAA").unwrap();
        assert!(matches!(nonsense.server_config(), Err(IdentityError::Using(_))));
    }
}
