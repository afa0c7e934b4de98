//! Given what is known, the tray shows this.

use super::*;
use crate::error::AppError;
use crate::locale::Locale;
use crate::testing::{ANN, BOB, address, at, broken, connected, hubspot, mailbox, paused, status};
use crate::tray::Tray;
use crate::tray::state::{Light, Seen};
use crate::views::EngineState;
use threadline_core::health::State;
use threadline_engine::views::Status;

fn tray_of(engine: &EngineState, status: Option<&Status>, locale: Locale) -> Tray {
    let jane = LastContact {
        account: address(ANN),
        address: address("jane@customer.example"),
        name: Some("Jane \u{202e}Roe".into()),
    };
    let seen = Seen { engine, status, last_contact: Some(&jane), stopped: None };
    Tray::of(&seen, locale.catalogue(), at("16:00"), &TimeZone::UTC)
}

fn tray(status: &Status) -> Tray {
    tray_of(&EngineState::Running, Some(status), Locale::En)
}

fn texts(tray: &Tray) -> Vec<&str> {
    tray.menu
        .iter()
        .map(|item| match item {
            Item::Words(text) | Item::Click { text, .. } => text.as_str(),
            Item::Separator => "-",
        })
        .collect()
}

fn first(tray: &Tray) -> (&str, Light) {
    (texts(tray)[0], tray.light)
}

fn action(tray: &Tray, label: &str) -> Option<Action> {
    tray.menu.iter().find_map(|item| match item {
        Item::Click { text, action } if text == label => Some(action.clone()),
        _ => None,
    })
}

#[test]
fn a_changed_password_is_said_in_words_and_leads_to_the_wizard() {
    let tray = tray(&status(vec![connected(BOB), broken(ANN, Reason::PasswordChanged, "14:02")]));
    assert_eq!(
        texts(&tray),
        [
            "Disconnected since 14:02: password changed",
            "-",
            "bob@firm.example: connected",
            "ann@firm.example: disconnected",
            "-",
            "Reconnect…",
            "Pause for 1 hour",
            "Pause until tomorrow",
            "Stop logging Jane Roe",
            "-",
            "Open Threadline",
            "Copy diagnostics",
            "Quit",
        ]
    );
    assert_eq!(tray.light, Light::NeedsAttention);
    let wizard = Action::Open(Some(Route::Reconnect { address: ANN.into() }));
    assert_eq!(action(&tray, "Reconnect…"), Some(wizard.clone()));
    assert_eq!(action(&tray, "ann@firm.example: disconnected"), Some(wizard));
    assert_eq!(action(&tray, "bob@firm.example: connected"), Some(Action::Open(Some(Route::Overview))));
}

#[test]
fn each_state_has_its_words_and_its_icon() {
    let one = |state, reason| first(&tray(&status(vec![mailbox(ANN, state, reason, "14:02")]))).0.to_owned();
    let light = |state| tray(&status(vec![mailbox(ANN, state, None, "14:02")])).light;
    assert_eq!(one(State::Connected, None), "Connected");
    assert_eq!(one(State::Working, None), "Connecting…");
    assert_eq!(
        one(State::Retrying, Some(Reason::ServerUnavailable)),
        "Trying again since 14:02: server not available"
    );
    assert_eq!(one(State::Offline, Some(Reason::LocalOffline)), "Offline since 14:02");
    assert_eq!(light(State::Connected), Light::Connected);
    assert_eq!(light(State::Working), Light::Working);
    assert_eq!(light(State::Retrying), Light::Working);
    assert_eq!(light(State::Offline), Light::Offline);
    assert_eq!(light(State::NeedsAttention), Light::NeedsAttention);
}

#[test]
fn what_waits_is_counted() {
    let mut waits = status(vec![connected(ANN)]);
    waits.crms[0].waiting = 2;
    assert_eq!(first(&tray(&waits)), ("Connected, 2 mails wait", Light::Connected));
}

