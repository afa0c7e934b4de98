//! SCRAM-SHA-256 (RFC 5802 and 7677), without channel binding.

use super::{Fault, Said};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::{digest, hmac, pbkdf2};
use std::num::NonZeroU32;
use zeroize::Zeroizing;

/// The fewest rounds that a server may ask for (RFC 7677 §4); with fewer, what it gets would tell it the password.
const FEWEST_ROUNDS: u32 = 4_096;
/// The most: about half a second of work.
const MOST_ROUNDS: u32 = 600_000;

/// "n": no channel binding, and no user but the one who signs in.
const HEADER: &str = "n,,";

pub(super) struct Scram {
    /// Prepared; wiped when it has served.
    password: Zeroizing<String>,
    nonce: String,
    /// `n=user,r=nonce`.
    bare: Zeroizing<String>,
    state: State,
}

enum State {
    Begin,
    /// The first message was said.
    Asked,
    /// The proof was given; this is what the server must answer with.
    Proved {
        server: hmac::Tag,
    },
    /// The server has proved that it knows the password.
    Done,
}

/// A nonce: printable, without a comma, 144 bits.
pub(super) fn nonce() -> Result<String, Fault> {
    let mut bytes = [0; 18];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes)
        .map_err(|_| Fault::NoRandomness)?;
    Ok(STANDARD.encode(bytes))
}

impl Scram {
    /// Fails where user or password hold a character that SASLprep (RFC 4013) forbids.
    pub fn new(user: &str, password: &str, nonce: String) -> Result<Self, Fault> {
        let prepared = |text| stringprep::saslprep(text).map_err(|_| Fault::Unsendable);
        let user = prepared(user)?.replace('=', "=3D").replace(',', "=2C");
        let password = Zeroizing::new(prepared(password)?.into_owned());
        let bare = Zeroizing::new(format!("n={user},r={nonce}"));
        Ok(Self { password, nonce, bare, state: State::Begin })
    }

    pub fn first(&mut self) -> Option<Said> {
        if !matches!(self.state, State::Begin) {
            return None;
        }
        self.state = State::Asked;
        Some(Zeroizing::new(format!("{HEADER}{}", self.bare.as_str()).into_bytes()))
    }

    pub fn answer(&mut self, challenge: &[u8]) -> Result<Said, Fault> {
        let text = std::str::from_utf8(challenge).map_err(|_| Fault::Malformed)?;
        match &self.state {
            State::Begin => Err(Fault::Malformed),
            State::Asked => self.prove(text),
            State::Proved { server } => {
                let verifier = attribute(text.split(',').next(), "v=")?;
                let verifier = STANDARD.decode(verifier).map_err(|_| Fault::Malformed)?;
                // Of constant time is not needed: it is the server's own word, told once.
                if verifier != server.as_ref() {
                    return Err(Fault::Unproven);
                }
                self.state = State::Done;
                Ok(Said::default())
            }
            State::Done => Err(Fault::TooManySteps),
        }
    }

