//! The part of CSS that an element's `style` may use: how text looks, boxes and tables. Nothing that loads, moves, covers
//! or hides.
//!
//! Each value is written anew from what was understood of it, so that nothing else can be in it.

use crate::colour::{Colour, colour};
use cssparser::{Delimiter, ParseError, Parser, Token};

/// Longest `style` read, in bytes; a longer one is left out.
const MOST: usize = 8 * 1024;
/// Longest length, in CSS pixels: nothing is pushed far away.
const MOST_PIXELS: f32 = 1_000.0;
/// Smallest letters, in CSS pixels.
const LEAST_LETTER: f32 = 8.0;
/// Letters of the size that a page begins with, in CSS pixels.
const LETTER: f32 = 16.0;

/// The colours that text has at one place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Look {
    pub ink: Colour,
    pub paper: Colour,
}

impl Default for Look {
    fn default() -> Self {
        Self { ink: Colour::BLACK, paper: Colour::WHITE }
    }
}

/// What was understood of a `style`.
#[derive(Debug, Default)]
pub(crate) struct Style {
    /// Declarations without colours, each with its semicolon.
    pub text: String,
    pub ink: Option<Colour>,
    pub paper: Option<Colour>,
    /// Pictures that it would have loaded.
    pub pictures: u32,
}

/// Reads a `style`. What is not understood is left out.
pub(crate) fn read(style: &str) -> Style {
    let mut read = Style::default();
    if style.len() > MOST {
        return read;
    }
    let mut parser = Parser::new(style);
    while !parser.is_exhausted() {
        // The parser goes on behind the next semicolon whatever the result is.
        let _: Result<(), ParseError<()>> = parser.parse_until_after(Delimiter::Semicolon, |parser| {
            let name = parser.expect_ident()?.to_ascii_lowercase();
            parser.expect_colon()?;
            declaration(&name, parser, &mut read);
            Ok(())
        });
    }
    read
}

fn declaration(name: &str, parser: &mut Parser<'_>, read: &mut Style) {
    let values = values(parser, &mut read.pictures);
    let colours = || {
        values.iter().flatten().find_map(|value| match value {
            Value::Colour(colour) => Some(*colour),
            Value::Word(word) => Colour::named(word),
            _ => None,
        })
    };
    match name {
        "color" => read.ink = colours().or(read.ink),
        "background" | "background-color" => read.paper = colours().or(read.paper),
        _ => {
            let written: Option<Vec<String>> =
                values.iter().map(|v| v.as_ref().and_then(|v| v.written(name))).collect();
            if let Some(written) = written.filter(|w| !w.is_empty() && w.len() <= 12) {
                let text = written.join(" ").replace(" , ", ", ");
                read.text.push_str(&format!("{name}:{text};"));
            }
        }
    }
}

/// One part of a value.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Word(String),
    /// The name of a font.
    Text(String),
    Number(f32),
    /// In CSS pixels.
    Length(f32),
    /// Of the letters around, or of the page's.
    Em(f32),
    /// 1.0 is 100 %.
    Part(f32),
    Colour(Colour),
    Comma,
}

/// The parts of a value up to `!important`; `None` for one that is not understood. Counts what would be loaded.
fn values(parser: &mut Parser<'_>, pictures: &mut u32) -> Vec<Option<Value>> {
    let mut found = Vec::new();
    while let Ok(token) = parser.next().cloned() {
        found.push(match token {
            Token::Delim('!') => break,
            Token::Ident(word) => Some(Value::Word(word.to_string())),
            Token::QuotedString(text) => Some(Value::Text(text.to_string())),
            Token::Hash(hex) | Token::IDHash(hex) => Colour::hex(&hex).map(Value::Colour),
            Token::Number { value, .. } => Some(Value::Number(value)),
            Token::Percentage { unit_value, .. } => Some(Value::Part(unit_value)),
            Token::Dimension { value, unit, .. } => length(value, &unit),
            Token::Comma => Some(Value::Comma),
            Token::UnquotedUrl(_) | Token::BadUrl(_) => {
                *pictures += 1;
                None
            }
            Token::Function(name) => {
                let name = name.to_ascii_lowercase();
                *pictures += u32::from(name.contains("url") || name.contains("image") || name == "src");
                let read: Result<Option<Colour>, ParseError<()>> =
                    parser.parse_nested_block(|inside| Ok(colour(&name, inside)));
                read.ok().flatten().map(Value::Colour)
            }
            _ => None,
        });
    }
    found
}

