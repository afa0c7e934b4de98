//! The text of a mail as it comes behind DATA (RFC 5321 §4.5.2), up to its last dot.
//!
//! It is passed on as it came, doubled dots too. Lines end with CR LF and nothing else: a server that also takes `LF . LF` or
//! `LF . CR LF` for an end would read what follows as commands (SMTP smuggling, 2023), so a bare CR or LF never leaves here.

use crate::answer::Answer;
use memchr::memchr3;

/// What makes a text one that is not passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    BareLineFeed,
    BareCarriageReturn,
    Nul,
    /// With how many bytes a line may have.
    LongLine(usize),
}

impl Fault {
    /// What is told of it, and whether the connection ends behind it: with one who ends lines in another way there is no agreement
    /// about where a mail ends.
    pub(crate) fn refusal(self) -> (Answer, bool) {
        let no = |words: String| Answer::new(550, format!("5.6.0 {words}"));
        match self {
            Fault::BareLineFeed => {
                (no("A line of the mail ends with LF alone; CR LF is needed".to_owned()), true)
            }
            Fault::BareCarriageReturn => (no("The mail holds a CR without its LF".to_owned()), true),
            Fault::Nul => (no("The mail holds a NUL byte".to_owned()), true),
            Fault::LongLine(most) => (no(format!("A line of the mail has more than {most} bytes")), false),
        }
    }
}

/// Looks at each byte once. Memory: two bytes.
#[derive(Debug)]
pub(crate) struct Scanner {
    at: At,
    /// Bytes of this line.
    line: usize,
    most: usize,
    /// Whether a dot at the beginning of a line is special.
    dots: bool,
    fault: Option<Fault>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    LineStart,
    /// Behind a dot that begins a line, which is held back.
    Dot,
    /// Behind such a dot and a CR, both held back.
    DotCr,
    Text,
    Cr,
}

impl Scanner {
    /// `most` bytes a line.
    pub(crate) fn new(most: usize) -> Self {
        Self { at: At::LineStart, line: 0, most, dots: true, fault: None }
    }

    /// For a text that has no end of its own, and no doubled dots (RFC 3030).
    pub(crate) fn without_dots(most: usize) -> Self {
        Self { dots: false, ..Self::new(most) }
    }

    /// Call it where the text is over: true where its last line end is half of one, which is a fault.
    pub(crate) fn is_cut(&mut self) -> bool {
        let cut = self.at == At::Cr;
        if cut {
            self.fail(Fault::BareCarriageReturn);
        }
        cut
    }

