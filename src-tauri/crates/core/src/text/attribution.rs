//! The line by which a mail program says who wrote what is quoted below it: "On Monday, Ann wrote:".

use super::fields::{blank, field, floor};
use super::people::people;
use super::{Line, next_text};
use crate::address::Mailbox;

/// Most lines over which one is broken.
const MOST_LINES: usize = 4;
/// Longest one, in bytes.
const MOST_BYTES: usize = 600;

/// Words that say that somebody wrote, in lower case. With a space at one end they stand as a word of their own there.
#[rustfmt::skip]
const VERBS: &[&str] = &[
    " wrote", " writes", " schrieb", " geschrieben", " a écrit", " écrit", " a ecrit", " écrivait", " escribió",
    " escribio", " ha escrito", " va escriure", " ha scritto", " scrisse", " scriveva", " escreveu",
    " schreef", " geschreven", " schrijft", " skrev", " skrev:", " skrifaði", " kirjoitti", " kirjutas",
    " napisał", " napisała", " pisze", " napsal", " napsala", " napísal", " napísala", " je napisao",
    " je napisala", " je pisao", " napisao", " napisal", " írta", " a scris", " scria", " написал",
    " написала", " пишет", " писал", " написав", " написала", " пише", " написа", " yazdı", " yazmış",
    " έγραψε", " rašė", " parašė", " rakstīja", " sent", " skickade", " đã viết", " menulis", " เขียนว่า",
    "写道", "寫道", "書きました", "のメール", "작성", "썼습니다", "כתב", "كتب", "كتابة ما يلي", " följande", " folgendes",
];

/// Words with which one begins, in lower case.
#[rustfmt::skip]
const STARTS: &[&str] = &[
    "on ", "am ", "le ", "el ", "il ", "em ", "op ", "den ", "d. ", "dne ", "dňa ", "dana ", "dnia ",
    "w dniu ", "v ", "në ", "na ", "în ", "pe ", "la ", "от ", "на ", "в ", "у ", "στις ", "vào ", "pada ",
    "em ", "a las ", "mensagem de ", "בתאריך", "ב-", "في ", "tarihinde ", "kl ", "ke ", "quoting ",
    "zitat von ", "citando ", "citeren ", "selon ", "ha ", "---", "ons", "at ", "tel ",
];

/// What says that somebody wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attribution {
    /// The first line behind it.
    pub end: usize,
    pub from: Option<Mailbox>,
    /// As it stands.
    pub date: Option<String>,
    /// What stands in front of it in its first line, in bytes of the line's text.
    pub before: usize,
}

