//! The one quiet question of a day (PRODUCT B6): people whom the person wrote to and whom the CRM does not know, in a batch. What is
//! asked one by one is in [`crate::answers`].

use crate::engine::Engine;
use crate::error::EngineError;
use crate::event::Event;
use crate::generation::{Part, count_up};
use crate::rules::{put_on_the_list, take_off_the_way};
use crate::undo::{Never, Steps, Undo};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::convert::Infallible;
use std::time::Duration;
use threadline_core::address::Address;
use threadline_core::rule::{Answer, Rule, Rules};
use threadline_store::job::{self, Kind};
use threadline_store::message::{self, Image, Message, Outcome};
use threadline_store::{StoreError, Tx, account, contact, place, setting};

/// The hour of the day, local time, from which on it is asked.
pub const HOUR: i8 = 9;

/// When it was asked last, and up to which message.
const ASKED: &str = "question";
/// Messages that are looked at, the newest.
const MOST: usize = 1_000;
/// How often it is looked whether it is time to ask.
const GLANCE: Duration = Duration::from_secs(5 * 60);

/// Somebody whom the person wrote to and whom the CRM does not know.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct UnknownPerson {
    /// The mailbox that wrote to them.
    pub account: Address,
    pub address: Address,
    /// As the newest mail's header has it.
    pub name: Option<String>,
    pub mails: u32,
    /// The newest one's time.
    pub last: Timestamp,
}

threadline_core::debug_only!(UnknownPerson { mails, last });

/// What the person says of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum PersonAnswer {
    /// Make a contact of them, and log the mail. Mail to somebody else who is unknown too waits for the answer about them.
    Add,
    /// Not now: they are asked about again when there is another mail to them.
    Later,
    /// Never log mail with them.
    Never,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Asked {
    day: Option<Date>,
    /// The newest message that was asked about.
    upto: i64,
}

/// A mail that waits, and those on it who are unknown.
struct Waiting {
    row: Message,
    unknown: Vec<(Address, Option<String>)>,
}

/// The mails to unknown people that are not put off, the newest first.
fn waiting(tx: &Tx<'_>, of: i64, rules: &Rules, sources: &[String]) -> Result<Vec<Waiting>, StoreError> {
    let mut all = Vec::new();
    for row in message::asked(tx, of, MOST)? {
        if row.rule != Rule::UnknownRecipient || message::is_later(tx, row.id)? {
            continue;
        }
        let Some(headers) = &row.headers else { continue };
        let mut seen = HashSet::new();
        let outside: Vec<_> = headers
            .recipients()
            .filter(|m| !rules.is_colleague(&m.address) && !rules.is_logging(&m.address))
            .filter(|m| seen.insert(m.address.clone()))
            .map(|m| (m.address.clone(), m.name.clone()))
            .collect();
        let addresses: Vec<Address> = outside.iter().map(|(a, _)| a.clone()).collect();
        let mut known: HashSet<Address> = HashSet::new();
        for source in sources {
            known.extend(contact::lookup(tx, source, &addresses)?.into_keys());
        }
        let unknown: Vec<_> = outside.into_iter().filter(|(a, _)| !known.contains(a)).collect();
        if !unknown.is_empty() {
            all.push(Waiting { row, unknown });
        }
    }
    Ok(all)
}

fn people(account: &Address, waiting: &[Waiting]) -> Vec<UnknownPerson> {
    let mut people: BTreeMap<Address, UnknownPerson> = BTreeMap::new();
    for mail in waiting {
        for (address, name) in &mail.unknown {
            let person = people.entry(address.clone()).or_insert_with(|| UnknownPerson {
                account: account.clone(),
                address: address.clone(),
                name: None,
                mails: 0,
                last: mail.row.time,
            });
            person.mails += 1;
            person.name = person.name.take().or_else(|| name.clone());
            person.last = person.last.max(mail.row.time);
        }
    }
    let mut people: Vec<_> = people.into_values().collect();
    people.sort_by_key(|person| std::cmp::Reverse(person.last));
    people
}

