//! What the ledger holds, in the form that the terminal and the window show and `--json` prints.

use crate::advice::ProviderAdvice;
use crate::crms::{CrmList, UnusableCrm};
use crate::engine::{Account, Engine};
use crate::error::EngineError;
use crate::retention::{self, Goes};
use crate::settings::CrmSettings;
use crate::unusable::Unusable;
use jiff::Timestamp;
use serde::Serialize;
use threadline_core::address::{Address, Mailbox};
use threadline_core::conversation::ThreadState;
use threadline_core::health::{Channel, Health, State, combine};
use threadline_core::id::MessageKey;
use threadline_core::message::Body;
use threadline_core::reason::{Provider, Reason};
use threadline_core::record::{Association, Attachment, Direction};
use threadline_core::rule::Rule;
use threadline_mail::advice::{advice, name_of, provider_of};
use threadline_store::health::Owner;
use threadline_store::message::{Message, Outcome};
use threadline_store::status::{AccountCounts, SinkCounts};
use threadline_store::thread::Summary;
use threadline_store::{
    StoreError, Tx, account, association, body, contact, folder, health, job, message, outbox, place,
    set_aside, status, thread,
};

/// How everything is.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Status {
    /// The program that runs on the data folder; where none does, the states below are those of its last run.
    pub running: Option<String>,
    pub mailboxes: Vec<MailboxStatus>,
    pub crms: Vec<CrmStatus>,
    /// CRMs that are not pushed to, because their settings cannot be read.
    pub unusable_crms: Vec<UnusableCrm>,
}

/// How one mailbox is.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct MailboxStatus {
    pub address: Address,
    /// Who runs it, as people call them: a known provider's name, else the server's.
    pub provider: String,
    /// One state of all channels; see `core::health::combine`.
    pub state: State,
    pub paused_until: Option<Timestamp>,
    pub channels: Vec<Health>,
    /// What must be done, for the worst channel.
    pub next_step: Option<String>,
    /// The same as the mailbox's provider has it, where that is known.
    pub advice: Option<ProviderAdvice>,
    pub logged: u64,
    pub asked: u64,
    pub held: u64,
    pub ignored: u64,
    /// Messages that were seen and whose body was never read.
    pub bodies_never_read: u64,
    /// Messages that are not in the CRM yet.
    pub waiting: u64,
    /// Of these, messages whose text is still to be read from the mail server.
    pub to_read: u64,
    /// Messages that a CRM refused.
    pub refused: u64,
    /// The time of the newest message that was seen.
    pub last_seen: Option<Timestamp>,
    /// Messages that cannot be read, with the folder, the UID and the cause.
    pub set_aside: Vec<SetAside>,
}

/// A message that was put aside.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct SetAside {
    pub folder: String,
    pub uid: u32,
    pub reason: Option<Reason>,
    pub why: String,
}

/// How one CRM is.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct CrmStatus {
    #[serde(flatten)]
    pub settings: CrmSettings,
    pub state: State,
    pub health: Vec<Health>,
    pub next_step: Option<String>,
    pub waiting: u64,
    pub set_aside: u64,
    pub done: u64,
    pub contacts: u64,
    pub contacts_complete: bool,
}

/// One decision.
#[derive(Clone, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Decided {
    pub message: i64,
    pub account: Address,
    pub decided_at: Timestamp,
    pub date: Timestamp,
    pub direction: Direction,
    pub outcome: Outcome,
    pub rule: Rule,
    pub why: &'static str,
    pub folder: Option<String>,
    /// Only of mail that is logged, asked about or held: of other mail no text is kept.
    pub subject: Option<String>,
    pub from: Option<Mailbox>,
    pub to: Vec<Mailbox>,
    pub thread: Option<i64>,
}

threadline_core::debug_only!(Decided { message, direction, outcome, rule, thread });

