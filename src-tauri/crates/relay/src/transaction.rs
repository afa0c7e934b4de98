//! One mail: from MAIL to the provider's answer to its text.

use crate::answer::Answer;
use crate::chunks::{Chunks, Taken};
use crate::content::Scanner;
use crate::letter::Letter;
use crate::limits::Limits;
use crate::path::{Parameter, Path};
use crate::server::Login;
use crate::switch::{self, Switch};
use crate::upstream::{Ended, Outcome, Session, Stop, Text, Upstream};
use crate::wire::{Lost, Wire};
use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};

/// A mail whose sender the provider has accepted.
pub(crate) struct Transaction {
    session: Box<dyn Session>,
    letter: Letter,
    utf8: bool,
    binary: bool,
    /// There once the text comes by BDAT.
    chunks: Option<Chunks>,
    /// What is said to all that follows, where the provider's connection broke after it had accepted somebody.
    broke: Option<Answer>,
}

/// What the mail program is told of a provider's connection that broke.
fn broken(words: &str) -> Answer {
    Answer::new(451, format!("4.4.2 The mail was not sent: {words}"))
}

impl Transaction {
    /// MAIL: signs in at the provider and names the sender. Gives the provider's answer, and the transaction where it is
    /// yes.
    pub(crate) async fn begin(
        rest: &str,
        login: &Login,
        upstream: &dyn Upstream,
        limits: &Limits,
    ) -> (Answer, Option<Transaction>) {
        let mut from = match Path::read(rest) {
            Ok(from) => from,
            Err(answer) => return (answer, None),
        };
        // RFC 4954 §5: who submitted the mail first is not believed, so it is as if nobody was named.
        from.parameters.retain(|parameter| parameter.name() != "AUTH");
        let utf8 = from.value("SMTPUTF8").is_some();
        let binary = from.value("BODY").flatten().is_some_and(|body| body.eq_ignore_ascii_case("BINARYMIME"));
        if !from.address.is_ascii() && !utf8 {
            return (Answer::new(553, "5.6.7 Such an address needs SMTPUTF8"), None);
        }
        let mut session = match upstream.open(login.mailbox).await {
            Ok(session) => session,
            Err(answer) => return (answer, None),
        };
        let offers = session.offers();
        let answer = match from.parameters.iter().find(|p| !offers.takes_of_mail(p)) {
            Some(parameter) => Ok(not_offered(parameter)),
            None => session.mail(&from).await,
        };
        match answer {
            Ok(answer) if answer.is_good() => {
                let letter = Letter::new(login.mailbox, &login.domain, limits);
                (answer, Some(Transaction { session, letter, utf8, binary, chunks: None, broke: None }))
            }
            Ok(answer) => {
                tokio::spawn(session.quit());
                (answer, None)
            }
            Err(error) => (broken(&error.0), None),
        }
    }

    /// One or more RCPTs that came together: an answer for each, in order, and false where the transaction is over. The provider
    /// hears them together too.
    pub(crate) async fn recipients(&mut self, rests: &[String], limits: &Limits) -> (Vec<Answer>, bool) {
        let mut answers = Vec::with_capacity(rests.len());
        let (mut asked, mut paths) = (Vec::new(), Vec::new());
        for rest in rests {
            let left = limits.recipients.saturating_sub(self.letter.passing.recipients.len() + paths.len());
            match self.recipient(rest, left) {
                Ok((to, said)) => {
                    asked.push((answers.len(), said));
                    paths.push(to);
                    answers.push(None);
                }
                Err(answer) => answers.push(Some(answer)),
            }
        }
        let (told, broke) = match paths.is_empty() {
            true => (Vec::new(), None),
            false => self.session.recipients(&paths).await,
        };
        for (((at, said), to), answer) in asked.into_iter().zip(paths).zip(told) {
            if answer.is_good() {
                self.letter.goes_to(to.address, said);
            }
            answers[at] = Some(answer);
        }
        let goes_on = broke.is_none() || self.has_recipients();
        let unheard = match broke {
            Some(error) => self.broke.insert(broken(&error.0)).clone(),
            None => broken("the provider said nothing."),
        };
        (answers.into_iter().map(|answer| answer.unwrap_or_else(|| unheard.clone())).collect(), goes_on)
    }