/// The attribution that begins at a line.
pub(super) fn read(lines: &[Line<'_>], start: usize) -> Option<Attribution> {
    let first = lines.get(start)?;
    if first.is_blank() || first.text.len() > MOST_BYTES || field(first.text).is_some() {
        return None;
    }
    let mut text = String::new();
    for (i, line) in lines.iter().enumerate().skip(start).take(MOST_LINES) {
        if line.is_blank() || line.depth != first.depth || text.len() + line.text.len() > MOST_BYTES {
            return None;
        }
        if !text.is_empty() && !text.ends_with(['<', '(', '[']) {
            text.push(' ');
        }
        text.extend(
            line.text.trim_matches(blank).chars().filter(|c| !blank(*c) || *c == ' ' || *c == '\u{a0}'),
        );
        let quote = next_text(lines, i + 1).is_some_and(|next| lines[next].depth > first.depth);
        // A line that is cut behind its colon goes on with the address.
        if let Some((from, date)) = judge(&text, quote) {
            return Some(Attribution { end: i + 1, from, date, before: 0 });
        }
        // A first line with a colon at its end, and no attribution, begins none. One that goes on names the day, or is long.
        let goes_on = date_of(&text).is_some() || (text.len() >= 40 && begins(&text.to_lowercase()));
        if (text.ends_with(':') && !text.ends_with("mailto:")) || (i == start && !goes_on) {
            return None;
        }
    }
    None
}

/// An attribution in mid-line, with a quote below: `reply On Wed, Apr 4, 2012 at 3:59 PM, bob@x wrote:`.
pub(super) fn read_inside(lines: &[Line<'_>], at: usize) -> Option<Attribution> {
    let line = lines.get(at)?;
    if line.text.len() > MOST_BYTES || !line.text.trim_end().ends_with(':') {
        return None;
    }
    let quote = next_text(lines, at + 1).is_some_and(|next| lines[next].depth > line.depth);
    let starts = [" On ", "-On ", " Am ", " Le ", " El ", " Il ", " Em ", " Op ", " Den ", " Dne ", " Dnia "];
    let before = starts.iter().filter_map(|start| line.text.rfind(start)).max()? + 1;
    let (from, date) = judge(&line.text[before..], quote).filter(|_| quote)?;
    let before = line.text[..before].trim_end_matches(['-', ' ']).len();
    Some(Attribution { end: at + 1, from, date, before })
}

/// Whether a text is an attribution, and what it says. `quote`: what follows is quoted.
fn judge(text: &str, quote: bool) -> Option<(Option<Mailbox>, Option<String>)> {
    let bare = text.trim_matches(|c: char| blank(c) || matches!(c, '*' | '-' | '—' | '_' | '='));
    let framed = text.starts_with("---");
    let colon = bare.ends_with([':', '：']);
    if !(colon || quote || framed) {
        return None;
    }
    let lower = bare.to_lowercase();
    let ended = bare.trim_end_matches([':', '：', ' ']);
    let lower_end = lower.trim_end_matches([':', '：', ' ', '(', ')', 'а']);
    let verb = VERBS.iter().find(|verb| {
        lower.match_indices(**verb).any(|(at, found)| {
            let behind = lower[at + found.len()..].chars().next();
            !found.starts_with(' ') || behind.is_none_or(|c| !c.is_alphabetic())
        })
    });
    let address = bare.contains('@');
    let date = date_of(bare);
    let started =
        begins(&lower) || bare.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '"' | '<')) || framed;
    let closes = ended.ends_with(['>', ')', ']'])
        || ended.rsplit([' ', ',']).next().is_some_and(|word| word.contains('@'));
    let is = match (verb, date.is_some(), address) {
        // "On Monday at 10:30, Ann <ann@x> wrote:"
        (Some(_), true, true) => true,
        // "On Monday, 24 September 2012 at 3:46 PM, bob wrote:"
        (Some(verb), true, false) => (started || quote) && lower_end.contains(verb.trim()) && full(date),
        // "Sent from a telephone <ann@x> wrote:"
        (Some(_), false, true) => colon && quote,
        // "---- Ann wrote ----"
        (Some(_), false, false) => {
            (framed && text.ends_with("--") && bare.split_whitespace().count() <= 12)
                || (colon && quote && bare.split_whitespace().count() <= 6)
        }
        // "2017-11-24 16:32 GMT+01:00 Ann <ann@x>:"
        (None, true, true) => {
            closes
                && full(date)
                && ((colon && (started || quote || leads_with_date(bare))) || (quote && started))
        }
        // "Quoting Ann <ann@x>:"
        (None, false, true) => colon && quote && closes && begins(&lower),
        (None, ..) => false,
    };
    if !is {
        return None;
    }
    Some((person(bare), date.map(|(start, end)| bare[start..end].to_owned())))
}

/// A text in lower case begins as attributions do.
fn begins(lower: &str) -> bool {
    STARTS.iter().any(|start| lower.starts_with(start))
}

/// A date with its year, or a time and more.
fn full(span: Option<(usize, usize)>) -> bool {
    span.is_some_and(|(start, end)| end - start >= 8)
}

/// The date stands in front of the address.
fn leads_with_date(text: &str) -> bool {
    matches!((date_of(text), text.find('@')), (Some((start, _)), Some(at)) if start < at && start < 30)
}

/// From where to where a date stands in a text: from its first number to its last, with the words between, where there is a
/// year or a time among them. Numbers of an address are none.
fn date_of(text: &str) -> Option<(usize, usize)> {
    let limit = address_span(text).unwrap_or((text.len(), text.len()));
    let inside = |range: std::ops::Range<usize>| {
        date_in(&text[range.clone()]).map(|(s, e)| (range.start + s, range.start + e))
    };
    inside(0..limit.0).or_else(|| inside(limit.1..text.len()))
}

