//! The seam to the provider: who may sign in, and how a mail is handed on. The relay knows no mail server and no ledger.

use crate::answer::Answer;
use crate::header::Head;
use crate::offers::Offers;
use crate::path::Path;
use crate::switch::Switch;
use async_trait::async_trait;
use threadline_core::id::MessageId;

pub use crate::header::Head as Header;

/// The way to the providers of all mailboxes. A mailbox is named by a number that the relay does not interpret.
#[async_trait]
pub trait Upstream: Send + Sync + std::fmt::Debug {
    /// What the mailbox's provider offered when it was spoken to last; nothing where that is not known.
    fn offers(&self, mailbox: i64) -> Offers;

    /// Signs in at the mailbox's provider, for one mail. Fails with what the mail program is told instead.
    async fn open(&self, mailbox: i64) -> Result<Box<dyn Session>, Answer>;

    /// The text is with the provider but for its last dot. What is kept of the mail must be kept when this returns: from here
    /// on it may be sent. An answer refuses it.
    async fn before_end(&self, passing: &Passing) -> Result<(), Answer>;

    /// What came of it.
    async fn ended(&self, passing: &Passing, outcome: &Outcome);

    /// The one place where a body may be changed on its way. Nothing is, unless an implementation says so. It is not asked
    /// about mail that is signed or encrypted ([`Header::is_sealed`]), and gets the text as it is on the wire, dots
    /// doubled.
    fn rewrite(&self, _mailbox: i64, _header: &Head) -> Option<Box<dyn Rewrite>> {
        None
    }
}

/// A signed-in session with a provider. Dropped before the end of a text, it hands in nothing.
#[async_trait]
pub trait Session: Send {
    /// What this session offers.
    fn offers(&self) -> Offers;

    async fn mail(&mut self, from: &Path) -> Result<Answer, Broken>;

    /// RCPT for each, at once where the session can. Gives an answer for each, in the same order; where the connection broke, for
    /// the first of them alone.
    async fn recipients(&mut self, to: &[Path]) -> (Vec<Answer>, Option<Broken>);

    /// Says DATA, and hands the text on as far as it goes.
    async fn text(&mut self, text: &mut dyn Text) -> Ended;

    /// A piece of the mail as it is (RFC 3030), where the session offers that. The answer to the last one is the answer to the
    /// mail.
    async fn chunk(&mut self, piece: &[u8], last: bool) -> Ended;

    /// Says good-bye. It may take its time: nobody waits.
    async fn quit(self: Box<Self>);
}

/// A mail's text, as a mail program gives it: lines that end with CR LF, dots doubled, without the last dot.
#[async_trait]
pub trait Text: Send {
    /// The provider waits for the text. Called once, before the first piece.
    async fn begin(&mut self) -> Result<(), Stop>;

    /// The next piece; `None` where the text is whole and may be ended.
    async fn piece(&mut self) -> Result<Option<&[u8]>, Stop>;
}

/// The text does not go on: the mail must not be ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop;

/// The connection to the provider broke. In words for a person, without mail text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken(pub String);

/// How handing on a text ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The provider did not want a text.
    NotBegun(Answer),
    /// Its answer to the mail, before or after the last dot.
    Answered(Answer),
    /// It broke before the last dot: nothing was sent.
    Broken(Broken),
    /// It broke after the last dot, before the answer: nobody knows.
    Unknown,
    /// The text stopped.
    Stopped,
}

/// Changes a body piece by piece.
pub trait Rewrite: Send {
    /// The next piece of the body as it goes on.
    fn piece(&mut self, piece: &[u8]) -> Vec<u8>;

    /// What comes behind the last piece.
    fn end(&mut self) -> Vec<u8>;
}

/// One mail on its way.
#[derive(Clone, PartialEq, Eq)]
pub struct Passing {
    pub mailbox: i64,
    /// `None` where the header is no header, or its own id cannot be read.
    pub message_id: Option<MessageId>,
    pub switch: Option<Switch>,
    /// Those whom the provider accepted, as the envelope names them.
    pub recipients: Vec<String>,
}

/// Without ids and addresses: it may reach a log.
impl std::fmt::Debug for Passing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passing")
            .field("mailbox", &self.mailbox)
            .field("switch", &self.switch)
            .field("recipients", &self.recipients.len())
            .finish_non_exhaustive()
    }
}

/// What the provider did with a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Accepted,
    Refused(Answer),
    /// The connection broke after the last dot.
    Unknown,
}