    /// What the provider is asked for a RCPT, with the switch that stood in the address and the address as it was; or the answer
    /// where it is not asked. So many may still be named.
    fn recipient(&self, rest: &str, left: usize) -> Result<(Path, Option<(Switch, String)>), Answer> {
        if let Some(broke) = &self.broke {
            return Err(broke.clone());
        }
        let mut to = Path::read(rest)?;
        if to.address.is_empty() {
            return Err(Answer::new(553, "5.1.3 A recipient has an address"));
        }
        if left == 0 {
            return Err(Answer::new(452, "4.5.3 Too many recipients for one mail"));
        }
        if !to.address.is_ascii() && !self.utf8 {
            return Err(Answer::new(553, "5.6.7 Such an address needs SMTPUTF8"));
        }
        let offers = self.session.offers();
        if let Some(parameter) = to.parameters.iter().find(|p| !offers.takes_of_rcpt(p)) {
            return Err(not_offered(parameter));
        }
        let said = switch::of_address(&to.address);
        let said = said.map(|(switch, without)| (switch, std::mem::replace(&mut to.address, without)));
        for parameter in &mut to.parameters {
            if let ("ORCPT", Some(bare)) =
                (parameter.name(), parameter.value().and_then(switch::of_original_recipient))
            {
                *parameter = parameter.with_value(bare);
            }
        }
        Ok((to, said))
    }

    pub(crate) fn has_recipients(&self) -> bool {
        !self.letter.passing.recipients.is_empty()
    }

    /// The answer to its text, where there is no provider any more to give it to.
    pub(crate) fn broke(&self) -> Option<Answer> {
        self.broke.clone()
    }

    /// Whether its text can come by DATA.
    pub(crate) fn takes_data(&self) -> bool {
        !self.binary && self.chunks.is_none()
    }

    /// Whether its text can come by BDAT.
    pub(crate) fn takes_chunks(&self) -> bool {
        self.session.offers().chunking
    }

    /// The mail program has thought better of it.
    pub(crate) fn forget(self) {
        tokio::spawn(self.session.quit());
    }

    /// DATA, the text, and what the provider says to it. The second value is true where the connection must end behind the
    /// answer.
    pub(crate) async fn text<S: AsyncRead + AsyncWrite + Unpin + Send>(
        mut self,
        wire: &mut Wire<S>,
        upstream: &dyn Upstream,
        limits: &Limits,
    ) -> Result<(Answer, bool), Lost> {
        let mut incoming = Incoming {
            wire,
            limits,
            upstream,
            letter: &mut self.letter,
            scanner: Scanner::new(limits.text_line),
            came: Vec::new(),
            out: Vec::new(),
            state: State::Waiting,
            refusal: None,
            closes: false,
            lost: None,
        };
        let ended = self.session.text(&mut incoming).await;
        let Incoming { state, refusal, mut closes, lost, mut scanner, .. } = incoming;
        if let Some(lost) = lost {
            return Err(lost);
        }
        if state == State::Text {
            swallow(wire, &mut scanner, limits).await?;
        }
        wire.end_within(None);
        if matches!(ended, Ended::NotBegun(_)) {
            closes |= !wire.pending().is_empty();
        }
        let answer = match refusal {
            Some(refusal) => refusal,
            None => self.over(ended, upstream).await,
        };
        Ok((answer, closes))
    }

    /// One BDAT. Gives the transaction back where more may follow, and whether the connection must end behind the answer.
    pub(crate) async fn chunk<S: AsyncRead + AsyncWrite + Unpin + Send>(
        mut self,
        size: u64,
        last: bool,
        wire: &mut Wire<S>,
        upstream: &dyn Upstream,
        limits: &Limits,
    ) -> Result<(Answer, Option<Transaction>, bool), Lost> {
        let mut chunks = self.chunks.take().unwrap_or_else(|| {
            wire.end_within(Some(limits.text));
            Chunks::new(self.binary, limits)
        });
        let (letter, session) = (&mut self.letter, &mut *self.session);
        let taken = chunks.take(size, last, wire, letter, session, upstream).await?;
        if let Taken::GoesOn(answer) = taken {
            self.chunks = Some(chunks);
            return Ok((answer, Some(self), false));
        }
        wire.end_within(None);
        match taken {
            Taken::GoesOn(answer) => Ok((answer, None, false)),
            Taken::Refused(answer, closes) => Ok((answer, None, closes)),
            Taken::Over(ended) => Ok((self.over(ended, upstream).await, None, false)),
        }
    }

