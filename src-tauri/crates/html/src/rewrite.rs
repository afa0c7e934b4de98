//! Reads the tokens of a mail's HTML and writes what is kept of them.

use crate::attributes::{self, Kept};
use crate::nesting::Nesting;
use crate::picture::Pictures;
use crate::tags::{self, Content};
use crate::{MOST_ELEMENTS, css};
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use std::cell::RefCell;
use threadline_core::inline::InlinePart;

/// What was kept.
pub(crate) struct Rewritten {
    /// A fragment, well nested.
    pub html: String,
    pub blocked_pictures: u32,
    /// True where elements were left out because there were too many.
    pub cut: bool,
}

pub(crate) fn rewrite(html: &str, inline: &[InlinePart]) -> Rewritten {
    let sink = Sink { state: RefCell::new(State::new(inline)) };
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(html));
    // It stops at the end of a script, since a browser would run it there.
    while !input.is_empty() {
        let _ = tokenizer.feed(&input);
    }
    tokenizer.end();
    let state = tokenizer.sink.state.into_inner();
    Rewritten {
        html: state.nesting.finish(),
        blocked_pictures: state.blocked,
        cut: state.elements > MOST_ELEMENTS,
    }
}

struct State<'a> {
    nesting: Nesting,
    pictures: Pictures<'a>,
    /// True inside an element whose content is not for readers.
    hidden: bool,
    elements: usize,
    blocked: u32,
}

/// The tokenizer gives a shared reference.
struct Sink<'a> {
    state: RefCell<State<'a>>,
}

impl TokenSink for Sink<'_> {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut state = self.state.borrow_mut();
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => state.start(&tag),
            Token::TagToken(tag) => {
                state.end(&tag);
                TokenSinkResult::Continue
            }
            Token::CharacterTokens(text) => {
                if !state.hidden {
                    state.nesting.text(&text);
                }
                TokenSinkResult::Continue
            }
            _ => TokenSinkResult::Continue,
        }
    }
}

impl<'a> State<'a> {
    fn new(inline: &'a [InlinePart]) -> Self {
        Self {
            nesting: Nesting::default(),
            pictures: Pictures::new(inline),
            hidden: false,
            elements: 0,
            blocked: 0,
        }
    }

    fn start(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        if let Some(content) = tags::content(&tag.name) {
            self.hidden = matches!(content, Content::Script | Content::Raw | Content::Title);
            return match content {
                Content::Script => TokenSinkResult::RawData(RawKind::ScriptData),
                Content::Raw | Content::ShownRaw => TokenSinkResult::RawData(RawKind::Rawtext),
                Content::Title | Content::ShownText => TokenSinkResult::RawData(RawKind::Rcdata),
                Content::ShownToTheEnd => TokenSinkResult::Plaintext,
            };
        }
        let found = tags::find(&tag.name);
        let look = found.and_then(|(name, kind)| self.nesting.make_room(name, kind));
        let kept = attributes::keep(tag, look.unwrap_or_default(), &mut self.pictures);
        self.blocked = self.blocked.saturating_add(kept.blocked);
        if let (Some((name, kind)), Some(_)) = (found, look) {
            self.elements += 1;
            if self.elements <= MOST_ELEMENTS {
                self.write(name, kind, &kept);
            }
        }
        TokenSinkResult::Continue
    }

    fn write(&mut self, name: &'static str, kind: tags::Kind, kept: &Kept) {
        if name == "img" && !kept.has_picture {
            // What the picture was to say stays.
            return self.nesting.text(&kept.alternative);
        }
        self.nesting.start(name, kind, &kept.text, kept.look);
    }

    fn end(&mut self, tag: &Tag) {
        self.hidden = false;
        match tags::find(&tag.name) {
            // Every browser takes `</br>` as `<br>`.
            Some((name @ "br", kind)) => self.nesting.start(name, kind, "", css::Look::default()),
            Some((name, kind)) => self.nesting.end(name, kind),
            None => {}
        }
    }
}
