//! What the window and the program say to each other, as one list. `ui/src/lib/bindings.ts` is made of it.

use crate::commands::{
    activity, connect, crm, desktop, diagnostics, history, it, mailbox, network, program, proof, rules,
    threads, updates,
};
use crate::views::News;
use tauri::Wry;
use tauri_specta::{Builder, ErrorHandlingMode, collect_commands, collect_events};

/// Every command and event.
pub fn builder() -> Builder<Wry> {
    Builder::new()
        .commands(collect_commands![
            program::app,
            program::set_app_settings,
            program::restart_engine,
            program::delete_everything,
            program::quit,
            mailbox::status,
            mailbox::pause,
            mailbox::retry_now,
            mailbox::forget_set_aside,
            mailbox::retry_set_aside,
            mailbox::remove_mailbox,
            connect::discover,
            connect::imap_beside,
            connect::check,
            connect::sign_in,
            connect::cancel_sign_in,
            connect::add_mailbox,
            connect::broken,
            connect::reconnect,
            history::folders,
            history::dry_run,
            history::read_history,
            proof::audit,
            proof::last_audits,
            proof::nightly_audit,
            proof::set_nightly_audit,
            proof::retention,
            proof::set_retention,
            proof::purge,
            proof::hold_thread,
            proof::trash,
            proof::restore,
            proof::read_again,
            proof::file_fates,
            proof::attachment_limits,
            proof::set_attachment_limits,
            proof::egress,
            rules::mailbox_settings,
            rules::set_rules,
            rules::explain_rules,
            rules::set_private,
            rules::never_log,
            rules::undo,
            crm::try_crm,
            crm::set_crm,
            crm::remove_crm,
            crm::contacts,
            crm::import_contacts,
            threads::threads,
            threads::thread,
            threads::message_html,
            threads::save_attachment,
            threads::unlog_thread,
            threads::unlog_message,
            threads::split_thread,
            threads::merge_threads,
            threads::undo_threads,
            threads::thread_apart,
            threads::asked,
            threads::answer,
            threads::where_is_my_mail,
            threads::log_by_hand,
            activity::outages,
            activity::activity,
            activity::failed_pushes,
            activity::retry_push,
            network::network,
            network::set_proxy,
            network::set_ispdb,
            network::set_oauth_app,
            network::remove_oauth_app,
            it::open_setup_file,
            it::offered_setup,
            it::apply_setup,
            it::decline_setup,
            updates::check_update,
            updates::download_update,
            updates::install_update,
            desktop::open_link,
            desktop::open_data_dir,
            desktop::export_all,
            diagnostics::logs,
            diagnostics::bundle,
            diagnostics::save_bundle,
            diagnostics::copy_diagnostics,
        ])
        .events(collect_events![News])
        .error_handling(ErrorHandlingMode::Throw)
        // Counts and row numbers stay far below 2^53.
        .dangerously_cast_bigints_to_number()
        .disable_serde_phases()
}

#[cfg(test)]
#[path = "bindings/tests.rs"]
mod tests;