impl Engine {
    /// Everybody whom the person may be asked about, the newest mail first.
    pub async fn unknown_people(&self) -> Result<Vec<UnknownPerson>, EngineError> {
        let (rules, sources) = (self.rules_of_all().await?, self.crm_list().await?.contact_sources());
        let read = move |tx: &Tx<'_>| {
            let mut all = Vec::new();
            for row in account::list(tx)? {
                if let Some(rules) = rules.get(&row.id) {
                    all.extend(people(&row.address, &waiting(tx, row.id, rules, &sources)?));
                }
            }
            Ok(all)
        };
        Ok(self.ledger().read(read).await?)
    }

    async fn rules_of_all(&self) -> Result<HashMap<i64, Rules>, EngineError> {
        Ok(self.accounts().await?.into_iter().map(|a| (a.id, a.settings.rules)).collect())
    }

    /// Answers for one of them. Fails where nothing waits for it.
    pub async fn answer_person(
        &self,
        mailbox: &Address,
        person: &Address,
        answer: PersonAnswer,
    ) -> Result<Undo, EngineError> {
        let account = self.account(mailbox).await?;
        let (id, rules) = (account.id, account.settings.rules);
        let sources = self.crm_list().await?.contact_sources();
        let (shared, now, who) = (self.shared(), self.clock().now(), person.clone());
        let store = move |tx: &Tx<'_>| {
            let mut steps = Steps::default();
            let mails = waiting(tx, id, &rules, &sources)?;
            let mails: Vec<_> =
                mails.into_iter().filter(|mail| mail.unknown.iter().any(|(a, _)| *a == who)).collect();
            if mails.is_empty() {
                return Ok(None);
            }
            if answer == PersonAnswer::Add {
                message::add_person(tx, id, &who)?;
            }
            for mail in &mails {
                let image = Image::take(tx, mail.row.id)?.filter(|i| i.message().outcome == Outcome::Ask);
                let Some(image) = image else { continue };
                match answer {
                    PersonAnswer::Add => {
                        let others = mail.unknown.iter().filter(|(a, _)| *a != who);
                        let mut settled = true;
                        for (other, _) in others {
                            settled &= message::is_added(tx, id, other)?;
                        }
                        let place = place::of_message(tx, mail.row.id)?.into_iter().next();
                        let (true, Some(place)) = (settled, place) else { continue };
                        message::set_answer(tx, mail.row.id, Answer::Log)?;
                        job::add(tx, Kind::Recheck, mail.row.id, place, job::AT_ONCE)?;
                    }
                    PersonAnswer::Later => message::put_off(tx, mail.row.id, now)?,
                    PersonAnswer::Never => {
                        message::ignore_asked(tx, mail.row.id, now)?;
                    }
                }
                steps.messages.push(image);
            }
            if answer == PersonAnswer::Never {
                let never = Never { account: id, addresses: vec![who], ..Never::default() };
                steps.messages.extend(take_off_the_way(tx, &never, now)?);
                steps.never.push(put_on_the_list(tx, never)?);
            }
            count_up(tx, Part::News)?;
            Ok(Some(steps))
        };
        match shared.ledger.write(store).await? {
            Some(steps) => Ok(shared.undos.keep(steps, &*shared.clock)),
            None => Err(EngineError::NobodyAsked(person.to_string())),
        }
    }

    /// Asks where it is time: once a day, where there is somebody new since. True where it asked.
    pub async fn ask_if_due(&self) -> Result<bool, EngineError> {
        let now = self.clock().now().to_zoned(TimeZone::system());
        let asked: Asked = self.ledger().read(|tx| setting::get(tx, ASKED)).await?.unwrap_or_default();
        if now.hour() < HOUR || asked.day == Some(now.date()) {
            return Ok(false);
        }
        let (rules, sources) = (self.rules_of_all().await?, self.crm_list().await?.contact_sources());
        let day = now.date();
        let ask = move |tx: &Tx<'_>| {
            let (mut newest, mut who) = (asked.upto, HashSet::new());
            for row in account::list(tx)? {
                let Some(rules) = rules.get(&row.id) else { continue };
                for mail in waiting(tx, row.id, rules, &sources)? {
                    newest = newest.max(mail.row.id);
                    who.extend(mail.unknown.into_iter().map(|(address, _)| address));
                }
            }
            let is_new = newest > asked.upto;
            if is_new {
                setting::set(tx, ASKED, &Asked { day: Some(day), upto: newest })?;
            }
            Ok(is_new.then_some(who.len()))
        };
        let Some(people) = self.ledger().write(ask).await? else { return Ok(false) };
        self.shared().tell(Event::Question { people: u32::try_from(people).unwrap_or(u32::MAX) });
        Ok(true)
    }
}

/// Looks now and then.
pub(crate) async fn keep(engine: &Engine) -> Infallible {
    loop {
        if let Err(error) = engine.ask_if_due().await {
            tracing::error!(code = error.code(), "the question of the day was not asked; it is tried again");
        }
        tokio::time::sleep(GLANCE).await;
    }
}
