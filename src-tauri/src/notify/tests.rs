//! Given what was told, when the status changes, then this is told.

use super::*;
use crate::locale::Locale;
use crate::testing::{ANN, BOB, at, broken, connected, hubspot, mailbox, paused, status};
use proptest::prelude::*;
use threadline_core::health::Health;
use threadline_engine::views::MailboxStatus;

const DAY: bool = true;
const QUIET: bool = false;

fn told_of(notices: &[Notice]) -> Vec<&str> {
    notices
        .iter()
        .map(|notice| match notice {
            Notice::Disconnected { of, .. } => of.name(),
            Notice::Recovered { of } => of.name(),
            _ => "",
        })
        .collect()
}

fn after(told: &mut Vec<Told>, mailboxes: Vec<MailboxStatus>, speak: bool) -> Vec<Notice> {
    decide(&status(mailboxes), told, speak)
}

#[test]
fn a_disconnect_that_needs_the_person_is_told_once_and_its_end_too() {
    let mut told = Vec::new();
    let gone = || vec![broken(ANN, Reason::PasswordChanged, "14:02"), connected(BOB)];
    assert_eq!(told_of(&after(&mut told, gone(), DAY)), [ANN]);
    assert_eq!(after(&mut told, gone(), DAY), []);
    // Trying again is not the end of it, and the same cause is not told again.
    let trying = mailbox(ANN, State::Working, None, "14:10");
    assert_eq!(after(&mut told, vec![trying, connected(BOB)], DAY), []);
    assert_eq!(after(&mut told, gone(), DAY), []);
    let recovered = after(&mut told, vec![connected(ANN), connected(BOB)], DAY);
    assert_eq!(recovered, [Notice::Recovered { of: Subject::Mailbox(ANN.into()) }]);
    assert_eq!(after(&mut told, vec![connected(ANN)], DAY), []);
    assert_eq!(told_of(&after(&mut told, gone(), DAY)), [ANN], "it is a new disconnect");
}

#[test]
fn what_heals_by_itself_is_not_told() {
    let mut told = Vec::new();
    for state in [State::Retrying, State::Offline, State::Working, State::Connected] {
        let quiet =
            after(&mut told, vec![mailbox(ANN, state, Some(Reason::ServerUnavailable), "14:02")], DAY);
        assert_eq!(quiet, [], "{state:?}");
    }
}

#[test]
fn another_cause_is_told_and_two_channels_with_one_cause_are_told_once() {
    let mut told = Vec::new();
    let mut both = broken(ANN, Reason::PasswordChanged, "14:02");
    both.channels[1] = Health { channel: threadline_core::health::Channel::Sent, ..both.channels[0].clone() };
    assert_eq!(after(&mut told, vec![both], DAY).len(), 1);
    assert_eq!(after(&mut told, vec![broken(ANN, Reason::AccountLocked, "14:20")], DAY).len(), 1);
}

#[test]
fn in_quiet_hours_nothing_is_told_and_after_them_what_is_not_over() {
    let mut told = Vec::new();
    let gone =
        || vec![broken(ANN, Reason::PasswordChanged, "23:02"), broken(BOB, Reason::AccountLocked, "23:05")];
    assert_eq!(after(&mut told, gone(), QUIET), []);
    let one_is_over = vec![broken(ANN, Reason::PasswordChanged, "23:02"), connected(BOB)];
    assert_eq!(after(&mut told, one_is_over.clone(), QUIET), []);
    assert_eq!(told_of(&after(&mut told, one_is_over, DAY)), [ANN]);
    // Its end in the next night is not told the morning after.
    assert_eq!(after(&mut told, vec![connected(ANN), connected(BOB)], QUIET), []);
    assert_eq!(after(&mut told, vec![connected(ANN), connected(BOB)], DAY), []);
}

#[test]
fn a_mailbox_that_is_paused_or_removed_is_not_told() {
    let mut told = Vec::new();
    let mut asleep = paused(ANN, None);
    asleep.channels = broken(ANN, Reason::PasswordChanged, "14:02").channels;
    assert_eq!(after(&mut told, vec![asleep], DAY), []);
    after(&mut told, vec![broken(ANN, Reason::PasswordChanged, "14:02")], DAY);
    assert_eq!(after(&mut told, Vec::new(), DAY), []);
    assert_eq!(told, []);
}

