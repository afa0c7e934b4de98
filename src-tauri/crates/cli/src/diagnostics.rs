//! `threadline diagnostics`

use crate::args::DiagnosticsArgs;
use crate::output;
use anyhow::bail;
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;
use threadline_engine::diagnostics::{self, BundleFile};
use threadline_engine::{Home, logs};

/// Prints or writes them. A ledger that cannot be opened is what a person wants help with: its parts are missing then, and
/// why is among the rest.
pub async fn run(dir: &Path, args: &DiagnosticsArgs, json: bool) -> anyhow::Result<ExitCode> {
    if let Some(file) = args.file.as_deref().filter(|file| file.exists()) {
        bail!("{} is there already. Name another file, or delete it first.", file.display());
    }
    let files = collect(dir).await;
    match &args.file {
        None if json => files.iter().try_for_each(output::json)?,
        None => output::say(diagnostics::as_text(&files).trim_end()),
        Some(file) => {
            diagnostics::save(file, &files)?;
            if json {
                let parts: Vec<&str> = files.iter().map(|part| part.name.as_str()).collect();
                output::json(&json!({ "file": file, "parts": parts }))?;
            } else {
                output::say(&format!(
                    "Written to {}. It holds no secret and no mail; read it before you send it to anybody.",
                    file.display()
                ));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn collect(dir: &Path) -> Vec<BundleFile> {
    let mut about = format!("data folder: {}\nprogram: threadline\n", dir.display());
    let opened = async {
        let engine = crate::open(Home::open(dir)?, false, None).await?;
        Ok::<_, anyhow::Error>(engine.for_diagnostics().await?)
    };
    let known = match opened.await {
        Ok(known) => Some(known),
        Err(error) => {
            about += &format!("the ledger cannot be read: {error:#}\n");
            None
        }
    };
    diagnostics::make(&about, &logs::kept_in(dir), known.as_ref())
}
