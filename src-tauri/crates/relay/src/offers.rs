//! The extensions that are passed on.

use crate::path::Parameter;
use serde::{Deserialize, Serialize};

/// What a provider's server offers, as far as the relay can pass it on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offers {
    /// RFC 1870; zero where it names no limit.
    pub size: Option<u64>,
    /// RFC 6152.
    pub eight_bit: bool,
    /// RFC 6531.
    pub smtp_utf8: bool,
    /// RFC 3461.
    pub dsn: bool,
    /// RFC 3030: BDAT.
    pub chunking: bool,
    /// RFC 3030; only with `chunking`.
    pub binary: bool,
    /// RFC 2034: the provider's answers have enhanced codes.
    pub enhanced_codes: bool,
}

impl Offers {
    /// What two providers both offer: for a mail program that has not said yet whose mailbox it is.
    pub fn shared_with(self, other: Self) -> Self {
        let size = match (self.size, other.size) {
            (Some(0), size) | (size, Some(0)) => size,
            (Some(one), Some(two)) => Some(one.min(two)),
            _ => None,
        };
        Self {
            size,
            eight_bit: self.eight_bit && other.eight_bit,
            smtp_utf8: self.smtp_utf8 && other.smtp_utf8,
            dsn: self.dsn && other.dsn,
            chunking: self.chunking && other.chunking,
            binary: self.binary && other.binary,
            enhanced_codes: self.enhanced_codes && other.enhanced_codes,
        }
    }

    /// The lines of the answer to EHLO. PIPELINING (RFC 2920) is between the mail program and the relay alone.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = vec!["PIPELINING".to_owned()];
        match self.size {
            Some(0) => lines.push("SIZE".to_owned()),
            Some(most) => lines.push(format!("SIZE {most}")),
            None => {}
        }
        for (is, name) in [
            (self.eight_bit, "8BITMIME"),
            (self.smtp_utf8, "SMTPUTF8"),
            (self.dsn, "DSN"),
            (self.chunking, "CHUNKING"),
            (self.chunking && self.binary, "BINARYMIME"),
            (self.enhanced_codes, "ENHANCEDSTATUSCODES"),
        ] {
            if is {
                lines.push(name.to_owned());
            }
        }
        lines
    }

    /// Whether a parameter of MAIL can be passed on.
    pub(crate) fn takes_of_mail(&self, parameter: &Parameter) -> bool {
        match parameter.name() {
            "SIZE" => self.size.is_some(),
            "BODY" => match parameter.value().unwrap_or_default().to_ascii_uppercase().as_str() {
                "7BIT" | "8BITMIME" => self.eight_bit,
                "BINARYMIME" => self.chunking && self.binary,
                _ => false,
            },
            "SMTPUTF8" => self.smtp_utf8 && parameter.value().is_none(),
            "RET" | "ENVID" => self.dsn,
            _ => false,
        }
    }

    /// Whether a parameter of RCPT can be passed on.
    pub(crate) fn takes_of_rcpt(&self, parameter: &Parameter) -> bool {
        matches!(parameter.name(), "NOTIFY" | "ORCPT") && self.dsn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_providers_share_what_both_have() {
        let all = Offers {
            size: Some(100),
            eight_bit: true,
            smtp_utf8: true,
            dsn: true,
            chunking: true,
            binary: true,
            enhanced_codes: true,
        };
        let some = Offers { size: Some(0), smtp_utf8: false, ..all };
        assert_eq!(all.shared_with(some), Offers { smtp_utf8: false, ..all });
        assert_eq!(all.shared_with(Offers { size: Some(9), ..all }).size, Some(9));
        assert_eq!(all.shared_with(Offers::default()), Offers::default());
        assert_eq!(Offers::default().lines(), ["PIPELINING"]);
        assert_eq!(
            all.lines(),
            [
                "PIPELINING",
                "SIZE 100",
                "8BITMIME",
                "SMTPUTF8",
                "DSN",
                "CHUNKING",
                "BINARYMIME",
                "ENHANCEDSTATUSCODES"
            ]
        );
    }
}
