//! What stands behind `MAIL FROM:` and `RCPT TO:` (RFC 5321 §4.1.1.2, §4.1.1.3).

use crate::answer::Answer;

/// Longest address taken, in bytes; RFC 5321 §4.5.3.1.3 has 256 with its brackets.
const MOST_ADDRESS: usize = 320;
/// Most parameters of one command.
const MOST_PARAMETERS: usize = 16;

/// An address and its parameters, as the mail program wrote them. They hold no space, no control character and no line
/// end, so that nothing in them can be taken for another command.
#[derive(Clone, PartialEq, Eq)]
pub struct Path {
    /// Without its brackets; empty for the null sender.
    pub address: String,
    pub parameters: Vec<Parameter>,
}

/// `NAME` or `NAME=VALUE`.
#[derive(Clone, PartialEq, Eq)]
pub struct Parameter {
    name: String,
    value: Option<String>,
}

impl Parameter {
    /// In upper case.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// As it was written.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    pub(crate) fn with_value(&self, value: String) -> Self {
        Self { name: self.name.clone(), value: Some(value) }
    }
}

impl std::fmt::Display for Parameter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)?;
        match &self.value {
            Some(value) => write!(f, "={value}"),
            None => Ok(()),
        }
    }
}

/// Without the address: it may reach a log.
impl std::fmt::Debug for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.parameters.iter().map(Parameter::name).collect();
        f.debug_struct("Path").field("parameters", &names).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Parameter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Parameter").field(&self.name).finish()
    }
}

impl Path {
    /// Reads what stands behind the colon. A space before the bracket is no part of the standard, but some write one.
    pub(crate) fn read(text: &str) -> Result<Self, Answer> {
        let wrong = |why: &str| Answer::new(501, format!("5.5.4 {why}"));
        let text = text.trim_start_matches(' ');
        let inner = text.strip_prefix('<').ok_or_else(|| wrong("Write the address in angle brackets"))?;
        let end = end_of_path(inner).ok_or_else(|| wrong("The address has no end"))?;
        let (address, rest) = (&inner[..end], &inner[end + 1..]);
        if address.len() > MOST_ADDRESS {
            return Err(Answer::new(501, "5.1.7 The address is too long"));
        }
        if address.starts_with('@') {
            return Err(Answer::new(553, "5.1.3 Source routes are not taken"));
        }
        let broken = |c: char| c.is_control() || (c == ' ' && !address.starts_with('"'));
        if address.chars().any(broken) {
            return Err(Answer::new(553, "5.1.3 The address holds a character that no address has"));
        }
        if !rest.is_empty() && !rest.starts_with(' ') {
            return Err(wrong("Parameters begin with a space"));
        }
        let mut parameters: Vec<Parameter> = Vec::new();
        for word in rest.split(' ').filter(|word| !word.is_empty()) {
            let parameter = read_parameter(word).ok_or_else(|| wrong("A parameter cannot be read"))?;
            if parameters.len() == MOST_PARAMETERS || parameters.iter().any(|p| p.name == parameter.name) {
                return Err(wrong("A parameter stands twice, or there are too many"));
            }
            parameters.push(parameter);
        }
        Ok(Self { address: address.to_owned(), parameters })
    }

    /// A parameter's value; the inner `None` where it has none.
    pub(crate) fn value(&self, name: &str) -> Option<Option<&str>> {
        self.parameters.iter().find(|p| p.name == name).map(Parameter::value)
    }
}

/// Where the closing bracket stands: not within a quoted local part, and no bracket opens before it.
fn end_of_path(inner: &str) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'<' if !quoted => return None,
            b'>' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

fn read_parameter(word: &str) -> Option<Parameter> {
    let (name, value) = match word.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (word, None),
    };
    let is_name = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let is_value = value.is_none_or(|v| !v.is_empty() && v.chars().all(|c| c != '=' && !c.is_control()));
    (is_name && is_value)
        .then(|| Parameter { name: name.to_ascii_uppercase(), value: value.map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code(text: &str) -> u16 {
        Path::read(text).map_or_else(|answer| answer.code, |_| 250)
    }

    #[test]
    fn a_path_and_its_parameters_are_read() {
        let path = Path::read(r#"<"a b\">"@x.example> SIZE=12 smtputf8 BODY=8BITMIME"#).unwrap();
        assert_eq!(path.address, r#""a b\">"@x.example"#);
        let shown: Vec<String> = path.parameters.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["SIZE=12", "SMTPUTF8", "BODY=8BITMIME"]);
        assert_eq!(path.value("SIZE"), Some(Some("12")));
        assert_eq!(path.value("SMTPUTF8"), Some(None));
        assert_eq!(Path::read("<>").unwrap().address, "");
        assert_eq!(Path::read(" <a@b>").unwrap().address, "a@b");
    }

    #[test]
    fn what_could_be_another_command_is_refused() {
        for text in [
            "a@b",
            "<a@b",
            "<a@b>SIZE=1",
            "<a@b> SIZE=",
            "<a@b> SIZE=1 SIZE=2",
            "<a@b> =1",
            "<a@b> X=a=b",
            "<<a@b>>",
            "<a@b>\tSIZE=1",
            "<a@b> RET=F\u{b}ULL",
        ] {
            assert_eq!(code(text), 501, "{text:?}");
        }
        for text in ["<@c,@d:a@b>", "<a b@c>", "<a\tb@c>", "<a\u{0}@c>"] {
            assert_eq!(code(text), 553, "{text:?}");
        }
        assert_eq!(code(&format!("<{}@x>", "a".repeat(400))), 501);
    }

    proptest! {
        #[test]
        fn whatever_is_taken_has_no_line_end_and_no_bracket_outside_quotes(text in ".{0,80}") {
            if let Ok(path) = Path::read(&text) {
                let whole = format!("<{}>{}", path.address, path.parameters.iter().map(|p| format!(" {p}")).collect::<String>());
                prop_assert!(!whole.chars().any(char::is_control));
                prop_assert_eq!(Path::read(&whole).unwrap(), path);
            }
        }
    }
}
