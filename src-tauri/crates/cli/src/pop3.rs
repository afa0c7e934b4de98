//! Why POP3 is not used, in words: the explanation, the IMAP server beside it, the text for the IT department.

use crate::discover::endpoint;
use crate::output;
use crate::output::printable;
use threadline_core::address::Address;
use threadline_engine::EngineError;
use threadline_engine::discover::{Pop3Found, Pop3Sign};

const LONGEST: usize = 100;

/// Says what there is instead; without an IMAP server, what to send to whom.
pub fn tell(address: &Address, found: &Pop3Found) {
    output::say(&explanation(found));
    if found.imap.is_none() {
        output::say("\nText for the IT department:\n");
        output::say(&text_for_it(address, found));
    }
    output::say("");
}

/// The error for settings that are POP3's, after its data is printed: as JSON, or the text for the IT department.
pub fn refused(address: &Address, found: Pop3Found, json: bool) -> anyhow::Result<anyhow::Error> {
    if json {
        output::json(&found)?;
    } else if found.imap.is_none() {
        output::say(&text_for_it(address, &found));
    }
    let error = EngineError::Pop3 { explanation: explanation(&found) };
    Ok(error.into())
}

fn explanation(found: &Pop3Found) -> String {
    let host = printable(&found.host, LONGEST);
    let known = match found.sign {
        Pop3Sign::Port => "the port is POP3's",
        Pop3Sign::Host => "the name is a POP3 server's",
        Pop3Sign::Greeting => "it greets as a POP3 server",
        Pop3Sign::Answer => "the domain names it and no IMAP server",
    };
    let next = match (&found.imap, found.trusted) {
        (Some(imap), true) => format!("IMAP answers at {}: use --host {}", endpoint(imap), rest(imap)),
        (Some(imap), false) => format!(
            "IMAP answers at {}, but it is not certain whose it is. Ask the IT department whether it is the right one, then use --host {}",
            endpoint(imap),
            rest(imap)
        ),
        (None, _) => "No IMAP server answers beside it. Send your IT department the text for it".to_owned(),
    };
    format!(
        "{host}:{} is POP3 ({known}), and Threadline needs IMAP: POP3 downloads the mail and usually removes it from the server, so neither another device nor Threadline can see it. IMAP leaves it there. {next}.",
        found.port
    )
}

/// How the server is named on the command line.
fn rest(imap: &threadline_engine::settings::Endpoint) -> String {
    let host = printable(&imap.host, LONGEST);
    match imap.encryption {
        threadline_engine::settings::Encryption::Tls => host,
        threadline_engine::settings::Encryption::Starttls => format!("{host} --security starttls"),
    }
}

fn text_for_it(address: &Address, found: &Pop3Found) -> String {
    format!(
        "\
Hello,

I want to connect my mailbox to Threadline, which logs my mail with customers in the CRM. So far I know only its POP3
server. Threadline needs IMAP.

- Mailbox: {address}
- Known so far (POP3): {}:{}

Could you please tell me, or switch on:
- the IMAP server: its name, port 993 with TLS (or 143 with STARTTLS)
- the SMTP server for sending: its name, port 465 with TLS (or 587 with STARTTLS)
- the user name, and whether an app password is needed

Why: POP3 downloads the mail and usually removes it from the server, so no other program sees it. With IMAP it stays
there. Threadline marks nothing as read and deletes nothing.

Thank you!",
        printable(&found.host, LONGEST),
        found.port
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use threadline_engine::settings::{Encryption, Endpoint};

    fn found(imap: Option<Endpoint>, trusted: bool) -> Pop3Found {
        Pop3Found { sign: Pop3Sign::Port, host: "mail.firm.example".into(), port: 995, imap, trusted }
    }

    #[test]
    fn the_explanation_says_why_and_what_next() {
        let imap = |encryption| Endpoint { host: "mail.firm.example".into(), port: 993, encryption };
        let text = explanation(&found(Some(imap(Encryption::Tls)), true));
        assert!(text.starts_with("mail.firm.example:995 is POP3 (the port is POP3's)"), "{text}");
        assert!(
            text.contains("removes it from the server") && text.ends_with("use --host mail.firm.example."),
            "{text}"
        );
        let text = explanation(&found(Some(imap(Encryption::Starttls)), false));
        assert!(text.contains("not certain") && text.ends_with("--security starttls."), "{text}");
        assert!(explanation(&found(None, false)).contains("IT department"));
        assert!(!explanation(&found(None, false)).contains("invalid"));
    }

    #[test]
    fn the_text_names_mailbox_and_server() {
        let text = text_for_it(&Address::parse("ann@firm.example").unwrap(), &found(None, false));
        for word in ["ann@firm.example", "mail.firm.example:995", "993", "587", "Thank you"] {
            assert!(text.contains(word), "{word}");
        }
    }
}
