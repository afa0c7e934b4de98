//! Words in the form that rules look at, and the small language in which rules say what they look for.

/// A text as rules look at it: its clauses (one in parentheses does not end the one around it), each in lower case, with one space for each run of what is neither letter nor
/// digit and a space at both ends. Apostrophes vanish, so that `doesn't` is one word. Of addresses in the web only the query
/// stays: their hosts and paths say where help is, and not what is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text(Vec<String>);

/// How many words may stand between two terms of a pattern.
const NEAR: usize = 7;

/// Words that turn what follows them round, and words that may stand between.
const NOT: &[&str] = &["not", "isnt", "arent", "wasnt", "never", "hasnt", "havent", "nicht"];
const BETWEEN: &[&str] = &["been", "be", "yet", "currently", "a", "the", "any"];

/// What a clause says that speaks of something that has not happened.
const NOT_YET: &[&str] = &[
    " will be ",
    " would be ",
    " may be ",
    " might be ",
    " to avoid ",
    " to prevent your ",
    " attempts left ",
    " attempts remaining ",
    " remaining attempts ",
    " tries left ",
    " if repeated ",
    " repeated failures ",
    " more failed ",
    " further attempts ",
    " will lock ",
    " will block ",
    " can lock ",
    " then your ",
    " before your ",
    " before account ",
    " before the account ",
    " sera ",
    " será ",
];

impl Text {
    pub fn new(words: &str) -> Self {
        let mut clauses = vec![String::from(" ")];
        // The clauses that go on behind what stands in parentheses.
        let mut outer = Vec::new();
        let mut at = 0;
        let mut rest = words;
        while let Some(c) = rest.chars().next() {
            if let Some(address) = address(rest) {
                if let Some((_, query)) = address.split_once('?') {
                    push_all(&mut clauses[at], query);
                }
                rest = &rest[address.len()..];
                continue;
            }
            rest = &rest[c.len_utf8()..];
            if c == '(' {
                outer.push(at);
            }
            match (c, outer.is_empty()) {
                (')', false) => {
                    at = outer.pop().unwrap_or_default();
                    push(&mut clauses[at], ' ');
                }
                _ if ends_clause(c, rest) => {
                    clauses.push(String::from(" "));
                    at = clauses.len() - 1;
                }
                _ => push(&mut clauses[at], c),
            }
        }
        for clause in &mut clauses {
            if !clause.ends_with(' ') {
                clause.push(' ');
            }
        }
        clauses.retain(|clause| clause.trim() != "");
        Self(clauses)
    }

    /// Without the clauses that speak of what may happen.
    pub fn of_now(&self) -> Self {
        let is_now = |clause: &&String| !NOT_YET.iter().any(|mark| clause.contains(mark));
        Self(self.0.iter().filter(is_now).cloned().collect())
    }

    /// Whether a clause holds what a pattern asks for. A pattern is terms joined by ` + `, of which all must be there, in any
    /// order, the others near the first; a term is phrases joined by `|`, of which one must be; a phrase begins where a word
    /// begins and may end inside one, unless it ends with `$`: `too many + connection|session`, `ip$`. A phrase behind a
    /// "not" is not there.
    pub fn says(&self, pattern: &str) -> bool {
        let terms: Vec<&str> = pattern.split(" + ").collect();
        self.0.iter().any(|clause| {
            let places =
                |term: &str| -> Vec<Place> { term.split('|').flat_map(|p| places(clause, p)).collect() };
            let Some((first, others)) = terms.split_first() else { return false };
            let first = places(first);
            if first.is_empty() || others.is_empty() {
                return !first.is_empty();
            }
            let others: Vec<Vec<Place>> = others.iter().map(|term| places(term)).collect();
            first.iter().any(|place| others.iter().all(|term| term.iter().any(|other| place.is_near(other))))
        })
    }

    /// The parts of a text between its words for "or"; one part where it has none. "User name or password" is one thing.
    pub fn alternatives(&self) -> Vec<Text> {
        let mut text = self.0.join("\u{1}");
        for (from, to) in ONE_THING {
            text = text.replace(from, to);
        }
        for or in OR {
            text = text.replace(or, " \u{0} ");
        }
        text.split('\u{0}').map(|part| Text(part.split('\u{1}').map(str::to_owned).collect())).collect()
    }
}

/// The words of a clause from the one to before the other.
#[derive(Debug, Clone, Copy)]
struct Place {
    from: usize,
    to: usize,
}

impl Place {
    fn is_near(&self, other: &Place) -> bool {
        self.from.max(other.from).saturating_sub(self.to.min(other.to)) <= NEAR
    }
}

