//! What the person says of one mail, in any mail program: a prefix of the subject (`+log Offer`) or a suffix of an address
//! (`carl+log@firm.example`). Both are taken away before the mail goes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The person's word on one mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Switch {
    /// `+log`: this mail is logged.
    Log,
    /// `+nolog`: it is not.
    NoLog,
}

impl Switch {
    const ALL: [(&'static str, Switch); 2] = [("+nolog", Switch::NoLog), ("+log", Switch::Log)];

    /// Where a mail has both, the no counts.
    pub(crate) fn and(self, other: Option<Self>) -> Self {
        if other == Some(Switch::NoLog) { other.unwrap_or(self) } else { self }
    }
}

/// The switch at the end of an address's local part, and the address without it.
pub(crate) fn of_address(address: &str) -> Option<(Switch, String)> {
    let (local, domain) = address.rsplit_once('@')?;
    if local.starts_with('"') {
        return None;
    }
    Switch::ALL.into_iter().find_map(|(word, switch)| {
        let at = local.len().checked_sub(word.len()).filter(|at| *at > 0)?;
        let (bare, end) = local.split_at_checked(at)?;
        end.eq_ignore_ascii_case(word).then(|| (switch, format!("{bare}@{domain}")))
    })
}

/// The address of an `ORCPT` (`rfc822;` and xtext, RFC 3461 §4) without its switch; `None` where it has none.
pub(crate) fn of_original_recipient(value: &str) -> Option<String> {
    let (kind, text) = value.split_once(';')?;
    let (local, domain) = text.rsplit_once('@')?;
    // In xtext a plus is +2B.
    let local = ["+2Bnolog", "+2Blog"].into_iter().find_map(|word| {
        let at = local.len().checked_sub(word.len()).filter(|at| *at > 0)?;
        let (bare, end) = local.split_at_checked(at)?;
        end.eq_ignore_ascii_case(word).then_some(bare)
    })?;
    Some(format!("{kind};{local}@{domain}"))
}

/// The switch at the beginning of a subject, and the subject without it. Takes what stands behind the colon as it is, with
/// folds and line end; of it, only the switch and the space behind it go. The first encoded word (RFC 2047) is looked into,
/// since most mail programs encode a subject whole.
pub(crate) fn of_subject(value: &[u8]) -> Option<(Switch, Vec<u8>)> {
    let begin = value.iter().position(|b| !is_space(*b))?;
    let (space, text) = value.split_at(begin);
    if let Some((switch, length)) = at_beginning(text) {
        return Some((switch, [space, behind_space(&text[length..])].concat()));
    }
    let word = EncodedWord::read(text)?;
    let (switch, inner) = word.without_switch()?;
    let rest = &text[word.length..];
    Some((
        switch,
        match inner.is_empty() {
            true => [space, behind_space(rest)].concat(),
            false => [space, word.head, inner.as_slice(), b"?=", rest].concat(),
        },
    ))
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// The switch that a text begins with, as a whole word, and its length.
fn at_beginning(text: &[u8]) -> Option<(Switch, usize)> {
    Switch::ALL.into_iter().find_map(|(word, switch)| {
        let head = text.get(..word.len())?;
        let whole = text.get(word.len()).is_none_or(|next| is_space(*next));
        (whole && head.eq_ignore_ascii_case(word.as_bytes())).then_some((switch, word.len()))
    })
}

/// Without the space, and the folds, at the beginning; a line end that ends the field stays.
fn behind_space(text: &[u8]) -> &[u8] {
    match text.iter().position(|b| !is_space(*b)) {
        Some(at) => &text[at..],
        None => text.strip_suffix(b"\r\n").map_or(&text[text.len()..], |_| &text[text.len() - 2..]),
    }
}

/// `=?charset?B?text?=` or with Q.
struct EncodedWord<'a> {
    /// Up to the text.
    head: &'a [u8],
    text: &'a [u8],
    base64: bool,
    /// Of the whole word.
    length: usize,
}

impl<'a> EncodedWord<'a> {
    fn read(value: &'a [u8]) -> Option<Self> {
        let inner = value.strip_prefix(b"=?")?;
        let mark = |from: usize| inner[from..].iter().position(|b| *b == b'?').map(|at| from + at);
        let charset = mark(0)?;
        let encoding = mark(charset + 1)?;
        let end = mark(encoding + 1)?;
        if inner.get(end + 1) != Some(&b'=') || inner[..end].iter().any(|b| is_space(*b)) {
            return None;
        }
        let base64 = match &inner[charset + 1..encoding] {
            b"B" | b"b" => true,
            b"Q" | b"q" => false,
            _ => return None,
        };
        Some(Self { head: &value[..encoding + 3], text: &inner[encoding + 1..end], base64, length: end + 4 })
    }

    /// The switch that the word begins with, and its text without it, encoded as it was. Every charset in which mail is
    /// written begins as ASCII.
    fn without_switch(&self) -> Option<(Switch, Vec<u8>)> {
        if self.base64 {
            let plain = STANDARD.decode(self.text).ok()?;
            let (switch, length) = at_beginning(&plain)?;
            let rest = plain[length..].strip_prefix(b" ").unwrap_or(&plain[length..]);
            return Some((switch, STANDARD.encode(rest).into_bytes()));
        }
        // Each letter with the number of bytes that it takes in the word: what stays is not encoded anew.
        let mut plain = Vec::new();
        let mut lengths = Vec::new();
        let mut rest = self.text;
        while let (Some((first, tail)), true) = (rest.split_first(), plain.len() < 8) {
            let (byte, length) = match first {
                b'_' => (b' ', 1),
                b'=' => {
                    let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
                    (u8::from_str_radix(digits, 16).ok()?, 3)
                }
                byte => (*byte, 1),
            };
            plain.push(byte);
            lengths.push(length);
            rest = &rest[length..];
        }
        let (switch, length) = at_beginning(&plain)?;
        let letters = if plain.get(length) == Some(&b' ') { length + 1 } else { length };
        let taken: usize = lengths[..letters].iter().sum();
        Some((switch, self.text[taken..].to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_says_it_at_its_end() {
        let of = of_address;
        assert_eq!(of("carl+log@x.example"), Some((Switch::Log, "carl@x.example".into())));
        assert_eq!(of("Carl+NoLog@X.example"), Some((Switch::NoLog, "Carl@X.example".into())));
        assert_eq!(of("carl+crm+log@x.example"), Some((Switch::Log, "carl+crm@x.example".into())));
        for address in ["carl@x.example", "+log@x.example", "carl+logs@x.example", "\"a+log\"@x", "carl+log"]
        {
            assert_eq!(of(address), None, "{address}");
        }
        assert_eq!(
            of_original_recipient("rfc822;carl+2Blog@x.example").as_deref(),
            Some("rfc822;carl@x.example")
        );
        assert_eq!(of_original_recipient("rfc822;carl@x.example"), None);
    }

    #[test]
    fn a_subject_says_it_at_its_beginning() {
        for (subject, want, left) in [
            (" +log Offer\r\n", Switch::Log, " Offer\r\n"),
            (" +NOLOG  Offer\r\n", Switch::NoLog, " Offer\r\n"),
            ("+log\r\n\tOffer\r\n", Switch::Log, "Offer\r\n"),
            (" +log\r\n", Switch::Log, " \r\n"),
            (" +log =?utf-8?q?M=C3=A4rz?=\r\n", Switch::Log, " =?utf-8?q?M=C3=A4rz?=\r\n"),
            (" =?UTF-8?Q?+log_f=C3=BCr_M=C3=A4rz?=\r\n", Switch::Log, " =?UTF-8?Q?f=C3=BCr_M=C3=A4rz?=\r\n"),
            (" =?utf-8?q?=2BLog=20x?= =?utf-8?q?y?=\r\n", Switch::Log, " =?utf-8?q?x?= =?utf-8?q?y?=\r\n"),
            (" =?utf-8?q?+nolog?=\r\n =?utf-8?q?_y?=\r\n", Switch::NoLog, " =?utf-8?q?_y?=\r\n"),
            // "+log Grüße" and "Grüße"
            (" =?utf-8?B?K2xvZyBHcsO8w59l?=\r\n", Switch::Log, " =?utf-8?B?R3LDvMOfZQ==?=\r\n"),
        ] {
            let (switch, rest) = of_subject(subject.as_bytes()).unwrap_or_else(|| panic!("{subject:?}"));
            assert_eq!((switch, String::from_utf8(rest).unwrap().as_str()), (want, left), "{subject:?}");
        }
        for subject in [
            " Offer\r\n",
            " Re: +log Offer\r\n",
            " +logistics\r\n",
            " +log-Offer\r\n",
            "\r\n",
            " =?utf-8?q?+logs?=\r\n",
            " =?utf-8?x?+log_a?=\r\n",
            " =?utf-8?q?=2?=\r\n",
            " =?utf-8?B?***?=\r\n",
            " =?\r\n",
        ] {
            assert_eq!(of_subject(subject.as_bytes()), None, "{subject:?}");
        }
    }

    #[test]
    fn the_no_counts_where_both_are_said() {
        assert_eq!(Switch::Log.and(Some(Switch::NoLog)), Switch::NoLog);
        assert_eq!(Switch::NoLog.and(Some(Switch::Log)), Switch::NoLog);
        assert_eq!(Switch::Log.and(None), Switch::Log);
    }

    proptest! {
        #[test]
        fn a_prefix_in_plain_text_leaves_the_rest_as_it_was(rest in "[!-~][ -~]{0,60}") {
            let (switch, left) = of_subject(format!(" +log {rest}\r\n").as_bytes()).unwrap();
            prop_assert_eq!(switch, Switch::Log);
            prop_assert_eq!(String::from_utf8(left).unwrap(), format!(" {rest}\r\n"));
        }

        #[test]
        fn nothing_panics(value in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = of_subject(&value);
            let _ = of_subject(&[b" =?utf-8?q?".as_slice(), &value].concat());
        }
    }
}
