//! `threadline rules`

use crate::args::{OfMailbox, ParticipantsArg, RuleKind, RulesCommand};
use crate::output::{self, printable, when};
use anyhow::{Context, bail};
use serde_json::json;
use std::process::ExitCode;
use threadline_core::address::Address;
use threadline_core::rule::{LogMode, OtherAddress, Participants, Rules};
use threadline_engine::Engine;
use threadline_engine::history::DryRun;
use threadline_engine::rules::{Explained, Forgotten, RuleEntry, Said};

pub async fn run(engine: &Engine, command: RulesCommand, json: bool) -> anyhow::Result<ExitCode> {
    match command {
        RulesCommand::List(of) => {
            let rules = engine.account(&mailbox(engine, of).await?).await?.settings.rules;
            match json {
                true => output::json(&rules)?,
                false => list(&rules),
            }
        }
        RulesCommand::Add { kind, value, of, past, crm, yes } => {
            if past && kind != RuleKind::Never {
                bail!("--past goes with `never` alone: other rules count for what comes from now on.");
            }
            let mailbox = mailbox(engine, of).await?;
            if crm && !yes {
                ask_first(engine, &mailbox, &value).await?;
            }
            let added = engine.add_rule(&mailbox, &entry(kind, &value)?).await?;
            let gone = match past {
                true => Some(engine.forget_logged(&mailbox, &value, crm).await?),
                false => None,
            };
            if json {
                output::json(&json!({ "added": added, "value": value, "forgotten": gone }))?;
            } else {
                output::say(if added { "Added. It counts from now on." } else { "It was there already." });
                gone.iter().for_each(forgotten);
            }
        }
        RulesCommand::Remove { kind, value, of } => {
            let mailbox = mailbox(engine, of).await?;
            let removed = engine.remove_rule(&mailbox, &entry(kind, &value)?).await?;
            if json {
                output::json(&json!({ "removed": removed, "value": value }))?;
            } else if !removed {
                bail!("There is no such entry. See the list with `threadline rules list`.");
            } else {
                output::say("Taken away. It counts from now on.");
            }
        }
        RulesCommand::Mode { mode, of } => {
            set(engine, of, json, |rules| rules.mode = crate::account::mode(mode)).await?
        }
        RulesCommand::Participants { who, of } => {
            let who = match who {
                ParticipantsArg::Any => Participants::Any,
                ParticipantsArg::All => Participants::All,
            };
            set(engine, of, json, |rules| rules.participants = who).await?;
        }
        RulesCommand::Explain { address, of } => {
            let mailbox = mailbox(engine, of).await?;
            let explained = engine.explain_rules(&mailbox, &address).await?;
            match json {
                true => output::json(&explained)?,
                false => explain(&explained),
            }
        }
        RulesCommand::Try { days, of } => {
            let run = engine.dry_run(&mailbox(engine, of).await?, days, |_| {}).await?;
            match json {
                true => output::json(&run)?,
                false => tried(&run),
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn mailbox(engine: &Engine, of: OfMailbox) -> anyhow::Result<Address> {
    if let Some(address) = of.mailbox {
        return Ok(address);
    }
    let accounts = engine.accounts().await?;
    match accounts.as_slice() {
        [one] => Ok(one.settings.address.clone()),
        [] => bail!("There is no mailbox yet. Add one with `threadline account add ADDRESS`."),
        _ => bail!("There are several mailboxes. Say which one with --mailbox ADDRESS."),
    }
}

async fn set(
    engine: &Engine,
    of: OfMailbox,
    json: bool,
    edit: impl FnOnce(&mut Rules),
) -> anyhow::Result<()> {
    let mailbox = mailbox(engine, of).await?;
    let mut rules = engine.account(&mailbox).await?.settings.rules;
    edit(&mut rules);
    engine.set_rules(&mailbox, rules).await?;
    if json {
        return output::json(&engine.account(&mailbox).await?.settings.rules);
    }
    output::say("Set. It counts from now on.");
    Ok(())
}

fn entry(kind: RuleKind, value: &str) -> anyhow::Result<RuleEntry> {
    let value = value.trim();
    let address = |text: &str| {
        Address::parse(text).with_context(|| format!("{text} is no address. Write it as name@domain"))
    };
    Ok(match kind {
        RuleKind::Never => RuleEntry::Never(value.to_owned()),
        RuleKind::NeverFolder => RuleEntry::NeverFolder(value.to_owned()),
        RuleKind::NeverWord => RuleEntry::NeverWord(value.to_owned()),
        RuleKind::Own => RuleEntry::Own(address(value)?),
        RuleKind::Colleague => RuleEntry::Colleague(value.to_owned()),
        RuleKind::LoggingAddress => RuleEntry::LoggingAddress(address(value)?),
        RuleKind::OtherAddress => {
            let (other, of) = value.split_once('=').context("Write both addresses: ADDRESS=KNOWN-ADDRESS")?;
            RuleEntry::OtherAddress(OtherAddress { address: address(other)?, of: address(of)? })
        }
    })
}

/// In the order of `core::decide`.
fn list(rules: &Rules) {
    let addresses = |all: &[Address]| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let others: Vec<String> =
        rules.other_addresses.iter().map(|o| format!("{} is {}", o.address, o.of)).collect();
    let private: Vec<String> = rules
        .private_times
        .iter()
        .rev()
        .take(3)
        .map(|p| format!("{} to {}", when(p.from), when(p.until)))
        .collect();
    let logging = match rules.logging_addresses.is_empty() {
        true => rules.own.iter().map(|a| a.tagged("crm").to_string()).collect::<Vec<_>>().join(", "),
        false => addresses(&rules.logging_addresses),
    };
    let own: Vec<String> = rules
        .own
        .iter()
        .map(|address| match rules.learnt.contains(address) {
            true => format!("{address} (learnt)"),
            false => address.to_string(),
        })
        .collect();
    let mode = match rules.mode {
        LogMode::KnownContacts => "known contacts",
        LogMode::EveryoneOutside => "everyone outside",
        LogMode::OnlyWhenISay => "only when I say so",
    };
    let participants = match rules.participants {
        Participants::Any => "one of them is a contact",
        Participants::All => "all of them are contacts",
    };
    let rows: Vec<Vec<String>> = [
        ("1", "never: keyword", "$CrmNever on the message".to_owned()),
        ("2", "never: folders", rules.never_folders.join(", ")),
        ("3", "never: addresses", addresses(&rules.never_addresses)),
        ("4", "never: domains", rules.never_domains.join(", ")),
        ("5", "never: words of the subject", rules.never_words.join(", ")),
        ("6", "never: private times", private.join("; ")),
        ("7", "own addresses", own.join(", ")),
        ("8", "colleagues, who are not outside", rules.colleagues.join(", ")),
        ("9", "log: your answer, or $CrmLog", String::new()),
        ("10", "log: a copy to", logging),
        ("11", "ignore: reports, automatic answers, lists", String::new()),
        ("12", "log: answers in a logged conversation", String::new()),
        ("13", "the same person", others.join(", ")),
        ("14", "open a conversation with", format!("{mode}, where {participants}")),
    ]
    .into_iter()
    .map(|(n, what, value)| vec![n.to_owned(), what.to_owned(), value])
    .collect();
    output::table(&["", "RULE", "VALUE"], &rows);
}

fn explain(explained: &Explained) {
    match (&explained.known_as, &explained.contact) {
        (Some(known), _) => output::say(&format!("{} is {known}.", explained.address)),
        (None, Some(_)) => output::say(&format!("{} is a contact.", explained.address)),
        (None, None) => output::say(&format!("{} is no contact.", explained.address)),
    }
    let line = |what: &str, said: &Said| {
        output::say(&format!("{what}: {} by {}. {}", said.outcome.name(), said.rule, said.why));
    };
    line("A new mail to them", &explained.sent);
    line("A new mail from them", &explained.received);
}

fn tried(run: &DryRun) {
    output::say(&format!(
        "{} in the last {}: {} would be logged, {} asked, {} ignored.",
        output::count(u64::from(run.seen), "message", "messages"),
        output::count(u64::from(run.days), "day", "days"),
        run.log,
        run.ask,
        run.ignore
    ));
    let rows: Vec<Vec<String>> = run
        .by_rule
        .iter()
        .map(|r| vec![r.count.to_string(), r.outcome.name().to_owned(), r.rule.name().to_owned()])
        .collect();
    output::table(&["NUMBER", "OUTCOME", "RULE"], &rows);
    output::say("");
    let rows: Vec<Vec<String>> = run
        .lines
        .iter()
        .filter(|l| l.outcome.name() != "ignore")
        .map(|l| {
            let with: Vec<&str> = l.with.iter().map(|m| m.address.as_str()).collect();
            vec![when(l.date), l.outcome.name().to_owned(), with.join(", "), printable(&l.subject, 40)]
        })
        .collect();
    output::table(&["DATE", "OUTCOME", "WITH", "SUBJECT"], &rows);
}

/// Says what would go, and asks.
async fn ask_first(engine: &Engine, mailbox: &Address, who: &str) -> anyhow::Result<()> {
    let past = engine.past_of(mailbox, who).await?;
    let removable = past.in_crm.iter().filter(|one| one.removable).count() as u64;
    output::say(&format!(
        "{} would be taken out of the log here, and {} removed from the CRM.",
        output::count(u64::from(past.messages), "message", "messages"),
        output::count(removable, "record", "records")
    ));
    match crate::prompt::confirm("Remove them?")? {
        true => Ok(()),
        false => bail!("Nothing was changed. With --yes nothing is asked."),
    }
}

fn forgotten(gone: &Forgotten) {
    output::say(&format!(
        "{} taken out of the log here.",
        output::count(u64::from(gone.messages), "message was", "messages were")
    ));
    if gone.in_crm.is_empty() {
        return;
    }
    if gone.removing > 0 {
        output::say(&format!(
            "{} on the way out of the CRM, at once where Threadline runs. HubSpot keeps them in its recycling bin for 90 days; \
             what is there by then is restored there, and not from here.",
            output::count(u64::from(gone.removing), "record is", "records are")
        ));
    }
    let mut left = gone.in_crm.iter().filter(|one| gone.removing == 0 || !one.removable).peekable();
    if left.peek().is_none() {
        return;
    }
    output::say("The CRM has these; delete them there where they are not to stay:");
    for one in left {
        let place = one.link.as_deref().or(one.remote_id.as_deref()).unwrap_or("(id not known)");
        output::say(&format!("  {}: {}", one.sink, printable(place, 200)));
    }
}