/// One conversation in a list.
#[derive(Clone, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ThreadLine {
    pub id: i64,
    pub account: Address,
    pub key: MessageKey,
    pub subject: String,
    pub begun: Timestamp,
    pub last: Timestamp,
    pub messages: u32,
    pub contacts: Vec<Association>,
    pub crm: Vec<CrmCount>,
    pub state: ThreadState,
    /// Since when it is so.
    pub state_since: Timestamp,
    /// Of its newest message.
    pub direction: Direction,
}

threadline_core::debug_only!(ThreadLine { id, messages, crm, state });

/// How many messages of a conversation are in which state at which CRM.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct CrmCount {
    pub sink: String,
    pub state: &'static str,
    pub messages: u32,
}

/// One conversation whole.
#[derive(Clone, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ThreadView {
    #[serde(flatten)]
    pub line: ThreadLine,
    pub items: Vec<MessageView>,
}

threadline_core::debug_only!(ThreadView { line });

/// One logged message.
#[derive(Clone, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct MessageView {
    #[serde(flatten)]
    pub decided: Decided,
    pub message_id: Option<String>,
    pub cc: Vec<Mailbox>,
    /// `None` while it is not fetched.
    pub text: Option<String>,
    /// It can be shown as it was written, too; see `Engine::message_html`.
    pub has_html: bool,
    pub attachments: Vec<Attachment>,
    pub truncated: bool,
    pub contacts: Vec<Association>,
    pub crm: Vec<CrmState>,
    /// When its text and its header go from this computer.
    pub goes: Goes,
}

threadline_core::debug_only!(MessageView { decided, crm });

/// One message at one CRM.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct CrmState {
    pub sink: String,
    pub state: &'static str,
    pub remote_id: Option<String>,
    pub link: Option<String>,
    pub how: Option<String>,
    pub stored_at: Option<Timestamp>,
    pub reason: Option<String>,
    pub words: Option<String>,
}

/// A contact in the index.
#[derive(Clone, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ContactLine {
    pub source: String,
    pub remote_id: String,
    pub name: Option<String>,
    pub addresses: Vec<Address>,
}

threadline_core::debug_only!(ContactLine { source, remote_id });

impl Engine {
    /// How every mailbox and CRM is. Reads the ledger only, so it answers while another process runs.
    pub async fn status(&self) -> Result<Status, EngineError> {
        let CrmList { set: crms, unusable: unusable_crms } = self.crm_list().await?;
        let now = self.clock().now();
        let running = self.home().holder();
        let status = self
            .ledger()
            .read(move |tx| {
                let mut mailboxes = Vec::new();
                for row in account::list(tx)? {
                    mailboxes.push(mailbox_status(tx, &row, now)?);
                }
                let counts = status::sinks(tx)?;
                let crms = crms.into_iter().map(|c| crm_status(tx, c, &counts)).collect::<Result<_, _>>()?;
                Ok(Status { running, mailboxes, crms, unusable_crms })
            })
            .await?;
        Ok(status)
    }

    /// The latest decisions, newest first.
    pub async fn log(&self, limit: usize) -> Result<Vec<Decided>, EngineError> {
        let read = move |tx: &Tx<'_>| {
            message::newest(tx, None, limit)?.into_iter().map(|m| decided(tx, &m)).collect()
        };
        Ok(self.ledger().read(read).await?)
    }

    /// One conversation with its messages, the oldest first.
    pub async fn thread(&self, id: i64) -> Result<ThreadView, EngineError> {
        let read = move |tx: &Tx<'_>| {
            let Some(found) = thread::get(tx, id)? else { return Ok(None) };
            let line = line(tx, thread::summary(tx, found)?)?;
            let items: Result<Vec<MessageView>, StoreError> =
                message::of_thread(tx, id)?.into_iter().map(|m| whole(tx, &m)).collect();
            Ok(Some(ThreadView { line, items: items? }))
        };
        self.ledger().read(read).await?.ok_or_else(|| EngineError::NoThread(id.to_string()))
    }

    /// Contacts in the index, by source and id.
    pub async fn contacts(&self, limit: usize) -> Result<Vec<ContactLine>, EngineError> {
        let sources = self.contact_sources().await?;
        let read = move |tx: &Tx<'_>| {
            let mut all = Vec::new();
            for source in sources {
                let left = limit.saturating_sub(all.len());
                all.extend(contact::page(tx, &source, "", left)?.into_iter().map(|c| ContactLine {
                    source: source.clone(),
                    remote_id: c.remote_id,
                    name: c.name,
                    addresses: c.addresses,
                }));
            }
            Ok(all)
        };
        Ok(self.ledger().read(read).await?)
    }

    /// The index's parts: the local list, and each CRM's own.
    pub(crate) async fn contact_sources(&self) -> Result<Vec<String>, EngineError> {
        Ok(self.crm_list().await?.contact_sources())
    }
}