/// Where the address stands, with the brackets around it.
fn address_span(text: &str) -> Option<(usize, usize)> {
    let at = text.find('@')?;
    let open = |c: char| c.is_whitespace() || matches!(c, '<' | '(' | '[' | ',' | '"');
    let start = text[..at].rfind(open).map_or(0, |i| i);
    let end = text[at..]
        .find(|c: char| c.is_whitespace() || matches!(c, '>' | ')' | ']' | ','))
        .map_or(text.len(), |i| at + i);
    Some((start, end))
}

fn date_in(text: &str) -> Option<(usize, usize)> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let digits_end = text.rfind(|c: char| c.is_ascii_digit())? + 1;
    let body = &text[start..digits_end];
    let time = body.as_bytes().windows(4).any(|w| {
        w[0].is_ascii_digit()
            && matches!(w[1], b':' | b'.' | b'h')
            && w[2].is_ascii_digit()
            && w[3].is_ascii_digit()
    });
    let year = body
        .split(|c: char| !c.is_ascii_digit())
        .any(|n| n.len() == 4 && (n.starts_with("19") || n.starts_with("20")));
    let numbers = body.split(|c: char| !c.is_ascii_digit()).filter(|n| !n.is_empty()).count();
    if !(year && numbers >= 2 || time) {
        return None;
    }
    // The half of the day and the zone belong to it.
    let rest = &text[digits_end..];
    let word: String = rest.trim_start().chars().take_while(|c| c.is_alphabetic() || *c == '.').collect();
    let known = ["am", "pm", "a.m.", "p.m.", "utc", "gmt", "est", "pst", "cet", "cest", "edt", "pdt"]
        .contains(&word.to_lowercase().as_str());
    let end = match known {
        true => digits_end + (rest.len() - rest.trim_start().len()) + word.len(),
        false => digits_end,
    };
    // A word in front can be the month: "Oct 1, 2012".
    let before = text[..start].trim_end();
    let word_at = before
        .rfind(|c: char| !(c.is_alphabetic() || c == '.'))
        .map_or(0, |i| i + before[i..].chars().next().map_or(1, char::len_utf8));
    let month = super::when::is_month(&before[word_at..]);
    Some((if month { word_at } else { start }, end))
}

/// Words between the date and the name, in lower case.
#[rustfmt::skip]
const FILLERS: &[&str] = &[
    "heeft", "schrieb", "skrev", "użytkownik", "пользователь", "користувач", "escribió", "schreef",
    "écrit", "a", "at", "kl", "от", "from", "by", "de", "von", "van", "da", "av", "af", "od", "ha",
    "scritto", "wrote", "uživatel", "používateľ", "időpontban", "dátummal", "dátumban", "korisnik",
    "bruker", "folgendes", "το", "ο", "η", "di", "schreibt", "skrifaði", "el", "em", "pm", "am", "gmt",
    "utc", "est", "edt", "pst", "pdt", "cet", "cest", "r", "г", "р",
];

/// Who wrote, where an address stands.
fn person(text: &str) -> Option<Mailbox> {
    let (start, _) = address_span(text)?;
    let mailbox = people(&text[start..]).into_iter().next()?;
    let before = text[..start].trim_end_matches(['<', '(', '[', ' ']);
    // A name in quotation marks is one.
    let name = match before.chars().next_back() {
        Some(close @ ('"' | '”' | '“' | '»' | '\'')) => {
            let body = &before[..before.len() - close.len_utf8()];
            body.rfind(['"', '„', '“', '«', '\''])
                .map(|open| body[open..].trim_matches(['"', '„', '“', '«', '\'']).to_owned())
        }
        _ => {
            let behind = date_in(before).map_or(before, |(_, end)| &before[end..]);
            let behind = behind.rfind(|c: char| c.is_ascii_digit()).map_or(behind, |at| &behind[at + 1..]);
            // Behind the last comma, and without the words between.
            let mut words: Vec<&str> = behind
                .trim_matches(|c: char| blank(c) || matches!(c, ',' | ':' | '"' | '.'))
                .split_whitespace()
                .collect();
            while let Some(first) = words.first()
                && (FILLERS.contains(&first.trim_matches([',', '.', ':']).to_lowercase().as_str())
                    || !first.contains(char::is_alphabetic)
                    || first.ends_with(','))
            {
                words.remove(0);
            }
            (words.len() <= 6).then(|| words.join(" "))
        }
    };
    let name = name
        .map(|n| n.trim_matches(|c: char| blank(c) || matches!(c, ',' | '"')).to_owned())
        .filter(|n| !n.is_empty() && n != mailbox.address.as_str());
    Some(Mailbox::new(name.map(|n| n[..floor(&n, 200)].to_owned()), mailbox.address))
}

