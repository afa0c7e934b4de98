//! Delivery reports without a status part, in the forms of servers that write them for people.

#![allow(clippy::unwrap_used, reason = "a test may fail at any line")]

use threadline_core::report::{Lasting, Outcome, read};

const HARD: Outcome = Outcome::Failed(Lasting::Hard);
const SOFT: Outcome = Outcome::Failed(Lasting::Soft);

/// Name, header, text, and what is to be read: recipient, code, outcome, id.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
    Outcome,
    Option<&'static str>,
);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("qmail", "From: MAILER-DAEMON@mx.y.org\nSubject: failure notice",
     "Hi. This is the qmail-send program at mx.y.org.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n<ann@x.org>:\n192.0.2.7 does not like recipient.\nRemote host said: 550 5.1.1 <ann@x.org>: User unknown\nGiving up on 192.0.2.7.\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <me@y.org>\nMessage-ID: <a1@y.org>\nTo: ann@x.org\nCc: other@z.org\n\nHello\n",
     "ann@x.org", Some("5.1.1"), HARD, Some("<a1@y.org>")),
    ("exim", "From: Mail Delivery System <Mailer-Daemon@mx.y.org>\nX-Failed-Recipients: ann@x.org\nAuto-Submitted: auto-replied\nSubject: Mail delivery failed: returning message to sender",
     "This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  ann@x.org\n    SMTP error from remote mail server after RCPT TO:<ann@x.org>:\n    host mx.x.org [192.0.2.9]: 550 unknown user\n\n------ This is a copy of the message, including all the headers. ------\n\nReturn-path: <me@y.org>\nMessage-ID: <a1@y.org>\nTo: ann@x.org, other@z.org\n",
     "ann@x.org", Some("550"), HARD, Some("<a1@y.org>")),
    ("exim that knows no way", "From: Mail Delivery System <Mailer-Daemon@mx.y.org>\nX-Failed-Recipients: ann@x.org\nSubject: Mail delivery failed",
     "A message that you sent could not be delivered. The following address failed:\n\n  ann@x.org\n    Unrouteable address\n",
     "ann@x.org", None, HARD, None),
    ("exim that waits", "From: Mail Delivery System <Mailer-Daemon@mx.y.org>\nSubject: Warning: message 1abc delayed 24 hours",
     "This message was created automatically by mail delivery software.\nA message that you sent has not yet been delivered to one or more of its\nrecipients after more than 24 hours on the queue on mx.y.org.\n\nThe message identifier is:     1abc\n\nThe address to which the message has not yet been delivered is:\n\n  ann@x.org\n    Delay reason: Connection timed out\n\nNo action is required on your part.\n",
     "ann@x.org", None, Outcome::Delayed, None),
    ("sendmail of old", "From: Mail Delivery Subsystem <MAILER-DAEMON@y.org>\nSubject: Returned mail: User unknown",
     "The original message was received at Mon, 2 Nov 2026 10:00:00 +0100\nfrom localhost\n\n   ----- The following addresses had permanent fatal errors -----\n<ann@x.org>\n\n   ----- Transcript of session follows -----\n... while talking to mx.x.org.:\n>>> RCPT To:<ann@x.org>\n<<< 550 5.1.1 <ann@x.org>... User unknown\n\n   ----- Original message follows -----\n\nReturn-Path: <me@y.org>\nMessage-Id: <a1@y.org>\n",
     "ann@x.org", Some("5.1.1"), HARD, Some("<a1@y.org>")),
    ("Gmail of old", "From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>\nX-Failed-Recipients: ann@x.org\nSubject: Delivery Status Notification (Failure)",
     "Delivery to the following recipient failed permanently:\n\n     ann@x.org\n\nTechnical details of permanent failure: \nGoogle tried to deliver your message, but it was rejected by the server for the recipient domain x.org by mx.x.org. [192.0.2.9].\n\nThe error that the other server returned was:\n552 5.2.2 Mailbox full\n\n----- Original message -----\n\nMIME-Version: 1.0\nMessage-ID: <a1@mail.gmail.com>\n",
     "ann@x.org", Some("5.2.2"), SOFT, Some("<a1@mail.gmail.com>")),
    ("Exchange 2003", "From: System Administrator <postmaster@y.org>\nSubject: Undeliverable: Offer\nIn-Reply-To: <a1@y.org>",
     "Your message did not reach some or all of the intended recipients.\n\n      Subject:\tOffer\n      Sent:\t11/2/2026 10:00 AM\n\nThe following recipient(s) could not be reached:\n\n      ann@x.org on 11/2/2026 10:01 AM\n            The e-mail account does not exist at the organization this message was sent to.\n            <mx.y.org #5.1.1>\n",
     "ann@x.org", Some("5.1.1"), HARD, Some("<a1@y.org>")),
    ("Exchange in German", "From: Microsoft Outlook <postmaster@y.org>\nReturn-Path: <>\nSubject: Unzustellbar: Angebot\nIn-Reply-To: <a1@y.org>",
     "Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Gruppen:\n\nann@x.org\nDie eingegebene E-Mail-Adresse konnte nicht gefunden werden.\n\nDiagnoseinformationen für Administratoren:\nRemote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound'\n",
     "ann@x.org", Some("5.1.10"), HARD, Some("<a1@y.org>")),
    ("Domino", "From: Postmaster@y.org\nSubject: DELIVERY FAILURE: User lee not listed in Domino Directory",
     "Your message\n\n  Subject: Offer\n\nwas not delivered to:\n\n  ann@x.org\n\nbecause:\n\n  User lee (ann@x.org) not listed in Domino Directory\n",
     "ann@x.org", None, HARD, None),
    ("Yahoo", "From: MAILER-DAEMON@yahoo.com\nSubject: Failure Notice",
     "Sorry, we were unable to deliver your message to the following address.\n\n<ann@x.org>:\nRemote host said:\n554 delivery error: dd This user doesn't have a yahoo.com account [-5]\n\n--- Below this line is a copy of the message.\n\nMessage-ID: <a1@mail.yahoo.com>\n",
     "ann@x.org", Some("554"), HARD, Some("<a1@mail.yahoo.com>")),
    ("GMX", "From: \"GMX Mailer Daemon\" <mailer-daemon@gmx.de>\nSubject: Mail delivery failed: returning message to sender",
     "This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of\nits recipients. This is a permanent error. The following address\nfailed:\n\n\"ann@x.org\":\nSMTP error from remote server for RCPT TO command, host: mx.x.org (192.0.2.9) reason: 550 5.7.1 rejected by policy\n\n--- The header of the original message is following. ---\n\nReceived: from y\nMessage-ID: <a1@gmx.de>\n",
     "ann@x.org", Some("5.7.1"), SOFT, Some("<a1@gmx.de>")),
    ("Amazon SES", "From: MAILER-DAEMON@amazonses.com\nSubject: Delivery Status Notification (Failure)",
     "An error occurred while trying to deliver the mail to the following recipients:\nann@x.org\n",
     "ann@x.org", None, SOFT, None),
    ("IronPort", "From: Mail Delivery System <MAILER-DAEMON@y.org>\nSubject: Delivery Status Notification (Failure)",
     "The following message to <ann@x.org> was undeliverable.\nThe reason for the problem:\n5.1.0 - Unknown address error 550-'5.1.1 no such user'\n",
     "ann@x.org", Some("5.1.0"), HARD, None),
    ("MailEnable", "From: postmaster@y.org\nReturn-Path: <>\nSubject: Message Delivery Failure",
     "MailEnable: Message could not be delivered to some recipients.\n\nRecipient: [SMTP:ann@x.org]\nReason: Remote SMTP Server Returned: 550 Invalid recipient\n\nMessage headers follow:\n\nReceived: from y\nMessage-ID: <a1@y.org>\n",
     "ann@x.org", Some("550"), HARD, Some("<a1@y.org>")),
    ("in French", "From: Mail Delivery System <MAILER-DAEMON@y.org>\nSubject: Message non remis",
     "Votre message n'a pas pu être remis au destinataire suivant :\n\n<ann@x.org> : boîte pleine, 552 5.2.2\n",
     "ann@x.org", Some("5.2.2"), SOFT, None),
    ("in Japanese", "From: MAILER-DAEMON@y.org\nSubject: Undelivered",
     "以下の宛先に配信できませんでした。\n\n<ann@x.org>: 550 宛先は存在しません\n",
     "ann@x.org", Some("550"), HARD, None),
    ("a status part in plain text", "From: MAILER-DAEMON@y.org\nSubject: Undelivered",
     "Sorry.\n\nReporting-MTA: dns; y.org\n\nFinal-Recipient: rfc822; ann@x.org\nAction: failed\nStatus: 5.1.1\n\nMessage-ID: <a1@y.org>\n",
     "ann@x.org", Some("5.1.1"), HARD, Some("<a1@y.org>")),
];

