//! The lines that a mail program says.

/// One command; its verb is read in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command<'a> {
    Ehlo,
    Helo,
    StartTls,
    /// What stands behind AUTH.
    Auth(&'a str),
    /// What stands behind the colon.
    Mail(&'a str),
    Rcpt(&'a str),
    Data,
    /// How many bytes follow, and whether they are the last.
    Bdat {
        size: u64,
        last: bool,
    },
    /// BDAT that does not say how many bytes follow: where the next command begins is not known.
    BrokenBdat,
    Rset,
    Noop,
    Quit,
    Vrfy,
    Help,
    /// One that is known and not had here.
    NotHere,
    /// One with words where none belong, or without those that do.
    Wrong,
    Unknown,
}

impl<'a> Command<'a> {
    /// Reads a line without its end.
    pub fn read(line: &'a str) -> Self {
        let line = line.trim_end_matches(' ');
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let bare = |command: Self| if rest.is_empty() { command } else { Command::Wrong };
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" if !rest.trim().is_empty() => Command::Ehlo,
            "HELO" if !rest.trim().is_empty() => Command::Helo,
            "EHLO" | "HELO" => Command::Wrong,
            "STARTTLS" => bare(Command::StartTls),
            "AUTH" if !rest.is_empty() => Command::Auth(rest),
            "AUTH" => Command::Wrong,
            "MAIL" => behind(rest, "FROM:").map_or(Command::Wrong, Command::Mail),
            "RCPT" => behind(rest, "TO:").map_or(Command::Wrong, Command::Rcpt),
            "DATA" => bare(Command::Data),
            "RSET" => bare(Command::Rset),
            "NOOP" => Command::Noop,
            "QUIT" => bare(Command::Quit),
            "VRFY" => Command::Vrfy,
            "HELP" => Command::Help,
            "BDAT" => bdat(rest).unwrap_or(Command::BrokenBdat),
            "EXPN" | "TURN" | "ETRN" | "SEND" | "SOML" | "SAML" => Command::NotHere,
            _ => Command::Unknown,
        }
    }
}

fn bdat<'a>(rest: &str) -> Option<Command<'a>> {
    let mut words = rest.split(' ').filter(|word| !word.is_empty());
    let size = words.next().filter(|size| size.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()?;
    let last = match words.next() {
        None => false,
        Some(word) if word.eq_ignore_ascii_case("LAST") => true,
        Some(_) => return None,
    };
    words.next().is_none().then_some(Command::Bdat { size, last })
}

fn behind<'a>(rest: &'a str, word: &str) -> Option<&'a str> {
    let (head, tail) = rest.split_at_checked(word.len())?;
    head.eq_ignore_ascii_case(word).then_some(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read() {
        for (line, want) in [
            ("ehlo x", Command::Ehlo),
            ("HELO [127.0.0.1]", Command::Helo),
            ("EHLO", Command::Wrong),
            ("mail from:<a@b> SIZE=1", Command::Mail("<a@b> SIZE=1")),
            ("MAIL FROM <a@b>", Command::Wrong),
            ("MAIL FROMÄ", Command::Wrong),
            ("rcpt To:<c@d>", Command::Rcpt("<c@d>")),
            ("AUTH PLAIN AGEAYg==", Command::Auth("PLAIN AGEAYg==")),
            ("AUTH", Command::Wrong),
            ("DATA", Command::Data),
            ("DATA x", Command::Wrong),
            ("RSET ", Command::Rset),
            ("noop what", Command::Noop),
            ("BDAT 10", Command::Bdat { size: 10, last: false }),
            ("bdat 0 last", Command::Bdat { size: 0, last: true }),
            ("BDAT", Command::BrokenBdat),
            ("BDAT +5", Command::BrokenBdat),
            ("BDAT 99999999999999999999999", Command::BrokenBdat),
            ("BDAT 5 LAST x", Command::BrokenBdat),
            ("EXPN list", Command::NotHere),
            ("GET / HTTP/1.1", Command::Unknown),
            ("", Command::Unknown),
        ] {
            assert_eq!(Command::read(line), want, "{line:?}");
        }
    }
}
