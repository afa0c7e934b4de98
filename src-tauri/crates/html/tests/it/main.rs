//! Cleaning, and what is hostile to it.

mod cleaning;
mod hostile;
mod kit;
