//! The elements that stay. Of all others the text stays, unless [`Content`] says otherwise.

/// How an element behaves among others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Inline,
    /// Ends an open paragraph.
    Block,
    /// Has neither content nor end tag.
    Void,
    /// Belongs directly into a table, or is one.
    Table,
}

/// Name and kind. No element whose content is not plain HTML (`svg`, `math`, `style`, `noscript`, `template`, …) may come
/// onto this list: the safety of the result rests on it.
pub(crate) const TAGS: &[(&str, Kind)] = &[
    ("a", Kind::Inline),
    ("abbr", Kind::Inline),
    ("b", Kind::Inline),
    ("bdi", Kind::Inline),
    ("big", Kind::Inline),
    ("cite", Kind::Inline),
    ("code", Kind::Inline),
    ("del", Kind::Inline),
    ("em", Kind::Inline),
    ("font", Kind::Inline),
    ("i", Kind::Inline),
    ("ins", Kind::Inline),
    ("kbd", Kind::Inline),
    ("mark", Kind::Inline),
    ("q", Kind::Inline),
    ("s", Kind::Inline),
    ("samp", Kind::Inline),
    ("small", Kind::Inline),
    ("span", Kind::Inline),
    ("strike", Kind::Inline),
    ("strong", Kind::Inline),
    ("sub", Kind::Inline),
    ("sup", Kind::Inline),
    ("tt", Kind::Inline),
    ("u", Kind::Inline),
    ("var", Kind::Inline),
    ("address", Kind::Block),
    ("article", Kind::Block),
    ("aside", Kind::Block),
    ("blockquote", Kind::Block),
    ("center", Kind::Block),
    ("dd", Kind::Block),
    ("div", Kind::Block),
    ("dl", Kind::Block),
    ("dt", Kind::Block),
    ("figcaption", Kind::Block),
    ("figure", Kind::Block),
    ("footer", Kind::Block),
    ("h1", Kind::Block),
    ("h2", Kind::Block),
    ("h3", Kind::Block),
    ("h4", Kind::Block),
    ("h5", Kind::Block),
    ("h6", Kind::Block),
    ("header", Kind::Block),
    ("li", Kind::Block),
    ("main", Kind::Block),
    ("nav", Kind::Block),
    ("ol", Kind::Block),
    ("p", Kind::Block),
    ("pre", Kind::Block),
    ("section", Kind::Block),
    ("ul", Kind::Block),
    ("br", Kind::Void),
    ("hr", Kind::Void),
    ("img", Kind::Void),
    ("wbr", Kind::Void),
    ("caption", Kind::Table),
    ("table", Kind::Table),
    ("tbody", Kind::Table),
    ("td", Kind::Table),
    ("tfoot", Kind::Table),
    ("th", Kind::Table),
    ("thead", Kind::Table),
    ("tr", Kind::Table),
];

/// The element of this name, where it stays.
pub(crate) fn find(name: &str) -> Option<(&'static str, Kind)> {
    // The old name of `img`; every parser takes it as that.
    let name = if name == "image" { "img" } else { name };
    TAGS.iter().find(|(tag, _)| *tag == name).copied()
}

/// What the content of an element is that is not plain HTML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Nothing for a reader: it goes with the element.
    Script,
    Raw,
    Title,
    /// Text without markup: it stays.
    ShownRaw,
    ShownText,
    ShownToTheEnd,
}

/// The elements whose content is read in another way (HTML, "Parsing HTML documents"). Scripts do not run here, so
/// `noscript` is read as HTML.
pub(crate) fn content(name: &str) -> Option<Content> {
    Some(match name {
        "script" => Content::Script,
        "style" | "iframe" | "noembed" | "noframes" => Content::Raw,
        "title" => Content::Title,
        "xmp" => Content::ShownRaw,
        "textarea" => Content::ShownText,
        "plaintext" => Content::ShownToTheEnd,
        _ => return None,
    })
}
