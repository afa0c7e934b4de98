//! The text for the IT department.

use super::{Evidence, Reason};

/// What the IT department needs to know, ready to be sent: the server, the step, the cause, the server's own words. It
/// holds no secret. The server's words may name the mailbox, as the department needs to know. `server` is `host:port`.
pub fn for_it(server: Option<&str>, evidence: &Evidence, reason: Reason) -> String {
    let mut text = String::from("Hello,\n\na mail program (Threadline) cannot use my mailbox.\n\n");
    let mut fact = |name: &str, value: &str| {
        if !value.is_empty() {
            text.push_str(&format!("- {name}: {value}\n"));
        }
    };
    fact("Server", server.unwrap_or_default());
    fact("Step that failed", evidence.phase.name());
    fact("Problem", reason.title());
    fact("What it means", reason.explanation());
    fact("The server's own words", &evidence.words);
    fact("Code", reason.code());
    text.push_str("\nCould you have a look at this, or tell me what to change?\n\nThank you");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reason::{Phase, Signal};

    #[test]
    fn it_is_told_where_what_and_in_which_words() {
        let evidence = Evidence::new(Phase::Tcp, Signal::Refused, "no");
        let text = for_it(Some("imap.firm.example:993"), &evidence, Reason::ConnectionRefused);
        for part in [
            "imap.firm.example:993",
            "tcp",
            Reason::ConnectionRefused.title(),
            "words: no",
            "connection_refused",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let bare = for_it(None, &Evidence::new(Phase::Tcp, Signal::Refused, ""), Reason::ConnectionRefused);
        assert!(!bare.contains("Server:") && !bare.contains("words"), "{bare}");
    }
}
