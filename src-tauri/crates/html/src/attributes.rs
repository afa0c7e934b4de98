//! The attributes that stay, and with which values.

use crate::colour::Colour;
use crate::css::{self, Look};
use crate::link;
use crate::nesting::escape;
use crate::picture::Pictures;
use html5ever::tokenizer::Tag;

/// The elements that may have an attribute; an empty list is every element. [`value`] says with what value.
pub(crate) const ALLOWED: &[(&str, &[&str])] = &[
    ("align", &[]),
    ("dir", &[]),
    ("lang", &[]),
    ("style", &[]),
    ("valign", &[]),
    ("alt", &["img"]),
    ("border", &["table"]),
    ("cellpadding", &["table"]),
    ("cellspacing", &["table"]),
    ("colspan", &["td", "th"]),
    ("face", &["font"]),
    ("height", &["img", "table", "td", "th"]),
    ("href", &["a"]),
    ("rowspan", &["td", "th"]),
    ("size", &["font"]),
    ("src", &["img"]),
    ("start", &["ol"]),
    ("title", &["a"]),
    ("type", &["ol", "ul", "li"]),
    ("width", &["hr", "img", "table", "td", "th"]),
];

/// What is kept of a tag.
#[derive(Default)]
pub(crate) struct Kept {
    /// Attributes as they are written, each with a space before it.
    pub text: String,
    pub look: Look,
    pub has_picture: bool,
    /// What stands for a picture that is not shown.
    pub alternative: String,
    pub blocked: u32,
}

/// Reads the attributes of a start tag. `around` is how text looks where it stands.
pub(crate) fn keep(tag: &Tag, around: Look, pictures: &mut Pictures<'_>) -> Kept {
    let mut kept = Kept { look: around, ..Kept::default() };
    let name = if &*tag.name == "image" { "img" } else { &*tag.name };
    let (mut ink, mut paper) = (None, None);
    let mut style = String::new();
    let mut asked = 0;
    for attribute in &tag.attrs {
        let of = |wanted: &str| &*attribute.name.local == wanted;
        let text = &*attribute.value;
        if of("style") {
            let read = css::read(text);
            style = read.text;
            kept.blocked = kept.blocked.saturating_add(read.pictures);
            ink = read.ink.or(ink);
            paper = read.paper.or(paper);
        } else if of("bgcolor") {
            paper = paper.or(Colour::legacy(text));
        } else if of("color") && name == "font" {
            ink = ink.or(Colour::legacy(text));
        } else if of("href") && name == "a" {
            if let Some(url) = link::safe(text) {
                write(&mut kept.text, "href", url.as_str());
                // The host is what shows on pointing at the link.
                write(&mut kept.text, "title", &link::link_host(url.as_str()).unwrap_or_default());
            }
        } else if of("src") && name == "img" {
            match pictures.data_url(text) {
                Some(url) => {
                    write(&mut kept.text, "src", &url);
                    kept.has_picture = true;
                }
                None => asked += u32::from(!text.trim().is_empty()),
            }
        } else if of("alt") && name == "img" {
            kept.alternative = text.to_owned();
            write(&mut kept.text, "alt", text);
        } else if loads_picture(name, &attribute.name.local) {
            asked += u32::from(!text.trim().is_empty());
        } else if let Some((allowed, text)) = value(name, &attribute.name.local, text) {
            write(&mut kept.text, allowed, text);
        }
    }
    // `src` and `srcset` of one picture are one picture.
    kept.blocked = kept.blocked.saturating_add(u32::from(asked > 0 && !kept.has_picture));
    colours(&mut kept, ink, paper, &mut style);
    if !style.is_empty() {
        write(&mut kept.text, "style", style.trim_end_matches(';'));
    }
    kept
}

/// Sets the colours, unless they make text that cannot be seen.
fn colours(kept: &mut Kept, ink: Option<Colour>, paper: Option<Colour>, style: &mut String) {
    let look = Look { ink: ink.unwrap_or(kept.look.ink), paper: paper.unwrap_or(kept.look.paper) };
    if (ink.is_none() && paper.is_none()) || !look.ink.is_seen_on(look.paper) {
        return;
    }
    kept.look = look;
    if let Some(ink) = ink {
        style.push_str(&format!("color:{ink};"));
    }
    if let Some(paper) = paper {
        style.push_str(&format!("background-color:{paper};"));
    }
}

fn write(out: &mut String, name: &str, text: &str) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    escape(text, out);
    out.push('"');
}

/// True for what a browser would load as a picture, beside `src` of `img`.
fn loads_picture(element: &str, attribute: &str) -> bool {
    match attribute {
        "background" | "poster" => true,
        "srcset" | "lowsrc" | "dynsrc" => element == "img",
        "src" => element == "input",
        // `image` in a drawing.
        "href" | "xlink:href" => matches!(element, "img" | "feimage"),
        _ => false,
    }
}

/// The attribute's own name and its value, where this element may have it so.
fn value<'v>(element: &str, attribute: &str, value: &'v str) -> Option<(&'static str, &'v str)> {
    let (name, _) =
        ALLOWED.iter().find(|(n, of)| *n == attribute && (of.is_empty() || of.contains(&element)))?;
    let value = value.trim();
    let one_of = |words: &[&str]| words.iter().any(|word| value.eq_ignore_ascii_case(word));
    let number = |most: u16| value.parse().is_ok_and(|n: u16| n <= most);
    let good = match *name {
        "align" => one_of(&["left", "right", "center", "justify"]),
        "valign" => one_of(&["top", "middle", "bottom", "baseline"]),
        "dir" => one_of(&["ltr", "rtl", "auto"]),
        "lang" => value.len() <= 35 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'),
        "border" | "cellpadding" | "cellspacing" | "colspan" => number(100),
        // Each row is built for each cell that reaches into it.
        "rowspan" => number(100) && !number(0),
        "width" | "height" => match value.strip_suffix('%') {
            Some(part) => part.parse().is_ok_and(|n: u16| n <= 100),
            None => number(2_000),
        },
        "start" => number(u16::MAX),
        "type" => ["1", "a", "A", "i", "I", "disc", "circle", "square"].contains(&value),
        "size" => number(7),
        "face" => {
            value.len() <= 200 && value.chars().all(|c| c.is_ascii_alphanumeric() || " ,-_".contains(c))
        }
        _ => false,
    };
    good.then_some((*name, value))
}
