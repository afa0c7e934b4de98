//! SASL (RFC 4422): what is said to sign in, apart from the protocol that carries it.
//!
//! Invariant: what is said here holds secrets, so it is wiped when it is dropped and shown by no `Debug`.

mod bearer;
mod scram;

pub(crate) use bearer::Refusal;

use crate::connect::Server;
use crate::login::{Credential, Login};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// What one side says in one step, not yet in base64.
pub(crate) type Said = Zeroizing<Vec<u8>>;

/// Most challenges that a server may send: the longest exchange, SCRAM, has two and an empty one.
pub(crate) const MOST_CHALLENGES: usize = 4;

/// A way to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mechanism {
    /// RFC 7677: the server never sees the password, and proves that it knows it.
    ScramSha256,
    /// RFC 4616.
    Plain,
    /// Never specified: user name and password, each when it is asked for.
    Login,
    /// Google's and Microsoft's.
    Xoauth2,
    /// RFC 7628.
    OauthBearer,
}

impl Mechanism {
    /// As servers offer it.
    pub fn name(self) -> &'static str {
        match self {
            Mechanism::ScramSha256 => "SCRAM-SHA-256",
            Mechanism::Plain => "PLAIN",
            Mechanism::Login => "LOGIN",
            Mechanism::Xoauth2 => "XOAUTH2",
            Mechanism::OauthBearer => "OAUTHBEARER",
        }
    }

    /// Those that are offered and take this credential, the one to be tried first in front. XOAUTH2 comes before the
    /// standard one because it is what providers describe and every mail program uses.
    pub fn fitting(credential: &Credential, offers: impl Fn(&str) -> bool) -> Vec<Mechanism> {
        let all: &[Mechanism] = match credential {
            Credential::Password(_) => &[Mechanism::ScramSha256, Mechanism::Plain, Mechanism::Login],
            Credential::Token(_) => &[Mechanism::Xoauth2, Mechanism::OauthBearer],
        };
        all.iter().copied().filter(|m| offers(m.name())).collect()
    }
}

/// Why an exchange cannot go on. Holds nothing of what was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("The server's answer during the sign-in cannot be read.")]
    Malformed,
    #[error("The server asks for more steps than this way of signing in has.")]
    TooManySteps,
    #[error("The server did not prove that it knows the password.")]
    Unproven,
    #[error("The user name or the password holds a character that cannot be sent.")]
    Unsendable,
    #[error("The server said that the sign-in is refused, and then that it is not.")]
    Contradiction,
    #[error("This computer gives no random numbers.")]
    NoRandomness,
}

/// One sign-in on its way.
pub(crate) struct Exchange {
    steps: Steps,
    challenges: usize,
    /// What was said, as it went over the wire: a server that repeats it in an answer must not put it into an error.
    on_the_wire: Vec<Zeroizing<String>>,
}

enum Steps {
    /// Everything is said in one message.
    Once(Option<Said>),
    /// One message for each question.
    Asked(std::vec::IntoIter<Said>),
    Scram(scram::Scram),
    Bearer {
        first: Option<Said>,
        to_refusal: &'static [u8],
        refusal: Option<Refusal>,
    },
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exchange").field("challenges", &self.challenges).finish_non_exhaustive()
    }
}

impl Exchange {
    pub fn new(mechanism: Mechanism, login: &Login, server: &Server) -> Result<Self, Fault> {
        let Login { user, credential } = login;
        let secret = credential.text();
        if [user.as_str(), secret].iter().any(|text| text.contains(['\r', '\n', '\0'])) {
            return Err(Fault::Unsendable);
        }
        let said = |text: String| Zeroizing::new(text.into_bytes());
        let bearer = |first, to_refusal| {
            // The token goes into a list whose parts end with this byte, and the name into a header.
            match user.contains('\u{1}') || !bearer::is_token(secret) {
                true => Err(Fault::Unsendable),
                false => Ok(Steps::Bearer { first: Some(first), to_refusal, refusal: None }),
            }
        };
        let steps = match mechanism {
            Mechanism::Plain => Steps::Once(Some(said(format!("\0{user}\0{secret}")))),
            Mechanism::Login => Steps::Asked(vec![said(user.clone()), said(secret.to_owned())].into_iter()),
            Mechanism::ScramSha256 => Steps::Scram(scram::Scram::new(user, secret, scram::nonce()?)?),
            Mechanism::Xoauth2 => bearer(bearer::xoauth2(user, secret), b"")?,
            Mechanism::OauthBearer => bearer(bearer::oauthbearer(user, secret, server), b"\x01")?,
        };
        Ok(Self { steps, challenges: 0, on_the_wire: Vec::new() })
    }

