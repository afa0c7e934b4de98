//! What the program writes down of itself: the newest lines in memory for the window, and files that are cut off at a
//! size. Only our own crates write: the libraries' traces hold what is on the wire.

mod file;

use file::LogFile;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

/// Lines kept in memory.
const MOST_LINES: usize = 2_000;
/// Longest line, in characters.
const MOST_TEXT: usize = 2_000;

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Error,
    Warn,
    Info,
    Debug,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct LogLine {
    /// Counts up.
    pub id: u64,
    pub at: Timestamp,
    pub level: Level,
    pub target: String,
    pub text: String,
}

/// The newest lines. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Logs(Arc<Mutex<Ring>>);

#[derive(Debug, Default)]
struct Ring {
    lines: VecDeque<LogLine>,
    next: u64,
    file: Option<LogFile>,
}

impl Logs {
    /// The lines behind that one, the oldest first; all that are kept for `None`.
    pub fn after(&self, id: Option<u64>) -> Vec<LogLine> {
        self.ring().lines.iter().filter(|line| id.is_none_or(|id| line.id > id)).cloned().collect()
    }

    fn push(&self, at: Timestamp, level: Level, target: &str, text: String) {
        let mut ring = self.ring();
        let line = LogLine { id: ring.next, at, level, target: target.to_owned(), text };
        ring.next += 1;
        if let Some(file) = &mut ring.file {
            file.write(&line);
        }
        if ring.lines.len() == MOST_LINES {
            ring.lines.pop_front();
        }
        ring.lines.push_back(line);
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets all lines, and deletes their files. What is logged from here on begins new ones.
    pub fn forget(&self) {
        let mut ring = self.ring();
        ring.lines.clear();
        if let Some(file) = &mut ring.file {
            file.remove();
        }
    }

    /// Begins to keep the lines in files in this folder, too. A folder that cannot be written costs the files alone.
    pub fn keep_in(&self, dir: &Path) {
        self.ring().file = Some(LogFile::in_folder(dir));
    }
}

impl Logs {
    /// Hears what our crates log, where it is made part of the process's subscriber.
    pub fn listener<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        Listener(self.clone()).with_filter(ours(LevelFilter::DEBUG))
    }
}

/// The lines that a program has kept in files in this folder, the oldest first; at most 2 MiB. Empty where there are none.
pub fn kept_in(dir: &Path) -> String {
    let (new, old) = LogFile::in_folder(dir).paths();
    [old, new]
        .iter()
        .filter_map(|path| std::fs::read(path).ok())
        .map(|b| String::from_utf8_lossy(&b).into_owned())
        .collect()
}

/// Lines as they stand in the files.
pub fn as_text(lines: &[LogLine]) -> String {
    lines.iter().map(file::as_text).collect()
}

/// Our own words only, down to this level.
pub fn ours(level: LevelFilter) -> Targets {
    Targets::new().with_target("threadline", level)
}

/// A panic tells where it was and not what: a parser's panic can quote the mail that it could not read.
pub fn keep_panics_silent() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(%place, "a task panicked");
    }));
}

struct Listener(Logs);

/// The fields of a span: they say whose work a line is about.
struct Whose(String);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Listener {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut text = Text::default();
        attributes.record(&mut text);
        if let Some(span) = context.span(id) {
            span.extensions_mut().replace(Whose(text.fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let level = match *event.metadata().level() {
            tracing::Level::ERROR => Level::Error,
            tracing::Level::WARN => Level::Warn,
            tracing::Level::INFO => Level::Info,
            _ => Level::Debug,
        };
        let mut text = Text::default();
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            text.fields += span.extensions().get::<Whose>().map_or("", |whose| whose.0.as_str());
        }
        event.record(&mut text);
        self.0.push(Timestamp::now(), level, event.metadata().target(), text.whole());
    }
}

/// An event's message and fields as one line.
#[derive(Debug, Default)]
struct Text {
    message: String,
    fields: String,
}

impl Text {
    fn whole(self) -> String {
        threadline_core::envelope::clean(&format!("{}{}", self.message, self.fields), MOST_TEXT)
    }
}

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a string does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_subscriber::layer::SubscriberExt as _;

    fn heard(log: impl FnOnce()) -> Vec<LogLine> {
        let logs = Logs::default();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(logs.listener()), log);
        logs.after(None)
    }

    #[test]
    fn our_words_are_kept_and_those_of_the_libraries_are_not() {
        let lines = heard(|| {
            tracing::info!(target: "threadline_engine::mailbox", code = "dns_failure", "it is tried again");
            tracing::error!(target: "async_imap::imap_stream", "A1 LOGIN ann hunter2");
            tracing::trace!(target: "threadline_mail::wire", "a byte");
        });
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["it is tried again code=dns_failure"]);
        assert_eq!((lines[0].level, lines[0].target.as_str()), (Level::Info, "threadline_engine::mailbox"));
    }

    #[test]
    fn each_of_our_crates_is_heard() {
        let ours = ours(LevelFilter::DEBUG);
        let crates =
            ["core", "mail", "store", "net", "oauth", "crm", "secrets", "html", "engine", "cli", "app"];
        for name in crates {
            assert!(ours.would_enable(&format!("threadline_{name}::part"), &tracing::Level::DEBUG), "{name}");
        }
        assert!(!ours.would_enable("threadline_engine", &tracing::Level::TRACE));
        assert!(!ours.would_enable("reqwest", &tracing::Level::ERROR));
    }

    #[test]
    fn a_line_says_whose_work_it_is_about() {
        let lines = heard(|| {
            let span = tracing::info_span!(target: "threadline_engine", "mailbox", mailbox = 7);
            span.in_scope(|| tracing::info!(target: "threadline_mail::dial", step = "dns", "a step is done"));
            tracing::info!(target: "threadline_app", "alone");
        });
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["a step is done mailbox=7 step=dns", "alone"]);
    }

    #[test]
    fn the_oldest_lines_go_and_the_newest_are_asked_for_by_number() {
        let logs = Logs::default();
        for n in 0..MOST_LINES + 5 {
            logs.push(Timestamp::UNIX_EPOCH, Level::Info, "t", n.to_string());
        }
        let all = logs.after(None);
        assert_eq!((all.len(), all[0].text.as_str()), (MOST_LINES, "5"));
        let last = all[all.len() - 2].id;
        assert_eq!(logs.after(Some(last)).len(), 1);
    }

    #[test]
    fn what_was_kept_is_read_again_the_oldest_first() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(kept_in(dir.path()), "");
        let logs = Logs::default();
        logs.keep_in(dir.path());
        for n in 0..30 {
            logs.push(Timestamp::UNIX_EPOCH, Level::Info, "t", format!("{n} {}", "x".repeat(60_000)));
        }
        logs.push(Timestamp::UNIX_EPOCH, Level::Warn, "t", "last".into());
        let kept = kept_in(dir.path());
        let first = kept.lines().next().unwrap();
        assert!(first.starts_with("1970-01-01T00:00:00Z Info t 0 x"), "{}", &first[..60]);
        assert!(kept.ends_with("Warn t last\n") && kept.lines().count() == 31);
    }

    #[test]
    fn a_line_is_one_line() {
        let lines = heard(|| tracing::info!(target: "threadline_app", "a\nb\u{1b}[31m"));
        assert!(!lines[0].text.contains(['\n', '\u{1b}']), "{}", lines[0].text);
    }
}
