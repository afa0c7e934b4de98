//! Which parts of a mail are files that somebody sent, and which belong to its text: pictures in it, logos, signatures
//! (PRODUCT R11).

use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Pictures of a signature are smaller than this, in bytes; a picture that is larger was sent for itself.
pub const LOGO: u64 = 40 * 1024;
/// Most bytes of a file that goes to a CRM, where nothing else is set: HubSpot's own limit for a logged mail's files.
pub const MOST_BYTES: u64 = 50 * 1024 * 1024;

/// A part, as its header or the server's BODYSTRUCTURE describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// `image/png`, in lower case.
    pub media_type: &'a str,
    pub name: Option<&'a str>,
    /// Content-Disposition (RFC 2183) says `attachment`.
    pub attachment: bool,
    /// Content-Disposition says `inline`.
    pub inline: bool,
    /// Without angle brackets.
    pub content_id: Option<&'a str>,
    /// It lies in a multipart/related behind the first part (RFC 2387).
    pub related: bool,
    /// Bytes.
    pub size: u64,
}

/// Why a part is no file that somebody sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum NoFile {
    /// The mail's own text.
    Text,
    /// A picture that the text shows.
    Picture,
    /// A small picture that belongs to a signature.
    Logo,
    /// A signature of the mail (S/MIME, PGP).
    Signature,
    /// An invitation, which the CRM gets as a mail.
    Calendar,
}

/// What a part is. `shown` are the Content-IDs that the mail's HTML names (`cid:`, RFC 2392).
pub fn judge(part: &Part<'_>, shown: &HashSet<String>) -> Result<(), NoFile> {
    let kind = part.media_type;
    if matches!(
        kind,
        "application/pkcs7-signature" | "application/x-pkcs7-signature" | "application/pgp-signature"
    ) {
        return Err(NoFile::Signature);
    }
    if kind == "text/calendar" && !part.attachment {
        return Err(NoFile::Calendar);
    }
    if matches!(kind, "text/plain" | "text/html" | "text/enriched") && !part.attachment && part.name.is_none()
    {
        return Err(NoFile::Text);
    }
    if kind.starts_with("image/") {
        if part.content_id.is_some_and(|id| shown.contains(id)) {
            return Err(if part.size < LOGO { NoFile::Logo } else { NoFile::Picture });
        }
        if part.related && part.content_id.is_some() && !part.attachment {
            return Err(NoFile::Picture);
        }
        // Outlook's names for the pictures of signatures, also where the HTML was taken away.
        if part.size < LOGO && part.content_id.is_some() && part.name.is_none_or(is_made_up) {
            return Err(NoFile::Logo);
        }
    }
    Ok(())
}

/// `image001.png`, `Outlook-a1b2c3.jpg`: a name that a mail program made up.
fn is_made_up(name: &str) -> bool {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_ascii_lowercase();
    let digits = |rest: &str| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit());
    stem.strip_prefix("image").is_some_and(digits)
        || stem.starts_with("outlook-")
        || stem.strip_prefix("part").is_some_and(digits)
        || stem.strip_prefix("att").is_some_and(digits)
}

/// The Content-IDs that HTML names, decoded.
pub fn shown_in(html: &str) -> HashSet<String> {
    let mut found = HashSet::new();
    let lower = html.to_ascii_lowercase();
    for (at, _) in lower.match_indices("cid:") {
        let rest = &html[at + 4..];
        let end = rest.find(['"', '\'', ')', '>', ' ', '\r', '\n', '\t', '&']).unwrap_or(rest.len());
        let id = percent_decoded(&rest[..end]);
        if !id.is_empty() {
            found.insert(id);
        }
    }
    found
}

/// `%40` as `@`: in a URL an id may be written so.
fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).and_then(|h| std::str::from_utf8(h).ok());
        match (bytes[at], hex.and_then(|h| u8::from_str_radix(h, 16).ok())) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// What may go to a CRM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(default)]
pub struct Limits {
    /// Largest file, in bytes.
    pub most_bytes: u64,
    /// Endings of names that stay here, in lower case without the dot.
    pub never_endings: Vec<String>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { most_bytes: MOST_BYTES, never_endings: Vec::new() }
    }
}

