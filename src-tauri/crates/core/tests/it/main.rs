//! The pure rules over whole mails and texts.

mod bounces;
mod calendar;
mod decide;
mod packs;
mod reading;
