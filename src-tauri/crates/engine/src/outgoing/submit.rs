//! One mail on its way to the server (RFC 5321, RFC 6409).

use super::{Offers, Outgoing};
use crate::broken::Broken;
use jiff::{SignedDuration, Timestamp};
use threadline_core::address::Address;
use threadline_core::reason::{Reason, classify, judge};
use threadline_mail::error::MailError;
use threadline_mail::submit::{Answer, Heard, Params, Path, Session, Stuffing, Undelivered};
use threadline_store::send::{self, Recipient, Sending, Told};
use threadline_store::{StoreError, Tx};

/// How often a mail is given to a server that says "later". With pauses that double up to two hours that is about a day.
const ATTEMPTS: u32 = 18;
/// How often is waited for a recipient who is refused for the moment, before the others get their mail without.
const PATIENT: u32 = 4;
const PAUSE: SignedDuration = SignedDuration::from_secs(30);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(2);
/// When is looked for the first time for a mail that may be sent: the server needs a moment to file it.
const FIRST_LOOK: SignedDuration = SignedDuration::from_secs(2);

/// How much of a mail is written at once.
const PIECE: usize = 64 * 1024;

/// Gives a mail to the server. What the server says of it is stored; an error is one of the connection, with which no other mail
/// can go either.
pub(super) async fn submit(of: &Outgoing, session: &mut Session, sending: &Sending) -> Result<(), Broken> {
    let id = sending.id;
    let Some(raw) = of.shared().ledger.read(move |tx| send::raw(tx, id)).await? else {
        return Ok(());
    };
    let mut people: Vec<Address> = sending.recipients.iter().map(|r| r.address.clone()).collect();
    people.push(sending.sender.clone());
    let offers = Offers::new(session.name(), session.extensions());
    if let Some(objection) = offers.objection(raw.len() as u64, &people) {
        let told = Told { reason: None, words: objection.to_string() };
        return refuse(of, sending, sending.recipients.clone(), told).await;
    }
    let mut params = Params::none();
    if session.extensions().size {
        params = params.size(raw.len() as u64);
    }
    if people.iter().any(|address| !address.as_str().is_ascii()) {
        params = params.utf8();
    }
    // RFC 6152. The bodies that are composed have 7 bits; the header of a mail with SMTPUTF8 has not.
    if session.extensions().eight_bit && !raw.is_ascii() {
        params = params.eight_bit();
    }
    let Some(sender) = Path::new(sending.sender.as_str()) else {
        return refuse(of, sending, sending.recipients.clone(), unsendable(&sending.sender)).await;
    };
    let answer = waits(of, sending, session.mail(&sender, &params).await).await?;
    if !answer.is_yes() {
        said_no(of, sending, sending.recipients.clone(), &answer).await?;
        return again(of, sending, session).await;
    }
    let Some(recipients) = recipients(of, session, sending).await? else {
        return again(of, sending, session).await;
    };
    let (noted, now) = (recipients.clone(), of.now());
    if !of.shared().ledger.write(move |tx| send::begin(tx, id, &noted, now)).await? {
        // It was taken back a moment ago.
        return again(of, sending, session).await;
    }
    match text(session, &raw).await {
        Ok(answer) if answer.is_yes() => of.is_sent(sending, &answer.to_string()).await.map_err(Broken::from),
        Ok(answer) | Err(Undelivered::Refused(answer)) => {
            said_no(of, sending, recipients, &answer).await?;
            again(of, sending, session).await
        }
        Err(Undelivered::Broken(error)) => {
            let told = Told { reason: Some(error.reason), words: error.evidence.words.clone() };
            later(of, sending, told, None).await?;
            Err(error.into())
        }
        Err(Undelivered::Unknown(error)) => {
            let told = Told { reason: Some(error.reason), words: error.evidence.words.clone() };
            let next = of.now().checked_add(FIRST_LOOK).unwrap_or(Timestamp::MAX);
            of.shared().ledger.write(move |tx| send::unknown(tx, id, &told, next)).await?;
            Err(error.into())
        }
        Err(error @ Undelivered::EndInside) => {
            let told =
                Told { reason: None, words: format!("The mail cannot be sent: {error}. Write it anew.") };
            refuse(of, sending, recipients, told).await
        }
    }
}

/// DATA and the text.
async fn text(session: &mut Session, raw: &[u8]) -> Result<Answer, Undelivered> {
    let mut body = match session.data().await {
        Ok(Ok(body)) => body,
        Ok(Err(answer)) => return Ok(answer),
        Err(error) => return Err(Undelivered::Broken(error)),
    };
    let mut stuffing = Stuffing::default();
    for piece in raw.chunks(PIECE) {
        body.write(&stuffing.add(piece)).await?;
    }
    body.finish().await
}