#[test]
fn what_a_provider_asks_of_everybody_is_told_once_for_all_mailboxes_there() {
    let mut told = Vec::new();
    let elsewhere = || MailboxStatus { provider: "Gmail".into(), ..connected("eve@gmail.com") };
    let first = vec![broken(ANN, Reason::ConsentRequired, "14:02"), connected(BOB), elsewhere()];
    let notices = after(&mut told, first, DAY);
    assert_eq!(told_of(&notices), ["imap.firm.example"]);
    let words = notices[0].words(Locale::En.catalogue(), at("14:10"), &TimeZone::UTC);
    assert_eq!(words.title, "Mailboxes at imap.firm.example are disconnected");
    assert_eq!(words.action.unwrap().1, Action::Open(Some(Route::Overview)));
    // The next one meets the same, and one is mended: neither is news.
    let all = || broken(BOB, Reason::ConsentRequired, "14:05");
    let both = vec![broken(ANN, Reason::ConsentRequired, "14:02"), all(), elsewhere()];
    assert_eq!(after(&mut told, both, DAY), []);
    assert_eq!(after(&mut told, vec![connected(ANN), all(), elsewhere()], DAY), []);
    // Another cause of one of them is its own.
    let own = vec![broken(ANN, Reason::PasswordChanged, "14:20"), all(), elsewhere()];
    assert_eq!(told_of(&after(&mut told, own, DAY)), [ANN]);
    let over = after(&mut told, vec![connected(ANN), connected(BOB), elsewhere()], DAY);
    assert_eq!(told_of(&over), [ANN, "imap.firm.example"]);
    // One mailbox at a provider is told by its name.
    let alone = MailboxStatus {
        provider: "Gmail".into(),
        ..broken("eve@gmail.com", Reason::ConsentRequired, "15:00")
    };
    assert_eq!(
        told_of(&after(&mut told, vec![connected(ANN), connected(BOB), alone], DAY)),
        ["eve@gmail.com"]
    );
}

#[test]
fn a_crm_is_told_by_its_name_and_leads_to_its_settings() {
    let mut whole = status(vec![connected(ANN)]);
    whole.crms = vec![hubspot(State::NeedsAttention, Some(Reason::CrmTokenRejected), "14:02")];
    whole.crms[0].waiting = 3;
    let notices = decide(&whole, &mut Vec::new(), DAY);
    let words = notices[0].words(Locale::En.catalogue(), at("14:10"), &TimeZone::UTC);
    assert_eq!(words.title, "HubSpot is disconnected");
    assert!(words.body.contains("Since 14:02. 3 mails wait for it."), "{}", words.body);
    let settings = Route::Settings { page: Some("crm".into()) };
    assert_eq!(words.action.unwrap().1, Action::Open(Some(settings)));
}

#[test]
fn a_notification_names_the_mailbox_the_cause_the_time_and_what_waits() {
    let mut gone = broken(ANN, Reason::PasswordChanged, "14:02");
    gone.to_read = 1;
    let notices = after(&mut Vec::new(), vec![gone], DAY);
    let words = notices[0].words(Locale::En.catalogue(), at("14:10"), &TimeZone::UTC);
    assert_eq!(words.title, "ann@firm.example is disconnected");
    for part in ["The password was changed", "Since 14:02.", "1 mail waits", "Enter the new password."] {
        assert!(words.body.contains(part), "{part} is missing: {}", words.body);
    }
    let (label, action) = words.action.unwrap();
    assert_eq!((label.as_str(), words.urgent), ("Reconnect", true));
    assert_eq!(action, Action::Open(Some(Route::Reconnect { address: ANN.into() })));
    let german = notices[0].words(Locale::De.catalogue(), at("14:10"), &TimeZone::UTC);
    assert_eq!(german.title, "ann@firm.example ist getrennt");
}

#[test]
fn quiet_hours_may_go_over_midnight() {
    let settings =
        |from, until| AppSettings { quiet_from: from, quiet_until: until, ..AppSettings::default() };
    let speaks = |settings: &AppSettings, time| may_speak(settings, at(time), &TimeZone::UTC);
    let night = settings(Some(22 * 60), Some(7 * 60));
    for (time, speak) in
        [("21:59", true), ("22:00", false), ("03:00", false), ("06:59", false), ("07:00", true)]
    {
        assert_eq!(speaks(&night, time), speak, "{time}");
    }
    let noon = settings(Some(12 * 60), Some(13 * 60));
    assert_eq!((speaks(&noon, "12:30"), speaks(&noon, "13:00")), (false, true));
    assert!(speaks(&settings(None, Some(60)), "00:30"), "half a setting is none");
    assert!(!speaks(&AppSettings { notifications: false, ..AppSettings::default() }, "12:00"));
}

proptest! {
    /// Whatever comes after whatever: as long as it is not over, no cause is told twice.
    #[test]
    fn no_cause_is_told_twice(steps in proptest::collection::vec((0_usize..4, 0_usize..3, any::<bool>()), 0..40)) {
        let states = [State::Working, State::Retrying, State::Offline, State::NeedsAttention];
        let reasons = [Reason::PasswordChanged, Reason::AccountLocked, Reason::OverQuota];
        let mut told = Vec::new();
        let mut heard = Vec::new();
        for (state, reason, speak) in steps {
            let mailbox = mailbox(ANN, states[state], Some(reasons[reason]), "14:02");
            for notice in decide(&status(vec![mailbox]), &mut told, speak) {
                prop_assert!(speak);
                prop_assert!(!heard.contains(&notice), "{notice:?} was told twice");
                heard.push(notice);
            }
        }
    }
}
