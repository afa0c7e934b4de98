//! Pictures that came with the mail. No other picture is shown.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use imagesize::{ImageType, blob_size, image_type};
use threadline_core::inline::InlinePart;

/// Most bytes of pictures in one mail, each counted as often as it is shown.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// Most pixels of one picture: a small file can hold a picture that fills the memory.
const MOST_PIXELS: usize = 40_000_000;
/// Longest `cid:` address looked up.
const MOST_ID: usize = 1_000;

/// The pictures of one mail, and the bytes that may still be shown.
pub(crate) struct Pictures<'a> {
    inline: &'a [InlinePart],
    left: usize,
}

impl<'a> Pictures<'a> {
    pub(crate) fn new(inline: &'a [InlinePart]) -> Self {
        Self { inline, left: MOST_BYTES }
    }

    /// A `data:` URL for a `cid:` one (RFC 2392). `None` where no part has this id, where it is not PNG, JPEG, GIF or WebP
    /// by its own bytes, or where it is too large.
    pub(crate) fn data_url(&mut self, address: &str) -> Option<String> {
        let address = address.trim();
        let (scheme, id) = address.split_once(':')?;
        if !scheme.eq_ignore_ascii_case("cid") || id.len() > MOST_ID {
            return None;
        }
        let id = percent_decoded(id);
        let part = self.inline.iter().find(|part| part.content_id == id)?;
        let media_type = match image_type(&part.bytes).ok()? {
            ImageType::Png => "png",
            ImageType::Jpeg => "jpeg",
            ImageType::Gif => "gif",
            ImageType::Webp => "webp",
            _ => return None,
        };
        let size = blob_size(&part.bytes).ok()?;
        if size.width.checked_mul(size.height)? > MOST_PIXELS {
            return None;
        }
        self.left = self.left.checked_sub(part.bytes.len())?;
        Some(format!("data:image/{media_type};base64,{}", STANDARD.encode(&part.bytes)))
    }
}

fn percent_decoded(id: &str) -> String {
    let mut bytes = Vec::with_capacity(id.len());
    let mut rest = id.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match hex.and_then(|two| u8::from_str_radix(two, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