    /// What may be said before the server says anything, in base64; `None` where it asks first.
    pub fn first(&mut self) -> Option<Zeroizing<String>> {
        let said = match &mut self.steps {
            Steps::Once(first) | Steps::Bearer { first, .. } => first.take(),
            Steps::Scram(scram) => scram.first(),
            Steps::Asked(_) => None,
        }?;
        Some(self.encode(&said))
    }

    /// What to say to a challenge; both in base64. Where [`first`](Self::first) was not asked for, it is the answer to
    /// the first challenge, which says nothing.
    pub fn answer(&mut self, challenge: &str) -> Result<Zeroizing<String>, Fault> {
        self.challenges += 1;
        if self.challenges > MOST_CHALLENGES {
            return Err(Fault::TooManySteps);
        }
        if let Some(first) = self.first() {
            return Ok(first);
        }
        let read = || STANDARD.decode(challenge.trim()).map(Zeroizing::new).map_err(|_| Fault::Malformed);
        let said = match &mut self.steps {
            Steps::Once(_) => return Err(Fault::TooManySteps),
            // What it asks with is not looked at: every server has its own words, and some no base64.
            Steps::Asked(left) => left.next().ok_or(Fault::TooManySteps)?,
            Steps::Scram(scram) => scram.answer(&read()?)?,
            Steps::Bearer { refusal: Some(_), .. } => return Err(Fault::TooManySteps),
            Steps::Bearer { to_refusal, refusal, .. } => {
                *refusal = Some(Refusal::read(&read()?));
                Zeroizing::new(to_refusal.to_vec())
            }
        };
        Ok(self.encode(&said))
    }

    fn encode(&mut self, said: &[u8]) -> Zeroizing<String> {
        let text = Zeroizing::new(STANDARD.encode(said));
        if !text.is_empty() {
            self.on_the_wire.push(text.clone());
        }
        text
    }

    /// The server says that the sign-in succeeded; whether that can be.
    pub fn accepted(&self) -> Result<(), Fault> {
        match &self.steps {
            Steps::Scram(scram) if !scram.is_proven() => Err(Fault::Unproven),
            Steps::Bearer { refusal: Some(_), .. } => Err(Fault::Contradiction),
            _ => Ok(()),
        }
    }

    /// Whether the server has got something by which it can judge the password: until then another way may be tried
    /// without counting as a second attempt.
    pub fn is_tested(&self) -> bool {
        match &self.steps {
            Steps::Scram(scram) => scram.has_answered(),
            Steps::Asked(left) => left.len() == 0,
            Steps::Once(first) | Steps::Bearer { first, .. } => first.is_none(),
        }
    }

    /// What a server said of a token before it refused it.
    pub fn refusal(&self) -> Option<&Refusal> {
        match &self.steps {
            Steps::Bearer { refusal, .. } => refusal.as_ref(),
            _ => None,
        }
    }

