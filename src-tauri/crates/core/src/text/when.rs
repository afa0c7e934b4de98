//! Dates as mail programs and people write them, in many languages.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};

/// Longest text that is looked at, in bytes.
const MOST_BYTES: usize = 300;

/// How the names of the months begin. The longest beginning that fits counts.
#[rustfmt::skip]
const MONTHS: &[(i8, &[&str])] = &[
    (
        1,
        &[
            "jan", "ene", "gen", "jän", "sty", "led", "sij", "tammi", "oca", "ian", "янв", "січ", "яну",
            "ιαν", "jaan", "saus", "ינו", "يناير", "كانون الثاني", "gener",
        ],
    ),
    (
        2,
        &[
            "feb", "fév", "fev", "fev", "lut", "úno", "velj", "helmi", "şub", "фев", "лют", "φεβ", "veeb",
            "vas", "פבר", "فبراير", "fébr",
        ],
    ),
    (
        3,
        &[
            "mar", "mär", "mrz", "maart", "maalis", "már", "mrt", "mars", "bře", "ožuj", "мар", "бер",
            "μαρ", "μάρ", "märts", "kov", "מרץ", "مارس", "march",
        ],
    ),
    (
        4,
        &[
            "apr", "avr", "abr", "ápr", "kwi", "dub", "trav", "huhti", "nis", "апр", "кві", "απρ", "bal",
            "אפר", "أبريل", "ابريل",
        ],
    ),
    (
        5,
        &[
            "may", "mai", "mag", "maj", "máj", "mei", "kvě", "svib", "touko", "май", "мая", "тра", "μαΐ",
            "μαϊ", "μάι", "geg", "מאי", "مايو", "maio", "mayo", "maí",
        ],
    ),
    (
        6,
        &[
            "jun", "juin", "giu", "jún", "cze", "červn", "čvn", "lipn", "lipanj", "kesä", "haz", "iun",
            "июн", "чер", "юни", "ιουν", "ιούν", "juun", "birž", "יונ", "يونيو",
        ],
    ),
    (
        7,
        &[
            "jul", "juil", "lug", "júl", "lipc", "lipi", "červenc", "čvc", "srpnj", "srpanj", "heinä",
            "tem", "iul", "июл", "лип", "юли", "ιουλ", "ιούλ", "juul", "liep", "יול", "يوليو",
        ],
    ),
    (
        8,
        &[
            "aug", "aoû", "aou", "ago", "sie", "srpn", "kolovoz", "elo", "ağu", "авг", "сер", "αυγ", "αύγ",
            "rugp", "אוג", "أغسطس", "اغسطس",
        ],
    ),
    (
        9,
        &[
            "sep", "set", "szep", "wrz", "zář", "ruj", "syys", "eyl", "сен", "вер", "сеп", "σεπ", "rugs",
            "ספט", "سبتمبر",
        ],
    ),
    (
        10,
        &[
            "oct", "okt", "ott", "out", "paź", "paz", "říj", "loka", "eki", "окт", "жов", "οκτ", "spal",
            "אוק", "أكتوبر", "اكتوبر",
        ],
    ),
    (
        11,
        &[
            "nov", "listopad", "lis", "stude", "marras", "kas", "noi", "ноя", "лис", "ное", "νοε", "νοέ",
            "lapk", "נוב", "نوفمبر",
        ],
    ),
    (
        12,
        &[
            "dec", "dez", "déc", "dic", "des", "gru", "pros", "joulu", "ara", "дек", "гру", "δεκ", "gruod",
            "דצמ", "ديسمبر", "dets",
        ],
    ),
];

/// What stands with the hour where a day has twice twelve, in lower case: false before noon, true after.
#[rustfmt::skip]
const HALVES: &[(&str, bool)] = &[
    ("a.m.", false), ("p.m.", true), ("a. m.", false), ("p. m.", true), ("am", false), ("pm", true),
    ("오전", false), ("오후", true), ("上午", false), ("下午", true), ("午前", false), ("午後", true), ("π.μ.", false),
    ("μ.μ.", true), ("πμ", false), ("μμ", true), ("de.", false), ("du.", true), ("öö", false),
    ("ös", true), ("ص", false), ("م", true),
];

/// Words in front of a time that is written with points.
#[rustfmt::skip]
const TIME_WORDS: &[&str] = &["klo", "kl", "kl.", "alle", "ore", "um", "kell", "at"];

