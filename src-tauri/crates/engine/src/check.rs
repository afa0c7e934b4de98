//! The live check of a mailbox: each step told as it begins and as it ends, with its time and the server's words.

mod steps;

use crate::advice::ProviderAdvice;
use crate::crms::CrmList;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::settings::{AccountSettings, CrmSettings};
use crate::tokens::Using;
use crate::{identity, mailbox, sign_in, sinks};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use steps::{Steps, Stopped};
use threadline_core::reason::{Phase, Reason};
use threadline_mail::connect::{self, Opened, Server, Step, Timeouts};
use threadline_mail::error::MailError;
use threadline_mail::folders::{Why, nameable, watched};
use threadline_mail::guard::Limits;
use threadline_mail::login::Login;
use threadline_mail::session::{Folder, Session};
use threadline_mail::smtp;
use zeroize::Zeroizing;

/// Most folders named in the words of a step.
const MOST_NAMED: usize = 5;

/// The steps, in the order in which they are shown. With STARTTLS the greeting comes before TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum CheckStepName {
    Dns,
    Tcp,
    Tls,
    Greeting,
    SignIn,
    Capabilities,
    Inbox,
    Sent,
    Smtp,
    Crm,
}

impl CheckStepName {
    pub const ALL: [CheckStepName; 10] = [
        CheckStepName::Dns,
        CheckStepName::Tcp,
        CheckStepName::Tls,
        CheckStepName::Greeting,
        CheckStepName::SignIn,
        CheckStepName::Capabilities,
        CheckStepName::Inbox,
        CheckStepName::Sent,
        CheckStepName::Smtp,
        CheckStepName::Crm,
    ];

    /// The step at which a mail connection was; `None` for what the check does not do.
    pub fn of_phase(phase: Phase) -> Option<Self> {
        Some(match phase {
            Phase::Dns => CheckStepName::Dns,
            Phase::Tcp => CheckStepName::Tcp,
            Phase::Tls => CheckStepName::Tls,
            Phase::Greeting => CheckStepName::Greeting,
            Phase::Keychain | Phase::Auth => CheckStepName::SignIn,
            Phase::Select | Phase::Idle | Phase::Fetch => CheckStepName::Inbox,
            Phase::Append => CheckStepName::Sent,
            Phase::Send => CheckStepName::Smtp,
            Phase::Push => CheckStepName::Crm,
        })
    }
}

/// How a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    Running,
    Ok,
    /// It works, and something is to be known.
    Warning,
    Failed,
    /// A step before it failed, or nothing is set for it.
    Skipped,
}

/// One step, as it begins or as it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct CheckStep {
    pub step: CheckStepName,
    pub state: CheckState,
    /// Milliseconds; there when it was tried and has ended.
    pub ms: Option<u32>,
    /// Names, numbers and the server's own words, as they are: cleaned, never from before TLS.
    pub words: Option<String>,
    /// What was found beside them, for whoever shows it to put into words.
    pub found: Option<Found>,
    pub reason: Option<Reason>,
}

/// What a step found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Found {
    /// So many lie in INBOX.
    Messages { messages: u32 },
    /// Where sent mail lies.
    SentFolders { folders: Vec<FoundFolder> },
    /// The CRMs that answered.
    Crms { crms: Vec<FoundCrm> },
    /// A setting or a secret that cannot be used, by the error's code and what its text names; `message` says it in English.
    Unusable { code: String, message: String, values: BTreeMap<String, String> },
}

/// A folder, by its name on the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct FoundFolder {
    pub name: String,
    pub how: FoundHow,
}

/// How a folder for sent mail was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum FoundHow {
    /// The person named it.
    Named,
    /// The server says so.
    SpecialUse,
    /// It has the name that a mail program or a provider gives to it.
    Name,
    /// Its name contains "sent".
    NameContains,
    /// It holds all mail.
    All,
}

impl From<Why> for FoundHow {
    fn from(why: Why) -> Self {
        match why {
            Why::Named => FoundHow::Named,
            Why::SpecialUse => FoundHow::SpecialUse,
            Why::Name => FoundHow::Name,
            Why::NameContains => FoundHow::NameContains,
        }
    }
}

/// A CRM: its kind, and the account, host or folder behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct FoundCrm {
    pub kind: String,
    pub name: String,
}

