//! What a server said to a command.

use crate::error::enhanced;
use crate::smtp::Reply;
use threadline_core::envelope::clean;
use threadline_core::reason::{Evidence, MOST_WORDS, Phase, Signal};

/// One reply (RFC 5321 §4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// 200 to 599.
    pub code: u16,
    /// RFC 3463, such as `5.1.1`; only where its class is the code's.
    pub enhanced: Option<String>,
    /// The words of each line as the server wrote them, the enhanced code included. What is no UTF-8 is replaced.
    pub lines: Vec<String>,
}

impl Answer {
    pub(super) fn new(reply: Reply) -> Self {
        let class = reply.code / 100;
        let enhanced = reply.lines.first().and_then(|line| enhanced(line));
        let enhanced = enhanced.filter(|code| code.starts_with(&class.to_string()));
        Self { code: reply.code, enhanced, lines: reply.lines }
    }

    /// 2xx.
    pub fn is_yes(&self) -> bool {
        (200..=299).contains(&self.code)
    }

    /// 4xx: the same may be accepted later.
    pub fn is_passing(&self) -> bool {
        (400..=499).contains(&self.code)
    }

    /// The words in one line: cleaned, at most 500 characters, with the enhanced code once.
    pub fn words(&self) -> String {
        let mut words = String::new();
        for (at, line) in self.lines.iter().enumerate() {
            let repeated = self.enhanced.as_deref().filter(|_| at > 0);
            let line = repeated.and_then(|code| line.strip_prefix(code)).unwrap_or(line).trim();
            if !line.is_empty() {
                words.push_str(if words.is_empty() { "" } else { " " });
                words.push_str(line);
            }
        }
        clean(&words, MOST_WORDS)
    }

    /// What the classifier judges.
    pub fn evidence(&self) -> Evidence {
        let signal = Signal::Smtp { code: self.code, enhanced: self.enhanced.clone() };
        Evidence::new(Phase::Send, signal, &self.words())
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.code, self.words())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(raw: &str) -> Answer {
        Answer::new(Reply::parse(raw.as_bytes()).unwrap())
    }

    #[test]
    fn the_enhanced_code_is_told_once_and_only_where_it_fits() {
        let no = answer("550-5.1.1 No such\r\n550-5.1.1 user\r\n550 5.1.10 here\x07\r\n");
        assert_eq!(no.enhanced.as_deref(), Some("5.1.1"));
        assert_eq!(no.to_string(), "550 5.1.1 No such user 0 here");
        assert!(!no.is_yes() && !no.is_passing());
        let odd = answer("450 5.1.1 later\r\n");
        assert!(odd.is_passing() && odd.enhanced.is_none());
        assert_eq!(answer("250\r\n").words(), "");
    }
}