fn mailbox_status(
    tx: &Tx<'_>,
    account: &account::Account,
    now: Timestamp,
) -> Result<MailboxStatus, StoreError> {
    let counts: AccountCounts = status::account(tx, account.id)?;
    let mut channels = health::present(tx, &Owner::Account(account.id))?;
    if let Some(unusable) = Unusable::read(account) {
        // No matter what it was when it was connected last.
        channels = unusable.health(&channels, now);
    }
    let host = Account::read(account)
        .map_or_else(|_| account.address.domain().to_owned(), |account| account.settings.draft.host);
    let provider = provider_of(&host);
    let paused_until = account.paused_until.filter(|until| *until > now);
    let mut aside = Vec::new();
    for row in set_aside::page(tx, account.id, 0, 1_000)? {
        aside.push(SetAside {
            folder: folder_name(tx, row.place.folder)?,
            uid: row.place.uid,
            reason: row.reason,
            why: row.what,
        });
    }
    for job in job::given_up(tx, account.id)? {
        aside.push(SetAside {
            folder: folder_name(tx, job.place.folder)?,
            uid: job.place.uid,
            reason: job.reason,
            why: job.words.filter(|w| !w.is_empty()).unwrap_or_else(|| {
                job.reason.map_or_else(|| "It could not be fetched.".to_owned(), |r| r.title().to_owned())
            }),
        });
    }
    Ok(MailboxStatus {
        address: account.address.clone(),
        provider: provider.map_or_else(|| host.clone(), |provider| name_of(provider).to_owned()),
        state: if paused_until.is_some() { State::Paused } else { combine(&watched(&channels)) },
        paused_until,
        next_step: next_step(&channels, provider),
        advice: worst(&channels).and_then(|reason| ProviderAdvice::of(reason, &host)),
        channels,
        bodies_never_read: counts.seen().saturating_sub(counts.bodies_read),
        logged: counts.logged,
        asked: counts.asked,
        held: counts.held,
        ignored: counts.ignored,
        waiting: counts.bodies_waiting + counts.pushes_waiting,
        to_read: counts.bodies_waiting,
        refused: counts.pushes_set_aside,
        last_seen: last_seen(tx, account.id, now)?,
        set_aside: aside,
    })
}

/// Sending is tried by checks alone, so it speaks for itself and not for the mailbox.
fn watched(channels: &[Health]) -> Vec<Health> {
    channels.iter().filter(|health| health.channel != Channel::Smtp).cloned().collect()
}

fn last_seen(tx: &Tx<'_>, account: i64, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let folders = folder::list(tx, account)?;
    let newest = folders.into_iter().map(|f| place::newest(tx, f.id, now)).collect::<Result<Vec<_>, _>>()?;
    Ok(newest.into_iter().flatten().max())
}

fn folder_name(tx: &Tx<'_>, id: i64) -> Result<String, StoreError> {
    Ok(folder::get(tx, id)?.map(|f| f.name).unwrap_or_default())
}

