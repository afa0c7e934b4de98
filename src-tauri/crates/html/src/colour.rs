//! Colours, as far as a mail needs them: opaque, eight bits a channel.

use cssparser::color::{parse_hash_color, parse_named_color};
use cssparser::{Parser, Token};
use std::fmt;

/// Least contrast (WCAG 2: 1 to 21) at which text counts as meant to be seen.
const LEAST_CONTRAST: f32 = 1.2;

/// Red, green, blue; shown as `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Colour(u8, u8, u8);

impl Colour {
    pub(crate) const BLACK: Self = Self(0, 0, 0);
    pub(crate) const WHITE: Self = Self(255, 255, 255);

    pub(crate) fn named(name: &str) -> Option<Self> {
        parse_named_color(name).ok().map(|(r, g, b)| Self(r, g, b))
    }

    /// Three, four, six or eight digits without `#`. `None` where one can see through it.
    pub(crate) fn hex(digits: &str) -> Option<Self> {
        let (r, g, b, alpha) = parse_hash_color(digits.as_bytes()).ok()?;
        (alpha >= 1.0).then_some(Self(r, g, b))
    }

    /// As old attributes (`bgcolor`, `color`) write it: a name, or digits with or without `#`.
    pub(crate) fn legacy(value: &str) -> Option<Self> {
        let value = value.trim();
        Self::named(value).or_else(|| Self::hex(value.strip_prefix('#').unwrap_or(value)))
    }

    /// True where text of this colour can be seen on that paper.
    pub(crate) fn is_seen_on(self, paper: Self) -> bool {
        let (a, b) = (self.luminance(), paper.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05) >= LEAST_CONTRAST
    }

    /// Relative luminance (WCAG 2), 0.0 to 1.0.
    fn luminance(self) -> f32 {
        let linear = |channel: u8| {
            let c = f32::from(channel) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

/// Reads what stands in `rgb(…)` or `rgba(…)`. `None` for other functions, and where one can see through it.
pub(crate) fn colour(function: &str, inside: &mut Parser<'_>) -> Option<Colour> {
    if !matches!(function, "rgb" | "rgba") {
        return None;
    }
    let mut parts = Vec::new();
    while let Ok(token) = inside.next() {
        match token {
            Token::Number { value, .. } if parts.len() < 3 => parts.push(*value),
            Token::Number { value, .. } => parts.push(*value * 255.0),
            Token::Percentage { unit_value, .. } => parts.push(*unit_value * 255.0),
            Token::Comma | Token::Delim('/') => {}
            _ => return None,
        }
    }
    // As CSS does: what lies outside is moved to the edge.
    let channel = |part: f32| part.round().clamp(0.0, 255.0) as u8;
    match parts.as_slice() {
        [r, g, b] => Some(Colour(channel(*r), channel(*g), channel(*b))),
        [r, g, b, alpha] if *alpha >= 255.0 => Some(Colour(channel(*r), channel(*g), channel(*b))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_colour() {
        let function = |text: &str| {
            let mut parser = Parser::new(text);
            colour("rgb", &mut parser).map(|c| c.to_string())
        };
        assert_eq!(function("255, 0, 10%").as_deref(), Some("#ff001a"));
        assert_eq!(function("1 2 300 / 1").as_deref(), Some("#0102ff"));
        assert_eq!(function("0,0,0,0"), None);
        assert_eq!(function("0,0"), None);
        assert_eq!(function("0,0,url(x)"), None);
        assert_eq!(Colour::legacy("FFEEDD"), Some(Colour(255, 238, 221)));
        assert_eq!(Colour::legacy(" #fff "), Some(Colour::WHITE));
        assert_eq!(Colour::legacy("chucknorris"), None);
        assert_eq!(Colour::hex("00000000"), None);
    }

    #[test]
    fn text_in_the_colour_of_the_paper_is_not_seen() {
        assert!(!Colour::WHITE.is_seen_on(Colour::WHITE));
        assert!(!Colour(250, 250, 250).is_seen_on(Colour::WHITE));
        assert!(Colour(204, 204, 204).is_seen_on(Colour::WHITE));
        assert!(Colour::WHITE.is_seen_on(Colour(0, 0, 128)));
    }
}
