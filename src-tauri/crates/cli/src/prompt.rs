//! Secrets come from a prompt, or from standard input where that is no terminal; never from the command line, which
//! other users of the computer can read.

use anyhow::Context;
use std::io::{BufRead, IsTerminal};
use zeroize::Zeroizing;

/// Asks for a secret. Its first line counts; an empty one is refused.
pub fn secret(what: &str) -> anyhow::Result<Zeroizing<String>> {
    let stdin = std::io::stdin();
    let text = if stdin.is_terminal() {
        Zeroizing::new(rpassword::prompt_password(format!("{what}: ")).context("The prompt cannot be shown")?)
    } else {
        let mut line = Zeroizing::new(String::new());
        stdin.lock().read_line(&mut line).context("Standard input cannot be read")?;
        line
    };
    let text = Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned());
    anyhow::ensure!(
        !text.is_empty(),
        "{what}: nothing was entered. Type it at the prompt, or pass it on standard input."
    );
    Ok(text)
}
