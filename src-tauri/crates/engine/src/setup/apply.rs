//! A set-up, shown and then used.

use super::{Setup, SetupRules};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::generation::{Part, count_up};
use crate::rules::edit_rules;
use crate::settings::{CrmSettings, OauthProvider};
use serde::Serialize;
use threadline_core::address::Address;
use threadline_core::rule::{CreateContacts, LogMode, Rules};
use threadline_oauth::Provider;
use threadline_store::{Tx, account, setting};
use zeroize::Zeroizing;

/// The setting that holds the rules for mailboxes to come.
const RULES: &str = "setup_rules";

/// What a set-up would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Preview {
    /// Whom it is from, in their own words: anybody can write them.
    pub from: Option<String>,
    /// In the order in which it is done.
    pub changes: Vec<Change>,
    /// What the CRM's secret is called, where one must be entered.
    pub needs_secret: Option<String>,
}

/// One thing that a set-up sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "sets", rename_all = "snake_case")]
pub enum Change {
    /// A registration; `instead_of` is the client id that is set now.
    OauthApp {
        provider: OauthProvider,
        client_id: String,
        at: Option<String>,
        instead_of: Option<String>,
    },
    /// Where logged mail goes, as it may be shown; `instead_of` are the CRMs that it takes the place of.
    Crm {
        crm: CrmSettings,
        instead_of: Vec<CrmSettings>,
    },
    /// Whose mail is logged, of all mailboxes; `instead_of` are those that have another mode now.
    Mode {
        mode: LogMode,
        instead_of: Vec<Address>,
    },
    /// Whether contacts are made.
    CreateContacts {
        create: CreateContacts,
        instead_of: Vec<Address>,
    },
    Colleagues {
        domains: Vec<String>,
    },
    /// Of whom no mail is ever logged.
    Never {
        who: Vec<String>,
    },
}

impl Engine {
    /// What this set-up would do here. Nothing is stored, and nobody is asked.
    pub async fn preview_setup(&self, setup: &Setup) -> Result<Preview, EngineError> {
        let mut changes = Vec::new();
        let known = self.oauth_apps().await?;
        for app in &setup.oauth {
            let now = known.iter().find(|set| set.provider == app.provider && !set.built_in);
            changes.push(Change::OauthApp {
                provider: app.provider,
                client_id: app.client_id.clone(),
                at: app.issuer.clone(),
                instead_of: now.map(|set| set.client_id.clone()).filter(|id| *id != app.client_id),
            });
        }
        if let Some(crm) = &setup.crm {
            let goes = |set: &CrmSettings| {
                *set != *crm
                    && (set.kind() == crm.kind()
                        || *set == CrmSettings::Ledger
                        || *crm == CrmSettings::Ledger)
            };
            let set = self.crms().await?;
            let instead_of = set.iter().filter(|set| goes(set)).map(CrmSettings::shown).collect();
            changes.push(Change::Crm { crm: crm.shown(), instead_of });
        }
        let accounts = self.accounts().await?;
        let others = |is_so: &dyn Fn(&Rules) -> bool| {
            let others = accounts.iter().filter(|account| !is_so(&account.settings.rules));
            others.map(|account| account.settings.address.clone()).collect()
        };
        let SetupRules { mode, create_contacts, colleagues, never } = &setup.rules;
        if let Some(mode) = *mode {
            changes.push(Change::Mode { mode, instead_of: others(&|rules| rules.mode == mode) });
        }
        if let Some(create) = *create_contacts {
            let instead_of = others(&|rules| rules.create_contacts == create);
            changes.push(Change::CreateContacts { create, instead_of });
        }
        if !colleagues.is_empty() {
            changes.push(Change::Colleagues { domains: colleagues.clone() });
        }
        if !never.is_empty() {
            changes.push(Change::Never { who: never.clone() });
        }
        let needs_secret =
            setup.crm.as_ref().and_then(|crm| crm.secret_name().map(|_| crm.kind().to_owned()));
        Ok(Preview { from: setup.from.clone(), changes, needs_secret })
    }

    /// Does it: registrations, then the CRM, then rules. What cannot be tried (a provider that does not describe itself, a
    /// token that the CRM refuses) is refused before anything is stored. `secret` is the CRM's, where it needs one.
    pub async fn apply_setup(
        &self,
        setup: Setup,
        secret: Option<Zeroizing<String>>,
    ) -> Result<(), EngineError> {
        let mut apps = Vec::new();
        for app in setup.oauth {
            let provider = match &app.issuer {
                Some(issuer) => Some(Provider::described(issuer, app.scopes).await?),
                None => None,
            };
            apps.push((app.provider, app.client_id, provider, app.client_secret.map(Zeroizing::new)));
        }
        if let Some(crm) = &setup.crm {
            self.try_crm(crm, secret.clone()).await?;
        }
        for (of, client_id, provider, client_secret) in apps {
            self.set_oauth_app(of, client_id, provider, client_secret).await?;
        }
        if let Some(crm) = setup.crm {
            self.set_crm(crm, secret).await?;
        }
        let rules = setup.rules;
        if rules == SetupRules::default() {
            return Ok(());
        }
        let write = move |tx: &Tx<'_>| {
            for row in account::list(tx)? {
                // Settings that cannot be read are told of elsewhere, and written anew by the person.
                if crate::engine::Account::read(&row).is_ok() {
                    edit_rules(tx, row.id, |own| rules.put_into(own))?;
                }
            }
            setting::set(tx, RULES, &rules)?;
            count_up(tx, Part::News)
        };
        Ok(self.ledger().write(write).await?)
    }

    /// The rules that a mailbox begins with: the usual ones, with those of the set-up among them.
    pub async fn rules_for(&self, address: &Address) -> Result<Rules, EngineError> {
        let set: Option<SetupRules> = self.ledger().read(|tx| setting::get(tx, RULES)).await?;
        let mut rules = Rules::for_mailbox(address);
        set.unwrap_or_default().put_into(&mut rules);
        Ok(rules)
    }
}