/// Names of zones that mean one offset in mail, in minutes.
#[rustfmt::skip]
const ZONES: &[(&str, i32)] = &[
    ("utc", 0), ("gmt", 0), ("z", 0), ("wet", 0), ("west", 60), ("bst", 60), ("cet", 60), ("cest", 120),
    ("mez", 60), ("mesz", 120), ("mes", 120), ("eet", 120), ("eest", 180), ("oez", 120), ("oesz", 180),
    ("hnec", 60), ("heec", 120), ("seč", 60), ("selč", 120), ("sec", 60), ("selc", 120), ("msk", 180),
    ("мск", 180), ("est", -300), ("edt", -240), ("cst", -360), ("cdt", -300), ("mst", -420), ("mdt", -360),
    ("pst", -480), ("pdt", -420), ("akst", -540), ("akdt", -480), ("hst", -600), ("jst", 540),
    ("kst", 540), ("aest", 600), ("aedt", 660), ("nzst", 720), ("nzdt", 780), ("trt", 180),
];

/// A piece of a text.
#[derive(Debug, Clone, PartialEq)]
enum Token<'a> {
    Number { value: u32, digits: usize },
    Word(&'a str),
    Mark(char),
}

/// The moment that a text names. Where it names no zone, it is meant in `zone`. `None` where it does not name day, month and
/// year, or where day and month could be each other.
pub fn moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = prepared(text);
    let tokens = tokens(&text);
    let half = half(&text);
    let (time, span) = time(&tokens, half).map_or((None, 0..0), |(t, s)| (Some(t), s));
    let offset = offset(&tokens, span.end);
    let outside: Vec<Token<'_>> = tokens
        .iter()
        .enumerate()
        .map(|(i, t)| if span.contains(&i) { Token::Mark('\0') } else { t.clone() })
        .collect();
    let date = full_date(&outside, half.is_some())?;
    let at = DateTime::from_parts(date, time.unwrap_or(Time::midnight()));
    match offset {
        Some(minutes) => Offset::from_seconds(minutes * 60).ok()?.to_timestamp(at).ok(),
        None => zone.to_timestamp(at).ok(),
    }
}

/// The day that a text begins with, or names near its beginning. Where it names no year, the nearest day from a month before
/// `today` on is meant.
pub fn day(text: &str, today: Date) -> Option<Date> {
    let text = prepared(text);
    let tokens = tokens(&text);
    if let Some(date) = full_date(&tokens, false) {
        return Some(date);
    }
    let (month, day) = month_and_day(&tokens).or_else(|| short_numeric(&tokens))?;
    let year = today.year();
    let earliest = today.checked_sub(jiff::Span::new().days(31)).ok()?;
    [year - 1, year, year + 1]
        .into_iter()
        .filter_map(|y| Date::new(y, month, day).ok())
        .find(|d| *d >= earliest)
}

fn prepared(text: &str) -> String {
    let text = &text[..super::fields::floor(text, MOST_BYTES)];
    text.chars()
        .filter(|c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'))
        .flat_map(char::to_lowercase)
        .collect()
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let run = |is: fn(char) -> bool| rest.find(|c| !is(c)).unwrap_or(rest.len());
        let end = if c.is_ascii_digit() {
            let end = run(|c| c.is_ascii_digit());
            let value = rest[..end].parse().unwrap_or(u32::MAX);
            all.push(Token::Number { value, digits: end });
            end
        } else if c.is_alphabetic() {
            let end = run(|c| c.is_alphabetic() || matches!(c, '\u{300}'..='\u{36f}' | '’' | '\''));
            all.push(Token::Word(&rest[..end]));
            end
        } else {
            all.push(Token::Mark(if c.is_whitespace() { ' ' } else { c }));
            c.len_utf8()
        };
        rest = &rest[end..];
    }
    all
}

/// Before or after noon, where the text says so.
fn half(text: &str) -> Option<bool> {
    let stands_alone = |at: usize, len: usize| {
        let letter = |c: Option<char>| c.is_some_and(char::is_alphabetic);
        !letter(text[..at].chars().next_back()) && !letter(text[at + len..].chars().next())
    };
    HALVES
        .iter()
        .find(|(word, _)| {
            let cjk = word.chars().all(|c| c > '\u{3000}');
            text.match_indices(word).any(|(at, _)| {
                // "am 26. Oktober" is no morning.
                let behind = !word.is_ascii() || word.len() == 3;
                let near = text[..at].trim_end().ends_with(|c: char| c.is_ascii_digit())
                    || (behind
                        && text[at + word.len()..].trim_start().starts_with(|c: char| c.is_ascii_digit()));
                near && (cjk || stands_alone(at, word.len()))
            })
        })
        .map(|(_, after)| *after)
}

