//! What is new in the text of a mail, told from the quote below it and from the signature.

use super::block::Block;
use super::fields::{Field, blank, field};
use super::{Line, attribution, lines, marks, next_text};

/// A text taken apart. The parts are whole lines of the text, joined by LF.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// What the sender wrote, without quote and signature.
    pub text: String,
    /// The same with the signature.
    pub signed: String,
    /// Something was taken off as a quote.
    pub quotes: bool,
}

crate::debug_only!(Reply { quotes });

/// Takes a plain text apart. What it forwards is no quote: it is the reason for the mail. Where nothing is known as a quote,
/// all of it is new.
pub fn read(text: &str) -> Reply {
    let lines = lines(text);
    of_lines(&lines)
}

fn of_lines(lines: &[Line<'_>]) -> Reply {
    let (kept, quotes) = without_quotes(lines);
    let signed = joined(&kept);
    let text = joined(&kept[..signature(&kept)]);
    Reply { text: if text.is_empty() && !signed.is_empty() { signed.clone() } else { text }, signed, quotes }
}

fn joined(lines: &[&str]) -> String {
    let text: Vec<&str> = lines.iter().map(|line| line.trim_end_matches('\r')).collect();
    text.join("\n").trim_matches(blank).to_owned()
}

/// The lines that are no quote, and whether there was one.
fn without_quotes<'a>(lines: &[Line<'a>]) -> (Vec<&'a str>, bool) {
    let mut kept: Vec<&'a str> = Vec::new();
    let mut quotes = false;
    let mut at = 0;
    while at < lines.len() {
        let line = &lines[at];
        if line.depth > 0 {
            let end = quoted_until(lines, at);
            if is_quote(lines, at, end) {
                quotes = true;
                at = end;
            } else {
                kept.extend(lines[at..end].iter().map(|line| line.raw));
                at = end;
            }
            continue;
        }
        if marks::begins_forward(line.text)
            && next_text(lines, at + 1).is_some_and(|next| Block::read(lines, next).is_some())
        {
            // What is forwarded stays.
            kept.extend(lines[at..].iter().map(|line| line.raw));
            return (kept, quotes);
        }
        match splitter(lines, at) {
            Some(Split::Rest) => {
                unrule(&mut kept);
                return (kept, true);
            }
            Some(Split::Attribution { end, before }) => {
                unrule(&mut kept);
                if before > 0 {
                    kept.push(&line.text[..before]);
                }
                quotes = true;
                match next_text(lines, end) {
                    Some(next) if lines[next].depth > 0 => at = quoted_until(lines, next),
                    _ => return (kept, true),
                }
            }
            None => {
                kept.push(line.raw);
                at += 1;
            }
        }
    }
    (kept, quotes)
}

/// Takes a line of dashes above a quote off.
fn unrule(kept: &mut Vec<&str>) {
    while let Some(last) = kept.last()
        && (last.chars().all(blank)
            || (last.trim().chars().count() >= 3 && last.trim().chars().all(|c| "-=_*—─~".contains(c))))
    {
        kept.pop();
    }
}

enum Split {
    /// All that follows is quoted.
    Rest,
    /// What follows is quoted where it has quote marks, else all of it.
    Attribution { end: usize, before: usize },
}

