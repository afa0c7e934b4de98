//! `threadline threads`.

use clap::{Args, Subcommand, ValueEnum};
use threadline_core::conversation::ThreadState;

#[derive(Debug, Subcommand)]
pub enum ThreadsCommand {
    /// List the conversations, the newest first.
    List(ThreadsArgs),
    /// Show one conversation with its messages.
    Show {
        /// The number from `threadline threads`.
        id: i64,
    },
    /// List the addresses that your mail did not reach, with the code and the conversation.
    Bounced,
    /// Make a conversation of its own of a message and of all that answers it.
    Split {
        /// The message's number from `threadline threads show`.
        message: i64,
    },
    /// Put all messages of a conversation into another one.
    Merge {
        /// The number of the conversation that goes.
        id: i64,
        /// The number of the one that stays.
        into: i64,
    },
    /// Take the last split or merge back.
    Undo,
}

#[derive(Debug, Args)]
pub struct ThreadsArgs {
    /// Most lines printed, up to 500.
    #[arg(long, default_value_t = 50)]
    pub limit: u32,
    /// Only those with these words in the subject, an address or a contact's name; the beginning of a word is enough.
    #[arg(long, value_name = "WORDS")]
    pub search: Option<String>,
    /// Only those in this state.
    #[arg(long, value_enum)]
    pub state: Option<StateArg>,
    /// Only those in which you have waited for a reply for so many days.
    #[arg(long, value_name = "DAYS")]
    pub silent_days: Option<u32>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum StateArg {
    /// You wrote last.
    AwaitingReply,
    /// Somebody answered you.
    Replied,
    /// Somebody else began, and you have not answered.
    Received,
    /// It could not be delivered.
    Bounced,
    /// Only an automatic answer came.
    OutOfOffice,
}

impl From<StateArg> for ThreadState {
    fn from(state: StateArg) -> Self {
        match state {
            StateArg::AwaitingReply => ThreadState::AwaitingReply,
            StateArg::Replied => ThreadState::Replied,
            StateArg::Received => ThreadState::Received,
            StateArg::Bounced => ThreadState::Bounced,
            StateArg::OutOfOffice => ThreadState::OutOfOffice,
        }
    }
}
