//! One answer (RFC 5321 §4.2).

/// A code and its lines, the enhanced code (RFC 3463) at the beginning of each where there is one.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// 200 to 599.
    pub code: u16,
    /// Without code and line end; at least one, which may be empty.
    pub lines: Vec<String>,
}

impl Answer {
    /// An answer of one line.
    pub fn new(code: u16, text: impl Into<String>) -> Self {
        Self { code, lines: vec![text.into()] }
    }

    /// Done, or go on.
    pub fn is_good(&self) -> bool {
        (200..=399).contains(&self.code)
    }

    /// No, and for good.
    pub fn is_final(&self) -> bool {
        (500..=599).contains(&self.code)
    }

    /// After it the server closes the connection (RFC 5321 §3.8).
    pub fn ends(&self) -> bool {
        matches!(self.code, 221 | 421 | 521)
    }

    /// Its lines, joined.
    pub fn words(&self) -> String {
        self.lines.join(" ")
    }

    /// Puts it on the wire. What is no line of text cannot come into it.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let last = self.lines.len().saturating_sub(1);
        let none = [String::new()];
        let lines = if self.lines.is_empty() { &none[..] } else { &self.lines[..] };
        for (at, line) in lines.iter().enumerate() {
            let between = if at == last { ' ' } else { '-' };
            out.extend_from_slice(format!("{:03}{between}", self.code).as_bytes());
            let clean: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            out.extend_from_slice(clean.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// Without its words: a server's may name people.
impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").field("code", &self.code).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(answer: &Answer) -> String {
        let mut out = Vec::new();
        answer.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_line_has_the_code_and_the_last_one_a_space() {
        let answer = Answer { code: 550, lines: vec!["5.1.1 no such user".into(), "5.1.1 here".into()] };
        assert_eq!(written(&answer), "550-5.1.1 no such user\r\n550 5.1.1 here\r\n");
        assert_eq!(written(&Answer::new(250, "")), "250 \r\n");
        assert_eq!(written(&Answer { code: 250, lines: Vec::new() }), "250 \r\n");
    }

    #[test]
    fn no_line_can_hold_another() {
        assert_eq!(written(&Answer::new(250, "a\r\n250 b\u{0}")), "250 a  250 b \r\n");
    }

    #[test]
    fn a_print_for_a_log_has_no_words() {
        assert!(!format!("{:?}", Answer::new(550, "carl@firm.example")).contains("carl"));
    }
}