    /// The answer to the server's first message: the proof.
    fn prove(&mut self, text: &str) -> Result<Said, Fault> {
        let mut parts = text.split(',');
        // A server that demands an extension begins with `m=` and cannot be served.
        let nonce = attribute(parts.next(), "r=")?;
        let salt = STANDARD.decode(attribute(parts.next(), "s=")?).map_err(|_| Fault::Malformed)?;
        let rounds: u32 = attribute(parts.next(), "i=")?.parse().map_err(|_| Fault::Malformed)?;
        let is_ours = nonce.len() > self.nonce.len() && nonce.starts_with(&self.nonce);
        if !is_ours || salt.is_empty() || !(FEWEST_ROUNDS..=MOST_ROUNDS).contains(&rounds) {
            return Err(Fault::Malformed);
        }
        let rounds = NonZeroU32::new(rounds).ok_or(Fault::Malformed)?;
        let mut salted = Zeroizing::new([0; digest::SHA256_OUTPUT_LEN]);
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, self.password.as_bytes(), &mut *salted);
        let sign = |key: &[u8], text: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text);
        let client_key = sign(&*salted, b"Client Key");
        let stored_key = digest::digest(&digest::SHA256, client_key.as_ref());
        let without_proof = format!("c={},r={nonce}", STANDARD.encode(HEADER));
        let message = Zeroizing::new(format!("{},{text},{without_proof}", self.bare.as_str()));
        let signature = sign(stored_key.as_ref(), message.as_bytes());
        let proof: Zeroizing<Vec<u8>> =
            Zeroizing::new(client_key.as_ref().iter().zip(signature.as_ref()).map(|(a, b)| a ^ b).collect());
        let server_key = sign(&*salted, b"Server Key");
        let server = sign(server_key.as_ref(), message.as_bytes());
        self.password = Zeroizing::default();
        self.state = State::Proved { server };
        Ok(Zeroizing::new(format!("{without_proof},p={}", STANDARD.encode(&*proof)).into_bytes()))
    }

    pub fn has_answered(&self) -> bool {
        matches!(self.state, State::Proved { .. } | State::Done)
    }

    pub fn is_proven(&self) -> bool {
        matches!(self.state, State::Done)
    }
}

fn attribute<'a>(part: Option<&'a str>, name: &str) -> Result<&'a str, Fault> {
    part.and_then(|part| part.strip_prefix(name)).ok_or(Fault::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: &str = "rOprNGfwEbeRWgbNEkqO";
    const FIRST: &str =
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    fn asked() -> Scram {
        let mut scram = Scram::new("user", "pencil", NONCE.to_owned()).unwrap();
        assert_eq!(&**scram.first().unwrap(), b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        scram
    }

    #[test]
    fn the_exchange_of_rfc_7677_comes_out() {
        let mut scram = asked();
        let proof = scram.answer(FIRST.as_bytes()).unwrap();
        assert_eq!(
            std::str::from_utf8(&proof).unwrap(),
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert!(scram.has_answered() && !scram.is_proven());
        let last = scram.answer(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").unwrap();
        assert!(last.is_empty() && scram.is_proven());
        assert_eq!(scram.answer(b"").unwrap_err(), Fault::TooManySteps);
    }

    #[test]
    fn a_server_that_does_not_know_the_password_is_found_out() {
        let mut scram = asked();
        scram.answer(FIRST.as_bytes()).unwrap();
        let forged = b"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
        assert_eq!(scram.answer(forged).unwrap_err(), Fault::Unproven);
        assert!(!scram.is_proven());
    }

    #[test]
    fn a_bad_first_message_gets_no_proof() {
        for bad in [
            "",
            "r=another-nonce,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "m=x,r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "r=rOprNGfwEbeRWgbNEkqOx,s=,i=4096",
            "r=rOprNGfwEbeRWgbNEkqOx,s=!,i=4096",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=1",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=4294967295",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=-5",
            "e=other-error",
        ] {
            let mut scram = asked();
            assert_eq!(scram.answer(bad.as_bytes()).unwrap_err(), Fault::Malformed, "{bad}");
            assert!(!scram.has_answered());
        }
        let mut scram = asked();
        assert_eq!(scram.answer(b"\xff").unwrap_err(), Fault::Malformed);
    }

    #[test]
    fn names_are_prepared_and_escaped() {
        // RFC 4013 §3: the soft hyphen goes, and a compatibility character becomes the plain one.
        let mut scram = Scram::new("I\u{ad}X=,\u{2168}", "x", "n".to_owned()).unwrap();
        assert_eq!(&**scram.first().unwrap(), b"n,,n=IX=3D=2CIX,r=n");
        assert!(Scram::new("a", "\u{7}", "n".to_owned()).is_err());
        let (one, other) = (nonce().unwrap(), nonce().unwrap());
        assert!(one != other && !one.contains(',') && one.len() == 24);
    }
}
