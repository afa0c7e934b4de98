//! Given a desktop and an engine that are played, when something happens, then the controller does this.

mod kit;

use super::*;
use crate::locale::Locale;
use crate::settings::{Language, Theme};
use crate::testing::{ANN, address, at, broken, connected, status};
use crate::tray::state::Light;
use kit::{Office, jane};
use threadline_core::reason::Reason;
use threadline_engine::event::CatchUp;

#[tokio::test(start_paused = true)]
async fn given_nothing_wrong_when_it_starts_then_the_tray_says_connected() {
    let office = Office::open(status(vec![connected(ANN)])).await;
    assert_eq!(office.app().await.engine, EngineState::Running);
    assert_eq!(office.desktop().headline(), "Connected");
    assert_eq!(office.desktop().windows, 0, "nobody asked for a window");
    assert_eq!(office.desktop().notices, []);
}

#[tokio::test(start_paused = true)]
async fn given_a_connection_when_the_password_changes_then_tray_and_notification_say_so_once() {
    let office = Office::open(status(vec![connected(ANN)])).await;
    for _ in 0..3 {
        office.becomes(status(vec![broken(ANN, Reason::PasswordChanged, "14:02")])).await;
    }
    let desktop = office.desktop();
    assert_eq!(desktop.headline(), "Disconnected since 14:02: password changed");
    assert_eq!(desktop.shown.as_ref().unwrap().light, Light::NeedsAttention);
    let titles: Vec<&str> = desktop.notices.iter().map(|words| words.title.as_str()).collect();
    assert_eq!(titles, ["ann@firm.example is disconnected"]);
    assert!(desktop.was_told(&News::Status));
}

#[tokio::test(start_paused = true)]
async fn given_a_disconnect_that_was_told_when_the_program_starts_again_then_it_is_not_told_again() {
    let gone = || status(vec![broken(ANN, Reason::PasswordChanged, "14:02")]);
    let office = Office::open(gone()).await;
    assert_eq!(office.desktop().notices.len(), 1);
    let office = office.again(gone()).await;
    assert_eq!(office.desktop().notices.len(), 0);
    office.becomes(status(vec![connected(ANN)])).await;
    assert_eq!(office.desktop().notices[0].title, "ann@firm.example is connected again");
}

#[tokio::test(start_paused = true)]
async fn given_a_notification_when_its_button_is_clicked_then_the_window_opens_at_the_wizard() {
    let office = Office::open(status(vec![broken(ANN, Reason::PasswordChanged, "14:02")])).await;
    let action = office.desktop().notices[0].action.clone().unwrap().1;
    office.handle.tell(Request::Menu(action));
    let route = Route::Reconnect { address: ANN.into() };
    // The window asks for the program first; then it is told where to go.
    office.desktop().news.clear();
    office.app().await;
    office.settle().await;
    assert_eq!(office.desktop().windows, 1);
    assert!(office.desktop().was_told(&News::Navigate { route }));
}

#[tokio::test(start_paused = true)]
async fn given_another_program_has_the_folder_when_it_ends_then_the_app_goes_on_by_itself() {
    let by = "threadline run (process 7)";
    let held = Closed::Held { by: by.into() };
    let office = Office::with(status(vec![connected(ANN)]), vec![Err(held.clone()), Err(held)]).await;
    office.moment().await;
    assert_eq!(office.app().await.engine, EngineState::Held { by: by.into() });
    assert_eq!(office.desktop().headline(), format!("In use by {by}"));
    let refused = office.handle.engine().await.map(|_| ()).unwrap_err();
    assert!(refused.code == "data_folder_in_use" && refused.message.contains(by), "{refused:?}");
    office.settle().await;
    assert_eq!(office.app().await.engine, EngineState::Running);
}

#[tokio::test(start_paused = true)]
async fn given_a_locked_keychain_when_it_is_unlocked_then_the_app_goes_on_by_itself() {
    let error = AppError::new("keychain_locked", "The keychain is locked.");
    let locked = Closed::Keychain { error: error.clone(), missing: false };
    let office = Office::with(status(vec![connected(ANN)]), vec![Err(locked)]).await;
    office.moment().await;
    assert_eq!(office.app().await.engine, EngineState::WaitingForKeychain { error });
    assert_eq!(office.app().await.missing, []);
    office.settle().await;
    assert_eq!(office.app().await.engine, EngineState::Running);
}

