//! What lies in a message that is signed as a whole (RFC 8551 §3.5.3): a MIME entity inside CMS SignedData (RFC 5652), in BER. The
//! signature is not checked.

/// Deepest nesting of a string that comes in pieces.
const MOST_DEPTH: usize = 4;
/// Most pieces of it.
const MOST_PIECES: usize = 100_000;

const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];

const SEQUENCE: u8 = 0x30;
const OBJECT_ID: u8 = 0x06;
const CONTEXT_0: u8 = 0xa0;
const OCTETS: u8 = 0x04;
const OCTETS_IN_PIECES: u8 = 0x24;

/// One element: its tag, its content, and what stands behind it. An element of indefinite length has all that follows as its
/// content.
struct Element<'a> {
    tag: u8,
    content: &'a [u8],
    rest: &'a [u8],
    indefinite: bool,
}

fn element(bytes: &[u8]) -> Option<Element<'_>> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    if first == 0x80 {
        return Some(Element { tag, content: rest, rest: &[], indefinite: true });
    }
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        if digits.len() > 8 {
            return None;
        }
        (digits.iter().try_fold(0usize, |all, b| all.checked_mul(256)?.checked_add(usize::from(*b)))?, rest)
    };
    // The end may be missing where the message was cut.
    let (content, rest) = rest.split_at(length.min(rest.len()));
    Some(Element { tag, content, rest, indefinite: false })
}

/// The element with this tag at the beginning.
fn expect(bytes: &[u8], tag: u8) -> Option<Element<'_>> {
    element(bytes).filter(|e| e.tag == tag)
}

/// The signed entity. `None` where there is none inside, or where it is no SignedData.
pub(super) fn signed_content(bytes: &[u8]) -> Option<Vec<u8>> {
    let info = expect(bytes, SEQUENCE)?;
    let kind = expect(info.content, OBJECT_ID).filter(|e| e.content == SIGNED_DATA)?;
    let signed = expect(expect(kind.rest, CONTEXT_0)?.content, SEQUENCE)?;
    let version = element(signed.content)?;
    let algorithms = element(version.rest)?;
    // A set of indefinite length ends in two zeros: pass over its elements.
    let behind = if algorithms.indefinite { behind_pieces(algorithms.content)? } else { algorithms.rest };
    let inner = expect(behind, SEQUENCE)?;
    let kind = expect(inner.content, OBJECT_ID).filter(|e| e.content == DATA)?;
    let content = expect(kind.rest, CONTEXT_0)?;
    let mut all = Vec::new();
    let mut left = MOST_PIECES;
    octets(content.content, 0, &mut left, &mut all)?;
    (!all.is_empty()).then_some(all)
}

/// What stands behind the end of an element of indefinite length, whose content has elements of definite length.
fn behind_pieces(mut content: &[u8]) -> Option<&[u8]> {
    for _ in 0..64 {
        if let Some(rest) = content.strip_prefix(&[0, 0]) {
            return Some(rest);
        }
        let one = element(content).filter(|e| !e.indefinite)?;
        content = one.rest;
    }
    None
}

/// A string of octets, whole or in pieces; gives what stands behind it.
fn octets<'a>(bytes: &'a [u8], depth: usize, left: &mut usize, all: &mut Vec<u8>) -> Option<&'a [u8]> {
    *left = left.checked_sub(1)?;
    let one = element(bytes)?;
    match one.tag {
        OCTETS if !one.indefinite => {
            all.extend_from_slice(one.content);
            Some(one.rest)
        }
        OCTETS_IN_PIECES if depth < MOST_DEPTH => {
            let mut pieces = one.content;
            while !pieces.is_empty() && !pieces.starts_with(&[0, 0]) {
                pieces = octets(pieces, depth + 1, left, all)?;
            }
            Some(if one.indefinite { pieces.get(2..).unwrap_or_default() } else { one.rest })
        }
        _ => None,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wrapped(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x84][..], &length, content].concat()
    }

    pub(in super::super) fn signed(string: &[u8]) -> Vec<u8> {
        let inner = wrapped(SEQUENCE, &[wrapped(OBJECT_ID, DATA), wrapped(CONTEXT_0, string)].concat());
        let data = wrapped(SEQUENCE, &[vec![2, 1, 1], wrapped(0x31, &[]), inner].concat());
        wrapped(SEQUENCE, &[wrapped(OBJECT_ID, SIGNED_DATA), wrapped(CONTEXT_0, &data)].concat())
    }

    #[test]
    fn the_content_is_found_whole_and_in_pieces() {
        assert_eq!(signed_content(&signed(&wrapped(OCTETS, b"words"))).unwrap(), b"words");
        let pieces = [wrapped(OCTETS, b"wo"), wrapped(OCTETS, b"rds")].concat();
        assert_eq!(signed_content(&signed(&wrapped(OCTETS_IN_PIECES, &pieces))).unwrap(), b"words");
        let indefinite = [&[OCTETS_IN_PIECES, 0x80][..], &pieces, &[0, 0]].concat();
        assert_eq!(signed_content(&signed(&indefinite)).unwrap(), b"words");
        let string = [
            &[SEQUENCE, 0x80][..],
            &wrapped(OBJECT_ID, SIGNED_DATA),
            &[CONTEXT_0, 0x80, SEQUENCE, 0x80, 2, 1, 1, 0x31, 0x80, 0, 0, SEQUENCE, 0x80],
            &wrapped(OBJECT_ID, DATA),
            &[CONTEXT_0, 0x80],
            &indefinite,
        ]
        .concat();
        assert_eq!(signed_content(&string).unwrap(), b"words");
        assert_eq!(signed_content(b"words"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0usize..80) {
            signed_content(&bytes);
            let whole = signed(&wrapped(OCTETS, b"words"));
            signed_content(&whole[..cut.min(whole.len())]);
        }
    }
}
