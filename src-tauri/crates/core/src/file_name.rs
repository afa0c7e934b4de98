//! Names of files that came with a mail, as a file system takes them.

use crate::envelope::clean;

/// Most bytes of a file's name: file systems take 255, and programs add to it.
const MOST_NAME: usize = 200;

/// Most bytes of its ending that are kept.
const MOST_ENDING: usize = 16;

/// A file name of at most 200 bytes without path separators, control characters and names that mean something to a file
/// system. What is too long loses its middle and keeps its ending.
pub fn safe_name(name: &str) -> String {
    let base: String = clean(name, 150)
        .chars()
        .map(|c| if matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|') { '_' } else { c })
        .filter(|c| !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}'))
        .collect();
    let base = shorter(base.trim_matches([' ', '.']));
    match base.split('.').next() {
        None | Some("") if base.is_empty() => "attachment".to_owned(),
        Some(stem) if is_device(stem) => format!("_{base}"),
        _ => base,
    }
}

/// Names of devices on Windows, whatever their ending.
fn is_device(stem: &str) -> bool {
    let stem = stem.trim_end().to_ascii_uppercase();
    let numbered =
        |of: &str| stem.strip_prefix(of).is_some_and(|n| n.len() == 1 && n != "0" && n.parse::<u8>().is_ok());
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT")
}

fn shorter(name: &str) -> String {
    if name.len() <= MOST_NAME {
        return name.to_owned();
    }
    let ending = name.rfind('.').map_or("", |dot| &name[dot..]);
    let ending = if ending.len() <= MOST_ENDING { ending } else { "" };
    let mut end = MOST_NAME - ending.len();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{ending}", &name[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_on_every_file_system() {
        assert_eq!(safe_name("..\\..\\evil\u{202e}fdp.exe"), "_.._evilfdp.exe");
        assert_eq!(safe_name("..."), "attachment");
        assert_eq!(safe_name("Angebot Übersicht.pdf"), "Angebot Übersicht.pdf");
        for device in ["nul", "CON.txt", "com1.pdf", "Lpt9", "aux .x"] {
            assert_eq!(safe_name(device), format!("_{device}"));
        }
        for usual in ["console.txt", "com10.pdf", "com0", "lpt", "a.nul"] {
            assert_eq!(safe_name(usual), usual);
        }
        // 150 characters of four bytes are more than a file system takes.
        let long = safe_name(&format!("{}.pdf", "😀".repeat(140)));
        assert_eq!((long.len(), long.ends_with("😀.pdf")), (200, true));
        assert_eq!(safe_name(&"ä".repeat(149)).len(), 200);
        assert_eq!(safe_name(&format!("a.{}", "😀".repeat(140))).len(), 198, "no ending is that long");
    }
}
