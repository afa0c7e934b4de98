//! Secrets of any length, in entries that every system takes: some providers' refresh tokens are longer than one entry.

use crate::{MOST_BYTES, SecretError, Secrets};
use zeroize::Zeroizing;

/// What an entry begins with that only says where the parts of its secret are. No password begins so: it holds a character
/// that no mail server takes in one.
const PARTS: &str = "\u{0}parts ";
/// Most parts of one secret.
const MOST_PARTS: usize = 16;

/// As [`Secrets::get`].
pub fn get(secrets: &dyn Secrets, name: &str) -> Result<Option<Zeroizing<String>>, SecretError> {
    let Some(entry) = secrets.get(name)? else { return Ok(None) };
    let Some((set, count)) = parts(&entry) else { return Ok(Some(entry)) };
    let mut whole = Zeroizing::new(String::with_capacity(count * MOST_BYTES));
    for part in 0..count {
        match secrets.get(&part_name(name, set, part))? {
            Some(text) => whole.push_str(&text),
            // Somebody has taken a part away: the secret is gone.
            None => return Ok(None),
        }
    }
    Ok(Some(whole))
}

/// As [`Secrets::set`]. Where it breaks off, what was kept before is still there.
pub fn set(secrets: &dyn Secrets, name: &str, value: &str) -> Result<(), SecretError> {
    let before = secrets.get(name)?.and_then(|entry| parts(&entry));
    if value.len() <= MOST_BYTES {
        secrets.set(name, value)?;
    } else {
        let texts = split(value);
        if texts.len() > MOST_PARTS {
            return Err(SecretError::TooLarge { name: name.to_owned(), bytes: value.len() });
        }
        // Beside the parts that count until the entry names these.
        let set = if before.is_some_and(|(set, _)| set == 'a') { 'b' } else { 'a' };
        for (part, text) in texts.iter().enumerate() {
            secrets.set(&part_name(name, set, part), text)?;
        }
        secrets.set(name, &format!("{PARTS}{set}{}", texts.len()))?;
    }
    forget(secrets, name, before)
}

/// As [`Secrets::delete`].
pub fn delete(secrets: &dyn Secrets, name: &str) -> Result<(), SecretError> {
    let before = secrets.get(name)?.and_then(|entry| parts(&entry));
    secrets.delete(name)?;
    forget(secrets, name, before)
}

fn forget(secrets: &dyn Secrets, name: &str, parts: Option<(char, usize)>) -> Result<(), SecretError> {
    let Some((set, count)) = parts else { return Ok(()) };
    (0..count).try_for_each(|part| secrets.delete(&part_name(name, set, part)))
}

/// Which parts an entry names, and how many.
fn parts(entry: &str) -> Option<(char, usize)> {
    let mut rest = entry.strip_prefix(PARTS)?.chars();
    let set = rest.next().filter(|set| matches!(set, 'a' | 'b'))?;
    let count = rest.as_str().parse().ok().filter(|count| *count <= MOST_PARTS)?;
    Some((set, count))
}

fn part_name(name: &str, set: char, part: usize) -> String {
    format!("{name}#{set}{part}")
}

fn split(value: &str) -> Vec<&str> {
    let mut texts = Vec::new();
    let mut rest = value;
    while !rest.is_empty() {
        let mut end = rest.len().min(MOST_BYTES);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (text, more) = rest.split_at(end);
        texts.push(text);
        rest = more;
    }
    texts
}

#[cfg(all(test, feature = "memory"))]
mod tests {
    use super::*;
    use crate::Memory;

    #[test]
    fn a_long_secret_is_kept_whole_and_taken_away_whole() {
        let memory = Memory::new();
        for value in
            ["short".to_owned(), "ä".repeat(3_000), "x".repeat(2_561), "y".repeat(9_000), "last".into()]
        {
            set(&memory, "a", &value).unwrap();
            assert_eq!(get(&memory, "a").unwrap().unwrap().as_str(), value);
            let entries = value.len().div_ceil(MOST_BYTES);
            assert_eq!(memory.names().len(), if entries == 1 { 1 } else { entries + 1 });
        }
        set(&memory, "a", &"z".repeat(6_000)).unwrap();
        delete(&memory, "a").unwrap();
        assert_eq!(memory.names(), Vec::<String>::new());
        assert_eq!(get(&memory, "a").unwrap(), None);
        let far_too_long = "x".repeat(MOST_BYTES * (MOST_PARTS + 1));
        assert!(matches!(set(&memory, "a", &far_too_long), Err(SecretError::TooLarge { .. })));
    }

    #[test]
    fn a_secret_of_which_a_part_is_missing_is_none() {
        let memory = Memory::new();
        set(&memory, "a", &"z".repeat(6_000)).unwrap();
        memory.delete("a#a1").unwrap();
        assert_eq!(get(&memory, "a").unwrap(), None);
    }
}
