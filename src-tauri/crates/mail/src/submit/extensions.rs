//! What a server offers in its answer to EHLO.

/// The extensions that matter for a mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extensions {
    /// RFC 1870: the server knows SIZE.
    pub size: bool,
    /// Most bytes of a mail; none where the server names no limit, or 0.
    pub most_bytes: Option<u64>,
    /// RFC 6152.
    pub eight_bit: bool,
    /// RFC 6531.
    pub utf8: bool,
    /// RFC 3030.
    pub binary: bool,
    /// RFC 3030.
    pub chunking: bool,
    /// RFC 3461.
    pub dsn: bool,
    /// RFC 2920.
    pub pipelining: bool,
    /// RFC 2034.
    pub enhanced_codes: bool,
}

impl Extensions {
    /// `lines` are those behind the first of the answer.
    pub(super) fn read(lines: &[String]) -> Self {
        let mut found = Self::default();
        for line in lines {
            let mut words = line.split_ascii_whitespace();
            match words.next().unwrap_or_default().to_ascii_uppercase().as_str() {
                "SIZE" => {
                    found.size = true;
                    found.most_bytes = words.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0);
                }
                "8BITMIME" => found.eight_bit = true,
                "SMTPUTF8" => found.utf8 = true,
                "BINARYMIME" => found.binary = true,
                "CHUNKING" => found.chunking = true,
                "DSN" => found.dsn = true,
                "PIPELINING" => found.pipelining = true,
                "ENHANCEDSTATUSCODES" => found.enhanced_codes = true,
                _ => {}
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_is_read_without_case_and_what_is_odd_is_left() {
        let read =
            |lines: &[&str]| Extensions::read(&lines.iter().map(|l| (*l).to_owned()).collect::<Vec<_>>());
        let some = read(&["size 35882577", "8bitmime", "SMTPUTF8", "PIPELINING", "X-ODD", "", "DSNX"]);
        assert_eq!((some.size, some.most_bytes), (true, Some(35_882_577)));
        assert!(some.eight_bit && some.utf8 && some.pipelining);
        assert!(!some.dsn && !some.binary && !some.chunking);
        for line in ["SIZE", "SIZE 0", "SIZE many"] {
            assert_eq!((read(&[line]).size, read(&[line]).most_bytes), (true, None), "{line}");
        }
        let rest = read(&["CHUNKING", "BINARYMIME", "DSN"]);
        assert!(rest.dsn && rest.binary && rest.chunking);
    }
}