    /// The answer to a text, by what came of it.
    async fn over(self, ended: Ended, upstream: &dyn Upstream) -> Answer {
        match ended {
            Ended::NotBegun(answer) => {
                tokio::spawn(self.session.quit());
                answer
            }
            Ended::Answered(answer) => {
                let outcome = match answer.is_good() {
                    true => Outcome::Accepted,
                    false => Outcome::Refused(answer.clone()),
                };
                upstream.ended(&self.letter.passing, &outcome).await;
                tokio::spawn(self.session.quit());
                answer
            }
            Ended::Broken(error) => broken(&error.0),
            Ended::Unknown => {
                upstream.ended(&self.letter.passing, &Outcome::Unknown).await;
                Answer::new(
                    451,
                    "4.4.2 The connection to the provider broke before its answer: it is not known whether this mail was \
                     sent. Look into the folder of sent mail before you send it again",
                )
            }
            Ended::Stopped => broken("it was not taken to its end."),
        }
    }
}

fn not_offered(parameter: &Parameter) -> Answer {
    Answer::new(555, format!("5.5.4 The provider does not offer {}", parameter.name()))
}

/// Reads a text that nobody wants to its end, so that the mail program hears the answer.
async fn swallow<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    scanner: &mut Scanner,
    limits: &Limits,
) -> Result<(), Lost> {
    let mut swallowed: u64 = 0;
    let mut forgotten = Vec::new();
    loop {
        if wire.pending().is_empty() {
            wire.more().await?;
        }
        let waiting = wire.pending().len();
        let end = scanner.feed(wire.pending(), &mut forgotten);
        forgotten.clear();
        wire.take(end.unwrap_or(waiting));
        swallowed += waiting as u64;
        match end {
            Some(_) => return Ok(()),
            None if swallowed > limits.swallow => return Err(Lost::TooMuch),
            None => {}
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The provider has not said yet that it wants the text.
    Waiting,
    Text,
    /// The dot has come; what is held is still to go.
    Tail,
    Last,
}

/// The text as it comes.
struct Incoming<'a, S> {
    wire: &'a mut Wire<S>,
    limits: &'a Limits,
    upstream: &'a dyn Upstream,
    letter: &'a mut Letter,
    scanner: Scanner,
    came: Vec<u8>,
    out: Vec<u8>,
    state: State,
    /// Why it stopped, for the mail program.
    refusal: Option<Answer>,
    closes: bool,
    lost: Option<Lost>,
}

#[async_trait]
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Text for Incoming<'_, S> {
    async fn begin(&mut self) -> Result<(), Stop> {
        if let Err(lost) = self.wire.glance().await {
            return self.lose(lost);
        }
        // RFC 2920 §3.1: DATA ends a group. What came before the 354 may be a mail within a mail.
        if !self.wire.pending().is_empty() {
            self.closes = true;
            return self.refuse(Answer::new(554, "5.5.0 Text came before it was asked for"));
        }
        self.state = State::Text;
        self.wire.end_within(Some(self.limits.text));
        self.wire.say(&Answer::new(354, "End the mail with a dot on a line of its own"));
        match self.wire.flush().await {
            Ok(()) => Ok(()),
            Err(lost) => self.lose(lost),
        }
    }

    async fn piece(&mut self) -> Result<Option<&[u8]>, Stop> {
        self.out.clear();
        while self.out.is_empty() {
            match self.state {
                State::Waiting => return Err(Stop),
                State::Text => self.read().await?,
                State::Tail => {
                    self.state = State::Last;
                    self.letter.end(self.upstream, &mut self.out);
                }
                State::Last => {
                    return match self.upstream.before_end(&self.letter.passing).await {
                        Ok(()) => Ok(None),
                        Err(answer) => self.refuse(answer),
                    };
                }
            }
        }
        Ok(Some(&self.out))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Incoming<'_, S> {
    fn lose<T>(&mut self, lost: Lost) -> Result<T, Stop> {
        self.lost = Some(lost);
        Err(Stop)
    }

    fn refuse<T>(&mut self, answer: Answer) -> Result<T, Stop> {
        self.refusal = Some(answer);
        Err(Stop)
    }

    async fn read(&mut self) -> Result<(), Stop> {
        if self.wire.pending().is_empty()
            && let Err(lost) = self.wire.more().await
        {
            return self.lose(lost);
        }
        let waiting = self.wire.pending().len();
        self.came.clear();
        let end = self.scanner.feed(self.wire.pending(), &mut self.came);
        self.wire.take(end.unwrap_or(waiting));
        if end.is_some() {
            self.state = State::Tail;
        }
        if let Some(fault) = self.scanner.fault() {
            let (answer, closes) = fault.refusal();
            self.closes |= closes;
            return self.refuse(answer);
        }
        match self.letter.pass(&self.came, self.upstream, &mut self.out) {
            Ok(()) => Ok(()),
            Err(answer) => self.refuse(answer),
        }
    }
}
