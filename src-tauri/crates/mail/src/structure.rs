//! Of what parts a message is made, as the server describes it (RFC 9051 §7.5.2, BODYSTRUCTURE).

use async_imap::imap_proto::{BodyContentCommon, BodyContentSinglePart, BodyStructure, ContentEncoding};

/// A part that holds no others. A message within a message is one.
#[derive(Clone, PartialEq, Eq)]
pub struct Leaf {
    /// As the sender wrote it, perhaps in code (RFC 2047, RFC 2231).
    pub name: Option<String>,
    /// Content-Disposition says `attachment`.
    pub attachment: bool,
    /// Content-Disposition says `inline`.
    pub inline: bool,
    /// It has a Content-ID, by which the text may show it.
    pub shown: bool,
    /// Bytes as they are transferred.
    pub octets: u32,
    base64: bool,
}

threadline_core::debug_only!(Leaf { attachment, inline, octets });

impl Leaf {
    /// About how many bytes it has when it is decoded.
    pub fn size(&self) -> u64 {
        let octets = u64::from(self.octets);
        // Lines of 76 letters and a line end, four letters for three bytes.
        if self.base64 { octets * 57 / 78 } else { octets }
    }

    /// Whether it can be left where it is without the text missing it.
    pub fn is_file(&self) -> bool {
        self.attachment || (self.name.is_some() && !self.inline && !self.shown)
    }
}

/// A message's parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Structure {
    Leaf(Leaf),
    Multi {
        /// `None` where the server does not say by what the parts are divided.
        boundary: Option<String>,
        parts: Vec<Structure>,
    },
}

impl Structure {
    /// Takes a description over. The guard has capped how deep it goes.
    pub fn read(of: &BodyStructure<'_>) -> Self {
        match of {
            BodyStructure::Multipart { common, bodies, .. } => Structure::Multi {
                boundary: parameter(&common.ty.params, "boundary"),
                parts: bodies.iter().map(Structure::read).collect(),
            },
            BodyStructure::Basic { common, other, .. }
            | BodyStructure::Text { common, other, .. }
            | BodyStructure::Message { common, other, .. } => Structure::Leaf(leaf(common, other)),
        }
    }
}

fn leaf(common: &BodyContentCommon<'_>, other: &BodyContentSinglePart<'_>) -> Leaf {
    let disposition = common.disposition.as_ref();
    let is = |kind: &str| disposition.is_some_and(|d| d.ty.eq_ignore_ascii_case(kind));
    let file = disposition.and_then(|d| parameter(&d.params, "filename"));
    Leaf {
        name: file.or_else(|| parameter(&common.ty.params, "name")),
        attachment: is("attachment"),
        inline: is("inline"),
        shown: other.id.is_some(),
        octets: other.octets,
        base64: matches!(other.transfer_encoding, ContentEncoding::Base64),
    }
}

/// A parameter by its name, also where its value is in code (RFC 2231: `filename*`).
fn parameter(
    parameters: &Option<Vec<(std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)>>,
    wanted: &str,
) -> Option<String> {
    let named = |(name, _): &&(std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)| {
        name.trim_end_matches('*').eq_ignore_ascii_case(wanted)
    };
    parameters.iter().flatten().find(named).map(|(_, value)| value.to_string())
}
