//! The lab itself.

mod cyrus;
mod lab;
