//! Delivery reports and automatic answers: their text is read, and nothing of it is kept but what it says of logged mail.

use super::{gone, server_place};
use crate::broken::Broken;
use crate::mailbox::{Mailbox, Watched};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::panic::{AssertUnwindSafe, catch_unwind};
use threadline_core::away;
use threadline_core::envelope::Envelope;
use threadline_core::id::MessageId;
use threadline_core::message::Body;
use threadline_core::report::{self, Outcome};
use threadline_core::rule::Rule;
use threadline_mail::fetch::MOST_HEADER;
use threadline_mail::session::Session;
use threadline_store::job::Job;
use threadline_store::notice::{self, Failure, Reported};
use threadline_store::{Tx, message};

/// Most bytes read of one: what is said stands in front of the message that comes back.
const MOST_BYTES: u32 = 256 * 1024;
/// Most bytes read of a status part: some hundreds for each recipient.
const MOST_STATUS: u32 = 64 * 1024;

pub(super) async fn read(
    mailbox: &Mailbox,
    session: &mut Session,
    job: &Job,
    folder: &Watched,
) -> Result<(), Broken> {
    let (place, message) = (server_place(job), job.message);
    let nameless = move |tx: &Tx<'_>| notice::answers_nothing(tx, message);
    if mailbox.shared.ledger.read(nameless).await? {
        // It may be about any mail, a private one too: what comes back in it is not read.
        let Some(arrival) = session.fetch_header(&folder.on_server, place).await? else {
            return gone(mailbox, job).await;
        };
        let status = session.fetch_status(&folder.on_server, place, MOST_STATUS).await?;
        return keep(mailbox, job, arrival.envelope, &alone(&status.unwrap_or_default())).await;
    }
    let Ok(body) = session.fetch_body(&folder.on_server, place, MOST_BYTES).await? else {
        return gone(mailbox, job).await;
    };
    let envelope = Envelope::parse(body.raw.get(..MOST_HEADER).unwrap_or(&body.raw));
    keep(mailbox, job, envelope, &body.raw).await
}

/// A report of this status part and nothing else.
fn alone(status: &[u8]) -> Vec<u8> {
    let head = b"Content-Type: multipart/report; report-type=delivery-status; boundary=status\r\n\r\n\
        --status\r\nContent-Type: message/delivery-status\r\n\r\n";
    [head, status, b"\r\n--status--\r\n"].concat()
}

/// Stores what the message says, unless it is another one, which lies at the place by now.
pub(super) async fn keep(mailbox: &Mailbox, job: &Job, envelope: Envelope, raw: &[u8]) -> Result<(), Broken> {
    let (reported, until) = (reported(raw), away_until(&envelope, raw));
    let (one, now) = (job.clone(), mailbox.shared.clock.now());
    let finish = move |tx: &Tx<'_>| {
        if !message::is_its_header(tx, one.message, &envelope)? {
            return Ok(false);
        }
        match message::get(tx, one.message)?.map(|row| row.rule) {
            Some(Rule::Bounce) => notice::finish_report(tx, &one, &reported, now).map(drop)?,
            _ => {
                let from = envelope.from.as_ref().map(|from| &from.address);
                notice::finish_answer(tx, &one, from, until, now)?;
            }
        }
        Ok(true)
    };
    match mailbox.shared.ledger.write(finish).await? {
        true => Ok(()),
        false => gone(mailbox, job).await,
    }
}

/// What a delivery report says; nothing where it is not understood. A parser that panics costs this report alone.
fn reported(raw: &[u8]) -> Reported {
    let Some(report) = catch_unwind(AssertUnwindSafe(|| report::read(raw))).ok().flatten() else {
        return Reported::default();
    };
    let failures: Vec<Failure> = report
        .recipients
        .iter()
        .filter_map(|recipient| match recipient.outcome {
            Outcome::Failed(lasting) => {
                Some(Failure { address: recipient.mail_address()?, code: recipient.code(), lasting })
            }
            Outcome::Delayed | Outcome::Arrived => None,
        })
        .collect();
    let fails = |r: &report::Recipient| matches!(r.outcome, Outcome::Failed(_));
    Reported {
        original: report.original_id.as_deref().and_then(MessageId::parse),
        harmless: !report.recipients.is_empty() && !report.recipients.iter().any(fails),
        failures,
    }
}

/// Until when who sent it is away.
fn away_until(envelope: &Envelope, raw: &[u8]) -> Option<Date> {
    let sent = envelope.date?.to_zoned(TimeZone::UTC).date();
    let body = catch_unwind(AssertUnwindSafe(|| Body::parse(raw))).ok()?;
    away::until(&envelope.subject, &body.text, sent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_told_from_a_warning() {
        let report = |action: &str, status: &str| {
            let raw = format!(
                "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nx\r\n\
                 --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; bob@client.example\r\n\
                 Action: {action}\r\nStatus: {status}\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <a@x>\r\n\r\n--b--\r\n"
            );
            reported(raw.as_bytes())
        };
        let bad = report("failed", "5.1.1");
        assert_eq!(bad.original.as_ref().map(MessageId::as_str), Some("a@x"));
        assert_eq!(
            (bad.failures.len(), bad.failures[0].code.as_deref(), bad.harmless),
            (1, Some("5.1.1"), false)
        );
        let warning = report("delayed", "4.4.7");
        assert!(warning.failures.is_empty() && warning.harmless);
        assert_eq!(reported(b"Subject: x\r\n\r\nx"), Reported::default());
    }

    #[test]
    fn an_absence_has_its_day() {
        let raw = b"From: Bob <bob@client.example>\r\nSubject: Automatic reply: x\r\nDate: Mon, 20 Dec 2021 10:00:00 +0000\r\n\r\nI am away until 5 January.\r\n";
        let until = away_until(&Envelope::parse(raw), raw).unwrap();
        assert_eq!(until.to_string(), "2022-01-05");
    }
}
