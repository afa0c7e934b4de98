//! Files of a message: stored in the portal's file manager, where nobody sees them without a sign-in.

use super::api::{Api, Call, thing};
use crate::error::{CrmError, Kind, Retry};
use crate::sink::{DeliveredFile, Egress, Uploaded};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::json;
use threadline_core::reason::Reason;

const FILES: &str = "/files/v3/files";
/// The folder of all of Threadline's files. Each file has one of its own below, named by its contents: so HubSpot can say that
/// it has it.
const FOLDER: &str = "/threadline";

/// The token lacks the scope: what a person reads of it.
pub(super) fn not_allowed() -> CrmError {
    CrmError::new(thing("storing a file"), Reason::ScopeMissing).retry(Retry::Never).told(
        "The token lacks the scope `files`: mails go to HubSpot without their files.",
        "Give the private app the scope `files`, then set the token again.",
    )
}

/// Stores a file, or finds it where an earlier attempt has stored it.
pub(super) async fn upload(api: &Api, file: &DeliveredFile) -> Result<Uploaded, CrmError> {
    let step = "storing a file";
    let hash: String = file.hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let options = json!({
        "access": "PRIVATE",
        "overwrite": false,
        "duplicateValidationStrategy": "RETURN_EXISTING",
        "duplicateValidationScope": "EXACT_FOLDER",
    });
    let part = Part::bytes(file.bytes.to_vec()).file_name(file.name.clone());
    // A type that no header can hold is left out: the name tells enough.
    let part = match part.mime_str(&file.media_type) {
        Ok(part) => part,
        Err(_) => Part::bytes(file.bytes.to_vec()).file_name(file.name.clone()),
    };
    let form = Form::new()
        .part("file", part)
        .text("folderPath", format!("{FOLDER}/{hash}"))
        .text("options", options.to_string());
    let call = Call { write: true, ..Call::get(step, FILES) };
    let left = |id: Option<&str>| {
        let egress = |field: &str, bytes: usize| Egress {
            object: "file".into(),
            remote_id: id.map(str::to_owned),
            field: field.into(),
            bytes: bytes as u64,
        };
        vec![egress("name", file.name.len()), egress("file", file.bytes.len())]
    };
    let answer = match api.send(Call { method: Method::POST, ..call }, Some((form, file.bytes.len()))).await {
        // The mail goes without its files rather than not at all.
        Err(error) if error.reason == Reason::ScopeMissing => {
            return Ok(Uploaded { remote_id: None, sent: left(None) });
        }
        // Whatever is refused here, it is this file.
        Err(error) if error.kind == Kind::Batch => return Err(error.kind(Kind::Row).sent(left(None))),
        Err(error) if error.reached => return Err(error.sent(left(None))),
        answer => answer?,
    };
    if !answer.is_ok() {
        return Err(answer.refused(Kind::Row).without([file.name.as_str()]).sent(left(None)));
    }
    match answer.body["id"].as_str() {
        Some(id) => Ok(Uploaded { remote_id: Some(id.to_owned()), sent: left(Some(id)) }),
        None => Err(CrmError::new(thing(step), Reason::ProtocolError)
            .kind(Kind::Row)
            .retry(Retry::Soon)
            .words("the answer names no file")
            .sent(left(None))),
    }
}