/// Why a file stays here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Skipped {
    TooLarge,
    /// Its ending is on the list of those that stay here.
    Ending,
    Empty,
    /// The mail was cut off before its end, and the file with it.
    Cut,
    /// The CRM did not take it: the mail is there without it.
    Refused,
}

impl Limits {
    /// Whether a file of this name and size may go.
    pub fn allow(&self, name: &str, size: u64) -> Result<(), Skipped> {
        let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase());
        match ending {
            _ if size == 0 => Err(Skipped::Empty),
            _ if size > self.most_bytes => Err(Skipped::TooLarge),
            Some(ending) if self.never_endings.contains(&ending) => Err(Skipped::Ending),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: Part<'_> = Part {
        media_type: "image/png",
        name: Some("plan.png"),
        attachment: false,
        inline: false,
        content_id: None,
        related: false,
        size: 5_000,
    };

    fn shown(ids: &[&str]) -> HashSet<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn what_somebody_attached_is_a_file() {
        let none = HashSet::new();
        for part in [
            Part { attachment: true, ..PNG },
            // Apple Mail puts pictures between the paragraphs, without an id.
            Part { inline: true, ..PNG },
            Part { media_type: "application/pdf", inline: true, ..PNG },
            Part { media_type: "text/plain", name: Some("notes.txt"), ..PNG },
            Part { media_type: "text/html", attachment: true, name: None, ..PNG },
            Part { media_type: "message/rfc822", name: None, ..PNG },
            Part { media_type: "text/calendar", attachment: true, ..PNG },
            // A picture with an id that nothing names, and with a name that a person gave.
            Part { content_id: Some("a@x"), attachment: true, ..PNG },
            Part { content_id: Some("a@x"), attachment: true, name: Some("image001.png"), size: LOGO, ..PNG },
            Part { media_type: "application/pdf", content_id: Some("a@x"), related: true, ..PNG },
        ] {
            assert_eq!(judge(&part, &none), Ok(()), "{part:?}");
        }
    }

    #[test]
    fn what_belongs_to_the_text_is_none() {
        let ids = shown(&["a@x"]);
        for (part, why) in [
            (Part { content_id: Some("a@x"), size: LOGO, ..PNG }, NoFile::Picture),
            (Part { content_id: Some("a@x"), attachment: true, ..PNG }, NoFile::Logo),
            (Part { content_id: Some("b@x"), related: true, size: LOGO, ..PNG }, NoFile::Picture),
            (
                Part { content_id: Some("b@x"), name: Some("image001.png"), attachment: true, ..PNG },
                NoFile::Logo,
            ),
            (Part { content_id: Some("b@x"), name: Some("Outlook-x1.png"), ..PNG }, NoFile::Logo),
            (Part { content_id: Some("b@x"), name: None, ..PNG }, NoFile::Logo),
            (Part { media_type: "text/plain", name: None, ..PNG }, NoFile::Text),
            (Part { media_type: "text/calendar", name: Some("invite.ics"), ..PNG }, NoFile::Calendar),
            (Part { media_type: "application/pkcs7-signature", attachment: true, ..PNG }, NoFile::Signature),
        ] {
            assert_eq!(judge(&part, &ids), Err(why), "{part:?}");
        }
    }

    #[test]
    fn the_pictures_that_html_names_are_found() {
        let html = "<img src=\"cid:a@x\"><img src='CID:b%40y'><td background=cid:c@z>url(cid:d@w) &quot;cid:e@v&quot;";
        assert_eq!(shown_in(html), shown(&["a@x", "b@y", "c@z", "d@w", "e@v"]));
        assert!(shown_in("cid:").is_empty() && shown_in("ä cid:").is_empty());
        assert_eq!(shown_in("cid:%4"), shown(&["%4"]));
        assert_eq!(shown_in("cid:%é\""), shown(&["%é"]));
    }

    #[test]
    fn limits_say_why_a_file_stays() {
        let limits = Limits { most_bytes: 10, never_endings: vec!["exe".into()] };
        assert_eq!(limits.allow("a.pdf", 10), Ok(()));
        assert_eq!(limits.allow("a.pdf", 11), Err(Skipped::TooLarge));
        assert_eq!(limits.allow("a.PDF.EXE", 5), Err(Skipped::Ending));
        assert_eq!(limits.allow("a", 0), Err(Skipped::Empty));
        assert_eq!(limits.allow("exe", 5), Ok(()));
    }
}
