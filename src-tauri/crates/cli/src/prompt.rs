//! Questions at the terminal. Secrets come from a prompt, or from standard input where that is no terminal; never from the command line, which
//! other users of the computer can read.

use anyhow::Context;
use std::io::{BufRead, IsTerminal, Write};
use zeroize::Zeroizing;

/// Asks a question; only "y" and "yes" say yes. Where nobody can answer, it is no.
pub fn confirm(question: &str) -> anyhow::Result<bool> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Ok(false);
    }
    let mut terminal = std::io::stderr().lock();
    write!(terminal, "{question} [y/N] ")
        .and_then(|()| terminal.flush())
        .context("The prompt cannot be shown")?;
    let mut line = String::new();
    stdin.lock().read_line(&mut line).context("Standard input cannot be read")?;
    Ok(matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

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
