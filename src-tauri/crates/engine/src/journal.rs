//! What the log says of the engine's work: codes and numbers, and never a text, an address, a folder or a host. Whose work
//! it is stands in the span, by the ledger's number of a mailbox and the kind of a CRM.

use crate::event::{Event, VerdictName};
use std::collections::BTreeMap;
use threadline_core::health::Health;
use threadline_core::reason::Reason;
use threadline_core::record::Direction;
use threadline_store::health::Owner;
use tracing::Span;

/// Of more decisions than these at once only the numbers are told, by rule: a first reading brings thousands.
const MOST_ALONE: usize = 20;

/// A mailbox's work.
pub(crate) fn of_mailbox(id: i64) -> Span {
    tracing::info_span!(parent: None, "mailbox", mailbox = id)
}

/// A CRM's work.
pub(crate) fn of_crm(kind: &str) -> Span {
    tracing::info_span!(parent: None, "crm", crm = kind)
}

/// The relay's work.
pub(crate) fn of_relay() -> Span {
    tracing::info_span!(parent: None, "relay")
}

/// A channel is in another state than before.
pub(crate) fn health(owner: &Owner, health: &Health) {
    let whose = match owner {
        Owner::Account(id) => of_mailbox(*id),
        Owner::Sink(sink) => of_crm(sink),
    };
    // The reason comes last: behind the name of a secret, which it can end with, nothing is shown to others.
    whose.in_scope(|| {
        tracing::info!(
            channel = health.channel.name(),
            state = health.state.name(),
            phase = health.phase.map(|phase| phase.name()),
            reason = health.reason.map(Reason::code),
            next_try = health.next_try.map(tracing::field::display),
            "a channel's state"
        );
    });
}

/// What happened, all at once.
pub(crate) fn events(events: &[Event]) {
    let decided = events.iter().filter(|event| matches!(event, Event::Decided { .. })).count();
    if decided <= MOST_ALONE {
        return events.iter().for_each(event);
    }
    let mut counts: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for one in events {
        match one {
            Event::Decided { verdict, rule, .. } => {
                *counts.entry((verdict_name(*verdict), rule.name())).or_default() += 1;
            }
            other => event(other),
        }
    }
    for ((verdict, rule), mails) in counts {
        tracing::info!(mails, verdict, rule, "mails were decided about");
    }
}

/// One thing that happened. A channel's state is told by [`health`].
pub(crate) fn event(event: &Event) {
    match event {
        Event::Health { .. } | Event::Missed { .. } => {}
        Event::Watching { .. } => tracing::info!("every folder is read; news is waited for"),
        Event::CatchUp(progress) if progress.done => tracing::info!(
            missed = progress.missed,
            checked = progress.checked,
            logged = progress.logged,
            "the first reading is done"
        ),
        Event::CatchUp(_) => {}
        Event::Decided { message, direction, verdict, rule, .. } => tracing::info!(
            mail = message,
            direction = direction_name(*direction),
            verdict = verdict_name(*verdict),
            rule = rule.name(),
            "a mail was decided about"
        ),
        Event::Fetched { message, bytes, truncated, .. } => {
            tracing::info!(mail = message, bytes, truncated, "a mail's text was read");
        }
        Event::Pushed { sink, message, how, .. } => {
            tracing::info!(sink, mail = message, how, "a mail was pushed");
        }
        Event::PushFailed { sink, message, reason, next_try, .. } => tracing::warn!(
            sink,
            mail = message,
            next_try = next_try.map(tracing::field::display),
            reason = reason.code(),
            "a mail was not pushed"
        ),
        Event::SetAside { uid, .. } => tracing::warn!(uid, "a mail that cannot be read was set aside"),
        Event::Send { send, state, copy, .. } => tracing::info!(
            send,
            state = state.name(),
            copy = copy.map(|copy| copy.name()),
            "a mail that goes out"
        ),
        Event::Relayed { outcome, code, recipients, .. } => {
            tracing::info!(?outcome, code, recipients, "a mail went through the relay");
        }
        Event::Question { people } => tracing::info!(people, "the question of the day was asked"),
        Event::Contacts { sink, read, complete } => {
            tracing::info!(sink, read, complete, "contacts were read");
        }
        Event::Audited { messages, missed, unruled, fixed, .. } => {
            tracing::info!(messages, missed, unruled, fixed, "a mailbox was audited");
        }
    }
}

