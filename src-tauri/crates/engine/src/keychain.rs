//! The keychain, asked where no task waits: it may take its time.

use crate::at_work::Works;
use crate::home::Home;
use std::sync::Arc;
use threadline_secrets::{SecretError, Secrets, long};
use zeroize::Zeroizing;

/// The secrets of one data folder.
#[derive(Debug, Clone)]
pub(crate) struct Keychain {
    home: Home,
    secrets: Arc<dyn Secrets>,
    works: Works,
}

impl Keychain {
    pub fn new(home: Home, secrets: Arc<dyn Secrets>, works: Works) -> Self {
        Self { home, secrets, works }
    }

    pub async fn secret(&self, name: &str) -> Result<Option<Zeroizing<String>>, SecretError> {
        let name = self.home.secret_name(name);
        self.ask(move |secrets| long::get(secrets, &name)).await
    }

    pub async fn set_secret(&self, name: &str, secret: Zeroizing<String>) -> Result<(), SecretError> {
        let name = self.home.secret_name(name);
        self.ask(move |secrets| long::set(secrets, &name, &secret)).await
    }

    pub async fn delete_secret(&self, name: &str) -> Result<(), SecretError> {
        let name = self.home.secret_name(name);
        self.ask(move |secrets| long::delete(secrets, &name)).await
    }

    async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn Secrets) -> Result<T, SecretError> + Send + 'static,
    ) -> Result<T, SecretError> {
        let secrets = Arc::clone(&self.secrets);
        let at_work = self.works.begin();
        let asked = tokio::task::spawn_blocking(move || {
            // Nobody ends it, whoever waits for it: a keychain may ask a person.
            let _at_work = at_work;
            ask(&*secrets)
        });
        let asked = asked.await;
        asked.unwrap_or_else(|_| Err(SecretError::Other { words: "asking it broke off".to_owned() }))
    }
}
