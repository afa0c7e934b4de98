//! What happens, line by line, while the engine runs.

use crate::output::{self, printable};
use std::sync::Arc;
use threadline_core::health::State;
use threadline_core::record::Direction;
use threadline_engine::event::{CatchUp, Event, RelayOutcome, VerdictName};
use tokio::sync::Notify;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// Prints events until `enough` is rung, and then those that are there already.
pub async fn tell(mut events: Receiver<Event>, enough: Arc<Notify>, json: bool) {
    loop {
        let event = tokio::select! {
            biased;
            event = events.recv() => event,
            () = enough.notified() => break,
        };
        match event {
            Ok(event) => show(&event, json),
            Err(RecvError::Lagged(events)) => show(&Event::Missed { events }, json),
            Err(RecvError::Closed) => return,
        }
    }
    while let Ok(event) = events.try_recv() {
        show(&event, json);
    }
}

fn show(event: &Event, json: bool) {
    if json {
        // A line that cannot be printed has nowhere to be told.
        let _ = output::json(event);
    } else if let Some(line) = line(event) {
        output::say(&format!("{} {line}", output::clock(jiff::Timestamp::now())));
    }
}

fn line(event: &Event) -> Option<String> {
    Some(match event {
        Event::Health { of, health } => {
            let state = health.state.name().replace('_', " ");
            let channel = health.channel.name();
            match (&health.reason, health.state) {
                (Some(reason), _) => format!(
                    "{of} ({channel}): {state}. {} {}{}",
                    reason.title(),
                    reason.next_step(),
                    health.evidence.as_ref().map(|w| format!(" [{}]", printable(w, 200))).unwrap_or_default()
                ),
                (None, State::Connected) => format!("{of} ({channel}): connected"),
                (None, _) => return None,
            }
        }
        Event::Watching { account } => format!("{account}: watching"),
        Event::CatchUp(progress) if progress.done && progress.missed > 0 => {
            let CatchUp { address, missed, checked, logged, .. } = progress;
            format!("{address}: {missed} missed, {checked} checked, {logged} logged")
        }
        Event::CatchUp(_) => return None,
        Event::Decided { direction, verdict, rule, subject, with, folder, .. } => {
            let arrow = match direction {
                Direction::Outgoing => "sent    ",
                Direction::Incoming => "received",
            };
            let verdict = match verdict {
                VerdictName::Log => "log   ",
                VerdictName::Ignore => "ignore",
                VerdictName::Ask => "ask   ",
                VerdictName::Hold => "hold  ",
            };
            let with = with.as_ref().map(|a| format!(" {a}")).unwrap_or_default();
            let subject = subject.as_ref().map(|s| format!(" \"{}\"", printable(s, 60))).unwrap_or_default();
            format!("{arrow} {verdict} {rule} [{}]{with}{subject}", printable(folder, 40))
        }
        Event::Fetched { message, bytes, truncated, .. } => {
            let cut = if *truncated { ", cut at the limit" } else { "" };
            format!("message {message}: text read ({bytes} bytes{cut})")
        }
        Event::Pushed { sink, message, how, remote_id, .. } => {
            let id = remote_id.as_ref().map(|id| format!(" as {}", printable(id, 40))).unwrap_or_default();
            format!("message {message}: in {sink}{id} ({how})")
        }
        Event::PushFailed { sink, message, words, next_try, .. } => match next_try {
            Some(at) => format!(
                "message {message}: {sink} did not take it, next try {}. {}",
                output::clock(*at),
                printable(words, 300)
            ),
            None => format!("message {message}: set aside. {}", printable(words, 300)),
        },
        Event::SetAside { account, folder, uid, why } => {
            format!(
                "{account}: message {uid} in {} was set aside: {}",
                printable(folder, 40),
                printable(why, 200)
            )
        }
        Event::Contacts { sink, read, complete } => {
            let state = if *complete { "complete" } else { "so far" };
            format!("{sink}: {} read, {state}", output::count(*read, "contact", "contacts"))
        }
        Event::Audited { account, messages, missed, unruled, .. } => {
            format!("{account}: {messages} messages compared, {missed} missed, {unruled} no rule spoke for")
        }
        Event::Send { send, state, copy, words, .. } => {
            let copy = copy.map(|copy| format!(", copy {}", copy.name())).unwrap_or_default();
            let words = words.as_ref().map(|w| format!(" [{}]", printable(w, 200))).unwrap_or_default();
            format!("mail {send}: {}{copy}{words}", state.name())
        }
        Event::Relayed { account, outcome, code, recipients, .. } => {
            let what = match outcome {
                RelayOutcome::Accepted => "taken by the provider".to_owned(),
                RelayOutcome::Refused => format!("refused by the provider ({})", code.unwrap_or_default()),
                RelayOutcome::Unknown => "the provider's answer did not come; look into Sent".to_owned(),
            };
            let people = output::count(u64::from(*recipients), "recipient", "recipients");
            format!("{account}: relay, {people}: {what}")
        }
        Event::Question { people } => {
            let people = output::count(u64::from(*people), "person", "people");
            format!("{people} you wrote to are not in the CRM; see `threadline asked people`")
        }
        Event::Missed { events } => format!("{events} events were too fast to show; see `threadline log`"),
    })
}