fn verdict_name(verdict: VerdictName) -> &'static str {
    match verdict {
        VerdictName::Log => "log",
        VerdictName::Ignore => "ignore",
        VerdictName::Ask => "ask",
        VerdictName::Hold => "hold",
    }
}

fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Outgoing => "outgoing",
        Direction::Incoming => "incoming",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::Logs;
    use jiff::Timestamp;
    use threadline_core::address::Address;
    use threadline_core::rule::Rule;
    use tracing_subscriber::layer::SubscriberExt as _;

    fn heard(log: impl FnOnce()) -> Vec<String> {
        let logs = Logs::default();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(logs.listener()), log);
        logs.after(None).into_iter().map(|line| line.text).collect()
    }

    fn decided(message: i64, verdict: VerdictName, rule: Rule) -> Event {
        Event::Decided {
            account: Address::parse("ann@firm.example").unwrap(),
            message,
            folder: "Customers/Green pavilion".into(),
            direction: Direction::Incoming,
            verdict,
            rule,
            subject: Some("Offer for the green pavilion".into()),
            with: Address::parse("carl@customer.example").ok(),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn what_happens_is_told_by_codes_and_numbers() {
        let lines = heard(|| {
            of_mailbox(7).in_scope(|| events(&[decided(12, VerdictName::Log, Rule::SentToContact)]));
            event(&Event::PushFailed {
                sink: "hubspot".into(),
                message: 12,
                reason: Reason::Throttled,
                words: "carl@customer.example: too many".into(),
                next_try: Some(Timestamp::UNIX_EPOCH),
            });
            event(&Event::SetAside {
                account: Address::parse("ann@firm.example").unwrap(),
                folder: "Green pavilion".into(),
                uid: 4,
                why: "Subject: Offer".into(),
            });
        });
        assert_eq!(
            lines,
            [
                "a mail was decided about mailbox=7 mail=12 direction=incoming verdict=log rule=sent_to_contact",
                "a mail was not pushed sink=hubspot mail=12 next_try=1970-01-01T00:00:00Z reason=throttled",
                "a mail that cannot be read was set aside uid=4",
            ]
        );
    }

    #[test]
    fn thousands_of_decisions_are_a_few_lines() {
        let many: Vec<Event> = (0..500)
            .map(|at| match at % 100 {
                0 => decided(at, VerdictName::Log, Rule::SentToContact),
                _ => decided(at, VerdictName::Ignore, Rule::OlderThanBeginning),
            })
            .collect();
        let lines = heard(|| events(&many));
        assert_eq!(
            lines,
            [
                "mails were decided about mails=495 verdict=ignore rule=older_than_beginning",
                "mails were decided about mails=5 verdict=log rule=sent_to_contact",
            ]
        );
    }

    #[test]
    fn a_state_says_whose_it_is_and_nothing_that_a_server_said() {
        let now = Timestamp::UNIX_EPOCH;
        let broken = Health {
            channel: threadline_core::health::Channel::Inbox,
            state: threadline_core::health::State::NeedsAttention,
            phase: Some(threadline_core::reason::Phase::Auth),
            reason: Some(Reason::PasswordChanged),
            since: now,
            evidence: Some("NO ann@firm.example is locked".into()),
            next_try: None,
        };
        let lines = heard(|| {
            of_mailbox(1).in_scope(|| health(&Owner::Account(2), &broken));
            health(&Owner::Sink("hubspot".into()), &Health { reason: None, phase: None, ..broken.clone() });
        });
        assert_eq!(
            lines,
            [
                "a channel's state mailbox=2 channel=inbox state=needs_attention phase=auth reason=password_changed",
                "a channel's state crm=hubspot channel=inbox state=needs_attention",
            ]
        );
    }
}