/// A certificate that was not trusted, for the person to compare and pin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Certificate {
    pub subject: String,
    pub issuer: String,
    pub expires: Timestamp,
    /// SHA-256, 64 hexadecimal digits.
    pub fingerprint: String,
}

impl From<&threadline_mail::certificate::Certificate> for Certificate {
    fn from(shown: &threadline_mail::certificate::Certificate) -> Self {
        Self {
            subject: shown.subject.clone(),
            issuer: shown.issuer.clone(),
            expires: shown.expires,
            fingerprint: shown.fingerprint.clone(),
        }
    }
}

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct CheckReport {
    /// Every step as it ended, in the order of [`CheckStepName::ALL`].
    pub steps: Vec<CheckStep>,
    /// The first that failed.
    pub failed: Option<CheckStepName>,
    /// Whether it is the mailbox that the ledger knows; `None` where nothing is known, or it was not seen.
    pub same_mailbox: Option<bool>,
    /// What the IMAP server presented, where it was not trusted.
    pub presented: Option<Certificate>,
    /// The same of the SMTP server.
    pub presented_smtp: Option<Certificate>,
    /// What this provider wants done about the step that failed, where that is known.
    pub advice: Option<ProviderAdvice>,
    /// The folders of which one can be named as that of sent mail, by their names, where they were seen.
    pub folders: Vec<String>,
}

impl Engine {
    /// Tries everything that a mailbox with these settings needs, and stores nothing but how sending is. Without a password
    /// the one from the keychain is used. After a step that fails those that build on it are skipped; SMTP and CRM are tried
    /// all the same. Fails only where the settings or the ledger cannot be read.
    pub async fn check(
        &self,
        settings: &AccountSettings,
        password: Option<Zeroizing<String>>,
        on_step: impl FnMut(CheckStep) + Send,
    ) -> Result<CheckReport, EngineError> {
        let (server, smtp_server) = (settings.server()?, settings.smtp_server()?);
        let stored = password.is_none();
        let login = || sign_in::login(self.shared(), settings, password.clone(), Using::JustNow);
        let mut steps = Steps::new(on_step);
        let mut report = CheckReport::default();
        match self.check_imap(settings, &server, &login().await, stored, &mut steps).await {
            Ok(same) => report.same_mailbox = same,
            Err(Stopped::Mail(error)) => report.presented = error.presented.as_deref().map(Certificate::from),
            Err(Stopped::Told) => {}
            Err(Stopped::Engine(error)) => return Err(error),
        }
        steps.skip_until(CheckStepName::Smtp);
        match smtp_server {
            Some(server) => {
                report.presented_smtp =
                    self.check_smtp(settings, &server, &login().await, &mut steps).await?;
            }
            None => steps.skip(CheckStepName::Smtp),
        }
        self.check_crms(&mut steps).await?;
        report.folders = std::mem::take(&mut steps.nameable);
        report.steps = steps.in_order();
        let failed = report.steps.iter().find(|s| s.state == CheckState::Failed);
        report.failed = failed.map(|s| s.step);
        let host = match (report.failed, &settings.smtp) {
            (Some(CheckStepName::Smtp), Some(smtp)) => &smtp.host,
            _ => &settings.host,
        };
        report.advice =
            failed.filter(|s| s.step != CheckStepName::Crm).and_then(|s| ProviderAdvice::of(s.reason?, host));
        self.note_sending(settings, &report.steps).await?;
        Ok(report)
    }

    /// Gives whether it is the same mailbox. `stored` says that the password is the one in the keychain.
    async fn check_imap(
        &self,
        settings: &AccountSettings,
        server: &Server,
        login: &Result<Login, EngineError>,
        stored: bool,
        steps: &mut Steps<impl FnMut(CheckStep) + Send>,
    ) -> Result<Option<bool>, Stopped> {
        let timeouts = Timeouts::default();
        let opened = open(server, &timeouts, steps).await?;
        steps.begin(CheckStepName::SignIn);
        let login = match login {
            Ok(login) => login,
            Err(error) => {
                steps.fail_for(CheckStepName::SignIn, error);
                return Err(Stopped::Told);
            }
        };
        let mut signed_in = Session::sign_in(opened, server, login, &timeouts).await;
        let mut is_new = false;
        if let Err(error) = &signed_in {
            // An access token may only be out of date.
            signed_in = match self.renewed(settings, login, error).await? {
                Ok(Some(login)) => {
                    is_new = true;
                    Session::open(server, &login, &timeouts).await
                }
                Ok(None) => signed_in,
                Err(error) => Err(error),
            };
        }
        let mut session = match signed_in {
            Ok(session) => session,
            Err(error) => {
                let error = self.refused(settings, error, stored, is_new).await?;
                return Err(steps.fail_by(CheckStepName::SignIn, error));
            }
        };
        steps.done(CheckStepName::SignIn, CheckState::Ok, &login.user, None);
        let result = self.check_folders(settings, &mut session, steps).await;
        session.logout().await;
        result
    }

