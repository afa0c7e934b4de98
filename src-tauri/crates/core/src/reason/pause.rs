//! How long a server asks to be left alone.

/// Pauses longer than this are not believed.
const LONGEST_MS: u64 = 24 * 60 * 60 * 1000;

/// What may stand in front of a pause, and the unit in milliseconds where the text names none.
const MARKS: &[(&[&str], u64)] = &[
    (&["backoff", "time"], 1),
    (&["retry", "after"], 1000),
    (&["again", "in"], 1000),
    (&["again", "after"], 1000),
    (&["retry", "in"], 1000),
    (&["wait"], 1000),
    (&["wait", "for"], 1000),
    (&["wait", "at", "least"], 1000),
    (&["available", "in"], 1000),
    (&["blocked", "for"], 1000),
    (&["locked", "for"], 1000),
];

/// The pause that words ask for, in milliseconds: `Suggested Backoff Time: 89117 milliseconds`, `Retry-After: 30`,
/// `try again in 5 minutes`. A pause of more than a day is cut to one.
pub fn pause_ms(words: &str) -> Option<u64> {
    let lower = words.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    (0..words.len()).find_map(|at| {
        let (number, glued) = number(words[at])?;
        let mark = |mark: &[&str]| at >= mark.len() && words[at - mark.len()..at] == *mark;
        let bare = MARKS.iter().find(|(words, _)| mark(words)).map(|(_, unit)| *unit)?;
        let named = if glued.is_empty() { words.get(at + 1).copied() } else { Some(glued) };
        let unit = named.and_then(unit).unwrap_or(bare);
        Some(number.saturating_mul(unit).min(LONGEST_MS)).filter(|ms| *ms > 0)
    })
}

/// A number, and the unit where it stands right behind it.
fn number(word: &str) -> Option<(u64, &str)> {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = word.split_at(digits);
    Some((number.parse().ok()?, rest))
}

fn unit(word: &str) -> Option<u64> {
    match word {
        "ms" | "msec" | "msecs" | "millisecond" | "milliseconds" => Some(1),
        "s" | "sec" | "secs" | "second" | "seconds" | "sekunden" => Some(1000),
        "m" | "min" | "mins" | "minute" | "minutes" | "minuten" => Some(60 * 1000),
        "h" | "hour" | "hours" | "stunden" => Some(60 * 60 * 1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::pause_ms;

    #[test]
    fn a_pause_is_read_with_its_unit() {
        for (words, want) in [
            ("Request is throttled. Suggested Backoff Time: 89117 milliseconds", 89_117),
            ("HTTP/1.1 429 Too Many Requests Retry-After: 30", 30_000),
            ("Too many attempts, please try again in 5 minutes.", 300_000),
            ("rate limited; retry after 10s", 10_000),
            ("Please wait 2 hours and try again", 7_200_000),
            ("account locked for 15 min", 900_000),
            ("try again in 900000 hours", 86_400_000),
        ] {
            assert_eq!(pause_ms(words), Some(want), "{words}");
        }
    }

    #[test]
    fn other_numbers_are_no_pause() {
        for words in [
            "",
            "try again later (10)",
            "535 5.7.8 no",
            "limit of 15 connections",
            "answer 78754",
            "try again in 0 seconds",
            "in 99999999999999999999999 s",
        ] {
            assert_eq!(pause_ms(words), None, "{words}");
        }
    }
}