/// Whether a quote begins at a line without quote marks.
fn splitter(lines: &[Line<'_>], at: usize) -> Option<Split> {
    let line = &lines[at];
    if line.is_blank() {
        return None;
    }
    if marks::begins_original(line.text) || Block::read(lines, at).is_some() {
        return Some(Split::Rest);
    }
    // A header that a program wrote into one line, below a rule.
    let ruled = marks::is_rule(line.text)
        && next_text(lines, at + 1)
            .and_then(|next| field(lines[next].text))
            .is_some_and(|(name, value)| name == Field::From && value.contains('@'));
    if ruled {
        return Some(Split::Rest);
    }
    attribution::read_inside(lines, at)
        .or_else(|| attribution::read(lines, at))
        .map(|a| Split::Attribution { end: a.end, before: a.before })
}

/// The first line behind the quoted lines that begin at a line. A line without a mark between two that have one is the end of
/// a long line that a program broke; blank lines with further quoted lines behind them belong to the quote.
fn quoted_until(lines: &[Line<'_>], start: usize) -> usize {
    let mut at = start;
    while at < lines.len() {
        if lines[at].depth > 0 {
            at += 1;
            continue;
        }
        let next = match lines[at].is_blank() {
            true => next_text(lines, at),
            false if is_rest_of(&lines[at - 1]) => (at + 1 < lines.len()).then_some(at + 1),
            false => None,
        };
        match next {
            Some(next) if lines[next].depth > 0 => at = next,
            _ => break,
        }
    }
    at
}

/// Whether a line is long, or ends within an address, so that its end was broken off.
fn is_rest_of(line: &Line<'_>) -> bool {
    let text = line.text.trim_end();
    let open = |o: char, c: char| text.len() < 2_000 && text.matches(o).count() > text.matches(c).count();
    let sentence = text.ends_with(['.', '?', '!', ':', '。', '？']);
    open('(', ')') || open('<', '>') || (text.chars().count() >= 60 && !sentence)
}

/// Lines with quote marks are no quote where they are one line in the midst of a text.
fn is_quote(lines: &[Line<'_>], start: usize, end: usize) -> bool {
    let touches_above = start > 0 && !lines[start - 1].is_blank();
    let touches_below = lines.get(end).is_some_and(|line| !line.is_blank());
    !(end - start == 1 && touches_above && touches_below)
}

/// Most lines of a signature.
const MOST_SIGNATURE: usize = 12;

/// Where the signature begins, as a number of lines.
fn signature(kept: &[&str]) -> usize {
    let is_text = |line: &str| !line.chars().all(blank);
    let last = kept.iter().rposition(|line| is_text(line)).map_or(0, |at| at + 1);
    // From here on only few lines follow, and short ones.
    let mut left = MOST_SIGNATURE;
    let few = kept[..last].iter().rposition(|line| {
        let over = is_text(line) && left == 0 || line.chars().count() > 120;
        left = left.saturating_sub(usize::from(is_text(line)));
        over
    });
    let few = few.map_or(0, |at| at + 1);
    let begins = |at: usize| {
        let bare = kept[at].trim_matches(blank);
        let short = at + 1 >= few && at + 1 < last;
        match bare {
            // RFC 3676 §4.3, and what is left of it where the space behind it is lost.
            "--" | "—" | "-- –" => at > 0,
            _ if field(bare).is_none() && marks::names_device(bare) => true,
            _ if marks::closes(bare) => short,
            // A line of underscores, and the footer of a list below it.
            _ if marks::is_rule(bare) && bare.starts_with('_') => short,
            _ => at > 0 && at + 1 >= few && is_name_line(bare) && footer_only(kept, at + 1, last),
        }
    };
    (0..last).find(|at| begins(*at)).unwrap_or(kept.len())
}

/// `-Ann Lee`: a name behind a dash.
fn is_name_line(line: &str) -> bool {
    let Some(name) = line.strip_prefix(['-', '–', '—']) else { return false };
    name.starts_with(char::is_alphabetic)
        && name.split_whitespace().count() <= 4
        && name.chars().count() <= 40
        && !name.ends_with(['.', ',', ';', '?'])
}

/// Nothing, or the footer of a list, stands between two lines.
fn footer_only(kept: &[&str], from: usize, to: usize) -> bool {
    let mut rest = kept[from..to].iter().filter(|line| !line.chars().all(blank));
    rest.next().is_none_or(|line| marks::is_rule(line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn new(text: &str) -> String {
        read(text).text
    }

    #[test]
    fn the_quote_below_goes() {
        for text in [
            "Yes.\n\nOn Mon, Apr 2, 2012 at 6:26 PM, Ann <ann@x> wrote:\n\n> Hi\n",
            "Yes.\n\nFrom: Ann <ann@x>\nSent: Monday, 2 May 2022 10:00\nTo: Bob <bob@y>\nSubject: s\n\nHello\n",
            "Yes.\n\n-----Ursprüngliche Nachricht-----\n\nHello\n",
            "Yes.\n________________________________\nVon: Ann <ann@x>\nGesendet: Montag, 2. Mai 2022 10:00\nAn: Bob <bob@y>\nBetreff: s\n\nHallo\n",
            "Yes.\n> On 22 Aug 2015, at 19:21, Ann <ann@x> wrote:\n>\n> Hi there!\n",
            "Yes.\n\n‐‐‐‐‐‐‐ Original Message ‐‐‐‐‐‐‐\nOn Friday, December 1st, 2017 at 13:44, Ann <ann@x> wrote:\n\n> Hi\n",
            "Yes.\n\nAnn Lee, 1 Aralık 2017 Cum 13:44 tarihinde şunu yazdı:\n\n> Hi\n",
            "Yes.\n\nZitat von Ann Lee <ann@x>:\n\n> Hi\n",
            "Yes.\n\nAnn Lee <ann@x> writes:\n\n> Hi\n",
            "Yes.\n\n在 2017年12月1日，13:44，Ann <ann@x> 写道：\n\nHi\n",
            "Yes.\n\n------------------ 原始邮件 ------------------\n发件人: \"Ann\" <ann@x>;\n主题: s\n\nHi\n",
            "Yes.\n\nMit freundlichen Grüßen / Best regards\n\nAnn Lee\n",
            "Yes.\n\nSent from my iPhone\n\nHello\n",
            "Yes.\n\nMit freundlichen Grüßen\nAnn Lee\nFirma GmbH\n",
            "Yes.\n-- \nAnn\n",
            "Yes.\r\n\r\nLe lun. 2 mai 2022 à 10:00, Ann <ann@x> a écrit :\r\n> Bonjour\r\n",
        ] {
            assert_eq!(new(text), "Yes.", "{text}");
        }
    }

    #[test]
    fn what_is_new_stays() {
        for text in [
            "On the surface, this looks like one.\n\nOn the other hand it is not.",
            "Points:\n-- first\n-- second\n\nThanks!",
            "FYI\n\n---------- Forwarded message ----------\nFrom: bob@x\nDate: Tue, Sep 4, 2012 at 1:35 PM\nSubject: s\nTo: rob@x\n\nText",
            "When:\n\nDate: Wednesday 3, October 2011\nTime: 7:00am\n\nBring your ID.",
            "above\n>>> http://x <<<\nbelow",
        ] {
            let reply = read(text);
            assert_eq!((reply.text.as_str(), reply.quotes), (text, false));
        }
    }

    #[test]
    fn answers_between_quoted_lines_stay() {
        let text = "On Mon, Apr 2, 2012 at 6:26 PM, Ann <ann@x> wrote:\n> One?\n\nYes.\n\n> Two?\n\nNo.\n";
        assert_eq!(new(text), "Yes.\n\n\nNo.");
    }

    #[test]
    fn a_mail_that_is_all_signature_keeps_it() {
        assert_eq!(new("Sent from my iPhone"), "Sent from my iPhone");
        assert_eq!(new("> only a quote"), "");
    }

    #[test]
    fn bombs_end() {
        for text in [
            ">".repeat(1 << 20),
            "> \n".repeat(10_000),
            "From: a@b\n".repeat(10_000),
            "On 1/1/2020 10:00, a@b:\n".repeat(5_000),
            "a: b\n".repeat(20_000),
            "\n".repeat(1 << 18),
            "-- \n".repeat(10_000),
            "regards\n".repeat(20_000),
            "-Ann\n________\n".repeat(10_000),
        ] {
            read(&text);
            super::super::forward::read(Some("Fwd: x"), &text);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken_apart(text in "(From: |To: |> |\n|a@b|Date: 1 May 2022|-----Original Message-----|Sent from my |x|-- |On 1/1/2020 10:00, | wrote:){0,60}") {
            let reply = read(&text);
            prop_assert!(reply.text.len() <= reply.signed.len());
        }
    }
}
