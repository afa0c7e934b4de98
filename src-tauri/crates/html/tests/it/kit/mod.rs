//! What the tests of this crate share.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use threadline_core::inline::InlinePart;
use threadline_html::MessageHtml;

/// A picture of one pixel.
pub const GIF: &[u8] =
    b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

pub fn part(id: &str, bytes: &[u8]) -> InlinePart {
    InlinePart { content_id: id.to_owned(), bytes: bytes.to_vec() }
}

/// What stands in the page's body.
pub fn body(shown: &MessageHtml) -> &str {
    let Some((_, rest)) = shown.html.split_once("<body>") else { return "" };
    rest.strip_suffix("</body></html>").unwrap()
}

/// The mail's own part of the page, cleaned.
pub fn clean(html: &str) -> String {
    body(&threadline_html::clean(html, &[])).to_owned()
}

/// A file of `tests/data/html`.
pub fn fixture(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/data/html");
    std::fs::read_to_string(format!("{folder}/{name}")).unwrap()
}

/// The lines of a file that are no comments.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Every tag of cleaned HTML: name and attributes. Fails where it is not plain enough to be read so.
pub fn tags(html: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut found = Vec::new();
    for piece in html.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').unwrap_or_else(|| panic!("a tag without end: {piece}"));
        assert!(!text.contains('>'), "an angle bracket in text: {piece}");
        if tag.starts_with('/') {
            continue;
        }
        let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut attributes = Vec::new();
        while !rest.is_empty() {
            let (attribute, value) = rest.split_once("=\"").unwrap_or_else(|| panic!("{tag}"));
            let (value, after) = value.split_once('"').unwrap_or_else(|| panic!("{tag}"));
            attributes.push((attribute.trim().to_owned(), value.to_owned()));
            rest = after;
        }
        found.push((name.to_owned(), attributes));
    }
    found
}

/// Fails where the cleaned HTML could run, load, cover or lead anywhere it should not.
pub fn assert_safe(html: &str) {
    for (name, attributes) in tags(html) {
        let safe_name =
            !["script", "style", "svg", "math", "iframe", "object", "embed", "form", "base", "meta", "link"]
                .contains(&name.as_str());
        assert!(safe_name, "<{name}> in {html}");
        for (attribute, value) in attributes {
            let value = value.replace("&amp;", "&").to_lowercase();
            let safe = match attribute.as_str() {
                "href" => ["http://", "https://", "mailto:"].iter().any(|scheme| value.starts_with(scheme)),
                "src" => ["gif", "png", "jpeg", "webp"]
                    .iter()
                    .any(|kind| value.starts_with(&format!("data:image/{kind};base64,"))),
                "target" => value == "_blank",
                "style" => {
                    !["(", "\\", "@", "position", "z-index", "url", "expression", "-moz", "behavior", "/*"]
                        .iter()
                        .any(|bad| value.contains(bad))
                }
                "background" | "srcset" | "poster" | "action" | "ping" | "id" | "class" | "name" => false,
                other => !other.starts_with("on") && !other.contains(':'),
            };
            assert!(safe, "{attribute}={value} in {html}");
        }
    }
}
