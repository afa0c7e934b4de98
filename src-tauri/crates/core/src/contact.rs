//! A person in the CRM.

use crate::address::Address;
use serde::{Deserialize, Serialize};

/// A contact as a CRM, or the local contact list, knows it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The CRM's own id; for the local list the address.
    pub remote_id: String,
    /// Every address of this contact, the main one first; never empty.
    pub addresses: Vec<Address>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

crate::debug_only!(Contact { remote_id });
