//! What stands behind MAIL FROM and RCPT TO. Nothing of it can end the command.

use std::fmt;

/// Most bytes of an address: RFC 5321 §4.5.3.1.3 has 256, with SMTPUTF8 and long subaddresses some servers take more.
const MOST_PATH: usize = 1_000;

/// An address as a command names it (RFC 5321 §4.1.2), without the brackets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Path(String);

impl Path {
    /// None where it is empty, too long, or holds what would end it early: a control character, or a blank or an angle
    /// bracket outside quotes. Whether there is such a mailbox the server knows.
    pub fn new(text: &str) -> Option<Self> {
        if text.is_empty() || text.len() > MOST_PATH || text.chars().any(char::is_control) {
            return None;
        }
        let (mut quoted, mut escaped) = (false, false);
        for c in text.chars() {
            match c {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                ' ' | '<' | '>' if !quoted => return None,
                _ => {}
            }
        }
        (!quoted).then(|| Self(text.to_owned()))
    }

    /// The sender of reports, to whom none are sent back: `<>`.
    pub fn nobody() -> Self {
        Self(String::new())
    }

    /// Without the brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The parameters of MAIL and RCPT, in the order given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<String>);

impl Params {
    pub fn none() -> Self {
        Self::default()
    }

    /// RFC 1870: how many bytes the mail has, its line breaks as CR LF and without the dots added.
    pub fn size(self, bytes: u64) -> Self {
        self.and(format!("SIZE={bytes}"))
    }

    /// RFC 6152: bytes above 127 are in it.
    pub fn eight_bit(self) -> Self {
        self.and("BODY=8BITMIME".to_owned())
    }

    /// RFC 6531: addresses or header fields are not ASCII.
    pub fn utf8(self) -> Self {
        self.and("SMTPUTF8".to_owned())
    }

    /// Any other, `KEYWORD` or `KEYWORD=value`, as a client wrote it. None where it is no parameter (RFC 5321 §4.1.2).
    pub fn with(self, text: &str) -> Option<Self> {
        let (keyword, value) = match text.split_once('=') {
            Some((keyword, value)) => (keyword, Some(value)),
            None => (text, None),
        };
        let word = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let is_keyword =
            keyword.starts_with(|c: char| c.is_ascii_alphanumeric()) && keyword.chars().all(word);
        let is_value =
            value.is_none_or(|v| !v.is_empty() && !v.chars().any(|c| c.is_control() || c.is_whitespace()));
        (is_keyword && is_value).then(|| self.and(text.to_owned()))
    }

    fn and(mut self, param: String) -> Self {
        self.0.push(param);
        self
    }
}

/// Each behind a blank.
impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|param| write!(f, " {param}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_command_is_no_address() {
        for good in
            ["a@x.test", "\"a <b> \\\" c\"@x", "jörg@bücher.test", "@a,@b:c@d", "postmaster", "a+b=c@[::1]"]
        {
            assert_eq!(Path::new(good).unwrap().to_string(), good);
        }
        for bad in
            ["", "a b@x", "a@x>", "<a@x", "a@x\r\nRCPT TO:<b@y", "a@x\n", "a\0@x", "\"a@x", "\"a\\\"@x"]
        {
            assert!(Path::new(bad).is_none(), "{bad:?}");
        }
        assert!(Path::new(&"a".repeat(MOST_PATH + 1)).is_none());
    }

    #[test]
    fn what_would_end_a_command_is_no_parameter() {
        let all = Params::none().size(7).eight_bit().utf8().with("ORCPT=rfc822;a+3Db@x").unwrap();
        assert_eq!(all.to_string(), " SIZE=7 BODY=8BITMIME SMTPUTF8 ORCPT=rfc822;a+3Db@x");
        assert_eq!(Params::none().to_string(), "");
        for good in ["RET=HDRS", "AUTH=<>", "X-Y", "A=b=c"] {
            assert!(Params::none().with(good).is_some(), "{good}");
        }
        for bad in ["", "=x", "A=", "A=b c", "-A", "A B", "A=b\r\nDATA", "A\n", "Ä=b"] {
            assert!(Params::none().with(bad).is_none(), "{bad:?}");
        }
    }
}