#[test]
fn reports_for_people_are_read() {
    for (name, header, text, address, code, outcome, id) in ROWS {
        let raw = format!(
            "{header}\nTo: me@y.org\nMessage-ID: <report@y.org>\nContent-Type: text/plain; charset=utf-8\n\n{text}"
        );
        for raw in [raw.clone(), raw.replace('\n', "\r\n")] {
            let found = read(raw.as_bytes()).unwrap_or_else(|| panic!("not understood: {name}"));
            let named: Vec<&str> = found.recipients.iter().map(|r| r.address.as_str()).collect();
            assert_eq!(named, [*address], "{name}");
            let recipient = &found.recipients[0];
            assert_eq!(recipient.mail_address().unwrap().as_str(), *address);
            assert_eq!((recipient.code().as_deref(), recipient.outcome), (*code, *outcome), "{name}");
            assert_eq!(found.original_id.as_deref(), *id, "{name}");
        }
    }
}

#[test]
fn what_is_no_report_is_none() {
    for raw in [
        "From: Ann <ann@x.org>\nTo: me@y.org\nSubject: Re: Undeliverable mail\n\nYour message was not delivered to:\n\n  bob@z.org\n",
        "From: postmaster@y.org\nTo: me@y.org\nSubject: New rules\n\nWrite to us:\nhelp@y.org\n",
        "From: ann@x.org\nAuto-Submitted: auto-replied\nSubject: Automatic reply: Offer\n\nIn urgent cases:\nbob@x.org\n",
        "From: news@x.org\nList-Id: <n.x.org>\nSubject: Why mail is returned to sender\n\nann@x.org\n",
        "From: ann@x.org\nTo: me@y.org\nSubject: Read: Offer\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b\nContent-Type: text/plain\n\nread\n--b\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; ann@x.org\nOriginal-Message-ID: <a1@y.org>\nDisposition: manual-action/MDN-sent-manually; displayed\n--b--\n",
        "",
    ] {
        assert!(read(raw.as_bytes()).is_none(), "{raw}");
    }
}

#[test]
fn hostile_reports_end() {
    let head = "From: MAILER-DAEMON@y.org\nSubject: Undelivered\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n";
    for piece in [
        "Final-Recipient: rfc822; a@x.org\n",
        "\n\n",
        "Status: 5.1.1\n",
        ":\n",
        " x\n",
        "<",
        "a@x.org\n",
        "Message-ID:\n",
    ] {
        let raw = format!("{head}{}", piece.repeat(200_000 / piece.len()));
        let found = read(raw.as_bytes());
        assert!(found.is_none_or(|f| f.recipients.len() <= 500));
        let raw = format!(
            "From: MAILER-DAEMON@y.org\nSubject: Undelivered\n\n{}",
            piece.repeat(200_000 / piece.len())
        );
        read(raw.as_bytes());
    }
    let mut nested = String::from(head);
    for _ in 0..5_000 {
        nested
            .push_str("--b\nContent-Type: message/rfc822\n\nContent-Type: multipart/report; boundary=b\n\n");
    }
    read(nested.as_bytes());
}
