//! Texts of mails: a piece of one is known again by three words in a row, however the white space between them stands.

use super::SHORTEST;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

/// So many words in a row are a piece of a text.
const WORDS: usize = 3;
/// A piece of fewer letters than this is in every text.
const LETTERS: usize = 10;
/// A single word with a digit in it, and a line of fewer than [`WORDS`] words, from this length on.
const SINGLE: usize = 8;

/// The pieces of texts, hashed.
#[derive(Default)]
pub(super) struct Texts {
    pieces: HashSet<u64>,
}

impl Texts {
    pub fn of(texts: &[String]) -> Self {
        let mut pieces = HashSet::new();
        for line in texts.iter().flat_map(|text| text.lines()) {
            let words = words(line);
            let line: Vec<&str> = words.iter().map(|range| &line[range.clone()]).collect();
            pieces.extend(line.windows(WORDS).filter(|three| is_piece(three)).map(hash));
            pieces.extend(line.iter().filter(|word| is_telling(word)).map(|word| hash(&[*word])));
            if (1..WORDS).contains(&line.len()) && letters(&line) >= SINGLE {
                pieces.insert(hash(&line));
            }
        }
        Self { pieces }
    }

    /// Where pieces of them stand in a text, in order.
    pub fn places(&self, text: &str) -> Vec<Range<usize>> {
        if self.pieces.is_empty() {
            return Vec::new();
        }
        let words = words(text);
        let all: Vec<&str> = words.iter().map(|range| &text[range.clone()]).collect();
        let mut goes = vec![false; all.len()];
        for count in 1..=WORDS {
            for (at, some) in all.windows(count).enumerate() {
                if self.pieces.contains(&hash(some)) {
                    goes[at..at + count].fill(true);
                }
            }
        }
        let taken = words.into_iter().zip(&goes).map(|(word, goes)| goes.then_some(word)).collect::<Vec<_>>();
        taken
            .split(Option::is_none)
            .filter_map(|run| Some(run.first()?.as_ref()?.start..run.last()?.as_ref()?.end))
            .collect()
    }
}

/// Where the words of a text stand: runs of letters and digits.
fn words(text: &str) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    let mut begin = None;
    for (at, c) in text.char_indices() {
        match (c.is_alphanumeric(), begin) {
            (true, None) => begin = Some(at),
            (false, Some(from)) => {
                places.push(from..at);
                begin = None;
            }
            _ => {}
        }
    }
    places.extend(begin.map(|from| from..text.len()));
    places
}

/// A number, a code, a name of a thing: a word that says by itself which text it is from.
fn is_telling(word: &str) -> bool {
    word.len() >= SINGLE && word.bytes().any(|b| b.is_ascii_digit())
}

/// Long enough, and no date.
fn is_piece(words: &[&str]) -> bool {
    let is_word = |word: &&str| word.chars().filter(|c| c.is_alphabetic()).count() >= SHORTEST;
    letters(words) >= LETTERS && words.iter().any(is_word)
}

fn letters(words: &[&str]) -> usize {
    words.iter().map(|word| word.chars().count()).sum()
}

fn hash(words: &[&str]) -> u64 {
    let mut hasher = DefaultHasher::new();
    words.iter().for_each(|word| super::fold(word).hash(&mut hasher));
    hasher.finish()
}
