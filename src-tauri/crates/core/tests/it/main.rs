//! The pure rules over whole mails and texts.

mod bounces;
mod decide;
mod packs;
mod reading;
