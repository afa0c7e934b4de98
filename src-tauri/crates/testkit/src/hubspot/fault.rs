//! What can be made to go wrong.

/// One fault. It strikes once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection is closed before anything was stored.
    DropBefore,
    /// Everything is stored, then the connection is closed without an answer.
    DropAfter,
    /// Nothing is stored, and no answer comes.
    SilentBefore,
    /// Everything is stored, and no answer comes.
    SilentAfter,
    /// Nothing is stored, and this status is answered.
    Status(u16),
    /// Everything is stored, and this status is answered.
    StatusAfter(u16),
    /// 429 for the ten-second limit.
    TenSecondly,
    /// 429 for the daily limit.
    Daily,
    /// Everything is stored, and the answer is not JSON.
    Garbage,
}

impl Fault {
    /// Every fault that time heals.
    pub const ALL: &[Fault] = &[
        Fault::DropBefore,
        Fault::DropAfter,
        Fault::Status(500),
        Fault::Status(502),
        Fault::StatusAfter(503),
        Fault::TenSecondly,
        Fault::Daily,
        Fault::Garbage,
    ];

    pub(super) fn stores(self) -> bool {
        matches!(self, Fault::DropAfter | Fault::SilentAfter | Fault::StatusAfter(_) | Fault::Garbage)
    }
}
