//! The ledger's tests, over real files in folders of their own.

pub(crate) mod plan;
