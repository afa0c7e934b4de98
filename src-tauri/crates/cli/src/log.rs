//! `threadline log this`

use crate::args::LogThis;
use crate::output;
use serde_json::json;
use std::process::ExitCode;
use threadline_engine::Engine;
use threadline_engine::by_hand::{MailPlace, Which};

pub async fn this(engine: &Engine, args: LogThis, json: bool) -> anyhow::Result<ExitCode> {
    let which = match (args.mail, args.folder, args.uidvalidity, args.uid) {
        (_, Some(folder), Some(uidvalidity), Some(uid)) => {
            Which::Place { place: MailPlace { folder, uidvalidity, uid } }
        }
        (mail, ..) => Which::Message { message: mail.unwrap_or_default() },
    };
    engine.log_by_hand(&args.address, which, args.despite_never).await?;
    match json {
        true => output::json(&json!({ "done": "logged" }))?,
        false => output::say("It is logged; its text is read at once where Threadline runs."),
    }
    Ok(ExitCode::SUCCESS)
}