    async fn check_folders(
        &self,
        settings: &AccountSettings,
        session: &mut Session,
        steps: &mut Steps<impl FnMut(CheckStep) + Send>,
    ) -> Result<Option<bool>, Stopped> {
        steps.begin(CheckStepName::Capabilities);
        let capabilities = session.capabilities();
        let live = capabilities.has_idle() || capabilities.has_notify();
        let names = ["NOTIFY", "IDLE", "QRESYNC", "CONDSTORE", "SPECIAL-USE", "X-GM-EXT-1"];
        let had: Vec<&str> = names.into_iter().filter(|name| capabilities.has(name)).collect();
        let gmail = capabilities.is_gmail();
        // Without IDLE new mail is asked for in intervals.
        let state = if live { CheckState::Ok } else { CheckState::Warning };
        let words = if had.is_empty() { "IMAP4rev1".to_owned() } else { had.join(" ") };
        steps.done(CheckStepName::Capabilities, state, &words, None);

        steps.begin(CheckStepName::Inbox);
        let inbox = match session.examine(&Folder::inbox()).await {
            Ok(inbox) => inbox,
            Err(error) => return Err(steps.fail_by(CheckStepName::Inbox, error)),
        };
        steps.found(CheckStepName::Inbox, Found::Messages { messages: inbox.messages });

        steps.begin(CheckStepName::Sent);
        let folders = match session.folders().await {
            Ok(folders) => folders,
            Err(error) => return Err(steps.fail_by(CheckStepName::Sent, error)),
        };
        steps.nameable = nameable(&folders).map(|f| f.name.clone()).collect();
        let found = watched(&folders, gmail, settings.sent_folder.as_deref());
        for folder in found.sent.iter().chain(&found.all) {
            if let Err(error) = session.examine(folder).await {
                return Err(steps.fail_by(CheckStepName::Sent, error));
            }
        }
        if found.sent_unknown().is_some() {
            // INBOX works all the same, and the folder may come with the first mail sent.
            let reason = Some(Reason::SentFolderUnknown);
            steps.done(CheckStepName::Sent, CheckState::Warning, "", reason);
        } else {
            let sent = found.sent.iter().zip(&found.why).map(|(f, why)| (f, FoundHow::from(*why)));
            let all = found.all.iter().map(|f| (f, FoundHow::All));
            let folders = sent.chain(all).take(MOST_NAMED);
            let folders = folders.map(|(f, how)| FoundFolder { name: f.name.clone(), how }).collect();
            steps.found(CheckStepName::Sent, Found::SentFolders { folders });
        }
        match identity::same_mailbox(self, settings, session, &folders).await {
            // Every step has shown what it had to; nothing is said about what was not seen.
            Err(EngineError::Mail(_)) => Ok(None),
            result => Ok(result?),
        }
    }

    /// Another login where an access token may only be out of date; the inner error is why none is to be had.
    async fn renewed(
        &self,
        settings: &AccountSettings,
        login: &Login,
        error: &MailError,
    ) -> Result<Result<Option<Login>, MailError>, EngineError> {
        match sign_in::renewed(self.shared(), settings, login, error).await {
            Ok(login) => Ok(Ok(login)),
            Err(EngineError::Mail(error)) => Ok(Err(*error)),
            Err(error) => Err(error),
        }
    }

    /// A refusal, with what is known of the token or the stored password.
    async fn refused(
        &self,
        settings: &AccountSettings,
        error: MailError,
        stored: bool,
        is_new: bool,
    ) -> Result<MailError, EngineError> {
        let error = sign_in::refused(self.shared(), settings, error, Using::JustNow, is_new);
        match stored {
            true => Ok(mailbox::with_history(self.shared(), &settings.address, error).await?),
            false => Ok(error),
        }
    }