/// The time of day, and which tokens name it.
fn time(tokens: &[Token<'_>], half: Option<bool>) -> Option<(Time, std::ops::Range<usize>)> {
    let number = |i: usize| match tokens.get(i) {
        Some(Token::Number { value, digits }) if *digits <= 2 => Some(*value),
        _ => None,
    };
    let mark = |i: usize, c: char| tokens.get(i) == Some(&Token::Mark(c));
    for i in 0..tokens.len() {
        let Some(hour) = number(i) else { continue };
        let colon = mark(i + 1, ':');
        let worded = mark(i + 1, '.') && after_time_word(tokens, i);
        let h = tokens.get(i + 1) == Some(&Token::Word("h"));
        if !(colon || worded || h) {
            continue;
        }
        let Some(minute) = number(i + 2) else { continue };
        let second = (mark(i + 3, ':') || (worded && mark(i + 3, '.'))).then(|| number(i + 4)).flatten();
        let hour = match half {
            Some(true) if hour < 12 => hour + 12,
            Some(false) if hour == 12 => 0,
            _ => hour,
        };
        let time = Time::new(
            i8::try_from(hour).ok()?,
            i8::try_from(minute).ok()?,
            i8::try_from(second.unwrap_or(0)).ok()?,
            0,
        )
        .ok()?;
        return Some((time, i..i + if second.is_some() { 5 } else { 3 }));
    }
    None
}

fn after_time_word(tokens: &[Token<'_>], at: usize) -> bool {
    let before = tokens[..at].iter().rev().find(|t| !matches!(t, Token::Mark(' ' | '.')));
    matches!(before, Some(Token::Word(word)) if TIME_WORDS.contains(word))
}

/// The offset from UTC, in minutes, that stands behind the time.
fn offset(tokens: &[Token<'_>], from: usize) -> Option<i32> {
    let rest = tokens.get(from..)?;
    if from == 0 {
        return None;
    }
    let named = rest.iter().enumerate().find_map(|(i, t)| match t {
        Token::Word(word) => {
            ZONES.iter().find(|(name, _)| name == word).map(|(_, minutes)| (i + 1, *minutes))
        }
        _ => None,
    });
    let signed = |i: usize| -> Option<i32> {
        let sign = match rest.get(i)? {
            Token::Mark('+') => 1,
            Token::Mark('-' | '−' | '–') => -1,
            _ => return None,
        };
        let Some(Token::Number { value, digits }) = rest.get(i + 1) else { return None };
        let value = i32::try_from(*value).ok()?;
        let minutes = match (digits, rest.get(i + 2), rest.get(i + 3)) {
            (1 | 2, Some(Token::Mark(':')), Some(Token::Number { value: minutes, digits: 2 })) => {
                value * 60 + i32::try_from(*minutes).ok()?
            }
            (1 | 2, ..) => value * 60,
            (4, ..) => value / 100 * 60 + value % 100,
            _ => return None,
        };
        (minutes <= 14 * 60).then_some(sign * minutes)
    };
    match named {
        Some((next, minutes)) => Some(signed(next).unwrap_or(minutes)),
        // A sign behind the time: ` +0100`, and no `9:31-10:00`.
        None => (0..rest.len()).take(4).find_map(|i| match rest.get(i + 1) {
            Some(Token::Number { digits: 4, .. }) => signed(i),
            Some(Token::Number { digits: 2, .. }) if i > 0 => signed(i),
            _ => None,
        }),
    }
}

/// Day, month and year.
fn full_date(tokens: &[Token<'_>], twelve_hours: bool) -> Option<Date> {
    if let Some(date) = east_asian(tokens).or_else(|| numeric(tokens, twelve_hours)) {
        return Some(date);
    }
    let (month, day) = month_and_day(tokens)?;
    let year = tokens.iter().find_map(|t| match t {
        Token::Number { value, digits: 4 } if (1970..=2200).contains(value) => i16::try_from(*value).ok(),
        _ => None,
    });
    let year = year.or_else(|| short_year(tokens, month));
    Date::new(year?, month, day).ok()
}

/// `March-19-11`: a year of two digits behind month and day.
fn short_year(tokens: &[Token<'_>], month: i8) -> Option<i16> {
    let at = tokens.iter().position(|t| matches!(t, Token::Word(w) if month_of(w) == Some(month)))?;
    match tokens.get(at + 1..at + 5)? {
        [Token::Mark('-'), Token::Number { .. }, Token::Mark('-'), Token::Number { value, digits: 2 }] => {
            Some(2000 + i16::try_from(*value).ok()?)
        }
        _ => None,
    }
}

/// `2021年10月27日`, `2021년 10월 27일`.
fn east_asian(tokens: &[Token<'_>]) -> Option<Date> {
    let before = |units: &[&str]| {
        tokens.iter().enumerate().find_map(|(i, t)| match t {
            Token::Word(word) if units.iter().any(|unit| word.starts_with(unit)) => {
                tokens[..i].iter().rev().find_map(|t| match t {
                    Token::Number { value, .. } => Some(*value),
                    _ => None,
                })
            }
            _ => None,
        })
    };
    let (year, month, day) = (before(&["年", "년"])?, before(&["月", "월"])?, before(&["日", "일"])?);
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// Three numbers with the same mark between.
fn numeric(tokens: &[Token<'_>], twelve_hours: bool) -> Option<Date> {
    let solid: Vec<&Token<'_>> = tokens.iter().filter(|t| **t != Token::Mark(' ')).collect();
    solid.windows(5).find_map(|five| {
        let [
            Token::Number { value: a, digits: first },
            Token::Mark(m),
            Token::Number { value: b, digits: second },
            Token::Mark(n),
            Token::Number { value: c, digits: third },
        ] = five
        else {
            return None;
        };
        if m != n || !matches!(m, '/' | '.' | '-') || *second > 2 {
            return None;
        }
        let (year, month, day) = match (first, third) {
            (4, 1 | 2) => (*a, *b, *c),
            (1 | 2, 4) | (1 | 2, 2) => {
                let year = if *third == 2 { 2000 + c } else { *c };
                let day_first = *m != '/' && (*third == 4 || *m == '.');
                match (*a, *b) {
                    (a, b) if a > 12 => (year, b, a),
                    (a, b) if b > 12 && *m != '.' => (year, a, b),
                    (a, b) if a == b || day_first => (year, b, a),
                    (a, b) if twelve_hours && *m == '/' => (year, a, b),
                    _ => return None,
                }
            }
            _ => return None,
        };
        Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
    })
}

/// `5.12.`: a day and a month in numbers, with points, as in a text of a person.
fn short_numeric(tokens: &[Token<'_>]) -> Option<(i8, i8)> {
    tokens.windows(4).find_map(|four| match four {
        [
            Token::Number { value: day, digits: 1 | 2 },
            Token::Mark('.'),
            Token::Number { value: month, digits: 1 | 2 },
            Token::Mark('.'),
        ] => Some((i8::try_from(*month).ok()?, i8::try_from(*day).ok()?)),
        _ => None,
    })
}

/// A month by its name, and the day beside it.
fn month_and_day(tokens: &[Token<'_>]) -> Option<(i8, i8)> {
    let mut behind = None;
    for (i, token) in tokens.iter().enumerate() {
        let Token::Word(word) = token else { continue };
        let Some(month) = month_of(word) else { continue };
        // `27. Oktober`, `27 de octubre`, `27th of October`, `27-Oct`.
        let before = tokens[..i].iter().rev().take(8).find(|t| {
            !matches!(t, Token::Mark(' ' | '.' | '-' | '/' | ','))
                && !matches!(t, Token::Word("de" | "of" | "th" | "st" | "nd" | "rd" | "er" | "ב"))
        });
        let ordinal = tokens[..i].iter().rev().find(|t| **t != Token::Mark(' ')) == Some(&Token::Mark('.'));
        if let Some(Token::Number { value: day @ 1..=31, digits: 1 | 2 }) = before {
            // In Croatian the tenth month, in Czech and Polish the eleventh.
            let month = if *word == "listopada" && ordinal { 10 } else { month };
            return Some((month, i8::try_from(*day).ok()?));
        }
        let after = tokens[i + 1..].iter().take(4).find(|t| !matches!(t, Token::Mark(' ' | '.' | '-')));
        if let Some(Token::Number { value: day @ 1..=31, digits: 1 | 2 }) = after {
            behind = behind.or(Some((month, i8::try_from(*day).ok()?)));
        }
    }
    behind
}

/// The month whose name a word is.
fn month_of(word: &str) -> Option<i8> {
    // Hebrew puts "in" before the name without a space.
    let bare = word.strip_prefix('ב').filter(|w| w.chars().count() > 2).unwrap_or(word);
    let of = |word: &str| {
        MONTHS
            .iter()
            .flat_map(|(month, names)| names.iter().map(move |name| (*month, *name)))
            .filter(|(_, name)| word.starts_with(name))
            .max_by_key(|(_, name)| name.len())
            .map(|(month, _)| month)
    };
    // Words of dates that begin like a month: days of the week, and "set" in many others.
    const NOT: &[&str] = &[
        "martes",
        "mardi",
        "martedì",
        "marți",
        "marti",
        "maandag",
        "mandag",
        "måndag",
        "maanantai",
        "desde",
        "dei",
        "genau",
        "lisa",
    ];
    if NOT.contains(&word) || word.chars().count() > 14 {
        return None;
    }
    of(word).or_else(|| of(bare))
}

/// True for the name of a month.
pub(super) fn is_month(word: &str) -> bool {
    month_of(word.trim_end_matches('.').to_lowercase().as_str()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Option<String> {
        let zone = TimeZone::fixed(Offset::from_seconds(3_600).unwrap());
        moment(text, &zone).map(|t| t.to_string())
    }

    #[test]
    fn moments_are_read_in_many_languages() {
        for (text, want) in [
            ("Wed, 3 Nov 2021 15:51:30 +0100", "2021-11-03T14:51:30Z"),
            ("Wed, Oct 27, 2021 at 9:31 AM", "2021-10-27T08:31:00Z"),
            ("Monday, September 19, 2022, 5:55:44 PM -0400", "2022-09-19T21:55:44Z"),
            ("Tuesday, November 2, 2021, 09:26:50 AM GMT+1", "2021-11-02T08:26:50Z"),
            ("26. Oktober 2021 um 14:25:08 OESZ", "2021-10-26T11:25:08Z"),
            ("Donnerstag, 28. Oktober 2021 um 12:46", "2021-10-28T11:46:00Z"),
            ("Montag, 19. September 2022, 17:55:44 -0400", "2022-09-19T21:55:44Z"),
            ("26 de octubre de 2021, 14:25:08 EEST", "2021-10-26T11:25:08Z"),
            ("26. lokakuuta 2021 klo 14.25.08 UTC+3", "2021-10-26T11:25:08Z"),
            ("26. listopada 2021. u 14:25:08 EEST", "2021-10-26T11:25:08Z"),
            ("wtorek, 2 listopada 2021, 09:26:50 CET", "2021-11-02T08:26:50Z"),
            ("úterý 2. listopadu 2021 09:26:50 SEČ", "2021-11-02T08:26:50Z"),
            ("mar. 27 oct. 2021 à 09:31", "2021-10-27T08:31:00Z"),
            ("2 marraskuuta 2021 klo 9.26", "2021-11-02T08:26:00Z"),
            ("26 октября 2021 г. в 14:25:08 GMT+3", "2021-10-26T11:25:08Z"),
            ("26 жовтня 2021 р. о 14:25:08 GMT+3", "2021-10-26T11:25:08Z"),
            ("2021. okt. 27., Sze, 9:31", "2021-10-27T08:31:00Z"),
            ("27 Eki 2021 Çar, 09:31", "2021-10-27T08:31:00Z"),
            ("2021年10月27日(水) 9:31", "2021-10-27T08:31:00Z"),
            ("2021년 10월 27일 (수) 오후 9:31", "2021-10-27T20:31:00Z"),
            ("st 27. 10. 2021 o 9:31", "2021-10-27T08:31:00Z"),
            ("28/10/2021 12:46", "2021-10-28T11:46:00Z"),
            ("02/10/2023 4:52 PM EST", "2023-02-10T21:52:00Z"),
            ("2017-11-24 16:32 GMT+01:00", "2017-11-24T15:32:00Z"),
            ("March-19-11 5:42 PM", "2011-03-19T16:42:00Z"),
            ("יום ד׳, 27 באוק׳ 2021 ב-9:31", "2021-10-27T08:31:00Z"),
        ] {
            assert_eq!(at(text).as_deref(), Some(want), "{text}");
        }
    }

    #[test]
    fn what_could_be_two_days_is_none() {
        for text in ["02/10/2023 16:52", "yesterday", "10:30", "", "31.02.2021 10:00", "Mai"] {
            assert_eq!(at(text), None, "{text}");
        }
    }

    #[test]
    fn a_day_without_a_year_is_the_next_one() {
        let today = Date::new(2021, 12, 20).unwrap();
        for (text, want) in [
            ("5 January", "2022-01-05"),
            ("Monday, January 5th", "2022-01-05"),
            ("12. Dezember", "2021-12-12"),
            ("5.1.", "2022-01-05"),
            ("05.01.2022", "2022-01-05"),
            ("3 janvier inclus", "2022-01-03"),
        ] {
            assert_eq!(day(text, today).map(|d| d.to_string()).as_deref(), Some(want), "{text}");
        }
        assert_eq!(day("5/1", today), None);
    }

    proptest! {
        #[test]
        fn any_text_is_a_moment_or_none(text in "[0-9a-zé:./+ ,-]{0,60}", other in "\\PC{0,40}") {
            at(&text);
            at(&other);
        }
    }
}