    /// Whether words repeat something that was said.
    pub fn repeats(&self, words: &str) -> bool {
        self.on_the_wire.iter().any(|said| words.contains(said.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::Security;
    use crate::tls::Trust;

    pub(super) fn server() -> Server {
        Server { host: "imap.x.test".into(), port: 993, security: Security::Tls, trust: Trust::default() }
    }

    fn decode(text: &str) -> String {
        String::from_utf8(STANDARD.decode(text).unwrap()).unwrap()
    }

    fn exchange(mechanism: Mechanism, login: &Login) -> Exchange {
        Exchange::new(mechanism, login, &server()).unwrap()
    }

    #[test]
    fn plain_is_said_once_whether_asked_for_or_not() {
        let login = Login::password("jörg", "pä\"ss".to_owned());
        let mut at_once = exchange(Mechanism::Plain, &login);
        assert!(!at_once.is_tested());
        assert_eq!(decode(&at_once.first().unwrap()), "\0jörg\0pä\"ss");
        assert!(at_once.is_tested());
        assert_eq!(at_once.answer("").unwrap_err(), Fault::TooManySteps);
        let mut asked = exchange(Mechanism::Plain, &login);
        let said = asked.answer("").unwrap();
        assert_eq!(decode(&said), "\0jörg\0pä\"ss");
        assert!(asked.repeats(&format!("bad command {}", said.as_str())));
        assert!(!asked.repeats("bad command"));
    }

    #[test]
    fn login_answers_in_its_order_whatever_it_is_asked() {
        let mut exchange = exchange(Mechanism::Login, &Login::password("ann", "secret".to_owned()));
        assert!(exchange.first().is_none());
        assert_eq!(decode(&exchange.answer("VXNlcm5hbWU6").unwrap()), "ann");
        assert!(!exchange.is_tested());
        assert_eq!(decode(&exchange.answer("Kennwort, bitte").unwrap()), "secret");
        assert!(exchange.is_tested() && exchange.accepted().is_ok());
        assert_eq!(exchange.answer("").unwrap_err(), Fault::TooManySteps);
    }

    #[test]
    fn a_refused_token_is_answered_once_and_what_was_said_of_it_is_kept() {
        let json =
            STANDARD.encode(r#"{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}"#);
        for (mechanism, answer) in [(Mechanism::Xoauth2, ""), (Mechanism::OauthBearer, "AQ==")] {
            let mut exchange = exchange(mechanism, &Login::token("ann@x.test", "ya29.tok-1".to_owned()));
            assert!(decode(&exchange.first().unwrap()).contains("auth=Bearer ya29.tok-1\u{1}\u{1}"));
            assert_eq!(exchange.answer(&json).unwrap().as_str(), answer);
            let said = exchange.refusal().unwrap().to_string();
            assert_eq!(said, "status 400, scope https://mail.google.com/");
            assert_eq!(exchange.accepted(), Err(Fault::Contradiction));
            assert_eq!(exchange.answer(&json).unwrap_err(), Fault::TooManySteps);
            assert!(!format!("{exchange:?}").contains("tok"));
        }
    }

    #[test]
    fn what_would_end_a_message_early_is_not_sent() {
        for (mechanism, login) in [
            (Mechanism::Plain, Login::password("a\0b", "x".to_owned())),
            (Mechanism::Login, Login::password("a", "x\r\ny".to_owned())),
            (Mechanism::ScramSha256, Login::password("a", "\u{7}".to_owned())),
            (Mechanism::Xoauth2, Login::token("a\u{1}auth=Bearer x", "t".to_owned())),
            (Mechanism::OauthBearer, Login::token("a", "t\u{1}host=evil".to_owned())),
            (Mechanism::OauthBearer, Login::token("a", "t x".to_owned())),
        ] {
            assert_eq!(Exchange::new(mechanism, &login, &server()).unwrap_err(), Fault::Unsendable);
        }
    }

    #[test]
    fn only_what_is_offered_and_fits_is_used_the_strongest_first() {
        let offers = |names: &'static str| move |name: &str| names.split(' ').any(|n| n == name);
        let password = Credential::Password("x".to_owned().into());
        let token = Credential::Token("x".to_owned().into());
        let all = "LOGIN PLAIN XOAUTH2 OAUTHBEARER SCRAM-SHA-1 SCRAM-SHA-256";
        use Mechanism::*;
        assert_eq!(Mechanism::fitting(&password, offers(all)), [ScramSha256, Plain, Login]);
        assert_eq!(Mechanism::fitting(&token, offers(all)), [Xoauth2, OauthBearer]);
        assert_eq!(Mechanism::fitting(&token, offers("PLAIN LOGIN")), []);
        assert_eq!(Mechanism::fitting(&password, offers("XOAUTH2 CRAM-MD5")), []);
    }
}
