//! Words in the form that rules look at, and the small language in which rules say what they look for.

/// Lower case, each run of what is neither letter nor digit as one space, a space at both ends; apostrophes vanish, so
/// that `doesn't` is one word. Texts of an alphabet without spaces stay as they are.
pub(super) fn normalise(words: &str) -> String {
    let mut text = String::with_capacity(words.len() + 2);
    text.push(' ');
    for c in words.chars().filter(|c| !matches!(c, '\'' | '\u{2019}')) {
        if c.is_alphanumeric() {
            text.extend(c.to_lowercase());
        } else if !text.ends_with(' ') {
            text.push(' ');
        }
    }
    if !text.ends_with(' ') {
        text.push(' ');
    }
    text
}

/// Whether a normalised text holds what a pattern asks for. A pattern is terms joined by ` + `, of which all must be
/// there, in any order; a term is phrases joined by `|`, of which one must be; a phrase begins where a word begins and may
/// end inside one, unless it ends with `$`: `too many + connection|session`, `ip$`.
pub(super) fn says(text: &str, pattern: &str) -> bool {
    pattern.split(" + ").all(|term| term.split('|').any(|phrase| holds(text, phrase)))
}

fn holds(text: &str, phrase: &str) -> bool {
    let (phrase, end) = match phrase.strip_suffix('$') {
        Some(phrase) => (phrase, " "),
        None => (phrase, ""),
    };
    // In Chinese and Japanese no space shows where a word begins.
    let begins = if phrase.starts_with(|c: char| c >= '\u{2e80}') { "" } else { " " };
    text.contains(&format!("{begins}{phrase}{end}"))
}

/// Words between which a text names alternatives, and what looks like that and is one thing.
const OR: &[&str] = &[" or ", " oder ", " ou ", " или ", "或"];
const ONE_THING: &[(&str, &str)] = &[
    ("name or ", "name "),
    (" user or ", " user "),
    ("id or ", "id "),
    (" login or ", " login "),
    (" email or ", " email "),
    (" address or ", " address "),
    (" password or user", " password user"),
    ("name oder ", "name "),
    ("utilisateur ou ", "utilisateur "),
    ("логин или ", "логин "),
    ("或密码", "密码"),
];

/// The parts of a normalised text between its words for "or"; one part where it has none. "User name or password" is one
/// thing.
pub(super) fn alternatives(text: &str) -> Vec<String> {
    let mut text = text.to_owned();
    for (from, to) in ONE_THING {
        text = text.replace(from, to);
    }
    for or in OR {
        text = text.replace(or, " \u{0} ");
    }
    text.split('\u{0}').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_made_comparable() {
        assert_eq!(normalise("Log-in  DOESN'T work:\r\nno!"), " log in doesnt work no ");
        assert_eq!(normalise(""), " ");
        assert_eq!(normalise("?p=BadCredentials"), " p badcredentials ");
    }

    #[test]
    fn a_pattern_is_all_of_its_terms_and_one_phrase_of_each() {
        let text = normalise("Too many simultaneous connections. (Failure)");
        for pattern in ["too many + connection|session", "connect", "failure + too many", "failure$"] {
            assert!(says(&text, pattern), "{pattern}");
        }
        for pattern in ["too many + session", "connect$", "many connections", "any"] {
            assert!(!says(&text, pattern), "{pattern}");
        }
        assert!(says(&normalise("用户名或密码错误"), "密码错误"));
    }

    #[test]
    fn alternatives_are_told_apart() {
        let parts = |text: &str| alternatives(&normalise(text)).len();
        assert_eq!(parts("Invalid credentials or IMAP is disabled"), 2);
        assert_eq!(parts("Incorrect username or password."), 1);
        assert_eq!(parts("no"), 1);
    }
}