#[tokio::test(start_paused = true)]
async fn given_no_keychain_then_the_window_is_told_what_is_missing() {
    let error = AppError::new("keychain_missing", "No keychain answers.");
    let missing = Closed::Keychain { error, missing: true };
    let office = Office::with(status(Vec::new()), vec![Err(missing)]).await;
    office.moment().await;
    assert_eq!(office.app().await.missing, [Lack::Keychain]);
}

#[tokio::test(start_paused = true)]
async fn given_a_ledger_that_is_refused_when_the_person_starts_it_again_then_it_is_opened() {
    let error = AppError::new("data_folder", "The disk is full.");
    let office = Office::with(status(vec![connected(ANN)]), vec![Err(Closed::Refused(error.clone()))]).await;
    office.settle().await;
    assert_eq!(office.app().await.engine, EngineState::Stopped { error: error.clone() });
    assert_eq!(office.handle.status().await.unwrap_err(), error);
    office.handle.restart().await.unwrap();
    office.settle().await;
    assert_eq!(office.app().await.engine, EngineState::Running);
}

#[tokio::test(start_paused = true)]
async fn given_an_engine_at_work_when_it_ends_then_the_person_is_told_and_can_start_it_again() {
    let office = Office::open(status(vec![connected(ANN)])).await;
    office.engine_ends(AppError::new("broken_setting", "The setting mailbox cannot be read."));
    office.settle().await;
    assert_eq!(office.desktop().headline(), "Stopped: nothing is logged");
    assert_eq!(office.desktop().notices[0].title, "Threadline has stopped logging");
    office.handle.restart().await.unwrap();
    office.settle().await;
    assert_eq!(office.desktop().headline(), "Connected");
}

#[tokio::test(start_paused = true)]
async fn given_an_engine_that_a_full_disk_ended_then_it_is_opened_again_by_itself() {
    let office = Office::open(status(vec![connected(ANN)])).await;
    office.engine_ends(AppError::new("ledger_disk_full", "The disk is full."));
    office.settle().await;
    assert!(matches!(office.app().await.engine, EngineState::Stopped { .. }));
    tokio::time::sleep(std::time::Duration::from_secs(61)).await;
    office.settle().await;
    assert_eq!(office.app().await.engine, EngineState::Running);
}

#[tokio::test(start_paused = true)]
async fn given_an_engine_at_work_when_it_panics_then_the_program_stays_and_says_so() {
    let office = Office::open(status(vec![connected(ANN)])).await;
    office.engine_panics();
    office.settle().await;
    let EngineState::Stopped { error } = office.app().await.engine else { panic!("it still runs") };
    assert_eq!(error.code, "engine_broke_off");
}

#[tokio::test(start_paused = true)]
async fn given_the_tray_when_a_pause_is_clicked_then_all_mailboxes_pause_for_so_long() {
    let office = Office::open(status(vec![connected(ANN)])).await;
    office.click(Action::Pause(PauseFor::Hour)).await;
    office.click(Action::Pause(PauseFor::Tomorrow)).await;
    office.click(Action::Resume).await;
    let midnight = "2026-03-03T00:00:00Z".parse().unwrap();
    assert_eq!(office.engine().pauses, [(None, Some(at("17:00"))), (None, Some(midnight)), (None, None)]);
}

#[tokio::test(start_paused = true)]
async fn given_the_tray_when_logging_somebody_is_stopped_then_it_can_be_taken_back_there() {
    let office = Office::open(status(vec![connected(ANN)])).await;
    assert!(office.desktop().offers("Stop logging Jane Roe"));
    office.click(Action::StopLogging).await;
    assert_eq!(office.engine().logging, [(jane(), false)]);
    assert_eq!(office.desktop().notices[0].title, "Jane Roe is not logged any more");
    assert!(
        office.desktop().offers("Log Jane Roe again") && !office.desktop().offers("Stop logging Jane Roe")
    );
    office.click(Action::LogAgain).await;
    assert_eq!(office.engine().logging, [(jane(), false), (jane(), true)]);
    assert!(office.desktop().offers("Stop logging Jane Roe"));
}

#[tokio::test(start_paused = true)]
async fn given_an_engine_that_refuses_when_the_tray_is_clicked_then_the_person_is_told_why() {
    let error = AppError::new("data_folder", "The disk is full.");
    let office = Office::with(status(vec![connected(ANN)]), vec![Err(Closed::Refused(error))]).await;
    office.settle().await;
    office.click(Action::Pause(PauseFor::Hour)).await;
    assert_eq!(office.desktop().notices[0].body, "The disk is full.");
}