fn crm_status(tx: &Tx<'_>, settings: CrmSettings, counts: &[SinkCounts]) -> Result<CrmStatus, StoreError> {
    let kind = settings.kind();
    let found = counts.iter().find(|c| c.sink == kind);
    let health = health::present(tx, &Owner::Sink(kind.to_owned()))?;
    Ok(CrmStatus {
        state: combine(&health),
        next_step: next_step(&health, None),
        health,
        waiting: found.map_or(0, |c| c.waiting),
        set_aside: found.map_or(0, |c| c.set_aside),
        done: found.map_or(0, |c| c.done),
        contacts: contact::count(tx, kind)?,
        contacts_complete: contact::cursor(tx, kind)?.is_some_and(|c| c.complete),
        settings: settings.shown(),
    })
}

/// What is to be done first, as the provider wants it done.
fn next_step(channels: &[Health], provider: Option<Provider>) -> Option<String> {
    worst(channels).map(|reason| advice(reason, provider).next.to_owned())
}

/// Why the worst channel is not as it should be.
fn worst(channels: &[Health]) -> Option<Reason> {
    channels.iter().max_by_key(|h| h.state)?.reason
}

pub(crate) fn decided(tx: &Tx<'_>, row: &Message) -> Result<Decided, StoreError> {
    let headers = row.headers.as_ref();
    Ok(Decided {
        message: row.id,
        account: account_address(tx, row.account)?,
        decided_at: row.decided_at,
        date: row.time,
        direction: row.direction,
        outcome: row.outcome,
        rule: row.rule,
        why: row.rule.explanation(),
        folder: row.folder.clone(),
        subject: headers.map(|h| h.subject.clone()),
        from: headers.and_then(|h| h.from.clone()),
        to: headers.map(|h| h.to.clone()).unwrap_or_default(),
        thread: row.thread,
    })
}

pub(crate) fn account_address(tx: &Tx<'_>, id: i64) -> Result<Address, StoreError> {
    account::get(tx, id)?.map(|a| a.address).ok_or(StoreError::NotFound { what: "mailbox", id })
}

pub(crate) fn line(tx: &Tx<'_>, summary: Summary) -> Result<ThreadLine, StoreError> {
    Ok(ThreadLine {
        id: summary.thread.id,
        account: account_address(tx, summary.thread.account)?,
        key: summary.thread.key,
        subject: summary.thread.subject,
        begun: summary.thread.created,
        last: summary.thread.last,
        messages: summary.thread.messages,
        state: summary.thread.state,
        state_since: summary.thread.state_since,
        direction: summary.thread.direction,
        contacts: summary.contacts,
        crm: summary
            .crm
            .into_iter()
            .map(|(sink, state, messages)| CrmCount { sink, state: state.name(), messages })
            .collect(),
    })
}

pub(crate) fn whole(tx: &Tx<'_>, row: &Message) -> Result<MessageView, StoreError> {
    let raw = body::get(tx, row.id)?;
    let truncated = raw.as_ref().is_some_and(|b| b.truncated);
    let parsed = raw.map(|b| Body::parse(&b.raw));
    Ok(MessageView {
        decided: decided(tx, row)?,
        message_id: row.headers.as_ref().and_then(|h| h.ids.first()).map(ToString::to_string),
        cc: row.headers.as_ref().map(|h| h.cc.clone()).unwrap_or_default(),
        truncated,
        attachments: parsed.as_ref().map(|b| b.attachments.clone()).unwrap_or_default(),
        has_html: parsed.as_ref().is_some_and(|b| b.html.is_some()),
        text: parsed.map(|b| b.text),
        contacts: association::of_message(tx, row.id)?,
        crm: crm_states(tx, row.id)?,
        goes: retention::goes(tx, row.id)?,
    })
}

pub(crate) fn crm_states(tx: &Tx<'_>, message: i64) -> Result<Vec<CrmState>, StoreError> {
    let entries = outbox::of_message(tx, message)?;
    Ok(entries
        .into_iter()
        .map(|e| CrmState {
            sink: e.sink,
            state: e.state.name(),
            remote_id: e.remote_id,
            link: e.link,
            how: e.how,
            stored_at: e.stored_at,
            reason: e.reason.map(|r| r.code().to_owned()),
            words: e.words,
        })
        .collect())
}
