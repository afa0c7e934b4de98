//! A mail program and a provider, both played.

use async_trait::async_trait;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use threadline_relay::answer::Answer;
use threadline_relay::identity::Identity;
use threadline_relay::limits::Limits;
use threadline_relay::offers::Offers;
use threadline_relay::password::Kept;
use threadline_relay::path::Path;
use threadline_relay::server::{Login, Port, Server};
use threadline_relay::upstream::{Broken, Ended, Header, Outcome, Passing, Rewrite, Session, Text, Upstream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub const ANN: &str = "ann@firm.example";
pub const PASSWORD: &str = "abcde-fghij";
pub const ALL: Offers = Offers {
    size: Some(50_000_000),
    eight_bit: true,
    smtp_utf8: true,
    dsn: true,
    chunking: false,
    binary: false,
    enhanced_codes: true,
};
/// A limit for a broken test.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// Where the provider's connection breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breaks {
    AtMail,
    AtRcpt,
    /// At a recipient whose name begins with "lost".
    AtLost,
    AtData,
    InText,
    AfterDot,
}

/// What the provider saw and was told.
#[derive(Debug, Default)]
pub struct Seen {
    pub said: Vec<String>,
    /// How many recipients were named at once, each time.
    pub together: Vec<usize>,
    /// Texts that were ended.
    pub texts: Vec<Vec<u8>>,
    /// Bytes of texts that were not.
    pub begun: Vec<Vec<u8>>,
    pub kept: Vec<Passing>,
    pub told: Vec<(Passing, Outcome)>,
    pub opened: usize,
}

/// The provider.
#[derive(Debug, Default)]
pub struct Fake {
    pub offers: Offers,
    /// What is answered to a command or an address, in place of yes.
    pub answers: HashMap<String, Answer>,
    pub breaks: Option<Breaks>,
    pub refuses_to_open: Option<Answer>,
    pub refuses_to_keep: Option<Answer>,
    pub shouts: bool,
    pub seen: Mutex<Seen>,
}

impl Fake {
    pub fn new() -> Self {
        Self { offers: ALL, ..Self::default() }
    }

    pub fn answering(mut self, to: &str, code: u16, text: &str) -> Self {
        self.answers.insert(to.to_owned(), Answer::new(code, text));
        self
    }

    fn answer(&self, to: &str, usual: u16) -> Answer {
        self.answers.get(to).cloned().unwrap_or_else(|| Answer::new(usual, format!("2.0.0 {to}")))
    }

    pub fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }
}

/// Behind one that can be cloned.
#[derive(Debug, Clone)]
struct Provider(Arc<Fake>);

#[async_trait]
impl Upstream for Provider {
    fn offers(&self, mailbox: i64) -> Offers {
        if mailbox == 1 { self.0.offers } else { Offers { dsn: false, ..self.0.offers } }
    }

    async fn open(&self, _mailbox: i64) -> Result<Box<dyn Session>, Answer> {
        if let Some(answer) = &self.0.refuses_to_open {
            return Err(answer.clone());
        }
        self.0.seen().opened += 1;
        Ok(Box::new(Spoken(Arc::clone(&self.0))))
    }

    async fn before_end(&self, passing: &Passing) -> Result<(), Answer> {
        if let Some(answer) = &self.0.refuses_to_keep {
            return Err(answer.clone());
        }
        self.0.seen().kept.push(passing.clone());
        Ok(())
    }

    async fn ended(&self, passing: &Passing, outcome: &Outcome) {
        self.0.seen().told.push((passing.clone(), outcome.clone()));
    }

    fn rewrite(&self, _mailbox: i64, _header: &Header) -> Option<Box<dyn Rewrite>> {
        self.0.shouts.then(|| Box::new(Shout) as Box<dyn Rewrite>)
    }
}

struct Shout;

impl Rewrite for Shout {
    fn piece(&mut self, piece: &[u8]) -> Vec<u8> {
        piece.to_ascii_uppercase()
    }

    fn end(&mut self) -> Vec<u8> {
        b"THE END\r\n".to_vec()
    }
}

struct Spoken(Arc<Fake>);

impl Spoken {
    fn say(&self, line: String, key: &str, at: Breaks) -> Result<Answer, Broken> {
        self.0.seen().said.push(line);
        match self.0.breaks == Some(at) {
            true => Err(Broken("the line broke.".into())),
            false => Ok(self.0.answer(key, 250)),
        }
    }
}

fn line(verb: &str, path: &Path) -> String {
    let parameters: String = path.parameters.iter().map(|p| format!(" {p}")).collect();
    format!("{verb}:<{}>{parameters}", path.address)
}

#[async_trait]
impl Session for Spoken {
    fn offers(&self) -> Offers {
        self.0.offers
    }

    async fn mail(&mut self, from: &Path) -> Result<Answer, Broken> {
        self.say(line("MAIL FROM", from), "MAIL", Breaks::AtMail)
    }

    async fn recipients(&mut self, to: &[Path]) -> (Vec<Answer>, Option<Broken>) {
        self.0.seen().together.push(to.len());
        let mut answers = Vec::new();
        for to in to {
            let last = if to.address.starts_with("lost") { Breaks::AtLost } else { Breaks::AtRcpt };
            match self.say(line("RCPT TO", to), &to.address, last) {
                Err(broken) => return (answers, Some(broken)),
                Ok(answer) => answers.push(answer),
            }
        }
        (answers, None)
    }