fn length(value: f32, unit: &str) -> Option<Value> {
    Some(match unit.to_ascii_lowercase().as_str() {
        "px" => Value::Length(value),
        "pt" => Value::Length(value * 96.0 / 72.0),
        "pc" => Value::Length(value * 16.0),
        "in" => Value::Length(value * 96.0),
        "cm" => Value::Length(value * 96.0 / 2.54),
        "mm" => Value::Length(value * 96.0 / 25.4),
        "em" | "rem" => Value::Em(value),
        "ex" | "ch" => Value::Em(value / 2.0),
        _ => return None,
    })
}

impl Value {
    /// The value as this property may have it.
    fn written(&self, property: &str) -> Option<String> {
        let within = |value: f32, most: f32| (0.0..=most).contains(&value);
        match (property, self) {
            ("font-size", value) => value.letter_size(),
            ("line-height", Value::Number(n) | Value::Part(n) | Value::Em(n)) => {
                (0.9..=5.0).contains(n).then(|| n.to_string())
            }
            ("line-height", Value::Length(n)) => (LEAST_LETTER..=200.0).contains(n).then(|| format!("{n}px")),
            ("font-family", Value::Word(name) | Value::Text(name)) => font_name(name),
            ("font-family", Value::Comma) => Some(",".to_owned()),
            ("font-weight", Value::Number(n)) => (1.0..=1_000.0).contains(n).then(|| n.to_string()),
            ("letter-spacing", Value::Length(n)) => within(*n, 20.0).then(|| format!("{n}px")),
            (property, Value::Word(word)) => {
                let word = word.to_ascii_lowercase();
                let colour = takes_colour(property).then(|| Colour::named(&word)).flatten();
                colour
                    .map(|c| c.to_string())
                    .or_else(|| words(property)?.contains(&word.as_str()).then_some(word))
            }
            (property, Value::Colour(colour)) if takes_colour(property) => Some(colour.to_string()),
            (property, value) if takes_length(property) => match value {
                Value::Number(n) if *n == 0.0 => Some("0".to_owned()),
                Value::Length(n) => within(*n, MOST_PIXELS).then(|| format!("{n}px")),
                Value::Em(n) => within(*n, MOST_PIXELS / LETTER).then(|| format!("{n}em")),
                Value::Part(n) => within(*n, 1.0).then(|| format!("{}%", n * 100.0)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Sizes that go by the letters around go by the page's letters here: else many small steps make letters that nobody
    /// can read.
    fn letter_size(&self) -> Option<String> {
        let rem = |n: f32| (LEAST_LETTER / LETTER..=6.0).contains(&n).then(|| format!("{n}rem"));
        match self {
            Value::Length(n) => (LEAST_LETTER..=96.0).contains(n).then(|| format!("{n}px")),
            Value::Em(n) | Value::Part(n) => rem(*n),
            Value::Word(word) => {
                let word = word.to_ascii_lowercase();
                ["x-small", "small", "medium", "large", "x-large", "xx-large"]
                    .contains(&word.as_str())
                    .then_some(word)
            }
            _ => None,
        }
    }
}

/// Letters, digits, spaces and hyphens of a font's name, quoted where it has a space.
fn font_name(name: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_');
    if name.is_empty() || name.len() > 60 || !name.chars().all(plain) {
        return None;
    }
    Some(if name.contains(' ') { format!("'{name}'") } else { name.to_owned() })
}

fn takes_length(property: &str) -> bool {
    matches!(
        property,
        "width"
            | "min-width"
            | "max-width"
            | "height"
            | "border"
            | "border-radius"
            | "border-spacing"
            | "border-width"
            | "text-indent"
            | "vertical-align"
    ) || side(property, "margin", "")
        || side(property, "padding", "")
        || side(property, "border", "-width")
        || side(property, "border", "")
}

fn takes_colour(property: &str) -> bool {
    matches!(property, "border" | "border-color")
        || side(property, "border", "")
        || side(property, "border", "-color")
}

/// True for `margin`, `margin-top` and their like.
fn side(property: &str, stem: &str, end: &str) -> bool {
    let Some(rest) = property.strip_prefix(stem).and_then(|rest| rest.strip_suffix(end)) else {
        return false;
    };
    match rest {
        "" => end.is_empty(),
        _ => matches!(rest, "-top" | "-right" | "-bottom" | "-left"),
    }
}

/// The words that a property may have.
fn words(property: &str) -> Option<&'static [&'static str]> {
    const LINES: &[&str] = &[
        "none", "solid", "dashed", "dotted", "double", "groove", "ridge", "inset", "outset", "thin",
        "medium", "thick",
    ];
    Some(match property {
        "border-collapse" => &["collapse", "separate"],
        "border-style" => LINES,
        "clear" => &["both", "left", "none", "right"],
        "direction" => &["ltr", "rtl"],
        "display" => &["block", "inline", "inline-block", "list-item", "table", "table-cell", "table-row"],
        "float" => &["left", "none", "right"],
        "font-style" => &["italic", "normal", "oblique"],
        "font-variant" => &["normal", "small-caps"],
        "font-weight" => &["bold", "bolder", "lighter", "normal"],
        "height" | "max-width" | "min-width" | "width" => &["auto", "none"],
        "line-height" | "letter-spacing" => &["normal"],
        "list-style" | "list-style-type" => &[
            "circle",
            "decimal",
            "disc",
            "inside",
            "lower-alpha",
            "lower-latin",
            "lower-roman",
            "none",
            "outside",
            "square",
            "upper-alpha",
            "upper-latin",
            "upper-roman",
        ],
        "overflow-wrap" | "word-wrap" => &["anywhere", "break-word", "normal"],
        "table-layout" => &["auto", "fixed"],
        "text-align" => &["center", "end", "justify", "left", "right", "start"],
        "text-decoration" | "text-decoration-line" => &["line-through", "none", "overline", "underline"],
        "text-transform" => &["capitalize", "lowercase", "none", "uppercase"],
        "vertical-align" => {
            &["baseline", "bottom", "middle", "sub", "super", "text-bottom", "text-top", "top"]
        }
        "white-space" => &["normal", "nowrap", "pre", "pre-line", "pre-wrap"],
        "word-break" => &["break-all", "break-word", "keep-all", "normal"],
        _ if side(property, "margin", "") => &["auto"],
        _ if side(property, "border", "") || side(property, "border", "-style") => LINES,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_style_may_say() {
        for (style, want) in [
            (
                "font-size: 11.0pt; font-family: \"Segoe UI\", Calibri, sans-serif",
                "font-size:14.666667px;font-family:'Segoe UI', Calibri, sans-serif;",
            ),
            ("margin:0 0 1em 8PX!important;padding:5%", "margin:0 0 1em 8px;padding:5%;"),
            ("border:1px solid #CCC;border-left:none", "border:1px solid #cccccc;border-left:none;"),
            ("text-align:center;TEXT-DECORATION:underline", "text-align:center;text-decoration:underline;"),
            ("font-size:80%;line-height:150%", "font-size:0.8rem;line-height:1.5;"),
            // What hides.
            ("display:none;visibility:hidden;opacity:0;overflow:hidden;max-height:0;clip:rect(0,0,0,0)", ""),
            ("font-size:0;font-size:1px;font-size:.01em;font:0/0 a;line-height:0;text-indent:-9999px", ""),
            ("letter-spacing:-1em;margin-left:-5000px;margin-left:5000px;transform:scale(0)", ""),
            // What moves and covers.
            ("position:fixed;top:0;z-index:9;inset:0;float:left", "float:left;"),
            // What loads.
            ("width:url(x);list-style:url(x) disc;width:expression(alert(1));width:calc(1px)", ""),
            ("behavior:url(x);-moz-binding:url(x);@import url(x);--x:url(x);width:var(--x)", ""),
            ("font-family:'a;b';font-family:'a\\27 b';font-family:u/**/rl", "font-family:u rl;"),
            ("unicode-bidi:bidi-override;content:'x';cursor:none;direction:rtl", "direction:rtl;"),
            ("width:1e39px;width:nonsense;width:;:;;width", ""),
        ] {
            let read = read(style);
            assert_eq!(read.text, want, "{style}");
        }
    }

    #[test]
    fn colours_are_told_apart_from_the_rest() {
        let read = read("COLOR: Red; background: url(http://x/y.png) #123 no-repeat");
        assert_eq!((read.ink, read.paper), (Colour::named("red"), Colour::hex("112233")));
        assert_eq!((read.text.as_str(), read.pictures), ("", 1));
    }

    #[test]
    fn what_would_be_loaded_is_counted() {
        for (style, pictures) in [
            ("background:url(a)", 1),
            ("background:\\75 rl(a)", 1),
            ("background:u/**/rl(a)", 0),
            ("background-image:image-set('a' 1x), url('b')", 2),
            ("background:URL(", 1),
            ("color:red", 0),
        ] {
            assert_eq!(read(style).pictures, pictures, "{style}");
        }
    }

    #[test]
    fn a_style_without_end_is_left_out() {
        assert_eq!(read(&"width:1px;".repeat(1_000)).text, "");
        assert_eq!(read(&"(".repeat(MOST)).text, "");
    }
}
