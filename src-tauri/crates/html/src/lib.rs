//! Turns the HTML of a mail into a document that may be shown: in a frame without scripts and without same origin.
//!
//! Three steps, each linear in the size of the mail. [`rewrite`] reads tokens, keeps what is listed in [`tags`] and
//! [`attributes`], and closes every element itself, so that no later parser has to repair anything. [`judge`] is a second
//! opinion by another library with the same lists. [`document`] puts the result into a page that forbids the network.
//!
//! What a mail hides is shown: the CRM gets it, so the person must see it. `display:none`, tiny letters, letters in the
//! colour of the paper and the like lose what hides them.

mod attributes;
mod colour;
mod css;
mod document;
mod judge;
pub mod link;
mod nesting;
mod picture;
mod rewrite;
mod tags;

use serde::Serialize;
use threadline_core::inline::InlinePart;

/// Most HTML of one mail that is read, in bytes; the rest is cut.
pub const MOST_HTML: usize = 1024 * 1024;
/// Most elements kept; of what follows the text is kept.
pub const MOST_ELEMENTS: usize = 100_000;
/// Deepest nesting kept; what lies deeper is shown at this depth.
pub const MOST_DEPTH: usize = 256;

/// A mail as it may be shown.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct MessageHtml {
    /// A whole document, for the `srcdoc` of a frame with `sandbox`; empty where there is nothing to show.
    pub html: String,
    /// Pictures that would have been fetched from somewhere, or that are no pictures.
    pub blocked_pictures: u32,
    /// True where not all of the mail is in `html`. Where `html` is empty, its plain text is to be shown.
    pub cut: bool,
}

threadline_core::debug_only!(MessageHtml { blocked_pictures, cut });

impl MessageHtml {
    /// For a mail that cannot be shown as it was written.
    pub fn given_up() -> Self {
        Self { html: String::new(), blocked_pictures: 0, cut: true }
    }
}

/// Cleans the HTML of a mail. `inline` are the parts that its `cid:` addresses may name. Never fails.
pub fn clean(html: &str, inline: &[InlinePart]) -> MessageHtml {
    let mut end = html.len().min(MOST_HTML);
    while !html.is_char_boundary(end) {
        end -= 1;
    }
    let read = &html[..end];
    let rewritten = rewrite::rewrite(read, inline);
    MessageHtml {
        html: document::document(&judge::judge(&rewritten.html)),
        blocked_pictures: rewritten.blocked_pictures,
        cut: read.len() < html.len() || rewritten.cut,
    }
}