    async fn text(&mut self, text: &mut dyn Text) -> Ended {
        match self.say("DATA".to_owned(), "DATA", Breaks::AtData) {
            Err(broken) => return Ended::Broken(broken),
            Ok(answer) if !answer.is_good() => return Ended::NotBegun(answer),
            Ok(_) => {}
        }
        if text.begin().await.is_err() {
            return Ended::Stopped;
        }
        let mut whole = Vec::new();
        loop {
            match text.piece().await {
                Err(_) => {
                    self.0.seen().begun.push(whole);
                    return Ended::Stopped;
                }
                Ok(None) => break,
                Ok(Some(piece)) => whole.extend_from_slice(piece),
            }
            if self.0.breaks == Some(Breaks::InText) {
                return Ended::Broken(Broken("the line broke.".into()));
            }
        }
        if self.0.breaks == Some(Breaks::AfterDot) {
            return Ended::Unknown;
        }
        self.0.seen().texts.push(whole);
        Ended::Answered(self.0.answer(".", 250))
    }

    async fn chunk(&mut self, piece: &[u8], last: bool) -> Ended {
        let words = format!("BDAT {}{}", piece.len(), if last { " LAST" } else { "" });
        let mut seen = self.0.seen();
        seen.said.push(words);
        let mut whole = seen.begun.pop().unwrap_or_default();
        whole.extend_from_slice(piece);
        match (last, self.0.breaks) {
            (_, Some(Breaks::InText)) => return Ended::Broken(Broken("the line broke.".into())),
            (true, Some(Breaks::AfterDot)) => return Ended::Unknown,
            (true, _) => seen.texts.push(whole),
            (false, _) => seen.begun.push(whole),
        }
        drop(seen);
        Ended::Answered(self.0.answer(if last { "." } else { "BDAT" }, 250))
    }

    async fn quit(self: Box<Self>) {
        self.0.seen().said.push("QUIT".to_owned());
    }
}

/// A relay with Ann's mailbox and Bob's, and the provider behind it.
pub struct World {
    pub fake: Arc<Fake>,
    pub server: Server,
    pub identity: Identity,
}

impl World {
    pub fn new(fake: Fake) -> Self {
        Self::within(fake, Limits::default())
    }

    pub fn within(fake: Fake, limits: Limits) -> Self {
        let fake = Arc::new(fake);
        let identity = Identity::make("2026-11-25T00:00:00Z".parse().unwrap()).unwrap();
        let login = |user: &str, mailbox| Login {
            user: user.to_owned(),
            password: Kept::new(PASSWORD),
            mailbox,
            domain: "firm.example".to_owned(),
        };
        let logins = vec![login(ANN, 1), login("bob@firm.example", 2)];
        let tls = identity.server_config().unwrap();
        let server = Server::new(tls, logins, limits, Arc::new(Provider(Arc::clone(&fake))));
        Self { fake, server, identity }
    }

    /// A connection on one of the ports, in plaintext still.
    pub fn plain(&self, port: Port) -> DuplexStream {
        let (client, server) = tokio::io::duplex(1 << 16);
        let relay = self.server.clone();
        tokio::spawn(async move { relay.meet(server, port).await });
        client
    }

    pub async fn encrypted<S>(&self, stream: S) -> Client<TlsStream<S>>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.identity.pem().as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
        Client { stream }
    }

    /// On the port with TLS, behind the greeting.
    pub async fn client(&self) -> Client<TlsStream<DuplexStream>> {
        let mut client = self.encrypted(self.plain(Port::Tls)).await;
        assert_eq!(client.hear().await, "220 localhost ESMTP Threadline relay\r\n");
        client
    }

    /// Signed in as Ann.
    pub async fn signed_in(&self) -> Client<TlsStream<DuplexStream>> {
        let mut client = self.client().await;
        client.ask("EHLO pc").await;
        assert_eq!(
            client.ask(&format!("AUTH PLAIN {}", plain(ANN, PASSWORD))).await,
            "235 2.7.0 Welcome\r\n"
        );
        client
    }

    /// Signed in, and a mail to Carl begun: the next line is the text's first.
    pub async fn at_text(&self) -> Client<TlsStream<DuplexStream>> {
        let mut client = self.signed_in().await;
        client.expect("MAIL FROM:<ann@firm.example>", 250).await;
        client.expect("RCPT TO:<carl@firm.example>", 250).await;
        client.expect("DATA", 354).await;
        client
    }
}

/// The first answer to AUTH PLAIN.
pub fn plain(user: &str, password: &str) -> String {
    encode(&format!("\0{user}\0{password}"))
}

pub fn encode(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// A mail program.
pub struct Client<S> {
    stream: S,
}

impl<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin> Client<S> {
    pub fn over(stream: S) -> Self {
        Self { stream }
    }

    pub fn into_inner(self) -> S {
        self.stream
    }

    pub async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// One whole answer; "" where the connection is over.
    pub async fn hear(&mut self) -> String {
        let mut heard = Vec::new();
        loop {
            let mut byte = [0];
            let read = timeout(PATIENCE, self.stream.read(&mut byte)).await.expect("no answer");
            if !matches!(read, Ok(1)) {
                assert!(heard.is_empty(), "half an answer: {:?}", String::from_utf8_lossy(&heard));
                return String::new();
            }
            heard.push(byte[0]);
            let last = heard.split_inclusive(|b| *b == b'\n').next_back().unwrap_or_default();
            if last.ends_with(b"\r\n") && last.get(3) == Some(&b' ') {
                return String::from_utf8(heard).unwrap();
            }
        }
    }

    pub async fn ask(&mut self, line: &str) -> String {
        self.say(format!("{line}\r\n")).await;
        self.hear().await
    }

    /// Says a line, and wants this code.
    pub async fn expect(&mut self, line: &str, code: u16) -> String {
        let answer = self.ask(line).await;
        assert!(answer.starts_with(&code.to_string()), "{line}: {answer}");
        answer
    }

    /// The connection is over, with nothing more said.
    pub async fn is_over(&mut self) -> bool {
        self.hear().await.is_empty()
    }
}