/// Names everybody to the server. Gives whom it refused for good; none where the mail does not go now: to nobody at all, or
/// because somebody is refused for the moment.
async fn recipients(
    of: &Outgoing,
    session: &mut Session,
    sending: &Sending,
) -> Result<Option<Vec<Recipient>>, Broken> {
    let mut recipients = sending.recipients.clone();
    let (mut asked, mut paths) = (Vec::new(), Vec::new());
    for recipient in recipients.iter_mut().filter(|recipient| recipient.refused.is_none()) {
        match Path::new(recipient.address.as_str()) {
            Some(path) => {
                asked.push(recipient);
                paths.push((path, Params::none()));
            }
            None => recipient.refused = Some(unsendable(&recipient.address).words),
        }
    }
    let Heard { answers, broke } = session.recipients(&paths).await;
    waits(of, sending, broke.map_or(Ok(()), Err)).await?;
    // Where nobody gets it yet nobody is kept waiting. What a server says that goes is about nobody.
    let is_patient = sending.attempts < PATIENT || !answers.iter().any(Answer::is_yes) || !session.is_ready();
    let mut passing: Option<Answer> = None;
    for (recipient, answer) in asked.into_iter().zip(answers) {
        if answer.is_yes() {
            continue;
        }
        if comes_later(&answer) && is_patient {
            passing.get_or_insert(answer);
        } else {
            recipient.refused = Some(answer.to_string());
        }
    }
    if let Some(answer) = passing {
        said_no(of, sending, recipients, &answer).await?;
        return Ok(None);
    }
    if recipients.iter().all(|recipient| recipient.refused.is_some()) {
        let words = recipients.first().and_then(|r| r.refused.clone()).unwrap_or_default();
        let words = format!("The server takes the mail for none of its recipients. It said: {words}");
        refuse(of, sending, recipients, Told { reason: None, words }).await?;
        return Ok(None);
    }
    Ok(Some(recipients))
}

fn unsendable(address: &Address) -> Told {
    Told {
        reason: None,
        words: format!(
            "The address {address} cannot be said to a server. Compare it with what the person wrote to you."
        ),
    }
}

/// A connection that broke before the text began. The mail waits for a time of its own: were it at fault, the others behind it would
/// never go.
async fn waits<T>(of: &Outgoing, sending: &Sending, answer: Result<T, MailError>) -> Result<T, Broken> {
    match answer {
        Ok(answer) => Ok(answer),
        Err(error) => {
            let told = Told { reason: Some(error.reason), words: error.evidence.words.clone() };
            later(of, sending, told, None).await?;
            Err(error.into())
        }
    }
}

/// The session is made ready for the next mail.
async fn again(of: &Outgoing, sending: &Sending, session: &mut Session) -> Result<(), Broken> {
    if session.is_ready()
        && let Err(error) = session.reset().await
    {
        tracing::debug!(
            reason = error.reason.code(),
            send = sending.id,
            "the server broke off after a refusal"
        );
        of.shared().probe();
    }
    Ok(())
}

/// 4xx, and a limit for sending, by whichever code servers tell it.
fn comes_later(answer: &Answer) -> bool {
    answer.is_passing()
        || matches!(
            classify(&answer.evidence()),
            Reason::SendingLimit | Reason::Throttled | Reason::TooManyConnections
        )
}

/// The server has not taken the mail: it is tried again later, or never.
async fn said_no(
    of: &Outgoing,
    sending: &Sending,
    recipients: Vec<Recipient>,
    answer: &Answer,
) -> Result<(), StoreError> {
    let finding = judge(&answer.evidence());
    let told = Told {
        reason: Some(finding.reason).filter(|reason| *reason != Reason::Unknown),
        words: answer.to_string(),
    };
    match comes_later(answer) && sending.attempts + 1 < ATTEMPTS {
        true => later(of, sending, told, finding.pause_ms).await,
        false => refuse_row(of, sending, recipients, told).await,
    }
}

async fn later(
    of: &Outgoing,
    sending: &Sending,
    told: Told,
    pause_ms: Option<u64>,
) -> Result<(), StoreError> {
    let own = (PAUSE * (1 << sending.attempts.min(10))).min(LONGEST_PAUSE);
    let asked = SignedDuration::from_millis(i64::try_from(pause_ms.unwrap_or_default()).unwrap_or_default());
    let next = of.now().checked_add(own.max(asked)).unwrap_or(Timestamp::MAX);
    let id = sending.id;
    of.shared().ledger.write(move |tx: &Tx<'_>| send::not_sent(tx, id, &told, next)).await
}

async fn refuse(
    of: &Outgoing,
    sending: &Sending,
    recipients: Vec<Recipient>,
    told: Told,
) -> Result<(), Broken> {
    Ok(refuse_row(of, sending, recipients, told).await?)
}

async fn refuse_row(
    of: &Outgoing,
    sending: &Sending,
    recipients: Vec<Recipient>,
    told: Told,
) -> Result<(), StoreError> {
    let (id, now) = (sending.id, of.now());
    of.shared().ledger.write(move |tx: &Tx<'_>| send::refused(tx, id, &recipients, &told, now)).await
}