fn places(clause: &str, phrase: &str) -> Vec<Place> {
    let (phrase, end) = match phrase.strip_suffix('$') {
        Some(phrase) => (phrase, " "),
        None => (phrase, ""),
    };
    // In Chinese, Japanese and Thai no space shows where a word begins.
    let spaceless = phrase.starts_with(|c: char| c >= '\u{2e80}' || ('\u{e00}'..'\u{e80}').contains(&c));
    let begins = if spaceless { "" } else { " " };
    let wanted = format!("{begins}{phrase}{end}");
    let length = phrase.split(' ').count();
    clause
        .match_indices(&wanted)
        .filter_map(|(at, _)| {
            let before: Vec<&str> = clause[..at].split(' ').filter(|word| !word.is_empty()).collect();
            let denied = match before.as_slice() {
                [.., last] if NOT.contains(last) => true,
                [.., not, last] => NOT.contains(not) && BETWEEN.contains(last),
                _ => false,
            };
            (spaceless || !denied).then(|| Place { from: before.len(), to: before.len() + length })
        })
        .collect()
}

/// The address in the web that a text begins with.
fn address(text: &str) -> Option<&str> {
    let begins = ["http://", "https://", "www."].iter().any(|begin| text.starts_with(begin));
    begins.then(|| text.split(char::is_whitespace).next().unwrap_or(text))
}

/// Whether a clause ends with this character, in front of that text.
fn ends_clause(c: char, rest: &str) -> bool {
    let spaced = || rest.chars().next().is_none_or(|next| next.is_whitespace() || "\"')]".contains(next));
    match c {
        '.' | ';' | '!' | '?' | ',' => spaced(),
        '(' | ')' | '\n' | '。' | '！' | '？' | '；' | '，' => true,
        // A dash between words, and not in one.
        '-' | '\u{2013}' => rest.starts_with(' ') || rest.starts_with("- "),
        _ => false,
    }
}

fn push_all(clause: &mut String, text: &str) {
    push(clause, ' ');
    text.chars().for_each(|c| push(clause, c));
    push(clause, ' ');
}

fn push(clause: &mut String, c: char) {
    if c.is_alphanumeric() {
        clause.extend(c.to_lowercase());
    } else if !matches!(c, '\'' | '\u{2019}') && !clause.ends_with(' ') {
        clause.push(' ');
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn clauses(words: &str) -> Vec<String> {
        Text::new(words).0
    }

    #[test]
    fn words_are_made_comparable() {
        assert_eq!(clauses("Log-in  DOESN'T work:\r no"), [" log in doesnt work no "]);
        assert_eq!(
            clauses("Wrong password, ann. No! (host a.b)"),
            [" wrong password ", " ann ", " no ", " host a b "]
        );
        assert_eq!(clauses("Login DENIED -- country"), [" login denied ", " country "]);
        assert_eq!(clauses("Your IP (10.0.0.1) is blocked"), [" your ip is blocked ", " 10 0 0 1 "]);
        assert_eq!(clauses("a) b (c, (d) e"), [" a ", " b ", " c ", " e ", " d "]);
        assert_eq!(clauses(""), Vec::<String>::new());
        assert_eq!(clauses("See https://mail.x/web/login?p=BadCredentials x"), [" see p badcredentials x "]);
    }

    #[test]
    fn a_pattern_is_all_of_its_terms_and_one_phrase_of_each() {
        let text = Text::new("Too many simultaneous connections. (Failure)");
        for pattern in ["too many + connection|session", "connect", "failure$"] {
            assert!(text.says(pattern), "{pattern}");
        }
        for pattern in ["too many + session", "connect$", "many connections", "any", "failure + too many"] {
            assert!(!text.says(pattern), "{pattern}");
        }
        assert!(Text::new("用户名或密码错误").says("密码错误"));
    }

    #[test]
    fn terms_stand_near_each_other_and_not_behind_a_not() {
        let far = Text::new("your account is one of those that the people of this firm have locked");
        assert!(far.says("account") && far.says("locked") && !far.says("account + locked"));
        for denied in
            ["Your account is not locked", "account isn't yet locked", "account has not been locked"]
        {
            assert!(!Text::new(denied).says("account + locked"), "{denied}");
        }
        assert!(Text::new("account is not enabled").says("account + not enabled"));
    }

    #[test]
    fn what_may_happen_is_told_from_what_has_happened() {
        let says = |words: &str| Text::new(words).of_now().says("account + locked");
        assert!(says("Your account is locked. Further attempts are useless."));
        for words in [
            "After 2 more attempts your account will be locked",
            "remaining attempts before account is locked: 2",
            "4 attempts left, then your account is locked",
        ] {
            assert!(!says(words), "{words}");
        }
    }

    #[test]
    fn alternatives_are_told_apart() {
        let parts = |text: &str| Text::new(text).alternatives().len();
        assert_eq!(parts("Invalid credentials or IMAP is disabled"), 2);
        assert_eq!(parts("Incorrect username or password."), 1);
        assert_eq!(parts("no"), 1);
    }
}