    /// The first fault so far. What came behind it was not given out.
    pub(crate) fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// Puts the text in these bytes into `out`; gives how many belong to the text or its end, where it ends in them.
    pub(crate) fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            let run = self.run(&bytes[at..], out);
            if run == 0 && self.step(bytes[at], out) {
                return Some(at + 1);
            }
            at += run.max(1);
        }
        None
    }

    /// Passes on what is nothing but text, up to the next byte that may be more; gives its length.
    fn run(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> usize {
        if self.at != At::Text {
            return 0;
        }
        let run = memchr3(b'\r', b'\n', 0, bytes).unwrap_or(bytes.len());
        let fits = run.min(self.most.saturating_sub(self.line));
        self.give(&bytes[..fits], out);
        if fits < run {
            self.fail(Fault::LongLine(self.most));
        }
        self.line += run;
        run
    }

    /// True where this byte ends the text.
    fn step(&mut self, byte: u8, out: &mut Vec<u8>) -> bool {
        self.at = match (self.at, byte) {
            (At::DotCr, b'\n') => return true,
            (At::LineStart, b'.') if self.dots => At::Dot,
            (At::Dot, b'\r') => At::DotCr,
            (At::Cr, b'\n') => {
                self.give(b"\n", out);
                self.line = 0;
                At::LineStart
            }
            (before, byte) => {
                match before {
                    At::Dot => {
                        self.give(b".", out);
                        // A dot before anything but another dot is not a doubled one, and is a part of the line.
                        self.line += usize::from(byte != b'.');
                    }
                    At::DotCr => {
                        self.give(b".\r", out);
                        self.fail(Fault::BareCarriageReturn);
                    }
                    At::Cr => self.fail(Fault::BareCarriageReturn),
                    At::LineStart | At::Text => {}
                }
                match byte {
                    b'\n' => self.fail(Fault::BareLineFeed),
                    0 => self.fail(Fault::Nul),
                    _ => {}
                }
                if byte == b'\r' {
                    self.give(b"\r", out);
                    At::Cr
                } else {
                    self.line += 1;
                    if self.line > self.most {
                        self.fail(Fault::LongLine(self.most));
                    }
                    self.give(&[byte], out);
                    At::Text
                }
            }
        };
        false
    }

    fn give(&self, bytes: &[u8], out: &mut Vec<u8>) {
        if self.fault.is_none() {
            out.extend_from_slice(bytes);
        }
    }

    fn fail(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scan(text: &[u8]) -> (Vec<u8>, Option<usize>, Option<Fault>) {
        let mut scanner = Scanner::new(998);
        let mut out = Vec::new();
        let end = scanner.feed(text, &mut out);
        (out, end, scanner.fault())
    }

    #[test]
    fn a_text_passes_as_it_came_and_ends_at_its_dot() {
        let text = b"a\r\n..b\r\n.c\r\n\r\n.\r\nQUIT\r\n";
        assert_eq!(scan(text), (b"a\r\n..b\r\n.c\r\n\r\n".to_vec(), Some(text.len() - 6), None));
        assert_eq!(scan(b".\r\n"), (Vec::new(), Some(3), None));
        assert_eq!(scan(b"no end\r\n."), (b"no end\r\n".to_vec(), None, None));
    }

    #[test]
    fn nothing_else_is_an_end() {
        for (text, fault) in [
            (b"a\r\n.\nQUIT\r\n".as_slice(), Fault::BareLineFeed),
            (b"a\n.\r\nQUIT\r\n", Fault::BareLineFeed),
            (b"a\n.\nQUIT\r\n", Fault::BareLineFeed),
            (b"a\r.\r\nQUIT\r\n", Fault::BareCarriageReturn),
            (b"a\r\n.\rMAIL\r\n", Fault::BareCarriageReturn),
            (b"a\r\n.\r\r\nQUIT\r\n", Fault::BareCarriageReturn),
            (b"a\r\r\n.\n\r\n", Fault::BareCarriageReturn),
            (b"a\0\n.\r\n", Fault::Nul),
        ] {
            let (out, end, found) = scan(text);
            assert_eq!((end, found), (None, Some(fault)), "{text:?}");
            // Nothing that was given out holds a bare CR or LF, but for a CR whose LF was still to come.
            let given = String::from_utf8(out).unwrap().replace("\r\n", "");
            assert!(!given.trim_end_matches('\r').contains(['\r', '\n', '\0']), "{text:?}");
        }
        // After a fault the one end still is the end.
        assert_eq!(scan(b"a\nb\r\n.\r\nQUIT").1, Some(8));
    }

    #[test]
    fn a_line_may_have_998_bytes_and_a_doubled_dot() {
        let line = |n: usize, dot: &str| format!("{dot}{}\r\n.\r\n", "x".repeat(n)).into_bytes();
        assert_eq!(scan(&line(998, "")).2, None);
        assert_eq!(scan(&line(999, "")).2, Some(Fault::LongLine(998)));
        assert_eq!(scan(&line(997, "..")).2, None);
        assert_eq!(scan(&line(998, "..")).2, Some(Fault::LongLine(998)));
        assert_eq!(scan(&line(998, ".")).2, Some(Fault::LongLine(998)));
    }

    #[test]
    fn without_dots_a_text_has_no_end_of_its_own() {
        let mut scanner = Scanner::without_dots(998);
        let mut out = Vec::new();
        assert_eq!(scanner.feed(b"a\r\n.\r\n..b\r\n.", &mut out), None);
        assert_eq!((out.as_slice(), scanner.fault()), (b"a\r\n.\r\n..b\r\n.".as_slice(), None));
        assert!(!scanner.is_cut());
        scanner.feed(b"\r", &mut out);
        assert!(scanner.is_cut());
        assert_eq!(scanner.fault(), Some(Fault::BareCarriageReturn));
    }

    proptest! {
        #[test]
        fn how_it_is_cut_does_not_matter(
            text in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'.'), Just(b'a'), Just(0)], 0..40),
            cut in 0_usize..40,
        ) {
            let whole = scan(&text);
            let (one, two) = text.split_at(cut.min(text.len()));
            let mut scanner = Scanner::new(998);
            let mut out = Vec::new();
            let end = scanner.feed(one, &mut out).or_else(|| {
                scanner.feed(two, &mut out).map(|at| at + one.len())
            });
            prop_assert_eq!(whole, (out, end, scanner.fault()));
        }

        #[test]
        fn what_is_given_out_never_holds_an_end(
            text in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'.'), Just(b'a')], 0..60),
        ) {
            let (out, ..) = scan(&text);
            let mut lenient = out.clone();
            lenient.retain(|b| *b != b'\r');
            // Even for a reader to whom a bare LF is a line end there is no line of one dot.
            let has_end = lenient.split(|b| *b == b'\n').rev().skip(1).any(|line| line == b".");
            prop_assert!(!has_end, "{:?}", out);
        }
    }
}
