//! The relay's own passwords: one a mailbox, made here, typed into the mail program. A provider's password is never one of
//! them.

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Without letters that look like others.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Five groups of five letters: 125 bits.
const GROUPS: usize = 5;
const GROUP: usize = 5;

/// No random numbers are to be had.
#[derive(Debug, thiserror::Error)]
#[error("The computer gives no random numbers, so no password can be made. Restart it and try again.")]
pub struct NoRandomness;

/// A new password, such as `k3rda-9mwxq-…`.
pub fn generate() -> Result<Zeroizing<String>, NoRandomness> {
    let mut bytes = Zeroizing::new([0_u8; GROUPS * GROUP]);
    getrandom::fill(bytes.as_mut()).map_err(|_| NoRandomness)?;
    let mut text = Zeroizing::new(String::with_capacity(GROUPS * (GROUP + 1)));
    for (at, byte) in bytes.iter().enumerate() {
        if at > 0 && at % GROUP == 0 {
            text.push('-');
        }
        text.push(char::from(LETTERS[usize::from(byte % 32)]));
    }
    Ok(text)
}

/// What is kept of a password while the relay runs. Two are compared by their hashes, so that the time it takes tells nothing
/// of the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Kept([u8; 32]);

impl Kept {
    pub fn new(password: &str) -> Self {
        Self(Sha256::digest(password.as_bytes()).into())
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Kept(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_long_and_never_the_same() {
        let (one, two) = (generate().unwrap(), generate().unwrap());
        assert_ne!(*one, *two);
        assert_eq!(one.len(), 29);
        assert!(one.split('-').all(|group| group.len() == 5 && group.bytes().all(|b| LETTERS.contains(&b))));
        assert!(Kept::new(&one) == Kept::new(&one) && Kept::new(&one) != Kept::new(&two));
        assert!(!format!("{:?}", Kept::new(&one)).contains(&**one));
    }
}