#[tokio::test(start_paused = true)]
async fn given_a_window_when_it_is_closed_then_that_the_tray_stays_is_said_once() {
    let office = Office::open(status(vec![connected(ANN)])).await;
    office.handle.tell(Request::Closed { minimised: false });
    office.handle.tell(Request::Closed { minimised: false });
    office.settle().await;
    let titles: Vec<String> = office.desktop().notices.iter().map(|words| words.title.clone()).collect();
    assert_eq!(titles, ["Threadline goes on in the tray"]);
    assert!(office.app().await.settings.tray_said);
    let office = office.again(status(vec![connected(ANN)])).await;
    office.handle.tell(Request::Closed { minimised: false });
    office.settle().await;
    assert_eq!(office.desktop().notices, []);
}

#[tokio::test(start_paused = true)]
async fn given_no_tray_when_the_window_is_closed_then_its_notification_can_quit_the_program() {
    let office = Office::open(status(vec![connected(ANN)])).await;
    office.desktop().lacks = vec![Lack::Tray];
    assert_eq!(office.app().await.missing, [Lack::Tray]);
    office.handle.tell(Request::Closed { minimised: true });
    office.settle().await;
    let action = office.desktop().notices[0].action.clone().unwrap().1;
    assert_eq!(action, Action::Quit);
    office.click(action).await;
    assert!(office.desktop().quit && office.is_let_go());
}

#[tokio::test(start_paused = true)]
async fn given_other_settings_then_language_and_autostart_follow_and_are_kept() {
    let office = Office::open(status(vec![connected(ANN)])).await;
    let settings = AppSettings { language: Language::De, autostart: true, ..AppSettings::default() };
    let app = office.handle.set_settings(settings.clone()).await.unwrap();
    assert_eq!((app.locale, app.settings), (Locale::De, settings.clone()));
    assert!(office.desktop().autostart);
    assert_eq!(office.desktop().headline(), "Verbunden");
    let office = office.again(status(vec![connected(ANN)])).await;
    assert_eq!(office.app().await.settings.language, Language::De);
}

#[tokio::test(start_paused = true)]
async fn given_a_desktop_that_refuses_the_autostart_then_nothing_is_kept_and_the_person_is_told() {
    let office = Office::open(status(vec![connected(ANN)])).await;
    office.desktop().refuses_autostart = true;
    let settings = AppSettings { autostart: true, language: Language::De, ..AppSettings::default() };
    assert_eq!(office.handle.set_settings(settings).await.unwrap_err().code, "autostart");
    assert_eq!(office.app().await.settings.language, Language::System);
}

#[tokio::test(start_paused = true)]
async fn given_a_burst_of_mail_then_the_window_is_told_in_turns() {
    let office = Office::open(status(vec![connected(ANN)])).await;
    office.desktop().news.clear();
    for message in 0..1_000 {
        office.happens(Event::Fetched { account: address(ANN), message, bytes: 1, truncated: false });
    }
    office.settle().await;
    let news = office.desktop().news.len();
    assert!((2..20).contains(&news), "{news} news for a thousand mails");
}

#[tokio::test(start_paused = true)]
async fn given_no_mailbox_then_the_window_goes_to_the_first_run() {
    let office = Office::open(status(Vec::new())).await;
    assert!(office.app().await.first_run);
    assert!(office.desktop().was_told(&News::Navigate { route: Route::Setup }));
}

#[tokio::test(start_paused = true)]
async fn given_a_link_that_was_opened_before_the_first_look_then_the_window_stays_where_it_leads() {
    let held = Closed::Held { by: "threadline run (process 7)".into() };
    let office = Office::with(status(Vec::new()), vec![Err(held)]).await;
    office.handle.tell(Request::Open(Some(Route::ItSetup)));
    office.settle().await;
    assert_eq!(office.app().await.engine, EngineState::Running);
    assert!(office.desktop().was_told(&News::Navigate { route: Route::ItSetup }));
    assert!(!office.desktop().was_told(&News::Navigate { route: Route::Setup }));
}