#[test]
fn a_crm_that_needs_the_person_is_named() {
    let mut gone = status(vec![connected(ANN)]);
    gone.crms = vec![hubspot(State::NeedsAttention, Some(Reason::CrmTokenRejected), "14:02")];
    let tray = tray(&gone);
    assert_eq!(first(&tray), ("HubSpot disconnected since 14:02: token rejected", Light::NeedsAttention));
    let settings = Route::Settings { page: Some("crm".into()) };
    assert_eq!(action(&tray, "Reconnect…"), Some(Action::Open(Some(settings))));
}

#[test]
fn a_crm_that_cannot_be_reached_without_a_network_is_offline_too() {
    let mut away = status(vec![connected(ANN)]);
    away.crms = vec![hubspot(State::Offline, Some(Reason::LocalOffline), "14:02")];
    assert_eq!(first(&tray(&away)), ("Offline since 14:02", Light::Offline));
}

#[test]
fn a_pause_speaks_for_all_only_where_all_are_paused() {
    let all = tray(&status(vec![paused(ANN, Some("17:00")), paused(BOB, None)]));
    assert_eq!(first(&all), ("Paused until 17:00", Light::Paused));
    assert_eq!(action(&all, "Resume"), Some(Action::Resume));
    assert_eq!(action(&all, "Pause for 1 hour"), None);
    assert_eq!(first(&tray(&status(vec![paused(ANN, None)]))), ("Paused until you resume", Light::Paused));
    let one = tray(&status(vec![paused(ANN, None), connected(BOB)]));
    assert_eq!(first(&one), ("Connected", Light::Connected));
    assert_eq!(action(&one, "Pause for 1 hour"), Some(Action::Pause(PauseFor::Hour)));
    assert_eq!(action(&one, "Resume"), Some(Action::Resume), "one of them is paused");
    assert_eq!(action(&tray(&status(vec![connected(ANN)])), "Resume"), None);
}

#[test]
fn without_a_mailbox_one_can_be_added() {
    let tray = tray(&status(Vec::new()));
    assert_eq!(first(&tray), ("No mailbox yet", Light::Offline));
    assert_eq!(action(&tray, "Add a mailbox…"), Some(Action::Open(Some(Route::Setup))));
    assert_eq!(action(&tray, "Pause for 1 hour"), None);
}

#[test]
fn an_engine_that_does_not_run_is_said_and_shows_no_state_of_before() {
    let error = AppError::new("keychain_locked", "locked");
    let before = status(vec![connected(ANN)]);
    for (engine, words, light) in [
        (EngineState::Starting, "Starting…", Light::Working),
        (
            EngineState::Held { by: "threadline run (process 7)".into() },
            "In use by threadline run (process 7)",
            Light::Offline,
        ),
        (
            EngineState::WaitingForKeychain { error: error.clone() },
            "Waiting for the keychain",
            Light::NeedsAttention,
        ),
        (EngineState::Stopped { error }, "Stopped: nothing is logged", Light::NeedsAttention),
    ] {
        let tray = tray_of(&engine, Some(&before), Locale::En);
        assert_eq!(first(&tray), (words, light));
        assert!(!texts(&tray).iter().any(|text| text.contains(ANN) || text.contains("Jane")));
        assert_eq!(action(&tray, "Quit"), Some(Action::Quit));
    }
}

#[test]
fn the_menu_speaks_german() {
    let gone = status(vec![broken(ANN, Reason::PasswordChanged, "14:02")]);
    let tray = tray_of(&EngineState::Running, Some(&gone), Locale::De);
    assert_eq!(first(&tray).0, "Getrennt seit 14:02: Passwort geändert");
    assert!(texts(&tray).contains(&"Beenden"));
}

#[test]
fn a_click_means_what_was_seen() {
    let actions = [
        Action::Open(Some(Route::Reconnect { address: ANN.into() })),
        Action::Open(None),
        Action::Pause(PauseFor::Tomorrow),
        Action::StopLogging,
        Action::Quit,
    ];
    for action in actions {
        let id = serde_json::to_string(&action).unwrap();
        assert_eq!(serde_json::from_str::<Action>(&id).unwrap(), action);
    }
}

#[test]
fn a_long_name_does_not_fill_the_screen() {
    assert_eq!(short(&"x".repeat(500)).chars().count(), MOST + 1);
    assert_eq!(short("a\u{202e}b\nc"), "abc");
}
