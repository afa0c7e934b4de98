//! The engine on a terminal.

mod account;
mod args;
mod asked;
mod audit;
mod browser;
mod check;
mod contacts;
mod crm;
mod diagnostics;
mod discover;
mod explain;
mod health;
mod live;
mod log;
mod oauth;
mod output;
mod pop3;
mod private;
mod prompt;
mod proxy;
mod relay;
mod retention;
mod rules;
mod run;
mod send;
mod sends;
mod setting;
mod setup;
mod show;
mod threads;
mod whereabouts;

use args::{Cli, Command, LogCommand};
use clap::Parser;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use threadline_core::reason::Reason;
use threadline_engine::clock::SystemClock;
use threadline_engine::home::Hold;
use threadline_engine::logs::{self, Logs};
use threadline_engine::{Engine, EngineError, Home};
use threadline_secrets::{SecretError, Secrets};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// Between two looks at a keychain that is locked.
const KEYCHAIN_PAUSE: Duration = Duration::from_secs(2);
/// At login the keychain may start after this program: how often is looked for one.
const KEYCHAIN_LOOKS: u32 = 15;

/// A mailbox or the CRM needs the person.
pub const NEEDS_YOU: u8 = 3;
/// Another process holds the data folder.
pub const HELD: u8 = 4;

fn main() -> ExitCode {
    let cli = Cli::parse();
    logs::keep_panics_silent();
    let logs = listen_to_logs(cli.verbose);
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::Error::new(error).context("No thread can be started"), cli.json),
    };
    let json = cli.json;
    match runtime.block_on(dispatch(cli, &logs)) {
        Ok(code) => code,
        Err(error) => fail(&error, json),
    }
}

/// Tells an error and gives the exit code for it.
fn fail(error: &anyhow::Error, json: bool) -> ExitCode {
    let known = error.downcast_ref::<EngineError>();
    // An error of the engine tells its cause itself; what was only given a context does not.
    let text = known.map_or_else(|| format!("{error:#}"), ToString::to_string);
    output::error(&text, known.map(EngineError::code), json);
    match known {
        Some(EngineError::Held { .. }) => ExitCode::from(HELD),
        _ => ExitCode::FAILURE,
    }
}

async fn dispatch(cli: Cli, logs: &Logs) -> anyhow::Result<ExitCode> {
    if let Command::Explain(args) = &cli.command {
        return explain::run(args, cli.json);
    }
    let dir = match cli.data_dir {
        Some(dir) => dir,
        None => Home::default_dir()?,
    };
    if let Command::Diagnostics(args) = &cli.command {
        return diagnostics::run(&dir, args, cli.json).await;
    }
    let home = Home::open(&dir)?;
    // Taken before the keychain is asked: a second `run` says who holds the folder at once.
    let hold = match &cli.command {
        Command::Run(_) => Some(home.hold("threadline run")?),
        _ => None,
    };
    if hold.is_some() {
        logs.keep_in(home.dir());
        tracing::info!(version = env!("CARGO_PKG_VERSION"), "threadline run begins");
    }
    let waits = matches!(&cli.command, Command::Run(args) if !args.once);
    let engine = open(home, waits, hold.as_ref()).await?;
    engine.take_proxy().await?;
    let json = cli.json;
    let code = match cli.command {
        Command::Account(command) => account::run(&engine, command, json).await?,
        Command::Discover { address } => discover::run(&engine, &address, json).await?,
        Command::Setup(args) => setup::run(&engine, &args, json).await?,
        Command::Setting(command) => setting::run(&engine, command, json).await?,
        Command::Crm(command) => crm::run(&engine, command, json).await?,
        Command::Proxy(command) => proxy::run(&engine, command, json).await?,
        Command::Relay(command) => relay::run(&engine, command, json).await?,
        Command::Oauth(command) => oauth::run(&engine, command, json).await?,
        Command::Contacts(command) => contacts::run(&engine, command, json).await?,
        Command::Asked { command } => asked::run(&engine, command, json).await?,
        Command::Check { address } => check::run(&engine, &address, json).await?,
        Command::Run(args) => run::run(&engine, &args, json).await?,
        Command::Status => show::status(&engine, json).await?,
        Command::Health { days } => health::run(&engine, days, json).await?,
        Command::Rules(command) => rules::run(&engine, command, json).await?,
        Command::Private(command) => private::run(&engine, command, json).await?,
        Command::Threads { command, list } => threads::run(&engine, command, list, json).await?,
        Command::Where { address, words } => {
            whereabouts::run(&engine, &address, &words.join(" "), json).await?
        }
        Command::Retention(command) => retention::run(&engine, command, json).await?,
        Command::Purge { dry_run } => retention::purge(&engine, dry_run, json).await?,
        Command::Trash { command } => retention::trash(&engine, command, json).await?,
        Command::Audit(args) => audit::run(&engine, args, json).await?,
        Command::Send(args) => send::run(&engine, args, json).await?,
        Command::Sends { command } => sends::run(&engine, command, json).await?,
        Command::Templates(command) => sends::templates(&engine, command, json).await?,
        Command::Log { command: Some(LogCommand::This(args)), .. } => log::this(&engine, args, json).await?,
        Command::Log { command: None, list } if list.egress => {
            show::egress(&engine, list.message, list.limit, json).await?
        }
        Command::Log { command: None, list } => show::log(&engine, list.limit, json).await?,
        Command::Explain(_) | Command::Diagnostics(_) => ExitCode::SUCCESS,
        Command::Export { dir } => show::export(&engine, &dir, json).await?,
    };
    drop(hold);
    Ok(code)
}

/// Opens the engine, with the keychain's leave.
async fn open(home: Home, waits: bool, hold: Option<&Hold>) -> Result<Engine, EngineError> {
    let secrets = keychain(waits).await?;
    let (engine, aside) = Engine::open(home, secrets, Arc::new(SystemClock::start()), hold)?;
    if let Some(old) = aside {
        output::note(&format!(
            "The key of the ledger is no more in the keychain. The old ledger was set aside as {}, and a new one was \
             begun. Add your mailboxes and the CRM again; what the CRM has is not logged twice.",
            old.display()
        ));
    }
    Ok(engine)
}

/// The system's keychain. At login it may not be unlocked yet: a program that is to run is patient.
async fn keychain(waits: bool) -> Result<Arc<dyn Secrets>, EngineError> {
    let mut looks: u32 = 0;
    loop {
        let asked = tokio::task::spawn_blocking(threadline_secrets::system).await;
        match asked.unwrap_or_else(|_| Err(SecretError::Other { words: "asking it broke off".to_owned() })) {
            Ok(secrets) => return Ok(secrets),
            Err(error) if waits && (error.code() == Reason::KeychainLocked || looks < KEYCHAIN_LOOKS) => {
                if looks == 0 {
                    output::note(&format!("Waiting for the keychain: {error}"));
                }
                looks = looks.saturating_add(1);
                tokio::time::sleep(KEYCHAIN_PAUSE).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Our own words on standard error, as many as are asked for, and all of them for the files that `run` keeps.
fn listen_to_logs(verbose: u8) -> Logs {
    let level = match verbose {
        0 => LevelFilter::ERROR,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let logs = Logs::default();
    let terminal =
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_filter(logs::ours(level));
    tracing_subscriber::registry().with(terminal).with(logs.listener()).init();
    logs
}