#[tokio::test(start_paused = true)]
async fn the_diagnostics_hold_no_address_name_or_subject() {
    let office = Office::open(status(vec![broken(ANN, Reason::PasswordChanged, "14:02")])).await;
    office.engine().status.mailboxes[0].channels[0].evidence =
        Some("NO Jane Roe <jane@customer.example>: Offer 7 password=hunter2".into());
    office.click(Action::CopyDiagnostics).await;
    assert_eq!(office.desktop().notices.last().unwrap().title, "Diagnostics copied");
    let text = office.desktop().copied.clone().unwrap();
    for secret in [ANN, "jane@", "Jane Roe", "Offer 7", "hunter2"] {
        assert!(!text.contains(secret), "{secret} is in:\n{text}");
    }
    for helps in ["<mailbox 1>: needs_attention", "reason password_changed", "Threadline 0."] {
        assert!(text.contains(helps), "{helps} is not in:\n{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn given_much_to_redact_when_the_diagnostics_are_copied_then_nothing_waits_for_them() {
    let office = Office::open(status(vec![connected(ANN)])).await;
    office.engine().looks_for = std::time::Duration::from_secs(5);
    office.handle.tell(Request::Menu(Action::CopyDiagnostics));
    office.moment().await;
    assert_eq!(office.app().await.engine, EngineState::Running);
    assert_eq!(office.desktop().copied, None, "they are still being made");
    office.settle().await;
    assert!(office.desktop().copied.is_some());
    assert_eq!(office.handle.bundle().await.unwrap().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn given_damaged_settings_then_the_window_is_told_where_they_lie() {
    let office = Office::open(status(vec![connected(ANN)])).await;
    assert_eq!((office.app().await.missing, office.app().await.settings_aside), (Vec::new(), None));
    office.spoil_settings();
    let office = office.again(status(vec![connected(ANN)])).await;
    let app = office.app().await;
    assert_eq!((app.missing, app.settings), (vec![Lack::Settings], AppSettings::default()));
    assert_eq!(app.settings_aside.as_deref(), Some("desktop.broken.json"));
    let app = office.handle.wipe().await.unwrap();
    assert_eq!((app.missing, app.settings_aside), (Vec::new(), None));
}

#[tokio::test(start_paused = true)]
async fn given_a_disconnect_that_was_told_when_it_is_over_then_its_notification_is_taken_back() {
    let office = Office::open(status(vec![broken(ANN, Reason::PasswordChanged, "14:02")])).await;
    assert_eq!(office.desktop().notices[0].about.as_deref(), Some(ANN));
    assert_eq!(office.desktop().taken_back, [notify::ENGINE]);
    office.becomes(status(vec![connected(ANN)])).await;
    assert_eq!(office.desktop().taken_back, [notify::ENGINE, ANN]);
    // One whose mailbox was removed, or that ends in quiet hours, is no truer.
    office.becomes(status(vec![broken(ANN, Reason::PasswordChanged, "15:02")])).await;
    office.becomes(status(Vec::new())).await;
    assert_eq!(office.desktop().taken_back, [notify::ENGINE, ANN, ANN]);
}

#[tokio::test(start_paused = true)]
async fn given_a_theme_and_a_language_when_the_window_opens_before_the_engine_then_it_has_them() {
    let office = Office::open(status(vec![connected(ANN)])).await;
    let settings = AppSettings { theme: Theme::Dark, language: Language::De, ..AppSettings::default() };
    office.handle.set_settings(settings).await.unwrap();
    let office = office.again(status(vec![connected(ANN)])).await;
    office.handle.tell(Request::Open(None));
    office.settle().await;
    assert_eq!(office.desktop().dressed, Some((Theme::Dark, Locale::De)));
}

#[tokio::test(start_paused = true)]
async fn given_a_window_then_it_hears_of_each_thing_that_happens_and_of_the_catch_up() {
    let office = Office::open(status(vec![connected(ANN)])).await;
    let before = kit::pushed(1);
    assert!(
        !office.desktop().was_told(&News::Activity { entry: before }),
        "what was there before is not news"
    );
    let entry = kit::pushed(2);
    office.engine().activity.push(entry.clone());
    let progress = CatchUp { address: address(ANN), missed: 37, checked: 20, logged: 12, done: false };
    office.happens(Event::CatchUp(progress.clone()));
    office.settle().await;
    assert!(office.desktop().was_told(&News::Activity { entry }));
    assert!(office.desktop().was_told(&News::CatchUp { progress }));
}

#[tokio::test(start_paused = true)]
async fn given_a_full_ledger_when_everything_is_deleted_then_it_begins_anew() {
    let office = Office::open(status(vec![broken(ANN, Reason::PasswordChanged, "14:02")])).await;
    let settings = AppSettings { language: Language::De, autostart: true, ..AppSettings::default() };
    office.handle.set_settings(settings).await.unwrap();
    office.engine().status = status(Vec::new());
    let app = office.handle.wipe().await.unwrap();
    assert_eq!(app.settings, AppSettings::default());
    assert!(office.is_wiped() && !office.desktop().autostart);
    office.settle().await;
    assert_eq!(office.desktop().headline(), "No mailbox yet");
    assert!(office.app().await.first_run);
}

#[tokio::test(start_paused = true)]
async fn given_notifications_switched_off_then_only_what_has_no_other_place_is_shown() {
    let office = Office::open(status(vec![connected(ANN)])).await;
    let settings = AppSettings { notifications: false, ..AppSettings::default() };
    office.handle.set_settings(settings).await.unwrap();
    office.becomes(status(vec![broken(ANN, Reason::PasswordChanged, "14:02")])).await;
    office.handle.tell(Request::Closed { minimised: false });
    office.engine_ends(AppError::new("broken_setting", "The setting mailbox cannot be read."));
    office.settle().await;
    assert_eq!(office.desktop().notices, []);
    office.click(Action::Pause(PauseFor::Hour)).await;
    assert_eq!(office.desktop().notices[0].title, "That did not work");
}

#[tokio::test(start_paused = true)]
async fn given_people_whom_the_crm_does_not_know_when_the_engine_asks_then_a_click_leads_to_the_answer() {
    let office = Office::open(status(vec![connected(ANN)])).await;
    office.happens(Event::Question { people: 2 });
    office.settle().await;
    let notices: Vec<_> = office.desktop().notices.drain(..).collect();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert_eq!(notices[0].title, "2 people are not in the CRM yet");
    assert_eq!(notices[0].action.as_ref().unwrap().1, Action::Open(Some(Route::People)));
    // It is put once a day.
    office.becomes(status(vec![connected(ANN)])).await;
    assert_eq!(office.desktop().notices, []);
}

#[tokio::test(start_paused = true)]
async fn given_quiet_hours_when_the_engine_asks_then_it_waits_for_their_end_and_is_dropped_where_it_was_answered()
 {
    let office = Office::open(status(vec![connected(ANN)])).await;
    let settings = office.app().await.settings;
    let quiet = AppSettings { quiet_from: Some(0), quiet_until: Some(23 * 60 + 59), ..settings.clone() };
    for (unknown, told) in [(2, 1), (0, 0)] {
        office.engine().unknown = unknown;
        office.handle.set_settings(quiet.clone()).await.unwrap();
        office.happens(Event::Question { people: 2 });
        office.settle().await;
        assert_eq!(office.desktop().notices, []);
        office.handle.set_settings(settings.clone()).await.unwrap();
        office.settle().await;
        assert_eq!(office.desktop().notices.drain(..).count(), told);
    }
}

#[tokio::test(start_paused = true)]
async fn given_a_mail_that_did_not_go_when_the_engine_says_so_then_it_is_told_once_and_leads_to_outgoing() {
    let office = Office::open(status(vec![connected(ANN)])).await;
    let send = |send: i64, state: SendState| Event::Send {
        account: address(ANN),
        send,
        state,
        copy: None,
        words: Some("552 5.3.4 Message too big".to_owned()),
    };
    for state in [SendState::Waiting, SendState::Submitting, SendState::Refused, SendState::Refused] {
        office.happens(send(7, state));
    }
    office.settle().await;
    let notices: Vec<_> = office.desktop().notices.drain(..).collect();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(
        notices[0].body.starts_with("552 5.3.4 Message too big It lies in Outgoing"),
        "{:?}",
        notices[0].body
    );
    assert_eq!(notices[0].action.as_ref().unwrap().1, Action::Open(Some(Route::Outgoing)));
    // In quiet hours it waits, and what was settled by their end is not told.
    let settings = office.app().await.settings;
    let quiet = AppSettings { quiet_from: Some(0), quiet_until: Some(23 * 60 + 59), ..settings.clone() };
    office.handle.set_settings(quiet).await.unwrap();
    office.happens(send(8, SendState::Unknown));
    office.happens(send(9, SendState::Unknown));
    office.settle().await;
    office.happens(send(9, SendState::Sent));
    office.settle().await;
    assert_eq!(office.desktop().notices, []);
    office.handle.set_settings(settings).await.unwrap();
    office.settle().await;
    let notices: Vec<_> = office.desktop().notices.drain(..).collect();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert_eq!(notices[0].title, format!("A mail from {ANN} may not have gone"));
}
