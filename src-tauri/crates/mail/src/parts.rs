//! A large message read part by part: the text, and of the files those that are wanted. What is left on the server is named in
//! the message that is put together again.

use crate::error::MailError;
use crate::fetch::{Body, Gone};
use crate::session::{Folder, Place, Session};
use crate::structure::{Leaf, Structure};
use threadline_core::message::LEFT;

/// Bytes of one part that are asked for at once.
const CHUNK: u32 = 512 * 1024;
/// Most parts of a message that is taken apart.
const MOST_PARTS: usize = 200;
/// Longest boundary (RFC 2046 §5.1.1).
const MOST_BOUNDARY: usize = 70;

/// What the message is put together of, in order.
enum Piece<'a> {
    Text(String),
    /// The header of the message or of a part.
    Header(String),
    Leaf(String, &'a Leaf),
}

impl Session {
    /// A message by its parts, without marking it as read: at most `most` bytes, and without the files for which `leave` holds.
    /// `None` where the server does not describe it so that it can be taken apart: then it is to be read whole. An answer that
    /// the library cannot read costs the connection.
    pub async fn fetch_parts(
        &mut self,
        folder: &Folder,
        place: Place,
        most: u32,
        leave: impl Fn(&Leaf) -> bool,
    ) -> Result<Result<Option<Body>, Gone>, MailError> {
        if self.select(folder).await?.uidvalidity != place.uidvalidity {
            return Ok(Err(Gone::Renumbered));
        }
        let uid = place.uid;
        let Some(described) = self.fetch_one(uid, "(UID BODYSTRUCTURE)").await? else {
            return Ok(Err(Gone::Expunged));
        };
        let Some(structure) = described.structure else { return Ok(Ok(None)) };
        let Some(pieces) = plan(&structure) else { return Ok(Ok(None)) };
        let mut body = Body { raw: Vec::new(), truncated: false };
        let mut pieces = pieces.into_iter().peekable();
        while let Some(piece) = pieces.next() {
            let room = most.saturating_sub(u32::try_from(body.raw.len()).unwrap_or(u32::MAX));
            match piece {
                Piece::Text(text) => body.raw.extend_from_slice(text.as_bytes()),
                Piece::Header(section) => {
                    let Some(mut header) = self.section(uid, &section).await? else {
                        return Ok(Ok(None));
                    };
                    let left = match pieces.peek() {
                        Some(Piece::Leaf(_, leaf)) => stays(leaf, room, &leave).then(|| leaf.size()),
                        _ => None,
                    };
                    close(&mut header, left);
                    body.raw.extend(header);
                }
                Piece::Leaf(_, leaf) if stays(leaf, room, &leave) => {}
                Piece::Leaf(section, leaf) => {
                    let wanted = leaf.octets.min(room);
                    body.truncated |= wanted < leaf.octets;
                    self.content(uid, &section, wanted, &mut body.raw).await?;
                }
            }
        }
        Ok(Ok(Some(body)))
    }

    async fn section(&mut self, uid: u32, section: &str) -> Result<Option<Vec<u8>>, MailError> {
        let most = crate::fetch::MOST_HEADER;
        let items = format!("(UID BODY.PEEK[{section}]<0.{most}>)");
        Ok(self.fetch_one(uid, &items).await?.and_then(|one| one.section))
    }

    /// A part's bytes, some at a time.
    async fn content(
        &mut self,
        uid: u32,
        section: &str,
        wanted: u32,
        into: &mut Vec<u8>,
    ) -> Result<(), MailError> {
        let mut at = 0;
        while at < wanted {
            let size = CHUNK.min(wanted - at);
            let items = format!("(UID BODY.PEEK[{section}]<{at}.{size}>)");
            let got = self.fetch_one(uid, &items).await?.and_then(|one| one.section).unwrap_or_default();
            into.extend_from_slice(got.get(..size as usize).unwrap_or(&got));
            // A server that described more than there is.
            if got.len() < size as usize {
                return Ok(());
            }
            at += size;
        }
        Ok(())
    }
}

/// Whether a part is left on the server.
fn stays(leaf: &Leaf, room: u32, leave: &impl Fn(&Leaf) -> bool) -> bool {
    leaf.is_file() && (leaf.octets > room || leave(leaf))
}

/// Ends a header with its empty line; before it stands, where the part is left on the server, what it has there.
fn close(header: &mut Vec<u8>, left: Option<u64>) {
    while header.ends_with(b"\r\n\r\n") || header.as_slice() == b"\r\n" {
        header.truncate(header.len() - 2);
    }
    if !header.is_empty() && !header.ends_with(b"\r\n") {
        header.extend_from_slice(b"\r\n");
    }
    if let Some(size) = left {
        header.extend_from_slice(format!("{LEFT}: {size}\r\n").as_bytes());
    }
    header.extend_from_slice(b"\r\n");
}

/// `None` where the message is no multipart, or cannot be put together again.
fn plan(structure: &Structure) -> Option<Vec<Piece<'_>>> {
    let Structure::Multi { boundary, parts } = structure else { return None };
    let mut pieces = vec![Piece::Header("HEADER".to_owned())];
    let mut count = 0;
    inside(boundary.as_deref(), parts, "", &mut pieces, &mut count)?;
    Some(pieces)
}

fn inside<'a>(
    boundary: Option<&str>,
    parts: &'a [Structure],
    path: &str,
    pieces: &mut Vec<Piece<'a>>,
    count: &mut usize,
) -> Option<()> {
    let boundary =
        boundary.filter(|b| (1..=MOST_BOUNDARY).contains(&b.len()) && !b.contains(['\r', '\n']))?;
    for (at, part) in parts.iter().enumerate() {
        *count += 1;
        if *count > MOST_PARTS {
            return None;
        }
        let section = format!("{path}{}", at + 1);
        pieces.push(Piece::Text(format!("--{boundary}\r\n")));
        pieces.push(Piece::Header(format!("{section}.MIME")));
        match part {
            Structure::Leaf(leaf) => pieces.push(Piece::Leaf(section, leaf)),
            Structure::Multi { boundary, parts } => {
                inside(boundary.as_deref(), parts, &format!("{section}."), pieces, count)?;
            }
        }
        pieces.push(Piece::Text("\r\n".to_owned()));
    }
    pieces.push(Piece::Text(format!("--{boundary}--\r\n")));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_ends_with_one_empty_line_and_says_what_is_left() {
        for (header, left, want) in [
            ("A: b\r\n\r\n", None, "A: b\r\n\r\n"),
            ("A: b\r\n", None, "A: b\r\n\r\n"),
            ("A: b", Some(7), "A: b\r\nX-Threadline-Left: 7\r\n\r\n"),
            ("\r\n", None, "\r\n"),
            ("", Some(7), "X-Threadline-Left: 7\r\n\r\n"),
        ] {
            let mut header = header.as_bytes().to_vec();
            close(&mut header, left);
            assert_eq!(String::from_utf8(header).unwrap(), want);
        }
    }
}
