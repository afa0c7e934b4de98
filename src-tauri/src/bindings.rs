//! What the window and the program say to each other, as one list. `ui/src/lib/bindings.ts` is made of it.

use crate::commands::{crm, desktop, diagnostics, mailbox, program, threads};
use crate::views::{News, Route};
use tauri::Wry;
use tauri_specta::{Builder, ErrorHandlingMode, collect_commands, collect_events};

/// Every command and event.
pub fn builder() -> Builder<Wry> {
    Builder::new()
        .commands(collect_commands![
            program::app,
            program::set_app_settings,
            program::restart_engine,
            program::quit,
            mailbox::status,
            mailbox::pause,
            mailbox::retry_now,
            mailbox::forget_set_aside,
            mailbox::retry_set_aside,
            mailbox::remove_mailbox,
            crm::try_crm,
            crm::set_crm,
            crm::remove_crm,
            crm::contacts,
            crm::import_contacts,
            threads::thread,
            threads::asked,
            desktop::open_link,
            desktop::open_data_dir,
            desktop::export_all,
            diagnostics::logs,
            diagnostics::bundle,
            diagnostics::save_bundle,
            diagnostics::copy_diagnostics,
        ])
        .events(collect_events![News])
        .typ::<Route>()
        .error_handling(ErrorHandlingMode::Throw)
        // Counts and row numbers stay far below 2^53.
        .dangerously_cast_bigints_to_number()
        .disable_serde_phases()
}

#[cfg(test)]
#[path = "bindings/tests.rs"]
mod tests;