    /// Gives what the server presented, where that was not trusted.
    async fn check_smtp(
        &self,
        settings: &AccountSettings,
        server: &Server,
        login: &Result<Login, EngineError>,
        steps: &mut Steps<impl FnMut(CheckStep) + Send>,
    ) -> Result<Option<Certificate>, EngineError> {
        let timeouts = Timeouts::default();
        steps.begin(CheckStepName::Smtp);
        let connected = smtp::smtp(server, &timeouts).await;
        let (submission, login) = match (connected, login) {
            (Ok(submission), Ok(login)) => (submission, login),
            (Err(error), _) => {
                steps.fail(CheckStepName::Smtp, error.reason, &error.evidence.words);
                return Ok(error.presented.as_deref().map(Certificate::from));
            }
            (Ok(_), Err(error)) => {
                steps.fail_for(CheckStepName::Smtp, error);
                return Ok(None);
            }
        };
        let mut result = smtp::sign_in(server, submission, login, &timeouts).await;
        let mut is_new = false;
        if let Err(error) = &result {
            result = match self.renewed(settings, login, error).await? {
                Ok(Some(login)) => {
                    is_new = true;
                    match smtp::smtp(server, &timeouts).await {
                        Ok(submission) => smtp::sign_in(server, submission, &login, &timeouts).await,
                        Err(error) => Err(error),
                    }
                }
                Ok(None) => result,
                Err(error) => Err(error),
            };
        }
        match result {
            Ok(words) => {
                steps.done(CheckStepName::Smtp, CheckState::Ok, &words, None);
                Ok(None)
            }
            Err(error) => {
                // What the history knows is of the IMAP server.
                let error = self.refused(settings, error, false, is_new).await?;
                steps.fail(CheckStepName::Smtp, error.reason, &error.evidence.words);
                Ok(error.presented.as_deref().map(Certificate::from))
            }
        }
    }

    async fn check_crms(&self, steps: &mut Steps<impl FnMut(CheckStep) + Send>) -> Result<(), EngineError> {
        let CrmList { set: crms, unusable } = self.crm_list().await?;
        if unusable.is_empty() && crms.iter().all(|crm| *crm == CrmSettings::Ledger) {
            steps.skip(CheckStepName::Crm);
            return Ok(());
        }
        steps.begin(CheckStepName::Crm);
        if let Some(crm) = unusable.first() {
            steps.unusable(CheckStepName::Crm, Reason::SettingUnusable.code(), &crm.problem, Vec::new());
            return Ok(());
        }
        let mut answered = Vec::new();
        for crm in &crms {
            let sink = match sinks::make(self.shared(), crm).await {
                Ok(Some(sink)) => sink,
                Ok(None) => continue,
                Err(error) => {
                    steps.fail_for(CheckStepName::Crm, &error);
                    return Ok(());
                }
            };
            match sink.connect().await {
                Ok(portal) => answered.push(FoundCrm { kind: sink.name().to_owned(), name: portal.name }),
                Err(error) => {
                    steps.fail_for(CheckStepName::Crm, &error.into());
                    return Ok(());
                }
            }
        }
        steps.found(CheckStepName::Crm, Found::Crms { crms: answered });
        Ok(())
    }
}

/// DNS to greeting, timed where they happen.
async fn open(
    server: &Server,
    timeouts: &Timeouts,
    steps: &mut Steps<impl FnMut(CheckStep) + Send>,
) -> Result<Opened, Stopped> {
    let mut on = |step: Step| match step {
        Step::Begun(phase) => {
            if let Some(name) = CheckStepName::of_phase(phase) {
                steps.begin(name);
            }
        }
        Step::Done { phase, millis, found } => {
            if let Some(name) = CheckStepName::of_phase(phase) {
                let ms = Some(u32::try_from(millis).unwrap_or(u32::MAX));
                let words = Some(found).filter(|found| !found.is_empty());
                let state = CheckState::Ok;
                steps.tell(CheckStep { step: name, state, ms, words, found: None, reason: None });
            }
        }
    };
    let opened = connect::observed(server, Limits::imap(), timeouts, &mut on).await;
    opened.map_err(|error| {
        let at = CheckStepName::of_phase(error.phase).unwrap_or(CheckStepName::Greeting);
        steps.fail_by(at, error)
    })
}
