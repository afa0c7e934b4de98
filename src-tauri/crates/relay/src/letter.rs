//! A mail on its way through: its header is held until it is whole and goes on with the little that is changed, its body goes
//! on as it comes.

use crate::answer::Answer;
use crate::header::{Head, Held, Hold};
use crate::limits::Limits;
use crate::switch::Switch;
use crate::upstream::{Passing, Rewrite, Upstream};

pub(crate) struct Letter {
    pub(crate) passing: Passing,
    /// Addresses of the envelope with their switch, and without.
    switched: Vec<(String, String)>,
    /// The right-hand side of a Message-ID that is made.
    domain: String,
    /// Until it is whole.
    head: Option<Hold>,
    most: usize,
    rewrite: Option<Box<dyn Rewrite>>,
}

impl Letter {
    pub(crate) fn new(mailbox: i64, domain: &str, limits: &Limits) -> Self {
        let passing = Passing { mailbox, message_id: None, switch: None, recipients: Vec::new() };
        Self {
            passing,
            switched: Vec::new(),
            domain: domain.to_owned(),
            head: Some(Hold::new(limits.header)),
            most: limits.header,
            rewrite: None,
        }
    }

    /// The provider accepted this recipient; `said` is the switch with the address as it was.
    pub(crate) fn goes_to(&mut self, address: String, said: Option<(Switch, String)>) {
        if let Some((switch, with)) = said {
            self.say(switch);
            self.switched.push((with, address.clone()));
        }
        self.passing.recipients.push(address);
    }

    fn say(&mut self, switch: Switch) {
        self.passing.switch = Some(switch.and(self.passing.switch));
    }

    /// The next piece: puts what goes on behind `out`. An answer refuses the mail.
    pub(crate) fn pass(
        &mut self,
        came: &[u8],
        upstream: &dyn Upstream,
        out: &mut Vec<u8>,
    ) -> Result<(), Answer> {
        match self.head.take().map(|hold| hold.feed(came)) {
            None => self.pass_body(came, out),
            Some(Held::More(hold)) => self.head = Some(hold),
            Some(Held::Whole(head)) => self.pass_head(&head, upstream, out),
            Some(Held::TooLarge) => {
                let most = self.most / 1024;
                let words = format!("5.3.4 The header of the mail is larger than {most} KiB");
                return Err(Answer::new(552, words));
            }
        }
        Ok(())
    }

    /// Nothing more comes: what is held goes on.
    pub(crate) fn end(&mut self, upstream: &dyn Upstream, out: &mut Vec<u8>) {
        if let Some(hold) = self.head.take() {
            self.pass_head(&hold.end(), upstream, out);
        }
        if let Some(mut rewrite) = self.rewrite.take() {
            out.extend(rewrite.end());
        }
    }

    fn pass_body(&mut self, came: &[u8], out: &mut Vec<u8>) {
        match &mut self.rewrite {
            Some(rewrite) => out.extend(rewrite.piece(came)),
            None => out.extend_from_slice(came),
        }
    }

    fn pass_head(&mut self, head: &Head, upstream: &dyn Upstream, out: &mut Vec<u8>) {
        let mut random = [0; 16];
        // Without randomness two mails without a date share an id; better than none sent.
        let _ = getrandom::fill(&mut random);
        let edited = head.edit(&self.switched, &self.domain, &random);
        self.passing.message_id = edited.message_id;
        if let Some(said) = edited.switch {
            self.say(said);
        }
        if !head.is_sealed() {
            self.rewrite = upstream.rewrite(self.passing.mailbox, head);
        }
        out.extend(edited.fields);
        self.pass_body(&head.rest, out);
    }
}