#[cfg(test)]
mod tests {
    use super::super::lines;
    use super::*;

    fn at(text: &str) -> Option<Attribution> {
        read(&lines(text), 0)
    }

    #[test]
    fn who_wrote_is_read_in_many_languages() {
        for text in [
            "On 28/10/2021 12:46, \"Ann Lee\" <ann@x> wrote:",
            "Am 28/10/2021, 12:46 schrieb \"Ann Lee\" <ann@x>:",
            "El 28/10/2021 12:46, \"Ann Lee\" <ann@x> escribió:",
            "Ann Lee <ann@x> kirjoitti 28/10/2021 12.46:",
            "Il giorno 28/10/2021, 12:46 \"Ann Lee\" <ann@x> ha scritto:",
            "Op 28/10/2021 12:46 heeft Ann Lee <ann@x> geschreven:",
            "Dnia 28/10/2021, 12:46 użytkownik „Ann Lee” <ann@x> napisał:",
            "28/10/2021, 12:46 пользователь \"Ann Lee\" <ann@x> написал:",
            "Den 28/10/2021 12:46 skrev \"Ann Lee\" <ann@x> följande:",
            "Dne 28/10/2021 12:46, Ann Lee <ann@x> napsal(a):",
            "Le mer. 27 oct. 2021 à 09:31, Ann Lee <ann@x> a écrit :",
            "On Wed, Oct 27, 2021 at 9:31 AM Ann Lee <ann@x> wrote:",
            "On Mon, Aug 26, 2019 at 4:37 PM Ann Lee <\nann@x> wrote:",
            "2017-11-24 16:32 GMT+01:00 Ann Lee <ann@x>:",
            "ср, 27 окт. 2021 г. в 09:31, Ann Lee <ann@x>:",
            "Ann Lee <ann@x> 于2021年10月27日周三 09:31写道：",
            "Ann Lee <ann@x>, 27 Eki 2021 Çar, 09:31 tarihinde şunu yazdı:",
        ] {
            let from = at(text).and_then(|a| a.from);
            let from = from.map(|m| (m.name.unwrap_or_default(), m.address.to_string()));
            assert_eq!(from, Some(("Ann Lee".to_owned(), "ann@x".to_owned())), "{text}");
        }
    }

    #[test]
    fn what_is_no_attribution_is_none() {
        for text in [
            "On the surface, this looks like one.",
            "On Monday at 10:30 we meet:",
            "My address is ann@x and I wrote it down:",
            "10/19/2017 @ 9:30 am for physical therapy",
            "On your remote host you can run:\n\n telnet 127.0.0.1 52698",
            "He wrote:",
            "",
        ] {
            assert_eq!(at(text), None, "{text}");
        }
    }

    #[test]
    fn one_without_an_address_needs_its_date() {
        assert_eq!(at("On Oct 1, 2012, at 11:55 PM, Dave Tapley wrote:\n\n> x").unwrap().end, 1);
        assert_eq!(
            at("On July 19, 2022 at 3:36 PM, Ann wrote:").unwrap().date.as_deref(),
            Some("July 19, 2022 at 3:36 PM")
        );
        let inside =
            read_inside(&lines("reply On Wed, Apr 4, 2012 at 3:59 PM, bob@x wrote:\n> Hi"), 0).unwrap();
        assert_eq!(inside.before, 5);
    }
}
